"""The programmes of the agencies, before each writes its catalogue in its own shape."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parent / "programs.toml"


@dataclass(frozen=True, slots=True)
class Program:
    """One programme; money in whole rupiah."""

    agency: str
    number: int
    code: str
    name: str
    start: date
    end: date
    quota: int
    lowest: int
    highest: int
    funder: str
    unit: str = "orang"
    status: str = "open"
    """`open`, `closed` or `planned`."""

    @property
    def catalogue(self) -> str:
        """The city catalogue's number, the wire's `program_code`."""
        return f"{self.agency}-{self.start.year}-{self.number:02d}"

    @property
    def budget(self) -> int:
        return self.quota * self.highest


@dataclass(slots=True)
class Spending:
    """What has been paid so far, by programme code."""

    used: dict[str, int] = field(default_factory=dict)
    spent: dict[str, int] = field(default_factory=dict)

    def pay(self, code: str, amount: int) -> None:
        self.used[code] = self.used.get(code, 0) + 1
        self.spent[code] = self.spent.get(code, 0) + amount


def programs(agency: str, year: int) -> tuple[Program, ...]:
    """The agency's catalogue of `year` (and what is planned for the next)."""
    catalogue = tomllib.loads(_FILE.read_text(encoding="utf-8"))[agency]
    return tuple(_program(agency, number, row, year) for number, row in enumerate(catalogue, 1))


def _program(agency: str, number: int, row: Mapping[str, Any], year: int) -> Program:
    own = year + 1 if row.get("next") else year
    code = row["code"].replace("YY", f"{year % 100:02d}").replace("ZZ", f"{(year + 1) % 100:02d}")
    return Program(
        agency=agency,
        number=number,
        code=code,
        name=row["name"],
        start=date(own, *row.get("start", (1, 2))),
        end=date(own, *row.get("end", (12, 31))),
        quota=row["quota"],
        lowest=row.get("lowest", 0),
        highest=row.get("highest", 0),
        funder=row["funder"],
        unit=row.get("unit", "orang"),
        status=row.get("status", "open"),
    )
