"""A programme as its agency publishes it, and how much of it is left. Pure.

Quota and fund belong to the agency: what is left is what it published, minus what it says is used,
minus what the desk has reserved and the agency has not published yet.

Source: design/decisions.md (quota and fund); domain.md §3.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Self

GOVERNMENT = frozenset(("APBD_KOTA", "APBD_PROV", "APBN"))
LAST_RESORT = "DONASI_LKS"
ZAKAT = "ZIS"
_MAYOR = frozenset(("KESEHATAN", "SOSIAL_BUDAYA"))
"""Bidang whose public programmes ask the mayor where nothing else is published (§2.4, N06)."""


class When(StrEnum):
    """Where a programme stands on a day."""

    RUNNING = "running"
    FULL = "full"
    """Running, but no place or no money is left."""
    NEXT = "next"
    """Of a later year, or not open yet."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Program:
    """One programme; money in whole rupiah, None where the agency publishes nothing.

    Attributes:
        level: `city`, `province`, `nation` or `partner`: whose money it is.
        criteria: a predicate of `criteria`; None where there is none.
    """

    code: str
    agency: str
    name: str
    bidang: str
    funder: str
    status: str
    fiscal_year: int
    need_kinds: frozenset[str] = frozenset()
    period_start: date | None = None
    period_end: date | None = None
    quota_total: int | None = None
    quota_used: int = 0
    budget_total: int | None = None
    budget_spent: int = 0
    amount_min: int | None = None
    amount_max: int | None = None
    amount_fixed: int | None = None
    unit: str | None = None
    form: str | None = None
    criteria: Mapping[str, Any] | None = None
    documents: tuple[str, ...] = ()
    exclusive_group: str | None = None
    complements: frozenset[str] = frozenset()
    mayor: bool | None = None
    residency_rule: str = "none"
    legal_basis: str | None = None
    contact: str | None = None

    @classmethod
    def read(cls, agency: str, said: Mapping[str, Any]) -> Self:
        """A programme out of the fields of a published record `program/1`."""
        return cls(
            code=said["program_code"],
            agency=agency,
            name=said["name"],
            bidang=said["bidang"],
            funder=said["funder"],
            status=said["status"],
            fiscal_year=said["fiscal_year"],
            need_kinds=frozenset(said.get("need_kinds") or ()),
            period_start=_day(said.get("period_start")),
            period_end=_day(said.get("period_end")),
            quota_total=said.get("quota_total"),
            quota_used=said.get("quota_used") or 0,
            budget_total=said.get("budget_total"),
            budget_spent=said.get("budget_spent") or 0,
            amount_min=said.get("amount_min"),
            amount_max=said.get("amount_max"),
            amount_fixed=said.get("amount_fixed"),
            unit=said.get("unit"),
            form=said.get("form"),
            criteria=said.get("criteria"),
            documents=tuple(said.get("documents") or ()),
            exclusive_group=said.get("exclusive_group"),
            complements=frozenset(said.get("complements") or ()),
            mayor=said.get("needs_mayor_approval"),
            residency_rule=said.get("residency_rule") or "none",
            legal_basis=said.get("legal_basis"),
            contact=said.get("contact"),
        )

    @property
    def level(self) -> str:
        """Whose money it is."""
        levels = {"APBD_KOTA": "city", "APBD_PROV": "province", "APBN": "nation"}
        return levels.get(self.funder, "partner")

    @property
    def needs_mayor(self) -> bool:
        """Whether the mayor approves: as published, else by bidang where the money is public."""
        if self.mayor is not None:
            return self.mayor
        return self.funder in GOVERNMENT and self.bidang in _MAYOR

    @property
    def exclusive_key(self) -> str | None:
        """The group of which one person has one programme a year."""
        return self.exclusive_group and f"{self.exclusive_group}/{self.fiscal_year}"

    def is_running(self, today: date) -> bool:
        """Whether somebody may apply on this day: open, and within its period."""
        starts = self.period_start or date(self.fiscal_year, 1, 1)
        ends = self.period_end or date(self.fiscal_year, 12, 31)
        return self.status == "open" and starts <= today <= ends

    def is_later(self, today: date) -> bool:
        """Whether it is of a later year, or begins later this year."""
        starts = self.period_start or date(self.fiscal_year, 1, 1)
        return self.status != "closed" and starts > today

    def range_of(self, usual: tuple[int | None, int | None]) -> tuple[int | None, int | None]:
        """Least and most for one need: as published, else what is `usual` for its kind."""
        if self.amount_fixed is not None:
            return self.amount_fixed, self.amount_fixed
        least = usual[0] if self.amount_min is None else self.amount_min
        return least, usual[1] if self.amount_max is None else self.amount_max


@dataclass(frozen=True, slots=True)
class Truth:
    """How much is left of a programme.

    Attributes:
        reserved, promised: places and rupiah that the desk has reserved and no record shows yet.
        matched: reservations that the agency has published since.
    """

    program: Program
    reserved: int = 0
    promised: int = 0
    matched: int = 0

    @property
    def quota_left(self) -> int | None:
        """Places left, at least 0; None where the agency publishes no quota."""
        p = self.program
        return (
            None if p.quota_total is None else max(p.quota_total - p.quota_used - self.reserved, 0)
        )

    @property
    def budget_left(self) -> int | None:
        """Rupiah left, at least 0; None where no budget is published, or things are given."""
        p = self.program
        if p.budget_total is None or not (p.budget_total or p.amount_max or p.amount_fixed):
            return None
        return max(p.budget_total - p.budget_spent - self.promised, 0)

    @property
    def has_room(self) -> bool:
        """Whether a place, and money for the least amount, is left."""
        least = self.program.amount_fixed or self.program.amount_min or 1
        money = self.budget_left
        return self.quota_left != 0 and (money is None or money >= least)

    def when(self, today: date) -> When:
        """Where it stands on a day."""
        if self.program.is_running(today):
            return When.RUNNING if self.has_room else When.FULL
        return When.NEXT if self.program.is_later(today) else When.CLOSED


def _day(said: str | None) -> date | None:
    return None if said is None else date.fromisoformat(said)
