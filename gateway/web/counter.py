"""Between the forms of the counter and the room that knows complaints: read, and say in words."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from flask import request

from gateway.complaints import registering
from gateway.complaints.clock import Now
from gateway.complaints.model import CITIZEN_ACTOR, Actor, Body, Channel, Desk
from gateway.complaints.needs import Wanted
from gateway.complaints.registering import Registration
from gateway.errors import Refused
from gateway.index.view import PersonView
from gateway.intake import query as intake
from gateway.storage import ids
from gateway.web import auth
from gateway.web.edge import edge
from gateway.web.freshness import freshness
from schemas import nik
from schemas.contact import parse_phone
from schemas.dates import parse_date
from schemas.errors import Unreadable
from schemas.profile import Profile

_PERSON = ("name", "nik", "birth_date", "kelurahan", "rt", "rw", "address", "no_id_reason")
_LONGEST = 2000
EXTRA = 3
"""Further needs than one of each kind: so many empty lines."""


def desk(actor: Actor | None = None) -> Desk:
    """Who is at the screen, with what, and when by both clocks."""
    made = Actor.of(auth.officer()) if actor is None else actor
    here = edge()
    return Desk(made, here.vault, here.profile, Now(here.today, here.clock()))


def stale(session: Any) -> list[str]:
    """Labels of the agencies whose silence would mislead: the register, and the national lists."""
    here, now = edge(), edge().clock()
    sent = intake.overview(session)
    wanted = (here.profile.authorities.register, *here.profile.authorities.national_lists)
    found = []
    for code in wanted:
        last = sent[code].accepted_at if code in sent else None
        if freshness(here.profile, code, last, now) == "silent":
            found.append(here.profile.agencies[code].label)
    return found


def prefilled(view: PersonView, profile: Profile) -> dict[str, str]:
    """The person's fields as the index has them; his NIK is not shown, so it is no field."""
    golden = view.golden
    found = {"name": view.name or ""}
    if "birth_date" in golden:
        found["birth_date"] = str(golden["birth_date"].value)
    for name in ("address_domicile", "address_ktp"):
        if name in golden:
            told = golden[name].value
            found |= {k: str(told[k]) for k in ("rt", "rw") if told.get(k)}
            unit = profile.wilayah.unit(str(told.get("kelurahan") or ""))
            if unit is not None and unit.kemendagri:
                found["kelurahan"] = unit.kemendagri
            break
    return found


def family(view: PersonView) -> list[dict[str, str]]:
    """For whom a need may be: everybody else on the family card."""
    return [
        {
            "name": r.name or "",
            "birth_date": r.birth_date or "",
            "relation": r.relation or "",
            "person": "" if r.person_id is None else ids.show(r.person_id),
        }
        for r in view.family
        if r.person_id != view.person_id
    ]


def fields_of_form() -> dict[str, Any]:
    """What was typed, as text; the needs that were ticked, as a list."""
    found: dict[str, Any] = {
        name: value.replace("\0", "")[:_LONGEST]
        for name, value in request.form.items()
        if name not in ("csrf", "need")
    }
    found["need"] = request.form.getlist("need")
    return found


def registration(kept: Mapping[str, Any], profile: Profile) -> Registration:
    """The registration that a draft's fields say.

    Raises:
        Refused: a date or number that cannot be (`form.…`).
    """
    typed = kept["fields"]
    person = {k: typed.get(k, "").strip() for k in _PERSON if typed.get(k, "").strip()}
    if kept.get("nik") and "nik" not in person:
        person["nik"] = kept["nik"]
    person |= _identity(person)
    behalf = {k: typed[f"behalf_{k}"] for k in ("name", "relation") if typed.get(f"behalf_{k}")}
    body = Body(
        person=person,
        phone=_phone(typed.get("phone", ""), profile),
        behalf=behalf,
        narrative=typed.get("narrative", "").strip(),
        check=kept.get("check", {}),
    )
    return Registration(
        body=body,
        wanted=_wanted(typed, kept.get("family", [])),
        channel=_channel(typed.get("channel", "")),
        received_on=_day(typed.get("received_on", ""), edge().today),
        person_id=ids.parse(str(kept.get("person") or "")),
        emergency=typed.get("emergency", "").strip(),
        restricted="restricted" in typed,
        note=typed.get("note", "").strip(),
        data={"documents": typed["documents"]} if typed.get("documents") else {},
    )


def check_filing(fields: Mapping[str, Any], profile: Profile) -> None:
    """Return if a citizen's form is whole; an officer asks for what else is needed.

    Raises:
        Refused: the first thing that is missing or impossible.
    """
    given = registration({"fields": fields}, profile)
    if not given.body.phone:
        raise Refused(
            "form.no_phone", "Tuliskan nomor telepon agar petugas dapat menghubungi Anda."
        )
    registering.check_form(given, desk(CITIZEN_ACTOR))


def _identity(person: Mapping[str, str]) -> dict[str, str]:
    found = {}
    if "nik" in person:
        found["nik"] = "".join(person["nik"].split())
        fault = nik.fault(found["nik"])
        if fault is not None:
            raise Refused(f"form.{fault}", "NIK itu tidak mungkin. Periksa, atau kosongkan.")
    if "birth_date" in person:
        found["birth_date"] = _day(person["birth_date"], edge().today).isoformat()
    return found


def _day(text: str, default: date) -> date:
    try:
        found, _ = parse_date(text, today=edge().today)
    except Unreadable as err:
        raise Refused("form.date", "Tanggal itu tidak ada. Contoh: 3-11-2025.") from err
    return default if found is None else date.fromisoformat(found)


def _channel(code: str) -> Channel:
    return Channel(code) if code in {c.value for c in Channel} else Channel.COUNTER


def _phone(text: str, profile: Profile) -> str:
    try:
        return parse_phone(text, country=profile.city.phone_country) or ""
    except Unreadable as err:
        sentence = "Nomor telepon itu tidak mungkin. Periksa, atau kosongkan."
        raise Refused("form.phone", sentence) from err


def _wanted(typed: Mapping[str, Any], members: list[dict[str, str]]) -> list[Wanted]:
    lines = [(kind, typed.get(f"for_{kind}", "")) for kind in typed.get("need", [])]
    lines += [
        (typed[f"more_{n}"], typed.get(f"more_for_{n}", ""))
        for n in range(EXTRA)
        if typed.get(f"more_{n}")
    ]
    return [_need(kind, whom.strip(), members) for kind, whom in lines]


def _need(kind: str, whom: str, members: list[dict[str, str]]) -> Wanted:
    """`whom` is empty for the complainant, `#n` for a member of the family, or a name."""
    if whom.startswith("#") and whom[1:].isdigit() and int(whom[1:]) < len(members):
        member = members[int(whom[1:])]
        subject = {k: member[k] for k in ("name", "birth_date", "relation") if member[k]}
        person: UUID | None = ids.parse(member["person"])
        return Wanted(kind, subject, person)
    return Wanted(kind, {"name": whom} if whom else {})
