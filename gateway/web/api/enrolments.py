"""How an agency's keys come in by a ticket, the first time or anew.

Who may call it: the holder of a ticket; the ticket's secret speaks through an HMAC in the proof.

Source: design/trust.md 1.5.
"""

from typing import Any

from flask import request
from flask.views import MethodView
from flask_smorest import Blueprint

from gateway.errors import NotFound
from gateway.ledger import query as ledger
from gateway.trust import query, service
from gateway.trust.model import Gate, Pending
from gateway.web import jsonbody
from gateway.web.edge import edge
from keys.canonical import from_base64, to_base64
from keys.signers import AGENCY
from schemas.exchange import (
    ChallengeAnswer,
    ChallengeRequest,
    EnrolmentAnswer,
    EnrolmentQuery,
    EnrolmentRequest,
)

blueprint = Blueprint(
    "enrolments",
    __name__,
    url_prefix="/v1/enrolments/<string:agency>",
    description="Enrolment with a ticket, proof of possession and two approvals.",
)


@blueprint.before_request
def guard() -> None:
    """Only a code that an agency can have, and only a small body of strict JSON."""
    if AGENCY.fullmatch((request.view_args or {}).get("agency", "")) is None:
        raise NotFound("agency.unknown", "There is no agency of this code.")
    jsonbody.check()


@blueprint.route("/challenge")
class Challenge(MethodView):
    """The challenge of a ticket's holder."""

    @blueprint.arguments(ChallengeRequest)
    @blueprint.response(200, ChallengeAnswer)
    def post(self, asked: dict[str, str], agency: str) -> dict[str, str | None]:
        """A fresh nonce; an earlier one is void. And the keyset that the new one must follow."""
        with edge().sessions.begin() as session:
            nonce = service.challenge(session, agency, asked["ticket_id"], edge().clock())
            before = query.keyset_or_none(session, agency)
        return {"nonce": nonce, "follows": None if before is None else to_base64(before)}


@blueprint.route("")
class Enrolment(MethodView):
    """An agency's enrolment."""

    @blueprint.arguments(EnrolmentRequest)
    @blueprint.response(202, EnrolmentAnswer)
    def post(self, sent: dict[str, str], agency: str) -> dict[str, Any]:
        """Hand in the keyset; it waits for two persons to approve its fingerprint."""
        envelopes = from_base64(sent["keyset"]), from_base64(sent["proof"])
        now = edge().clock()
        gate = Gate(edge().settings.aud, edge().vault.signer("receipt"))
        with edge().sessions.begin() as session:
            pending = service.enrol(session, agency, envelopes, gate, now)
        return {**_shown(pending, None), "fingerprint": pending.fingerprint}

    @blueprint.arguments(EnrolmentQuery, location="query")
    @blueprint.response(200, EnrolmentAnswer)
    def get(self, asked: dict[str, str], agency: str) -> dict[str, Any]:
        """How far it is."""
        with edge().sessions() as session:
            standing = service.standing(session, agency, asked["ticket_id"], edge().clock())
            try:
                proof = None if standing.leaf is None else ledger.proof(session, standing.leaf)
            except NotFound:
                proof = None  # not in a signed checkpoint yet: ask again
        return _shown(standing, proof)


def _shown(standing: Pending, proof: str | None) -> dict[str, Any]:
    return {
        "state": standing.state.value,
        "approvals": standing.approvals,
        "keyset_leaf": None if standing.leaf is None else standing.leaf.hex(),
        "envelope": None if standing.leaf is None else to_base64(standing.envelope),
        "proof": proof,
    }
