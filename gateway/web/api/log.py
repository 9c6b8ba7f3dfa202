"""The transparency log for those who check it. It holds nothing personal.

Who may call it: checkpoint, cosignatures and proofs are open, so that whoever holds a leaf can
check it; tiles and entries are for enrolled agencies (RFC 9421).

Source: C2SP tlog-tiles, tlog-checkpoint, tlog-proof; design/trust.md 3.2.
"""

import re
from typing import Any

from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import ValidationError

from gateway.errors import NotFound, Refused
from gateway.ledger import query as ledger
from gateway.ledger import witnesses
from gateway.trust import query as trust
from gateway.web.edge import edge
from gateway.web.signed import signed
from keys.canonical import read_json, to_base64
from keys.errors import BadJson
from schemas.exchange import (
    ConsistencyQuery,
    CosignatureRequest,
    CosignaturesAnswer,
    EntriesQuery,
    ProofQuery,
)

blueprint = Blueprint(
    "log", __name__, url_prefix="/v1/log", description="The transparency log: C2SP formats."
)
_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"
_LARGEST = 2048
_LEVEL = re.compile(r"0|[1-5]?[0-9]|6[0-3]")
_TILE = re.compile(
    r"((?!x000/)(?:x[0-9]{3}/){0,5}[0-9]{3})"  # n by thousands, each group but the last behind x
    r"(?:\.p/([1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?"  # the width of a partial tile
)


@blueprint.route("/checkpoint")
class LogCheckpoint(MethodView):
    """The newest signed checkpoint."""

    @blueprint.response(200, content_type=_TEXT, description="A C2SP signed note.")
    def get(self) -> Response:
        """The newest checkpoint."""
        with edge().sessions() as session:
            note = ledger.checkpoint(session)
        return _note(note)


@blueprint.route("/checkpoint/common")
class LogCommonCheckpoint(MethodView):
    """The checkpoint that every witness is shown in this minute."""

    @blueprint.response(200, content_type=_TEXT, description="A C2SP signed note.")
    def get(self) -> Response:
        """The newest checkpoint that was signed before this minute."""
        with edge().sessions() as session:
            note = ledger.common_checkpoint(session, edge().clock())
        return _note(note)


@blueprint.route("/cosignatures")
class LogCosignatures(MethodView):
    """What witnesses say."""

    @blueprint.response(200, CosignaturesAnswer)
    def get(self) -> dict[str, Any]:
        """What each witness cosigned last: so that others can hold it against what they see."""
        with edge().sessions() as session:
            found = witnesses.heard(session, edge().clock())
        return {"cosignatures": [{"note": note, "line": line} for note, line in found]}

    @blueprint.response(204)
    def post(self) -> None:
        """An enrolled agency's witness saw a checkpoint: JSON of `size` and its `line`."""
        with signed() as call:
            said = _cosignature(call.body.read(_LARGEST + 1))
            with edge().sessions.begin() as session:
                known = trust.keyset_witnesses(session, call.caller.agency)
                seen = (said["size"], said["line"])
                witnesses.cosign(session, known, seen, edge().clock())


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
        lines = "".join(f"{to_base64(h)}\n" for h in path)
        return Response(lines, content_type=_TEXT)


@blueprint.route("/tile/<string:level>/<path:place>")
class LogTile(MethodView):
    """A tile of hashes."""

    @blueprint.response(200, content_type=_BYTES, description="Up to 256 hashes of 32 bytes.")
    def get(self, level: str, place: str) -> Response:
        """A hash tile, whole or `.p/W` wide."""
        with signed(), edge().sessions() as session:
            data = ledger.tile(session, _level(level), *_place(place))
        return _kept(data)


@blueprint.route("/tile/entries/<path:place>")
class LogEntries(MethodView):
    """A bundle of entries."""

    @blueprint.arguments(EntriesQuery, location="query")
    @blueprint.response(200, content_type=_BYTES, description="Entries behind uint16 lengths.")
    def get(self, asked: dict[str, int], place: str) -> Response:
        """The entries of a tile of level 0; `from` leaves out those that the reader has."""
        with signed(), edge().sessions() as session:
            data = ledger.entries(session, *_place(place), first=asked["from_"])
        return _kept(data)


def _note(note: bytes | None) -> Response:
    if note is None:
        raise NotFound("log.empty", "The log has no checkpoint yet.")
    return Response(note, content_type=_TEXT)


def _cosignature(data: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = CosignatureRequest().load(read_json(data, limit=_LARGEST))
    except (BadJson, ValidationError) as err:
        raise Refused("log.cosignature", "A cosignature is a size and one line.") from err
    return found


def _kept(data: bytes) -> Response:
    """A tile of a width never changes, so its reader may keep it."""
    answer = Response(data, content_type=_BYTES)
    answer.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return answer


def _level(text: str) -> int:
    if _LEVEL.fullmatch(text) is None:
        raise Refused("log.path", "A tile's level is a number from 0 to 63.")
    return int(text)


def _place(text: str) -> tuple[int, int | None]:
    found = _TILE.fullmatch(text)
    if found is None:
        raise Refused("log.path", "A tile is named like x001/234 or x001/234.p/17.")
    number = int(found.group(1).replace("x", "").replace("/", ""))
    return number, None if found.group(2) is None else int(found.group(2))
