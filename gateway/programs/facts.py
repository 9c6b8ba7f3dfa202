"""What is known of a person, as rules ask for it: made of the view that access opened. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from gateway.index.view import PersonView, Related
from gateway.programs.criteria import Facts
from schemas.profile import Profile

_GONE = "moved_out"


def of_view(view: PersonView, profile: Profile, today: date) -> Facts:
    """The fields of `criteria.toml` that somebody asserts; what nobody says is absent."""
    golden = {name: found.value for name, found in view.golden.items()}
    active = [each for each in view.listings if each.values.get("listing_status") == "active"]
    school, cover = golden.get("school") or {}, golden.get("health_cover") or {}
    made: dict[str, Any] = {
        "age": view.age(today),
        "desil": _least(each.values.get("desil") for each in active),
        "household_size": len(view.family) or None,
        "sex": golden.get("sex"),
        "marital": golden.get("marital"),
        "education": golden.get("education"),
        "occupation": golden.get("occupation"),
        "school_level": school.get("level"),
        "attending": school.get("still_attending"),
        "health_cover": cover.get("kind"),
        "welfare": _words(active, "welfare_status"),
        "list": _words(active, "list_code"),
        "pmks": _several(golden.get("pmks")),
        "disability": _several([d["kind"] for d in golden.get("disability") or ()]),
        "alive": _alive(golden),
        "ktp_here": _here(golden.get("address_ktp"), profile),
        "lives_here": _lives_here(golden, profile),
    }
    return {name: value for name, value in made.items() if value is not None}


def _least(values: Iterable[int | None]) -> int | None:
    return min((v for v in values if v is not None), default=None)


def _words(listings: Iterable[Related], field: str) -> tuple[str, ...] | None:
    found = {each.values.get(field) for each in listings} - {None, "unknown"}
    return tuple(sorted(str(f) for f in found)) or None


def _several(values: Any) -> tuple[str, ...] | None:
    return tuple(values) if values else None


def _alive(golden: Mapping[str, Any]) -> bool | None:
    return {"alive": True, "deceased": False}.get(str(golden.get("vital_status")))


def _here(address: Mapping[str, Any] | None, profile: Profile) -> bool | None:
    """Whether an address lies in the city; None where no code says."""
    code = (address or {}).get("kelurahan") or (address or {}).get("kecamatan")
    return None if code is None else str(code).startswith(f"{profile.city.kemendagri_code}.")


def _lives_here(golden: Mapping[str, Any], profile: Profile) -> bool | None:
    """By the domicile, else by the identity card; who moved out does not."""
    if golden.get("residency_status") == _GONE:
        return False
    domicile = _here(golden.get("address_domicile"), profile)
    return _here(golden.get("address_ktp"), profile) if domicile is None else domicile
