"""What belongs to one city, read from its folder of data; no code knows a city by name."""

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, Self
from zoneinfo import ZoneInfo

from schemas.codes import lists
from schemas.errors import ProfileBroken
from schemas.wilayah import Kecamatan, Span, Unit, Wilayah

HALF_DAY = "setengah_hari"
"""The kind of a day in the table of holidays on which the office is open until noon."""


@dataclass(frozen=True, slots=True)
class City:
    """The city and what its numbers begin with."""

    code: str
    name: str
    government: str
    province: str
    kemendagri_code: str
    bps_code: str
    phone_country: str
    timezone: str
    postcode_prefix: str = ""
    business_date: date | None = None


@dataclass(frozen=True, slots=True)
class House:
    """The unit that runs the gateway; it signs as the agency `code`."""

    code: str
    name: str
    long_name: str
    slogan: str = ""


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What letters are printed with; `numbers` are patterns by kind of letter."""

    lines: tuple[str, ...]
    address: str
    place: str
    signatory: str
    legal_basis: tuple[str, ...]
    numbers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency: `code` on the wire, `label` on the screen, what it has authority for."""

    code: str
    label: str
    name: str
    authority: tuple[str, ...]
    region_codes: str
    publish_window_hours: int
    house: bool = False


@dataclass(frozen=True, slots=True)
class NeedKind:
    """A kind of need: its bidang, usual amounts, and the agencies that may meet it, in order.

    Attributes:
        restricted: a case of this kind is seen by the few who must, and by nobody else.
    """

    code: str
    label: str
    bidang: str
    agencies: tuple[str, ...]
    amount_min: int | None = None
    amount_max: int | None = None
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class Counter:
    """A desk (loket) of the house, and the bidang that it serves."""

    code: str
    label: str
    bidang: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The numbers at which something is held back, flagged or hidden."""

    mass_delete_share: float
    mass_delete_count: int
    max_reject: float
    identity_conflict_share: float
    household_size_warning: int
    age_limit_years: int
    survey_fresh_months: int
    stale_amber_windows: int
    stale_red_windows: int
    report_small_count: int
    clock_skew_seconds: int
    amount_warning_idr: int


@dataclass(frozen=True, slots=True)
class Authorities:
    """Whose word is final: on a death, on who is registered, on national lists."""

    register: str
    death: tuple[str, ...]
    national_lists: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day on which no deadline runs; of the kind `setengah_hari` it runs half."""

    day: date
    kind: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """One city's data; `precedence` maps an attribute to agency codes, first speaker first.

    `withheld` are patterns of names of tables and columns that never leave their owner.
    A profile equals only itself, so that what is worked out from it can be kept by it.
    """

    city: City
    unit: House
    letterhead: Letterhead
    thresholds: Thresholds
    authorities: Authorities
    agencies: Mapping[str, Agency]
    need_kinds: Mapping[str, NeedKind]
    counters: Mapping[str, Counter]
    precedence: Mapping[str, tuple[str, ...]]
    combination: Mapping[str, str]
    list_order: tuple[str, ...]
    withheld: tuple[str, ...]
    holidays: Mapping[date, Holiday]
    nik_prefixes: Mapping[str, str]
    wilayah: Wilayah = field(repr=False)

    @classmethod
    def load(cls, name: str) -> Self:
        """The profile of that name in `schemas/profiles/` (read once a process).

        Raises:
            ProfileBroken: there is none, or its files do not fit together.
        """
        return cls(**_load_named(name))

    @classmethod
    def read(cls, folder: Traversable) -> Self:
        """A profile from any folder.

        Raises:
            ProfileBroken: its files do not fit together.
        """
        return cls(**_load(folder))

    @property
    def business_date(self) -> date | None:
        return self.city.business_date

    def today(self, now: datetime) -> date:
        """The desk's business date: the fixed one, else today in the city; `now` is aware."""
        fixed = self.city.business_date
        return fixed or now.astimezone(ZoneInfo(self.city.timezone)).date()

    def counter_of(self, bidang: str) -> str:
        """The code of the desk that serves a bidang."""
        return next(c.code for c in self.counters.values() if bidang in c.bidang)

    def region_name(self, nik: str) -> str | None:
        """The district in which a NIK was first issued, by its longest known prefix, or None.

        It says nothing about where the person lives.
        """
        for length in (6, 4, 2):
            if (found := self.nik_prefixes.get(nik[:length])) is not None:
                return found
        return None

    def is_holiday(self, day: date) -> bool:
        """Whether the office is closed: Saturday, Sunday, or a day of the table."""
        return self.halves(day) == 0

    def halves(self, day: date) -> int:
        """Half days that the office is open on a day: 0, 1 or 2."""
        found = self.holidays.get(day)
        if day.weekday() >= 5 or (found is not None and found.kind != HALF_DAY):
            return 0
        return 2 if found is None else 1


