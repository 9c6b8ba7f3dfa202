"""Batches in, receipts and results out.

Who may call it: the agency that the address names, by RFC 9421 signature under an enrolled key.
"""

from typing import Any

from flask import Response, request
from flask.views import MethodView
from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from gateway.intake import query, service
from gateway.intake.model import Forked, IntakeTools, PutBatch
from gateway.trust import requests
from gateway.trust.model import Caller
from gateway.web.edge import edge
from gateway.web.signed import signed
from keys.canonical import to_base64
from schemas.exchange import (
    DispositionsAnswer,
    DispositionsQuery,
    HeadAnswer,
    RecoveryAnswer,
    StateAnswer,
)
from schemas.receipt import RECEIPT_TYPE, RESULT_TYPE

blueprint = Blueprint(
    "batches",
    __name__,
    url_prefix="/v1/agencies/<string:agency>/streams/<string:stream>",
    description="Signed batches of records. Only the agency itself, by its key.",
)


@blueprint.route("/batches/<int:epoch>/<int:seq>")
class BatchPlace(MethodView):
    """The place of one batch in its stream."""

    @blueprint.response(201, content_type=RECEIPT_TYPE, description="A signed receipt (DSSE).")
    @blueprint.alt_response(200, content_type=RECEIPT_TYPE, description="The receipt given before.")
    def put(self, agency: str, stream: str, epoch: int, seq: int) -> Response:
        """Put a batch: all of it is kept, or none. Putting the same bytes again is harmless."""
        tools = _tools()

        def admit(session: Session, caller: Caller) -> None:
            """Counted and committed before the batch is read: a refused one counts as well."""
            caller.must_be(agency)
            size = request.content_length or 0
            requests.admit_batch(session, agency, size, tools.settings, edge().clock())

        with signed(also=admit) as call:
            batch = PutBatch(
                agency, stream, epoch, seq, call.body, (call.caller.kid, call.caller.key)
            )
            with edge().sessions() as session:
                try:
                    accepted = service.accept(session, batch, tools, edge().clock())
                except Forked:
                    session.commit()
                    raise
                session.commit()
        answer = Response(accepted.receipt, 200 if accepted.replayed else 201)
        answer.content_type = RECEIPT_TYPE
        if accepted.replayed:
            answer.headers["Titian-Replayed"] = "1"
        return answer


@blueprint.route("/head")
class StreamHead(MethodView):
    """The head of a stream."""

    @blueprint.response(200, HeadAnswer)
    def get(self, agency: str, stream: str) -> dict[str, Any]:
        """The last batch accepted, from which a connector that lost its state goes on."""
        with signed() as call:
            call.caller.must_be(agency)
            with edge().sessions() as session:
                head = query.head(session, agency, stream)
                receipt = query.receipt(session, (agency, stream, head.epoch, head.seq))
        return {
            "epoch": head.epoch,
            "seq": head.seq,
            "payload_sha256": head.payload_sha256.hex() if head.seq else None,
            "suspended": head.suspended,
            "leaf": None if head.leaf is None else head.leaf.hex(),
            "receipt": None if receipt is None else to_base64(receipt),
        }


@blueprint.route("/recovery")
class StreamRecovery(MethodView):
    """The ways out after a key of the agency was revoked."""

    @blueprint.response(200, RecoveryAnswer)
    def get(self, agency: str, stream: str) -> dict[str, Any]:
        """What is in quarantine, to be attested, and where a new epoch may begin."""
        with signed() as call:
            call.caller.must_be(agency)
            with edge().sessions() as session:
                found = query.recovery(session, agency, stream)
        return {
            "epoch": found.epoch,
            "prev": None if found.prev is None else found.prev.hex(),
            "quarantined": [
                {"epoch": epoch, "seq": seq, "payload_sha256": sha256.hex()}
                for epoch, seq, sha256 in found.quarantined
            ],
        }


@blueprint.route("/batches/<int:epoch>/<int:seq>/result")
class BatchResult(MethodView):
    """What became of a batch."""

    @blueprint.response(200, content_type=RESULT_TYPE, description="The signed result (DSSE).")
    @blueprint.alt_response(202, schema=StateAnswer, description="Not applied yet.")
    def get(self, agency: str, stream: str, epoch: int, seq: int) -> Any:
        """The signed result statement, once a worker has applied the batch."""
        with signed() as call:
            call.caller.must_be(agency)
            with edge().sessions() as session:
                state, result = query.result(session, (agency, stream, epoch, seq))
        if result is None:
            return {"state": state.value}, 202
        return Response(result, content_type=RESULT_TYPE)


@blueprint.route("/batches/<int:epoch>/<int:seq>/dispositions")
class BatchDispositions(MethodView):
    """What was found about a batch's records."""

    @blueprint.arguments(DispositionsQuery, location="query")
    @blueprint.response(200, DispositionsAnswer)
    def get(
        self, asked: dict[str, int], agency: str, stream: str, epoch: int, seq: int
    ) -> dict[str, Any]:
        """Codes by line, for the people who type the data; 5,000 a page."""
        with signed() as call:
            call.caller.must_be(agency)
            with edge().sessions() as session:
                place = (agency, stream, epoch, seq)
                found = query.dispositions(session, place, asked["after"])
        more = asked["after"] + len(found) if len(found) == query.PAGE else None
        return {"dispositions": [d.show() for d in found], "next": more}


def _tools() -> IntakeTools:
    ours = edge()
    return IntakeTools(ours.vault, ours.settings, ours.profile, ours.index)
