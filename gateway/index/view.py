"""What the index answers with: candidates of a search, and all that is known of one person.

Values stand here in full; who may see which is decided by access, above.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from gateway.index.precedence import Golden
from gateway.index.radar import Overlap


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: `number` is 16 digits that may be a NIK or a family card."""

    nik: str | None = None
    no_kk: str | None = None
    number: str | None = None
    phone: str | None = None
    name: str | None = None
    birth_date: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason: on `field` the level `level` was found, worth `bits`."""

    field: str
    level: str
    bits: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """One person whom a search may have meant.

    Attributes:
        score: bits of what was typed, without any prior: the best of the person's records.
        why: the same in words, `NIK sama`.
        sources: labels of the agencies that know the person.
        badges: lists that hold the person or the household, `DTSEN desil 2`.
        batches: accept leaves (32 bytes) in the log of the batches that this was read from.
    """

    person_id: UUID
    name: str | None
    birth_date: str | None
    sex: str | None
    kelurahan: str | None
    rt: str | None
    rw: str | None
    nik_masked: str | None
    score: float
    why: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    sources: tuple[str, ...]
    badges: tuple[str, ...]
    batches: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Which signed line says so: `leaf` (32 bytes) is line `line_i` of batch `batch_id`."""

    agency: str
    record_id: int
    record_type: str
    v: int
    as_of: datetime
    batch_id: UUID
    line_i: int
    leaf: bytes
    accepted: bytes | None


@dataclass(frozen=True, slots=True)
class Cell:
    """What one record of one agency says of an attribute; `conflict`: not what the view shows."""

    agency: str
    record_id: int
    value: Any
    as_of: datetime
    conflict: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One attribute across the agencies; `sensitivity` is S1, S2 or S3."""

    attribute: str
    label: str
    sensitivity: str
    golden: Golden | None
    cells: tuple[Cell, ...]
    conflict: bool


@dataclass(frozen=True, slots=True)
class Relative:
    """A member of a household; `person_id` None where the record is not linked yet."""

    person_id: UUID | None
    name: str | None
    birth_date: str | None
    relation: str | None
    is_head: bool = False


@dataclass(frozen=True, slots=True)
class Related:
    """A household, listing, enrolment or benefit record; `via` says how it reaches the person.

    Attributes:
        via: `person`, `household` or `enrolment`.
        role: `head`, `member`, `of`.
        values: all its fields.
    """

    provenance: Provenance
    via: str
    role: str
    values: Mapping[str, Any]
    program: str | None = None
    members: tuple[Relative, ...] = ()

    @property
    def agency(self) -> str:
        return self.provenance.agency


@dataclass(frozen=True, slots=True)
class Link:
    """Why two records are one person; `weakest` marks the link that the whole hangs by."""

    a: Provenance
    b: Provenance
    bits: float
    evidence: tuple[Evidence, ...]
    weakest: bool


@dataclass(frozen=True, slots=True)
class Note:
    """Something to heed: `DEATH_REGISTERED`, `DEATH_SUSPECTED`, `MOVED_OUT`, `MOVED_SUSPECTED`."""

    code: str
    agency: str
    day: str | None
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Review:
    """A record of which a newer version is in quarantine.

    Attributes:
        since: from when on what the agency sent is being verified.
        trusted: the age of the value that is shown; None where no version is trusted.
    """

    agency: str
    record_type: str
    since: datetime
    trusted: datetime | None


@dataclass(frozen=True, slots=True)
class Difference:
    """How a person reads now: does a record still speak of him, and which fields say otherwise."""

    exists: bool
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonView:
    """One person, 360 degrees.

    Attributes:
        golden: the value shown for each attribute, with its source.
        rows: attribute × agency.
        members: the records that are this person, the most authoritative first.
        family: who stands on the same family card, by the civil register.
        benefits: newest first; so are the other lists.
        freshness: newest `as_of` of each agency that knows the person.
        batches: accept leaves (32 bytes) of the batches that this was read from.
        overlaps: payments of two programmes for one need in one period, and what they are.
        reviews: records shown (or not) as they were before data that are being verified.
    """

    person_id: UUID
    name: str | None
    nik_masked: str | None
    golden: Mapping[str, Golden]
    rows: tuple[Row, ...]
    members: tuple[Provenance, ...]
    family: tuple[Relative, ...]
    households: tuple[Related, ...]
    listings: tuple[Related, ...]
    enrolments: tuple[Related, ...]
    benefits: tuple[Related, ...]
    links: tuple[Link, ...]
    notes: tuple[Note, ...]
    freshness: Mapping[str, datetime]
    batches: tuple[bytes, ...]
    badges: tuple[str, ...] = ()
    programs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    reviews: tuple[Review, ...] = ()
    overlaps: tuple[Overlap, ...] = ()

    @property
    def records(self) -> tuple[Provenance, ...]:
        """Every record that this was read from: his own, then those that speak of him."""
        related = (*self.households, *self.listings, *self.enrolments, *self.benefits)
        return (*self.members, *(each.provenance for each in related))

    @property
    def nik(self) -> str | None:
        found = self.golden.get("nik")
        return None if found is None else str(found.value)

    def age(self, today: date) -> int | None:
        """Whole years, where the year of birth is known well enough."""
        found = self.golden.get("birth_date")
        if found is None or len(str(found.value)) != 10:
            return None
        born = date.fromisoformat(found.value)
        return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


@dataclass(frozen=True, slots=True)
class Stats:
    """How much the index holds; no persons.

    Attributes:
        records: live records by agency and type.
        links_auto: pairs of records that were compared and are one person.
        links_steward: pairs that are not linked, though nearly (or more than) strong enough.
        pending: records whose links are still to be found.
    """

    persons: int
    records: Mapping[tuple[str, str], int]
    links_auto: int
    links_steward: int
    pending: int

    def of_type(self, record_type: str) -> int:
        return sum(n for (_, kind), n in self.records.items() if kind == record_type)

    @property
    def person_records(self) -> int:
        return self.of_type("person")

    @property
    def households(self) -> int:
        return self.of_type("household")

    @property
    def listings(self) -> int:
        return self.of_type("listing")

    @property
    def programs(self) -> int:
        return self.of_type("program")

    @property
    def enrolments(self) -> int:
        return self.of_type("enrolment")

    @property
    def benefits(self) -> int:
        return self.of_type("benefit")


def mask_nik(nik: str | None) -> str | None:
    """The first and last four digits: `1376 •••• •••• 0002`."""
    return None if nik is None else f"{nik[:4]} •••• •••• {nik[-4:]}"
