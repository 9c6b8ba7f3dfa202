"""What is printed, on which paper, and what a letter is: the plain words. Knows no database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from keys.vault import Vault
from schemas.profile import Profile


class Kind(StrEnum):
    """What is printed; its value stands in addresses and names the template."""

    REFERRAL = "rujukan"
    REJECTION = "penolakan"
    RECEIPT = "tanda-terima"
    SURVEY = "formulir-survei"
    HANDOVER = "serah-terima"


NUMBERED = (Kind.REFERRAL, Kind.REJECTION)
"""Letters: kept, and numbered in a series of their own each year. The others are print-outs."""


class Paper(StrEnum):
    """The two sizes that offices have."""

    A4 = "a4"
    F4 = "f4"


class Copy(StrEnum):
    """For whom a letter is printed: the citizen's copy shows of a NIK the last digits only."""

    CITIZEN = "pemohon"
    AGENCY = "instansi"


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter, as it was issued.

    Attributes:
        running: its number in the series of its kind and year, from 1; `number` as printed.
        code: what its QR names: 80 bits, no part of any person.
        template: kind and version that it is typeset by, for ever.
        copies: how often it was printed.
        data: what it was made of, opened; empty where it was not asked for.
    """

    id: UUID
    kind: Kind
    year: int
    running: int
    number: str
    ticket_id: UUID
    need_id: UUID | None
    code: str
    template: str
    made_on: date
    made_at: datetime
    copies: int
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Office:
    """Who issues or prints, with what, and when by both clocks."""

    officer_id: UUID | None
    vault: Vault
    profile: Profile
    today: date
    now: datetime
