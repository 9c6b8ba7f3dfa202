"""Evidence as a file to hand over.

Who may call it: for what is said of persons and of looks, the roles of `access/policy.csv`; for
keys and decisions, which hold nothing personal, whoever may see the agencies.

Source: design/trust.md 2.7, 3.7.
"""

import json
from importlib.resources import files
from typing import Any

from flask import Blueprint, Response, redirect, request, url_for

from gateway.access import proving
from gateway.access.model import Purpose
from gateway.errors import NotFound, Refused
from gateway.intake import proving as batches
from gateway.storage import ids
from gateway.trust import anchors
from gateway.web import auth
from gateway.web.edge import edge
from gateway.web.pages.agencies import VIEWERS, only
from gateway.web.pages.desk import door, identifier, purpose_of_form
from keys.bundle import SUFFIX, Evidence, KeysetEvidence, build

blueprint = Blueprint("evidence", __name__, url_prefix="/bukti")


@blueprint.post("/data")
@auth.members_only
def ask_record() -> Any:
    """Log that a person's record is about to be taken away."""
    number = request.form.get("record", "")
    if not number.isdigit() or len(number) > 18:
        raise NotFound("proof.record", "Data itu bukan lagi milik orang ini. Buka lagi profilnya.")
    wanted = (identifier(request.form.get("person", "")), int(number), purpose_of_form())
    with edge().sessions() as session:
        asked = proving.ask_record(session, auth.officer(), wanted, door(), edge().clock())
        session.commit()
    return redirect(url_for("evidence.record", query_id=ids.show(asked.id)), 303)


@blueprint.get("/data/<query_id>")
@auth.members_only
def record(query_id: str) -> Any:
    """The signed line of a record, with all that proves it."""
    with edge().sessions() as session:
        wanted = identifier(query_id)
        made = proving.record(session, auth.officer(), wanted, door(), edge().clock())
        session.commit()
    return _file(made, f"data-{query_id}")


@blueprint.post("/akses")
@auth.members_only
def ask_look() -> Any:
    """Log that evidence of a look is about to be taken away."""
    wanted = (identifier(request.form.get("look", "")), Purpose.DATA_REVIEW)
    with edge().sessions() as session:
        asked = proving.ask_look(session, auth.officer(), wanted, door(), edge().clock())
        session.commit()
    return redirect(url_for("evidence.look", query_id=ids.show(asked.id)), 303)


@blueprint.get("/akses/<query_id>")
@auth.members_only
def look(query_id: str) -> Any:
    """Who looked, what was asked, which persons were shown, and where that came from."""
    with edge().sessions() as session:
        wanted = identifier(query_id)
        made = proving.look(session, auth.officer(), wanted, door(), edge().clock())
        session.commit()
    return _file(made, f"akses-{query_id}")


@blueprint.get("/kunci/<code>")
@auth.members_only
def keyset(code: str) -> Any:
    """The history of an agency's keys."""
    only(VIEWERS)
    with edge().sessions() as session:
        made = KeysetEvidence(batches.keysets(session, code))
    if not made.keysets:
        raise NotFound("keyset.none", "The agency has no approved keyset.")
    return _file(made, f"kunci-{code}")


@blueprint.get("/keputusan/<leaf>")
@auth.members_only
def decision(leaf: str) -> Any:
    """What a person decided about an agency's keys."""
    only(VIEWERS)
    try:
        wanted = bytes.fromhex(leaf)
    except ValueError as err:
        raise Refused("log.unknown_leaf", "The log holds no such decision.") from err
    with edge().sessions() as session:
        made = proving.decision(session, wanted)
    return _file(made, f"keputusan-{leaf[:16]}")


@blueprint.get("/kebijakan")
@auth.members_only
def policy() -> Any:
    """What a reader of evidence must trust: our log's key, the receipt key and the witnesses."""
    only(VIEWERS)
    with edge().sessions() as session:
        made = anchors.policy(session, edge().settings, edge().vault)
    return _attachment(json.dumps(made, indent=1).encode() + b"\n", "policy.json")


@blueprint.get("/pemeriksa")
@auth.members_only
def verifier() -> Any:
    """The page that checks evidence in any browser, to be kept and handed on as a file."""
    answer = _attachment(files("keys").joinpath("verify.html").read_bytes(), "titian-verify.html")
    answer.content_type = "text/html; charset=utf-8"
    return answer


def _file(made: Evidence, name: str) -> Response:
    return _attachment(build(made), name + SUFFIX)


def _attachment(data: bytes, name: str) -> Response:
    answer = Response(data, content_type="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
