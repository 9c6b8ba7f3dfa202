"""What the gateway signs about a batch: the receipt at once, the result when it is applied."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas import statement
from schemas.fields import Flag, Many, Struct, Timestamp, Token
from schemas.statement import MAX_EPOCH, MAX_SEQ, number, plain, sha256
from schemas.wire import WireSchema

RECEIPT_TYPE = "application/vnd.titian.receipt.v1+json"
RESULT_TYPE = "application/vnd.titian.result.v1+json"
MMD_SECONDS = 10
MAX_REJECTED_SHOWN = 1000
BATCH_STATES = ("accepted", "applied", "applied_partial", "held", "parked", "quarantined")


class BatchRefSchema(WireSchema):
    """Which batch is meant."""

    agency = statement.agency()
    stream = Token("stream", "target|program", plain("Aliran"), required=True)
    epoch = number("Epoch", least=1, most=MAX_EPOCH)
    seq = number("Nomor urut", least=1, most=MAX_SEQ)
    payload_sha256 = sha256("Hash muatan")


class ReceiptSchema(BatchRefSchema):
    """The promise that the accept entry with leaf hash `leaf` is logged within `mmd` seconds."""

    v = statement.version()
    aud = statement.name("Gerbang", longest=80)
    root = sha256("Akar Merkle")
    count = number("Jumlah rekaman")
    accepted_at = Timestamp(plain("Diterima"), required=True)
    leaf = sha256("Daun log")
    mmd = number("Batas detik")
    min_size = number("Ukuran log paling sedikit")


class RejectedSchema(WireSchema):
    """Line `i` of the batch (from 0), and the code of its fault."""

    i = number("Baris")
    code = Token("code", r"[a-z0-9_.]{1,60}", plain("Kode"), required=True)


class ResultSchema(WireSchema):
    """What became of each line; `dispositions_root` commits to the full list."""

    v = statement.version()
    aud = statement.name("Gerbang", longest=80)
    batch = Struct(BatchRefSchema, plain("Batch"), required=True)
    state = Token("state", "|".join(BATCH_STATES), plain("Keadaan"), required=True)
    applied = number("Diterapkan")
    unchanged = number("Tidak berubah")
    superseded = number("Sudah lebih baru")
    rejected_count = number("Ditolak")
    rejected = Many(
        Struct(RejectedSchema, plain("Baris"), required=True),
        MAX_REJECTED_SHOWN,
        plain("Ditolak"),
        required=True,
    )
    dispositions_root = sha256("Akar daftar lengkap")
    held = Flag(plain("Ditahan"), required=True)
    index_version = number("Versi indeks")


@dataclass(frozen=True, slots=True)
class Receipt:
    """An accepted receipt; hashes are hexadecimal."""

    v: int
    aud: str
    agency: str
    stream: str
    epoch: int
    seq: int
    payload_sha256: str
    root: str
    count: int
    accepted_at: str
    leaf: str
    mmd: int
    min_size: int


@dataclass(frozen=True, slots=True)
class ResultStatement:
    """`batch` and each of `rejected` as plain mappings."""

    v: int
    aud: str
    batch: Mapping[str, Any]
    state: str
    applied: int
    unchanged: int
    superseded: int
    rejected_count: int
    rejected: tuple[Mapping[str, Any], ...]
    dispositions_root: str
    held: bool
    index_version: int


_RECEIPT = ReceiptSchema()
_RESULT = ResultSchema()


def load_receipt(payload: bytes) -> Receipt:
    """A receipt's payload, strictly.

    Raises:
        PayloadRefused: the code and the field of the first fault.
    """
    return Receipt(**statement.read(_RECEIPT, payload))


def load_result(payload: bytes) -> ResultStatement:
    """A result statement's payload, strictly.

    Raises:
        PayloadRefused: the code and the field of the first fault.
    """
    fields = statement.read(_RESULT, payload, brackets=2 * MAX_REJECTED_SHOWN)
    return ResultStatement(**{**fields, "rejected": tuple(fields["rejected"])})
