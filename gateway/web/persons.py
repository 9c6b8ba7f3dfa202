"""How a person's attributes read on a page: codes become words, structures become lines. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.web import show
from gateway.web.words import Words
from schemas.codes import lists
from schemas.profile import Profile

_CODED = {
    "marital": "marital",
    "family_relation": "family_relation",
    "education": "education",
    "vital_status": "vital_status",
    "residency_status": "residency_status",
    "pmks": "pmks",
}
_DATES = {"birth_date", "vital_date", "residency_date"}


def labels(profile: Profile) -> Mapping[str, str]:
    """Agency codes to the labels that pages show."""
    return {a.code: a.label for a in profile.agencies.values()}


def speaker(profile: Profile, t: Words) -> Callable[[str, Any], str]:
    """A function that says an attribute's value in words."""

    def say(attribute: str, value: Any) -> str:
        if isinstance(value, Mapping):
            return _structure(attribute, value, profile)
        if isinstance(value, list | tuple):
            return ", ".join(say(attribute, v) for v in value) or "–"
        return _plain(attribute, value, t)

    return say


def _plain(attribute: str, value: Any, t: Words) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return t("value.yes") if value else t("value.no")
    if attribute in _DATES:
        return show.day(str(value), t.language)
    if attribute == "sex":
        return t.get(f"profile.sex_{value}", str(value))
    return _label(_CODED[attribute], str(value)) if attribute in _CODED else str(value)


def address(value: Mapping[str, Any], profile: Profile) -> str:
    """`Jl. Sudirman 12, RT 003/RW 001, Ibuah`."""
    street = " ".join(str(value[k]) for k in ("street", "number") if value.get(k))
    rt, rw = value.get("rt"), value.get("rw")
    where = f"RT {rt or '–'}/RW {rw or '–'}" if rt or rw else ""
    unit = profile.wilayah.unit(str(value.get("kelurahan") or ""))
    place = unit.name if unit else str(value.get("kelurahan_raw") or "")
    return ", ".join(part for part in (street, where, place) if part) or "–"


def _structure(attribute: str, value: Mapping[str, Any], profile: Profile) -> str:
    if attribute.startswith("address"):
        return address(value, profile)
    kept = (str(v) for v in value.values() if v not in (None, "", False))
    return ", ".join(kept) or "–"


def _label(name: str, code: str) -> str:
    try:
        return lists.load(name).label(code) or code
    except KeyError:
        return code
