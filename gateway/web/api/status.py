"""Is it alive, is it ready, how much does it do. Who may call it: anyone; it holds counts only."""

from typing import Any

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy.exc import DBAPIError

from gateway.access import query as access
from gateway.intake import query as intake
from gateway.ledger import query as ledger
from gateway.storage import engine, outbox
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
