"""From a person record of the wire to the evidence that the engine compares."""

from collections.abc import Mapping
from typing import Any

from gateway.index import dates, normalise, numbers, places
from gateway.index.model import PersonFeatures

TRUNCATED = "truncated_excel"
_COARSE = {"year": 4, "estimated": 4, "month": 7}


def read(key: str, agency: str, values: Mapping[str, Any], *, is_register: bool) -> PersonFeatures:
    """The features of one person record; `key` names it for good, whatever the order of arrival.

    `is_register`: the agency is the civil register, so that the NIK it asserts is registered.
    """
    nik, stem = _nik(values)
    sex = values.get("sex")
    where = values.get("address_ktp") or values.get("address_domicile") or {}
    return PersonFeatures(
        key=key,
        source=agency,
        nik=nik,
        nik_stem=stem,
        registered=is_register and nik is not None and not nik.startswith("~"),
        no_kk=numbers.family_card(values["no_kk"]) if "no_kk" in values else None,
        name=_name(values, sex),
        birth_date=_birth_date(values),
        sex=sex,
        kelurahan=where.get("kelurahan"),
        address=address(where),
        phone=numbers.phone(values["phone"]) if "phone" in values else None,
    )


def record_key(agency: str, source_id: str) -> str:
    """The record's own name; ties in clustering go by it."""
    return f"{agency}/{source_id}"


def whole_nik(person: PersonFeatures) -> str | None:
    """The NIK that a look-up finds: a valid one only."""
    return None if person.nik is None or person.nik.startswith("~") else person.nik


def searchable(name: str | None) -> tuple[str | None, str | None]:
    """The core of a folded name, and its aliases as one text."""
    if name is None:
        return None, None
    core, *aliases = name.split("|")
    return core, " ".join(aliases) or None


def _nik(values: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """A valid NIK; else what is left of a damaged one: a likeness (`~`) or 15 digits."""
    nik = values.get("nik")
    if nik is not None:
        return nik, None
    raw = values.get("nik_raw")
    if raw is None:
        return None, None
    found = numbers.nik(raw)
    if found.valid and found.value is not None:
        cut = values.get("nik_status") == TRUNCATED
        return (None, found.value[:15]) if cut else ("~" + found.value, None)
    return found.value, found.stem


def _name(values: Mapping[str, Any], sex: str | None) -> str | None:
    read_name = normalise.name(values["name_source"], sex)
    aliases = list(read_name.aliases)
    for other in values.get("aliases", ()):
        folded = normalise.name(other, sex)
        aliases += [a for a in (folded.core, *folded.aliases) if a]
    distinct = [a for a in dict.fromkeys(aliases) if a != read_name.core]
    return "|".join((read_name.core, *distinct)) if read_name.core else None


def _birth_date(values: Mapping[str, Any]) -> str | None:
    given = values.get("birth_date")
    if given is None:
        return None
    found = dates.date(given)
    length = _COARSE.get(values.get("birth_date_precision", ""), 10)
    return None if found is None else found[:length]


def address(given: Mapping[str, Any]) -> str | None:
    """`street|number|rt|rw` of an address of the wire; None if nothing of it is said."""
    street = number = rt = rw = ""
    if "street" in given:
        parsed = places.address(given["street"])
        if parsed is not None:
            street, number, rt, rw = parsed.split("|")
    number = given.get("number") or number
    rt, rw = given.get("rt") or rt, given.get("rw") or rw
    return places.structured(street, number, rt, rw) if street or rt or rw else None
