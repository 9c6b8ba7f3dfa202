"""Kinds of task as data, tasks, and what limits whoever decides them. Knows no database."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from gateway.index.verdict import Verdict

PAIR_KINDS = frozenset(("K00", "K01", "K02"))
"""Two persons stand side by side."""
PROGRAM_KIND = "K14"
"""A programme and those who pay from it, and no single person."""
PLACE_KIND = "K13"
"""A name of a place and the agency that writes it, and no single person."""
AGENCY_DISTRUSTED, OFFICER_HASTY = "B01", "B02"
MOST_JOINED_AN_HOUR = 120
"""Merges that one officer may decide in an hour; more are refused, and a coordinator is told."""
BULK_MOST = 50
BULK_SAMPLE = 5


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of `kinds.toml`; `label` by language, `due` in working days."""

    code: str
    label: Mapping[str, str]
    to: str
    due: int
    rank: int
    decisions: tuple[Verdict, ...]


class State(StrEnum):
    """Where a task stands; what has been decided is carried out by a worker soon after."""

    OPEN = "open"
    SECOND = "second"
    """A second person must stand behind the decision."""
    DECIDED = "decided"
    UNSURE = "unsure"
    AT_SOURCE = "at_source"


WAITING = (State.OPEN, State.SECOND)
"""What somebody has to do something about."""


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to decide.

    Attributes:
        persons: none, one or two; their data are read through access alone.
        records: the two that contradict each other.
        agency: whose word looks wrong; of B02 empty.
        bits: how alike two persons are on average.
        closed_why: `data` (it went away), `decision`, or None while it stands.
    """

    id: UUID
    kind: Kind
    about: str
    persons: tuple[UUID, ...]
    records: tuple[int, int]
    agency: str
    bits: float | None
    worth: int
    state: State
    opened_at: datetime
    closed_at: datetime | None
    closed_why: str | None
    judgement_id: UUID | None


@cache
def kinds() -> Mapping[str, Kind]:
    """All kinds by code, in the order of the table."""
    return {
        code: Kind(
            code,
            {"id": row["id"], "en": row["en"]},
            row["to"],
            row["due"],
            row["rank"],
            tuple(Verdict(v) for v in row["decisions"]),
        )
        for code, row in _table().items()
        if code != "words"
    }


@cache
def excluded_work() -> tuple[str, ...]:
    """Occupations whose holders a poverty list should not hold (K16)."""
    return tuple(_table()["words"]["excluded_work"])


@cache
def _table() -> dict[str, dict[str, Any]]:
    text = Path(__file__).with_name("kinds.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
