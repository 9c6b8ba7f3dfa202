"""What stands on every record line before the fields of its schema: `_s _op _id _v as_of`."""

import re
from typing import Any

from marshmallow import ValidationError

from schemas.fields import MAX_INT, Timestamp, WireField
from schemas.kinds import S1, About
from schemas.wire import WireSchema

PUT = "put"
DEL = "del"

_SALT = re.compile(r"[A-Za-z0-9_-]{22}")
_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class EnvelopeField(WireField):
    """A key of the envelope: its codes begin with its own word (`salt.missing`, `id.format`)."""

    def __init__(self, word: str, label_id: str, data_key: str) -> None:
        super().__init__(
            About(label_id, sensitivity=S1),
            required=True,
            data_key=data_key,
            error_messages={"required": f"{word}.missing", "null": f"{word}.missing"},
        )
        self.word = word


class Salt(EnvelopeField):
    """128 random bits in base64url, 22 characters, one for each line of a batch."""

    def check(self, value: Any) -> str:
        if type(value) is not str or _SALT.fullmatch(value) is None:
            raise ValidationError("salt.format")
        return value


class RecordId(EnvelopeField):
    """The agency's own opaque id of the record."""

    def check(self, value: Any) -> str:
        if type(value) is not str or _ID.fullmatch(value) is None:
            raise ValidationError("id.format")
        return value


class Version(EnvelopeField):
    """epoch · 2^32 + seq of the batch that seals the record."""

    def check(self, value: Any) -> int:
        if type(value) is not int or not 0 < value <= MAX_INT:
            raise ValidationError("version.format")
        return value


class Operation(EnvelopeField):
    """`put` or `del`; a record never vanishes in silence."""

    def check(self, value: Any) -> str:
        if type(value) is not str or value not in (PUT, DEL):
            raise ValidationError("op.unknown")
        return value


class SaltOnlySchema(WireSchema):
    """The least that an envelope holds: the salt. For other records than the registered ones."""

    salt = Salt("salt", "Garam", "_s")


class EnvelopeSchema(SaltOnlySchema):
    """What stands on every record line before the fields of its schema."""

    op = Operation("op", "Operasi", "_op")
    id = RecordId("id", "Kunci sumber", "_id")
    v = Version("version", "Versi", "_v")
    as_of = Timestamp(About("Keadaan pada", sensitivity=S1))
