"""What crosses an agency's inbox: the gateway's signed request, and the agency's signed answer.

The subject of a request is bound to its entry in the log by a salted commitment, so that one entry
serves one question about one person and no other.

Source: trust.md 2.8.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas import statement
from schemas.fields import Many, Struct, Text, Timestamp, Token
from schemas.statement import number, plain, sha256
from schemas.wire import WireSchema

REQUEST_TYPE = "application/vnd.titian.request.v1+json"
RESPONSE_TYPE = "application/vnd.titian.response.v1+json"
ANSWERED_TYPE = "application/vnd.titian.answered.v1+json"
LIVE_CHECK = "live_check"
STATUSES = ("ok", "not_found", "refused", "error")
MAX_CELLS = 60
"""Values that one answer may carry, rows times columns."""
MAX_VALUE = 200

_RID = "[a-z2-7]{26}"
_CODE = "[a-z0-9_.-]{1,60}"


class PurposeSchema(WireSchema):
    """Why it is asked, and the agreement that allows it."""

    code = Token("purpose", _CODE, plain("Keperluan"), required=True)
    basis = statement.name("Dasar", longest=60)


class SubjectSchema(WireSchema):
    """Whom it is about, as far as the index knows him."""

    nik = Token("nik", "[0-9]{16}", plain("NIK"))
    name = Text(120, plain("Nama"))
    birth_date = Token("date", "[0-9]{4}-[0-9]{2}-[0-9]{2}", plain("Tanggal lahir"))


class RequestSchema(WireSchema):
    """A question to one agency; `query` and `salt` tie it to the log."""

    v = statement.version()
    aud = statement.name("Gerbang", longest=80)
    rid = Token("rid", _RID, plain("Tanda"), required=True)
    kind = Token("kind", LIVE_CHECK, plain("Jenis"), required=True)
    agency = statement.agency()
    issued = Timestamp(plain("Dibuat"), required=True)
    deadline = Timestamp(plain("Batas waktu"), required=True)
    purpose = Struct(PurposeSchema, plain("Keperluan"), required=True)
    role = Token("role", _CODE, plain("Peran"), required=True)
    subject = Struct(SubjectSchema, plain("Orang"), required=True)
    salt = sha256("Garam")
    query = sha256("Daun pertanyaan")


class CellSchema(WireSchema):
    """One value: of which row (from 0), under which name."""

    row = number("Baris", most=MAX_CELLS)
    name = statement.name("Kolom", longest=60)
    value = Text(MAX_VALUE, plain("Nilai"), required=True)


class ResponseSchema(WireSchema):
    """What the agency says; `request_sha256` ties it to one request."""

    v = statement.version()
    aud = statement.name("Gerbang", longest=80)
    rid = Token("rid", _RID, plain("Tanda"), required=True)
    request_sha256 = sha256("Hash permintaan")
    agency = statement.agency()
    answered_at = Timestamp(plain("Dijawab"), required=True)
    status = Token("status", "|".join(STATUSES), plain("Jawaban"), required=True)
    code = Token("code", _CODE, plain("Kode"), required=False)
    values = Many(
        Struct(CellSchema, plain("Nilai"), required=True), MAX_CELLS, plain("Nilai"), required=True
    )


class AnsweredSchema(WireSchema):
    """The gateway has the answer, and its entry in the log has this leaf hash."""

    v = statement.version()
    aud = statement.name("Gerbang", longest=80)
    agency = statement.agency()
    rid = Token("rid", _RID, plain("Tanda"), required=True)
    response_sha256 = sha256("Hash jawaban")
    leaf = sha256("Daun log")
    at = Timestamp(plain("Diterima"), required=True)


@dataclass(frozen=True, slots=True)
class Request:
    """A request that was read; hashes and salt are hexadecimal."""

    v: int
    aud: str
    rid: str
    kind: str
    agency: str
    issued: str
    deadline: str
    purpose: Mapping[str, str]
    role: str
    subject: Mapping[str, str]
    salt: str
    query: str


@dataclass(frozen=True, slots=True)
class Response:
    """An answer that was read; `values` are cells of row, name and value."""

    v: int
    aud: str
    rid: str
    request_sha256: str
    agency: str
    answered_at: str
    status: str
    values: tuple[Mapping[str, Any], ...]
    code: str | None = None

    def rows(self) -> list[dict[str, str]]:
        """The rows, each from name to value."""
        found: dict[int, dict[str, str]] = {}
        for cell in self.values:
            found.setdefault(cell["row"], {})[cell["name"]] = cell["value"]
        return [found[n] for n in sorted(found)]


@dataclass(frozen=True, slots=True)
class Answered:
    """A receipt for an answer that was read."""

    v: int
    aud: str
    agency: str
    rid: str
    response_sha256: str
    leaf: str
    at: str


_REQUEST, _RESPONSE, _ANSWERED = RequestSchema(), ResponseSchema(), AnsweredSchema()


def load_request(payload: bytes) -> Request:
    """A request's payload, strictly.

    Raises:
        PayloadRefused: the code and the field of the first fault.
    """
    return Request(**statement.read(_REQUEST, payload))


def load_response(payload: bytes) -> Response:
    """An answer's payload, strictly.

    Raises:
        PayloadRefused: the code and the field of the first fault.
    """
    fields = statement.read(_RESPONSE, payload, brackets=2 * MAX_CELLS)
    return Response(**{**fields, "values": tuple(fields["values"])})


def load_answered(payload: bytes) -> Answered:
    """A receipt's payload, strictly.

    Raises:
        PayloadRefused: the code and the field of the first fault.
    """
    return Answered(**statement.read(_ANSWERED, payload))


def request_entry(asked: Request, query: bytes, commit: bytes) -> dict[str, object]:
    """The log's entry of a request: nothing in it says whom it is about.

    `query` is the leaf of the question behind it, `commit` commits to the subject (32 bytes each).
    """
    return {
        "t": "request",
        "rid": asked.rid,
        "agency": asked.agency,
        "kind": asked.kind,
        "purpose": asked.purpose["code"],
        "query": query.hex(),
        "commit": commit.hex(),
    }
