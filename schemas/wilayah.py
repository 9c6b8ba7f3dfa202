"""Where a place lies today: two code systems, four epochs, and names that occur twice.

A place is known by its Kemendagri code, its BPS code (both have ten digits, in another order of the
kecamatan, so the caller says which it is) or its name together with its kecamatan. What merged
resolves to its successor, with the finding `KEL_OLD`; where the successor is not known, to the
kecamatan alone. Nothing is guessed.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

KEL_OLD = "KEL_OLD"
KEL_UNKNOWN = "KEL_UNKNOWN"
KEL_AMBIGUOUS = "KEL_AMBIGUOUS"

_LETTERS = re.compile(r"[^A-Z0-9]+")
_DIGITS = re.compile(r"[^0-9]")
_KELURAHAN_WORDS = re.compile(r"^\s*(?:KELURAHAN|KEL|DESA|NAGARI)\b[\s.:]*", re.IGNORECASE)
_KECAMATAN_WORDS = re.compile(r"^\s*(?:KECAMATAN|KEC)\b[\s.:]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time whose two ends are known from the earliest to the latest possible day.

    None means that there is no such end. `precision` says how the ends are known: `year`, `by`.
    """

    start_earliest: date | None = None
    start_latest: date | None = None
    end_earliest: date | None = None
    end_latest: date | None = None
    precision: str = ""

    def may_hold(self, day: date) -> bool:
        return (self.start_earliest is None or self.start_earliest <= day) and (
            self.end_latest is None or day < self.end_latest
        )

    def is_uncertain(self, day: date) -> bool:
        """Whether the day lies where the start or the end itself is not known."""
        starting = _between(self.start_earliest, day, self.start_latest)
        return starting or _between(self.end_earliest, day, self.end_latest)


@dataclass(frozen=True, slots=True)
class Unit:
    """A kelurahan as one list of one time names it; `successor` is a Kemendagri code of today."""

    kemendagri: str | None
    bps: tuple[str, ...]
    kecamatan: str
    name: str
    span: Span
    successor: str | None

    @property
    def is_old(self) -> bool:
        return self.span.end_earliest is not None


@dataclass(frozen=True, slots=True)
class Kecamatan:
    """A kecamatan with its code in both systems."""

    kemendagri: str
    bps: str
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """What a place resolves to: today's codes, and the units that it may have been."""

    kelurahan: str | None
    kecamatan: str | None
    name: str
    findings: tuple[str, ...] = ()
    units: tuple[Unit, ...] = ()


