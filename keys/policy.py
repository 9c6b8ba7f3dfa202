"""The trust anchors of whoever reads evidence: without one, what rests on it is lacking.

Source: trust.md 3.4 (policy of witnesses), 3.7.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from keys import checkpoint
from keys.checkpoint import TYPE_COSIGNATURE, NoteKey
from keys.errors import BadStatement
from keys.signers import PublicKey
from keys.statement import Fields

_FIELDS = frozenset(
    {"titian_policy", "aud", "log_vkey", "receipt", "agencies", "witnesses", "quorum"}
)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the reader believes from elsewhere.

    Attributes:
        aud: the gateway's name in signed statements.
        log: the log's key.
        receipt: the keys of receipts by kid; the centre signs with them for its persons too.
        agencies: keys of agencies known by other ways, by agency and kid.
        witnesses: the keys of witnesses.
        quorum: how many of them must have seen a checkpoint; 0 where the log alone is believed.
    """

    aud: str | None = None
    log: NoteKey | None = None
    receipt: Mapping[str, PublicKey] = field(default_factory=dict)
    agencies: Mapping[str, Mapping[str, PublicKey]] = field(default_factory=dict)
    witnesses: tuple[NoteKey, ...] = ()
    quorum: int = 0

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """The policy of a JSON file; every field but ``titian_policy`` may be left out.

        Raises:
            TrustError: a field unknown or wrong; or more witnesses asked for than are named.
        """
        fields = Fields.read_some(data, _FIELDS)
        if "titian_policy" not in fields.values or fields.integer("titian_policy") != 1:
            raise BadStatement("policy.version", "The policy file is not one of version 1.")
        given = fields.values.keys()
        agencies = fields.table("agencies") if "agencies" in given else {}
        witnesses = _witnesses(fields.sequence("witnesses")) if "witnesses" in given else ()
        quorum = fields.integer("quorum") if "quorum" in given else 0
        if quorum > len(witnesses):
            raise BadStatement("policy.quorum", "The policy asks for more witnesses than it names.")
        return cls(
            aud=fields.text("aud") if "aud" in given else None,
            log=checkpoint.parse_vkey(fields.text("log_vkey")) if "log_vkey" in given else None,
            receipt=_keys(fields.table("receipt")) if "receipt" in given else {},
            agencies={agency: _keys(Fields(agencies).table(agency)) for agency in agencies},
            witnesses=witnesses,
            quorum=quorum,
        )


def _keys(table: Mapping[str, Any]) -> dict[str, PublicKey]:
    keys = {}
    for kid, value in table.items():
        fields = Fields.of(value, ("alg", "pub"))
        keys[kid] = PublicKey.parse(fields.text("alg"), fields.base64("pub", 32))
        if keys[kid].kid(kid.partition(":")[0]) != kid:
            raise BadStatement("policy.kid", "A key's name does not belong to the key.")
    return keys


def _witnesses(lines: list[Any]) -> tuple[NoteKey, ...]:
    """Each witness once: one that is named twice must not be counted twice."""
    if not all(isinstance(line, str) for line in lines):
        raise BadStatement("policy.witnesses", "Witnesses are named by their vkeys.")
    keys = tuple(checkpoint.parse_vkey(line, kind=TYPE_COSIGNATURE) for line in lines)
    if len({key.public.raw for key in keys}) != len(keys):
        raise BadStatement("policy.witnesses", "A witness is named twice.")
    return keys
