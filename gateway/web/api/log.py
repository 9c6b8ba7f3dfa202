"""The transparency log for those who check it. It holds nothing personal.

Who may call it: checkpoint and proofs are open, so that whoever holds a leaf can check it; tiles
and entries are for enrolled agencies (RFC 9421).

Source: C2SP tlog-tiles, tlog-checkpoint, tlog-proof; design/trust.md 3.2.
"""

import re
from base64 import b64encode

from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint

from gateway.errors import NotFound, Refused
from gateway.ledger import query as ledger
from gateway.web.edge import edge
from gateway.web.signed import signed
from schemas.exchange import ConsistencyQuery, ProofQuery

blueprint = Blueprint(
    "log", __name__, url_prefix="/v1/log", description="The transparency log: C2SP formats."
)
_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"
_TILE = re.compile(r"((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([0-9]{1,3}))?")


@blueprint.route("/checkpoint")
class LogCheckpoint(MethodView):
    """The newest signed checkpoint."""

    @blueprint.response(200, content_type=_TEXT, description="A C2SP signed note.")
    def get(self) -> Response:
        """The newest checkpoint."""
        with edge().sessions() as session:
            note = ledger.checkpoint(session)
        if note is None:
            raise NotFound("log.empty", "The log has no checkpoint yet.")
        return Response(note, content_type=_TEXT)


@blueprint.route("/proof")
class LogProof(MethodView):
    """Where a leaf stands."""

    @blueprint.arguments(ProofQuery, location="query")
    @blueprint.response(200, content_type=_TEXT, description="A C2SP tlog-proof.")
    def get(self, asked: dict[str, str]) -> Response:
        """The inclusion proof of a leaf under the newest checkpoint; 404 until it is integrated."""
        with edge().sessions() as session:
            proof = ledger.proof(session, bytes.fromhex(asked["leaf"]))
        return Response(proof, content_type=_TEXT)


@blueprint.route("/consistency")
class LogConsistency(MethodView):
    """That one size extends another."""

    @blueprint.arguments(ConsistencyQuery, location="query")
    @blueprint.response(200, content_type=_TEXT, description="One base64 hash a line.")
    def get(self, asked: dict[str, int]) -> Response:
        """The consistency proof from one size to a larger one."""
        with edge().sessions() as session:
            path = ledger.consistency(session, asked["from_"], asked["to"])
        lines = "".join(f"{b64encode(h).decode()}\n" for h in path)
        return Response(lines, content_type=_TEXT)


@blueprint.route("/tile/<int:level>/<path:place>")
class LogTile(MethodView):
    """A tile of hashes."""

    @blueprint.response(200, content_type=_BYTES, description="Up to 256 hashes of 32 bytes.")
    def get(self, level: int, place: str) -> Response:
        """A hash tile, whole or `.p/W` wide."""
        n, width = _place(place)
        with signed(), edge().sessions() as session:
            data = ledger.tile(session, level, n, width)
        return Response(data, content_type=_BYTES)


@blueprint.route("/tile/entries/<path:place>")
class LogEntries(MethodView):
    """A bundle of entries."""

    @blueprint.response(200, content_type=_BYTES, description="Entries behind uint16 lengths.")
    def get(self, place: str) -> Response:
        """The entries of a tile of level 0."""
        n, width = _place(place)
        with signed(), edge().sessions() as session:
            data = ledger.entries(session, n, width)
        return Response(data, content_type=_BYTES)


def _place(text: str) -> tuple[int, int | None]:
    found = _TILE.fullmatch(text)
    if found is None:
        raise Refused("log.path", "A tile is named like x001/234 or x001/234.p/17.")
    number = int(found.group(1).replace("x", "").replace("/", ""))
    return number, None if found.group(2) is None else int(found.group(2))
