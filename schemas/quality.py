"""What may be doubtful about a record that is accepted all the same, and how to mend it.

`FINDINGS` holds the sentences for every code, those of refusals and those that only the index can
see too. `check` looks at one record alone: it compares text with text and parses no date.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from schemas import nik
from schemas.profile import Profile
from schemas.wilayah import KEL_OLD, KEL_UNKNOWN, Wilayah

Found = list[tuple[str, str]]
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One code in both languages; `level` is E (refused), W (accepted, flagged) or I (told)."""

    code: str
    level: str
    sentence_id: str
    remedy_id: str
    sentence_en: str
    remedy_en: str


def _findings() -> Mapping[str, Finding]:
    text = (files("schemas") / "quality.toml").read_text(encoding="utf-8")
    return MappingProxyType(
        {code: Finding(code, **row) for code, row in tomllib.loads(text).items()}
    )


FINDINGS: Mapping[str, Finding] = _findings()

_NIK_STATUS = {
    "invalid_form": "NIK_INVALID",
    "sentinel": "NIK_SENTINEL",
    "truncated_excel": "NIK_TRUNCATED",
}
_DAY = {f"{day + 40 * woman:02d}": f"{day:02d}" for day in range(1, 32) for woman in (0, 1)}
_EXACT = (None, "day")
_DIGIT = re.compile(r"[0-9]")
_TITLES = frozenset(
    """
    H HJ HAJI HAJJAH HAJAH DRS DRA IR DR DRG PROF UST USTADZ USTAZ BUYA TK KH
    DT DATUAK DATUK ST SUTAN SIDI BAGINDO MARAH PAKIAH KATIK MALIN TUANKU RANGKAYO
    SPD SSOS SH SE SKM SAG SKOM AMD MM MSI MPD MH GELAR BIN BINTI
    """.split()
)
_NOT_A_LETTER = re.compile(r"[^A-Z ]")
_TEN_DIGITS = re.compile(r"[0-9]{10}")
_DOTTED = re.compile(r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}\.[0-9]{4}")


def check(record_type: str, values: Values, *, profile: Profile, today: date) -> Found:
    """The findings about one accepted record: `(code, field)`, in the order of the schema.

    A record type without doubts of its own has none. What needs other records (`NIK_DUP_IN_SOURCE`,
    `PROGRAMME_UNKNOWN` …) is found by the index.
    """
    look = _CHECKS.get(record_type)
    return [] if look is None else look(values, _terms(profile, today))


@dataclass(frozen=True, slots=True)
class _Terms:
    """What records of one city on one day are held against, ready to compare."""

    today: str
    oldest: str
    stale: str
    most_members: int
    amount: int
    knows_prefix: Callable[[str], bool]
    place: Callable[[str | None, str | None, str | None], tuple[str, ...]]


@lru_cache(maxsize=16)
def _terms(profile: Profile, today: date) -> _Terms:
    limits = profile.thresholds
    months = today.year * 12 + today.month - 1 - limits.survey_fresh_months
    return _Terms(
        today=today.isoformat(),
        oldest=f"{today.year - limits.age_limit_years - 1:04d}-{today:%m-%d}",
        stale=f"{months // 12:04d}-{months % 12 + 1:02d}-{today:%d}",
        most_members=limits.household_size_warning,
        amount=limits.amount_warning_idr,
        knows_prefix=lru_cache(16_384)(partial(_knows_prefix, profile)),
        place=lru_cache(16_384)(
            partial(_place, profile.wilayah, f"{profile.city.kemendagri_code}.")
        ),
    )


def _person(values: Values, terms: _Terms) -> Found:
    get = values.get
    found: Found = []
    _numbers(values, terms, found)
    _name(get("name_source", ""), found)
    number, sex = get("nik"), get("sex")
    if number is not None and sex is not None and sex != ("P" if number[6] >= "4" else "L"):
        found.append(("NIK_SEX_DIFF", "sex"))
    born = get("birth_date")
    if born is not None:
        _birth(born, values, terms, found)
    for name in ("address_ktp", "address_domicile"):
        where = get(name)
        if where is not None:
            _address(where, name, terms, found)
    for name in ("school", "health_cover"):
        part = get(name)
        if part is not None and part.get("as_of", terms.today) < terms.stale:
            found.append(("STALE_AS_OF", f"{name}.as_of"))
    return found