@cache
def _load_named(name: str) -> dict[str, Any]:
    folder = files("schemas.profiles") / name
    if "/" in name or not (folder / "profile.toml").is_file():
        raise ProfileBroken("profile.unknown", "there is no city profile of this name")
    return _load(folder)


def _load(folder: Traversable) -> dict[str, Any]:
    try:
        raw = tomllib.loads((folder / "profile.toml").read_text(encoding="utf-8"))
        loaded = _sections(raw) | _tables(folder)
    except (KeyError, TypeError, ValueError, OSError) as err:
        raise ProfileBroken("profile.broken", f"the city profile is broken: {err}") from err
    _check(loaded)
    return loaded


def _sections(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "city": City(**raw["city"]),
        "unit": House(**raw["unit"]),
        "letterhead": Letterhead(**_tuples(raw["letterhead"])),
        "thresholds": Thresholds(**raw["thresholds"]),
        "authorities": Authorities(**_tuples(raw["authorities"])),
        "agencies": _by_code(Agency(**_tuples(each)) for each in raw["agency"]),
        "need_kinds": _by_code(NeedKind(**_tuples(each)) for each in raw["need_kind"]),
        "counters": _by_code(Counter(**_tuples(each)) for each in raw["counter"]),
        "precedence": MappingProxyType(_tuples(raw["precedence"])),
        "combination": MappingProxyType(dict(raw.get("combination", {}))),
        "list_order": tuple(raw.get("lists", {}).get("order", ())),
        "withheld": tuple(raw.get("withheld", {}).get("names", ())),
    }


def _tables(folder: Traversable) -> dict[str, Any]:
    holidays = [
        Holiday(date.fromisoformat(row["date"]), row["kind"], row["name"])
        for row in _rows(folder / "holidays.csv")
    ]
    return {
        "holidays": MappingProxyType({each.day: each for each in holidays}),
        "nik_prefixes": MappingProxyType(
            {row["prefix"]: row["name"] for row in _rows(folder / "nik_prefixes.csv")}
        ),
        "wilayah": Wilayah(
            [_unit(row) for row in _rows(folder / "wilayah.csv")],
            [
                Kecamatan(
                    row["kemendagri_code"],
                    row["bps_code"],
                    row["name"],
                    tuple(filter(None, row["aliases"].split("|"))),
                )
                for row in _rows(folder / "kecamatan.csv")
            ],
            {row["variant"]: row["canonical"] for row in _rows(folder / "spelling.csv")},
        ),
    }


def _unit(row: Mapping[str, str]) -> Unit:
    ends = ("valid_from", "from_by", "valid_to", "to_by")
    start, start_by, end, end_by = (
        date.fromisoformat(row[name]) if row[name] else None for name in ends
    )
    return Unit(
        kemendagri=row["kemendagri_code"] or None,
        bps=tuple(filter(None, row["bps_code"].split("+"))),
        kecamatan=row["kecamatan_code"],
        name=row["name"],
        span=Span(start, start_by, end, end_by, row["precision"]),
        successor=row["successor"] or None,
    )


def _check(loaded: Mapping[str, Any]) -> None:
    wilayah: Wilayah = loaded["wilayah"]
    today = {unit.kemendagri for unit in wilayah.active}
    agencies = loaded["agencies"]
    wrong = [
        *(u.name for u in wilayah.units if u.successor is not None and u.successor not in today),
        *(u.name for u in wilayah.units if u.kecamatan not in wilayah.kecamatan),
        *(
            need.code
            for need in loaded["need_kinds"].values()
            if need.bidang not in lists.load("bidang")
        ),
        *(
            code
            for need in loaded["need_kinds"].values()
            for code in need.agencies
            if code not in agencies
        ),
        *(
            code
            for ordered in loaded["precedence"].values()
            for code in ordered
            if code not in agencies and code not in ("survey", "ticket", "newest")
        ),
        *(n.bidang for n in loaded["need_kinds"].values() if n.bidang not in _served(loaded)),
        *_same_name(wilayah),
        *(
            code
            for code in (loaded["unit"].code, loaded["authorities"].register)
            if code not in agencies
        ),
    ]
    if wrong:
        raise ProfileBroken("profile.unfit", f"the city profile does not fit together: {wrong[0]}")


def _served(loaded: Mapping[str, Any]) -> set[str]:
    return {bidang for counter in loaded["counters"].values() for bidang in counter.bidang}


def _same_name(wilayah: Wilayah) -> list[str]:
    """Kelurahan of today in one kecamatan that the spelling pairs would make one."""
    seen: set[tuple[str, str]] = set()
    twice = []
    for unit in wilayah.active:
        key = (unit.kecamatan, wilayah.fold(unit.name))
        if key in seen:
            twice.append(unit.name)
        seen.add(key)
    return twice


def _rows(path: Traversable) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def _tuples(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def _by_code(each: Any) -> Mapping[str, Any]:
    return MappingProxyType({one.code: one for one in each})
