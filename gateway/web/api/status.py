"""Is it alive, is it ready, how much does it do. Who may call it: anyone; it holds counts only.

When which agency's keys run out is told to this machine alone.
"""

import ipaddress
from typing import Any

from flask import Blueprint, Response, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy.exc import DBAPIError

from gateway.access import query as access
from gateway.intake import query as intake
from gateway.ledger import query as ledger
from gateway.storage import engine, outbox
from gateway.trust import expiry
from gateway.web.edge import edge

blueprint = Blueprint("status", __name__)


@blueprint.get("/healthz")
def alive() -> Any:
    """This process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def ready() -> Any:
    """The database answers and has the schema that this code wants."""
    try:
        with edge().sessions() as session:
            found = engine.schema_of(session)
    except DBAPIError:
        return jsonify(status="unavailable", why="database"), 503
    if found != edge().revision:
        return jsonify(status="unavailable", why="schema: run 'titian db upgrade'"), 503
    return jsonify(status="ok")


@blueprint.get("/metrics")
def metrics() -> Response:
    """Prometheus text; every figure is read from the database, so each process says the same."""
    registry = CollectorRegistry()
    with edge().sessions() as session:
        for name, sentence, value in _figures(session):
            Gauge(name, sentence, registry=registry).set(value)
        if _is_local():
            _key_expiry(session, registry)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _figures(session: Any) -> list[tuple[str, str, float]]:
    queue, log = outbox.open_count(session), ledger.state(session)
    counts, batches = access.counts(session), intake.counts(session)
    return [
        ("titian_outbox_open", "Promises not yet kept", queue["open"]),
        ("titian_outbox_parked", "Promises set aside after too many attempts", queue["parked"]),
        ("titian_log_size", "Entries under the newest checkpoint", log.size),
        ("titian_log_pending", "Entries waiting for an index", ledger.pending(session)),
        ("titian_persons", "Persons in the index", counts.persons),
        ("titian_batches", "Batches accepted", batches.batches),
        ("titian_records", "Records accepted", batches.records),
        ("titian_records_refused", "Records refused at apply", batches.refused),
    ]


def _is_local() -> bool:
    """Whether the caller is on this machine, and no proxy that we were not told of speaks for it.

    With proxies set, the address is already that of the caller himself.
    """
    if edge().settings.proxies == 0 and "X-Forwarded-For" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _key_expiry(session: Any, registry: CollectorRegistry) -> None:
    gauge = Gauge(
        "titian_key_expiry_seconds",
        "Seconds until a key without successor ends; negative where it has",
        ("agency", "purpose"),
        registry=registry,
    )
    ours = edge()
    left = expiry.seconds_left(session, ours.vault, ours.settings.log_origin, ours.clock())
    for (agency, purpose), seconds in left.items():
        gauge.labels(agency, purpose).set(seconds)