class Wilayah:
    """The places of one city."""

    def __init__(
        self,
        units: Iterable[Unit],
        kecamatan: Iterable[Kecamatan],
        spelling: Mapping[str, str] | None = None,
    ) -> None:
        self.units = tuple(units)
        self.kecamatan = {each.kemendagri: each for each in kecamatan}
        self._pairs = sorted((spelling or {}).items(), key=lambda pair: (-len(pair[0]), pair))
        self._active = {u.kemendagri: u for u in self.units if u.kemendagri and not u.is_old}
        self._by_kemendagri = _grouped((_digits(u.kemendagri or ""), u) for u in self.units)
        self._by_bps = _grouped((code, u) for u in self.units for code in u.bps)
        self._by_name = _grouped((self.fold(u.name), u) for u in self.units)
        self._kecamatan_by_code = {_digits(code): code for code in self.kecamatan}
        self._kecamatan_by_bps = {k.bps: k.kemendagri for k in self.kecamatan.values()}
        self._kecamatan_by_name = {
            self.fold(name): each.kemendagri
            for each in self.kecamatan.values()
            for name in (each.name, *each.aliases)
        }

    @property
    def active(self) -> tuple[Unit, ...]:
        """The kelurahan of today, by Kemendagri code."""
        return tuple(self._active[code] for code in sorted(self._active))

    def unit(self, kemendagri: str) -> Unit | None:
        """The kelurahan of today with this Kemendagri code (with its dots)."""
        return self._active.get(kemendagri)

    def fold(self, name: str) -> str:
        """A name without case, spaces and dots, and with one spelling of each pair."""
        folded = _LETTERS.sub("", name.upper())
        for variant, canonical in self._pairs:
            folded = folded.replace(variant, canonical)
        return folded

    def kecamatan_of(self, text: str | None) -> str | None:
        """The Kemendagri code of a kecamatan, from that code (with or without dots) or a name.

        A BPS code is not taken: only its sender knows which system seven digits belong to.
        """
        if not text:
            return None
        return self._kecamatan_by_code.get(_digits(text)) or self._kecamatan_by_name.get(
            self.fold(_KECAMATAN_WORDS.sub("", text))
        )

    def resolve(
        self,
        *,
        kemendagri: str | None = None,
        bps: str | None = None,
        name: str | None = None,
        kecamatan: str | None = None,
        at: date | None = None,
    ) -> Place:
        """The place of today that a source means: by the first of codes and name that is given.

        `at` is the date of the data: where it lies inside the uncertainty of a merger, the units
        before and after are both given, with `KEL_OLD`. A name that occurs in two kecamatan needs
        its `kecamatan` (a code or a name).
        """
        if kemendagri:
            return self._by_code(
                _digits(kemendagri), self._by_kemendagri, self._kecamatan_by_code, at
            )
        if bps:
            return self._by_code(_digits(bps), self._by_bps, self._kecamatan_by_bps, at)
        within = self.kecamatan_of(kecamatan)
        bare = _KELURAHAN_WORDS.sub("", name or "")
        if bare.strip():
            return self._by_its_name(self.fold(bare), within, at)
        return Place(None, within, "", () if within else (KEL_UNKNOWN,))

    def _by_code(
        self,
        digits: str,
        units: Mapping[str, tuple[Unit, ...]],
        kecamatan: Mapping[str, str],
        at: date | None,
    ) -> Place:
        if digits in units:
            return self._settle(units[digits], at)
        within = kecamatan.get(digits)
        if within is not None:
            return Place(None, within, self.kecamatan[within].name)
        return Place(None, None, "", (KEL_UNKNOWN,))

    def _by_its_name(self, folded: str, within: str | None, at: date | None) -> Place:
        units = self._by_name.get(folded, ())
        if within is not None:
            units = tuple(unit for unit in units if unit.kecamatan == within)
        if not units:
            return Place(None, within, "", (KEL_UNKNOWN,))
        if len({unit.kecamatan for unit in units}) > 1:
            return Place(None, None, "", (KEL_AMBIGUOUS,), units)
        return self._settle(units, at)

    def _settle(self, units: tuple[Unit, ...], at: date | None) -> Place:
        """One of the units that a code or a name of one kecamatan has ever stood for."""
        possible = [u for u in units if at is None or u.span.may_hold(at)] or list(units)
        chosen = min(possible, key=lambda unit: unit.is_old)
        today = self._active.get(chosen.successor or "") if chosen.is_old else chosen
        findings = (KEL_OLD,) if chosen.is_old else ()
        meant: tuple[Unit, ...] = (chosen,)
        if at is not None and chosen.span.is_uncertain(at):
            findings = (KEL_OLD,)
            meant = self._before_and_after(chosen, today)
        return Place(
            None if today is None else today.kemendagri,
            chosen.kecamatan if today is None else today.kecamatan,
            chosen.name if today is None else today.name,
            findings,
            meant,
        )

    def _before_and_after(self, chosen: Unit, today: Unit | None) -> tuple[Unit, ...]:
        if today is None:
            return (chosen,)
        if chosen is not today:
            return (chosen, today)
        return (*(u for u in self.units if u.successor == today.kemendagri), today)


def _grouped(pairs: Iterable[tuple[str, Unit]]) -> dict[str, tuple[Unit, ...]]:
    groups: dict[str, tuple[Unit, ...]] = {}
    for key, unit in pairs:
        if key:
            groups[key] = (*groups.get(key, ()), unit)
    return groups


def _digits(text: str) -> str:
    return _DIGITS.sub("", text)


def _between(earliest: date | None, day: date, latest: date | None) -> bool:
    return earliest is not None and latest is not None and earliest <= day < latest
