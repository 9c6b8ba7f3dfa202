"""What comes into the index and what becomes of it: versions of records, and which one stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import numpy as np

from gateway.index import precedence
from gateway.index.blocking import HOT
from gateway.index.clustering import Band
from gateway.index.model import Batch, Pairs, PersonFeatures
from gateway.index.precedence import Rule
from gateway.index.scoring import Model, Reason, Scorer
from keys.vault import Vault
from schemas.profile import Profile

PERSON = "person"
DEL = "del"
NUMBERS = ("nik", "no_kk", "phone")
"""Fields that are looked up by a blind index, the strongest first."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a batch of records comes from.

    Attributes:
        as_of: holds for records that say nothing else.
        accepted: the leaf (32 bytes) of the batch's accept entry in the log; answers name it.
    """

    agency: str
    record_type: str
    batch_id: UUID
    as_of: datetime
    accepted: bytes | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """One accepted line: `i` its position, `content` its hash (32 bytes), `leaf` its leaf hash."""

    i: int
    op: str
    source_id: str
    v: int
    as_of: datetime | None
    content: bytes
    values: Mapping[str, Any]
    leaf: bytes


def _same(scorer: Scorer, name: str) -> tuple[Reason, ...]:
    """The reasons for two records that carry the same number and nothing else."""
    said: dict[str, Any] = {name: "1101011001010001"}
    batch = Batch.of([replace(PersonFeatures(key=key), **said) for key in ("a", "b")])
    pair = Pairs(np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.int64))
    return tuple(r for r in scorer.explain(scorer.evidence(batch, pair), 0) if r.field == name)


@dataclass(frozen=True, slots=True)
class IndexTools:
    """What the index needs beside a session.

    Attributes:
        threshold: average weight in bits at which two groups of records are one person.
        hot: a blocking key that more live records carry yields no pairs.
    """

    vault: Vault
    profile: Profile
    model: Model
    threshold: float = 1.0
    band: Band = field(default_factory=Band)
    hot: int = HOT
    scorer: Scorer = field(init=False, repr=False, compare=False)
    same_number: Mapping[str, tuple[Reason, ...]] = field(init=False, repr=False, compare=False)
    """What an equal number alone says, by field: `nik`, `no_kk`, `phone`."""

    def __post_init__(self) -> None:
        scorer = Scorer(self.model)
        object.__setattr__(self, "scorer", scorer)
        object.__setattr__(self, "same_number", {n: _same(scorer, n) for n in NUMBERS})

    @property
    def register(self) -> str:
        """The agency whose records register a NIK: the civil register."""
        return self.profile.authorities.register

    def rule(self, attribute: str) -> Rule:
        """How claims on an attribute become the one that is shown."""
        house, named = self.profile.unit.code, self.profile.precedence
        return Rule(
            order=precedence.order_of(named, attribute, house),
            combination=self.profile.combination.get(attribute, precedence.FIRST),
        )

    def label(self, agency: str) -> str:
        """An agency's label on the screen."""
        found = self.profile.agencies.get(agency)
        return agency if found is None else found.label

    def place_name(self, code: str | None) -> str | None:
        """Today's name of a kelurahan; of one outside the city, its code."""
        unit = self.profile.wilayah.unit(code) if code else None
        return code if unit is None else unit.name


@dataclass(frozen=True, slots=True)
class Current:
    """The newest version heard of; `assertion_id` is the live one, None once withdrawn."""

    record_id: int
    v: int
    content: bytes
    assertion_id: int | None


class Verdict(StrEnum):
    """What becomes of one arrival."""

    APPLIED = "applied"
    TOMBSTONED = "tombstoned"
    UNCHANGED = "unchanged"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Absorbed:
    """What became of the arrivals: counts, `verdicts` in their order, and findings.

    `findings` are (position `i` of the arrival, code of `schemas.quality`), ascending.
    """

    applied: int
    unchanged: int
    superseded: int
    tombstoned: int
    findings: list[tuple[int, str]]
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """One arrival with its verdict.

    Attributes:
        known: the record as it stood before the batch, None for a new one.
        twice: an equal version said something else before.
        repeat: this very version had been absorbed before; nothing at all changes.
    """

    arrival: Arrival
    verdict: Verdict
    known: Current | None
    twice: bool = False
    repeat: bool = False


def decide(known: Mapping[str, Current], arrivals: Sequence[Arrival]) -> list[Decision]:
    """The verdict on each arrival, in their order; any order of batches ends in the same state.

    1. A record never heard of is applied, or remembered as withdrawn.
    2. A lower version is superseded: it belongs to the history.
    3. An equal version changes nothing; with other content it is the finding `ID_TWICE`.
    4. A higher version that says the same moves the version on, and no more.
    """
    newest: dict[str, tuple[int, bytes]] = {k: (c.v, c.content) for k, c in known.items()}
    decisions = []
    for arrival in arrivals:
        before = known.get(arrival.source_id)
        held = newest.get(arrival.source_id)
        effect = Verdict.TOMBSTONED if arrival.op == DEL else Verdict.APPLIED
        if held is None or (arrival.v > held[0] and arrival.content != held[1]):
            decisions.append(Decision(arrival, effect, before))  # 1
        elif arrival.v < held[0]:
            decisions.append(Decision(arrival, Verdict.SUPERSEDED, before))  # 2
            continue
        elif arrival.v == held[0]:  # 3
            same = arrival.content == held[1]
            verdict = Verdict.UNCHANGED if same else Verdict.SUPERSEDED
            decisions.append(Decision(arrival, verdict, before, twice=not same, repeat=True))
            continue
        else:
            decisions.append(Decision(arrival, Verdict.UNCHANGED, before))  # 4
        newest[arrival.source_id] = (arrival.v, arrival.content)
    return decisions
