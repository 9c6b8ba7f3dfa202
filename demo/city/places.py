"""Where people live: today's kelurahan of the city profile and the units they were merged from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from schemas import wilayah
from schemas.profile import Profile


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
    def load(cls, profile: Profile) -> "Places":
        """The places of a city profile."""
        names = {code: each.name for code, each in profile.wilayah.kecamatan.items()}
        units = [_unit(unit, names[unit.kecamatan]) for unit in profile.wilayah.units]
        return cls.of(units, tuple(profile.nik_prefixes))

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


def _unit(unit: wilayah.Unit, kecamatan: str) -> Unit:
    return Unit(
        kemendagri=unit.kemendagri or "",
        bps=unit.bps[0],
        kecamatan_code=unit.kecamatan,
        kecamatan=kecamatan,
        name=unit.name,
        active=not unit.is_old,
        successor=unit.successor or "",
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
