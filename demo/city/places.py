"""Where people live: today's kelurahan of the city profile and the units they were merged from."""

import csv
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

from schemas import profiles

_PROFILES = Path(profiles.__file__).parent


@dataclass(frozen=True, slots=True)
class Unit:
    """One kelurahan, of today or of the past."""

    kemendagri: str
    """`13.76.01.1021`; empty for most units that were merged away."""
    bps: str
    """10 digits; where the list joins two codes by `+`, the first."""
    kecamatan_code: str
    kecamatan: str
    name: str
    active: bool
    successor: str
    """Kemendagri code of today's unit; empty for today's units and where nobody knows."""


@dataclass(frozen=True, slots=True)
class Places:
    """Today's kelurahan, what each was before, and the NIK prefixes met in the city."""

    active: tuple[Unit, ...]
    before: Mapping[str, tuple[Unit, ...]]
    """Kemendagri code of today's unit to the units of 2011 that its people lived in."""
    prefixes: tuple[str, ...]
    """First four digits (province, regency) of NIKs from other regions."""

    @classmethod
    def load(cls, profile: str) -> "Places":
        """Of the city profile with this name (a folder of `schemas/profiles/`)."""
        prefixes = [row["prefix"] for row in _rows(profile, "nik_prefixes")]
        return cls.of([_unit(row) for row in _rows(profile, "wilayah")], prefixes)

    @classmethod
    def of(cls, units: Sequence[Unit], prefixes: Sequence[str]) -> "Places":
        active = tuple(sorted((u for u in units if u.active), key=lambda u: u.kemendagri))
        old = sorted((u for u in units if not u.active), key=lambda u: u.bps)
        before = {
            u.kemendagri: tuple(o for o in old if o.successor == u.kemendagri) for u in active
        }
        _share_out([o for o in old if not o.successor], active, before)
        for unit in active:
            before[unit.kemendagri] = before[unit.kemendagri] or (unit,)
        city = active[0].kecamatan_code.replace(".", "")[:4]
        elsewhere = tuple(p for p in sorted(set(prefixes)) if len(p) == 4 and p != city)
        return cls(active, before, elsewhere)

    def city_prefix(self) -> str:
        """`13.76`: province and city."""
        return self.active[0].kecamatan_code.rsplit(".", 1)[0]

    def weights(self, rng: Random) -> tuple[float, ...]:
        """How many households live in each of today's units, relative to each other."""
        return tuple(0.6 + rng.random() for _ in self.active)


def business_date(profile: str) -> date:
    """The fixed business date of the city profile.

    Raises:
        LookupError: the profile follows the calendar; a demo city needs a fixed day.
    """
    text = (_PROFILES / profile / "profile.toml").read_text(encoding="utf-8")
    day = tomllib.loads(text)["city"].get("business_date")
    if day is None:
        raise LookupError("the city profile has no business_date: a demo city needs a fixed day")
    return date(day.year, day.month, day.day)


def _rows(profile: str, table: str) -> list[dict[str, str]]:
    with (_PROFILES / profile / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _unit(row: Mapping[str, str]) -> Unit:
    return Unit(
        kemendagri=row["kemendagri_code"],
        bps=row["bps_code"].split("+")[0],
        kecamatan_code=row["kecamatan_code"],
        kecamatan=row["kecamatan"],
        name=row["name"],
        active=not row["valid_to"],
        successor=row["successor"],
    )


def _share_out(
    lost: Sequence[Unit], active: Sequence[Unit], before: dict[str, tuple[Unit, ...]]
) -> None:
    """Give the old units without a known successor to the new units of their kecamatan.

    Which went where is not known outside; for the demo's people any fixed share serves.
    """
    newest = max((u.kemendagri for u in lost), default="")
    heirs = [
        u
        for u in active
        if lost
        and u.kecamatan_code == lost[0].kecamatan_code
        and not before[u.kemendagri]
        and u.kemendagri > newest
    ]
    for place, heir in enumerate(heirs):
        before[heir.kemendagri] = tuple(lost[place :: len(heirs)])
