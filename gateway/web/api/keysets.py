"""How an agency's keys change after the first: statements that say themselves who made them.

Who may call it: anyone may carry a statement; asking needs an agency's own signature.

Source: design/trust.md 1.4, 1.6.
"""

from typing import Any

from flask import request
from flask.views import MethodView
from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from gateway.errors import NotFound, TooLarge
from gateway.ledger import query as ledger
from gateway.trust import centre, keylife, query, suspending
from gateway.trust.keylife import Centre
from gateway.trust.model import Submitted
from gateway.web.edge import edge
from gateway.web.signed import signed
from keys.canonical import to_base64
from keys.dsse import MAX_BYTES
from keys.signers import AGENCY
from keys.succession import Rule
from schemas.exchange import (
    KeysetAnswer,
    KeysetsAnswer,
    SizeAnswer,
    SizeQuery,
    SuspensionAnswer,
)

blueprint = Blueprint(
    "keysets",
    __name__,
    url_prefix="/v1/agencies/<string:agency>",
    description="Keyset statements, suspensions, and what they rest on.",
)


@blueprint.before_request
def guard() -> None:
    """Only a code that an agency can have."""
    if AGENCY.fullmatch((request.view_args or {}).get("agency", "")) is None:
        raise NotFound("agency.unknown", "There is no agency of this code.")


@blueprint.route("/keysets")
class Keysets(MethodView):
    """The keysets of an agency."""

    @blueprint.response(201, KeysetAnswer)
    @blueprint.alt_response(200, schema=KeysetAnswer, description="It was handed in before.")
    def post(self, agency: str) -> Any:
        """Hand in the statement (a DSSE envelope) that follows the keyset in force."""
        data = _statement()
        with edge().sessions.begin() as session:
            made = keylife.submit(session, agency, data, _centre(), edge().clock())
        with edge().sessions() as session:
            answer = _shown(session, made)
        return answer, 200 if made.repeated else 201

    @blueprint.response(200, KeysetsAnswer)
    def get(self, agency: str) -> dict[str, Any]:
        """All that count, with their places in the log."""
        with signed(), edge().sessions() as session:
            found = query.keysets(session, agency)
            return {"keysets": [_whole(session, made, data) for made, data in found]}


@blueprint.route("/keysets/<int:version>")
class KeysetVersion(MethodView):
    """One version of an agency's keyset."""

    @blueprint.response(200, KeysetAnswer)
    def get(self, agency: str, version: int) -> dict[str, Any]:
        """The statement, and how it stands; of agency `gateway`, the centre's own keys."""
        with signed(), edge().sessions() as session:
            if agency == centre.OWNER:
                return _own(session, version)
            return _whole(session, *query.keyset_version(session, agency, version))


@blueprint.route("/keysets/<int:version>/objection")
class Objection(MethodView):
    """An objection to a statement that waits for its time."""

    @blueprint.response(204)
    def put(self, agency: str, version: int) -> None:
        """The agency objects, by a key that may speak; the body is not read."""
        with signed() as call:
            call.caller.must_be(agency)
            with edge().sessions.begin() as session:
                keylife.cancel(session, agency, version, edge().clock())


@blueprint.route("/keysets/destroyed/<string:kid>")
class Destroyed(MethodView):
    """A private key that is gone."""

    @blueprint.response(204)
    def put(self, agency: str, kid: str) -> None:
        """The agency says that it deleted the private half of a key that has ended."""
        with signed() as call:
            call.caller.must_be(agency)
            with edge().sessions.begin() as session:
                keylife.report_destroyed(session, agency, kid, edge().clock())


@blueprint.route("/suspensions")
class Suspensions(MethodView):
    """Keys that fall silent, and speak again."""

    @blueprint.response(201, SuspensionAnswer)
    @blueprint.alt_response(200, schema=SuspensionAnswer, description="It was said before.")
    def post(self, agency: str) -> Any:
        """Hand in the agency's own statement (a DSSE envelope) about one of its keys."""
        data = _statement()
        with edge().sessions.begin() as session:
            made = suspending.take(session, agency, data, _centre(), edge().clock())
        return {"kid": made.kid, "action": made.action.value}, 200 if made.repeated else 201


@blueprint.route("/keysets/size")
class CosignedSize(MethodView):
    """What a revocation's `size_at_since` must be."""

    @blueprint.arguments(SizeQuery, location="query")
    @blueprint.response(200, SizeAnswer)
    def get(self, asked: dict[str, Any], agency: str) -> dict[str, int]:
        """The log's size that a witness had cosigned by a moment."""
        del agency
        with edge().sessions() as session:
            return {"size": ledger.cosigned_size(session, asked["since"])}


def _statement() -> bytes:
    """The body, which is a DSSE envelope and no larger than one may be."""
    request.max_content_length = MAX_BYTES
    if (request.content_length or 0) > MAX_BYTES:
        raise TooLarge("http.too_large", f"A statement has at most {MAX_BYTES} bytes.")
    return request.get_data(cache=False)


def _centre() -> Centre:
    signer = edge().vault.signer("receipt")
    return {signer.kid: signer.public}


def _own(session: Session, version: int) -> dict[str, Any]:
    row = centre.version(session, version)
    rule = Rule.ENROL if version == 1 else Rule.ROTATE
    made = Submitted(
        agency=row.agency,
        version=row.version,
        rule=rule.value,
        payload_sha256=row.payload_sha256,
        fingerprint="",
        needed=0,
        approvals=0,
        counts_from=None,
        leaf=row.leaf,
    )
    return _whole(session, made, row.envelope)


def _whole(session: Session, made: Submitted, envelope: bytes) -> dict[str, Any]:
    return {**_shown(session, made), "envelope": to_base64(envelope)}


def _shown(session: Session, made: Submitted) -> dict[str, Any]:
    proof = None
    if made.leaf is not None:
        try:
            proof = ledger.proof(session, made.leaf)
        except NotFound:
            proof = None  # not in a signed checkpoint yet: ask again
    return {
        "version": made.version,
        "rule": made.rule,
        "state": "pending" if made.leaf is None else "active",
        "payload_sha256": made.payload_sha256.hex(),
        "approvals": made.approvals,
        "needed": made.needed,
        "leaf": None if made.leaf is None else made.leaf.hex(),
        "proof": proof,
    }