def _numbers(values: Values, terms: _Terms, found: Found) -> None:
    number = values.get("nik")
    if number is None:
        code = _NIK_STATUS.get(values.get("nik_status", ""))
        if code is not None:
            found.append((code, "nik"))
    elif not terms.knows_prefix(number[:6]):
        found.append(("NIK_PREFIX_UNKNOWN", "nik"))
    card = values.get("no_kk")
    # A family card's number is made like a NIK, but nothing is added to its day.
    if card is not None and (card[6] >= "4" or nik.fault(card) is not None):
        found.append(("KK_INVALID", "no_kk"))


def _household(values: Values, terms: _Terms) -> Found:
    found: Found = []
    if values.get("member_count", 0) > terms.most_members:
        found.append(("KK_TOO_BIG", "member_count"))
    elif len(values.get("members", ())) > terms.most_members:
        found.append(("KK_TOO_BIG", "members"))
    if (where := values.get("address")) is not None:
        _address(where, "address", terms, found)
    if values.get("survey", {}).get("date", terms.today) < terms.stale:
        found.append(("STALE_AS_OF", "survey.date"))
    return found


def _program(values: Values, terms: _Terms) -> Found:
    names = ("amount_min", "amount_max", "amount_fixed")
    found = [("AMOUNT_OUT_OF_RANGE", n) for n in names if values.get(n, 0) > terms.amount]
    least, most = values.get("amount_min"), values.get("amount_max")
    if not found and least is not None and most is not None and most < least:
        found.append(("AMOUNT_OUT_OF_RANGE", "amount_max"))
    return found


def _benefit(values: Values, terms: _Terms) -> Found:
    amount = values.get("amount_idr")
    if amount is None or 0 < amount <= terms.amount:
        return []
    # Goods and services may be worth nothing in rupiah; money may not.
    return [] if not amount and values.get("form") != "uang" else [_AMOUNT]


_AMOUNT = ("AMOUNT_OUT_OF_RANGE", "amount_idr")
_CHECKS: Mapping[str, Callable[[Values, _Terms], Found]] = {
    "person": _person,
    "household": _household,
    "program": _program,
    "benefit": _benefit,
}


def _name(name: str, found: Found) -> None:
    if _DIGIT.search(name) is not None:
        found.append(("NAME_DIGIT", "name_source"))
    words = _NOT_A_LETTER.sub("", name.upper()).split()
    if words and _TITLES.issuperset(words):
        found.append(("NAME_TITLE_ONLY", "name_source"))


def _birth(born: str, values: Values, terms: _Terms, found: Found) -> None:
    """`born` is `YYYY-MM-DD`, which compares as text."""
    precision = values.get("birth_date_precision")
    number = values.get("nik")
    if number is not None and precision != "estimated" and _differs(number, born, precision):
        found.append(("NIK_DOB_DIFF", "birth_date"))
    if born > terms.today:
        found.append(("DOB_FUTURE", "birth_date"))
    elif born <= terms.oldest and values.get("vital_status") != "deceased":
        found.append(("AGE_GT_110", "birth_date"))
    if born[5:] == "01-01" and precision in _EXACT:
        found.append(("DOB_DEFAULT", "birth_date"))


def _differs(number: str, born: str, precision: str | None) -> bool:
    if number[10:12] != born[2:4]:
        return True
    if precision == "year":
        return False
    if number[8:10] != born[5:7]:
        return True
    return precision != "month" and _DAY[number[6:8]] != born[8:]


def _address(where: Values, name: str, terms: _Terms, found: Found) -> None:
    get = where.get
    codes = terms.place(get("kelurahan"), get("kelurahan_raw"), get("kecamatan"))
    if codes:
        found.extend((code, f"{name}.kelurahan") for code in codes)


def _knows_prefix(profile: Profile, region: str) -> bool:
    return profile.region_name(region) is not None


def _place(
    wilayah: Wilayah, city: str, code: str | None, raw: str | None, kecamatan: str | None
) -> tuple[str, ...]:
    """What is to be said of a place: its code on the wire, and what the source had for it.

    A code of another city is taken as it is: whoever moved here may have an address there.
    """
    if code is not None and wilayah.unit(code) is None:
        return wilayah.resolve(kemendagri=code).findings if code.startswith(city) else ()
    if raw is None:
        return ()
    if _DOTTED.fullmatch(raw):
        said = wilayah.resolve(kemendagri=raw)
    elif _TEN_DIGITS.fullmatch(raw):
        said = wilayah.resolve(bps=raw)
    else:
        said = wilayah.resolve(name=raw, kecamatan=kecamatan)
    if code is None:
        return said.findings or (KEL_UNKNOWN,)
    return (KEL_OLD,) if KEL_OLD in said.findings and said.kelurahan == code else ()
