"""What a letter or a print-out says of a case: plain values for the press, and no layout. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from gateway.complaints import clock, criteria
from gateway.complaints.guards import OBJECTION_DAYS
from gateway.complaints.lifecycle import Kind, lifecycle
from gateway.complaints.model import Case, Desk, Need, Ticket
from gateway.complaints.store_surveys import Sheet
from schemas.codes import lists
from schemas.profile import Profile

_MONTHS = (
    *("Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September"),
    *("Oktober", "November", "Desember"),
)

_LINE = 36


def day(value: date) -> str:
    """`3 November 2025`."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def cut(text: str) -> str:
    """At most as much of a text as stands on one line of the hand-over."""
    return text if len(text) <= _LINE else text[: _LINE - 1].rstrip(" ,") + "…"


def referral(
    case: Case, need: Need, agency: str, sheet: Sheet | None, desk: Desk
) -> dict[str, Any]:
    """A referral of one need to an agency.

    Args:
        case: the ticket.
        need: what is asked for.
        agency: the code of the agency.
        sheet: the survey by which the person was accepted, if there was one.
        desk: by whose calendar the answer is asked for.
    """
    kind = desk.profile.need_kinds[need.kind]
    return {
        "ticket": case.ticket.number,
        "bidang": lists.load("bidang").label(kind.bidang),
        "agency": desk.profile.agencies[agency].name,
        "person": person(case.ticket, desk.profile),
        "needs": needs([need], desk.profile),
        "check": checked(case.ticket, sheet, desk.profile),
        "answer_by": day(clock.add_days(desk.profile, desk.now.today, _answer_days())),
    }


def rejection(case: Case, sheet: Sheet, reason: str, desk: Desk) -> dict[str, Any]:
    """A rejection after a survey: its reasons, and until when one may object."""
    rules = criteria.rule_sets()[sheet.rule_set]
    outcome = criteria.judge(rules, sheet.answers, sheet.pmks)
    return {
        "ticket": case.ticket.number,
        "person": person(case.ticket, desk.profile),
        "surveyed_on": day(sheet.visited_on),
        "rule_set": rules.title,
        "reason": reason,
        "criteria": [
            {"text": r.text, "result": "terpenuhi" if r.answer else "tidak terpenuhi"}
            for r in outcome.reasons
        ],
        "object_by": day(desk.now.today + timedelta(days=OBJECTION_DAYS)),
    }


def receipt(case: Case, profile: Profile) -> dict[str, Any]:
    """A receipt; the PIN is no part of it."""
    state = lifecycle()[Kind.COMPLAINT].states[case.ticket.state]
    return {
        "ticket": case.ticket.number,
        "received_on": day(case.ticket.received_on),
        "person": person(case.ticket, profile),
        "needs": needs(case.needs, profile),
        "next": f"Keadaan pengaduan Anda sekarang: {state.label['id']}. Petugas menghubungi Anda "
        "bila ada yang diperlukan.",
    }


def survey_form(case: Case, rules: criteria.RuleSet, profile: Profile) -> dict[str, Any]:
    """An empty form for a visit."""
    return {
        "ticket": case.ticket.number,
        "person": person(case.ticket, profile),
        "rule_set": rules.title,
        "questions": [q.text for q in rules.questions],
        "pmks": [f"{code} {label}" for code, label in criteria.pmks_codes().items()],
    }


def person(ticket: Ticket, profile: Profile) -> dict[str, str]:
    """The complainant as letters name him; `nik_masked` shows the last four digits only."""
    told: Mapping[str, str] = ticket.body.person if ticket.body else {}
    nik = told.get("nik", "")
    born = told.get("birth_date", "")
    return {
        "name": told.get("name", ""),
        "nik": nik or "–",
        "nik_masked": f"•••• •••• •••• {nik[-4:]}" if nik else "–",
        "birth_date": day(date.fromisoformat(born)) if born else "–",
        "address": address(told, profile),
    }


def address(told: Mapping[str, str], profile: Profile) -> str:
    """`Jl. Sudirman 3, RT 001/RW 002, Kel. Ibuah`."""
    unit = profile.wilayah.unit(told.get("kelurahan", ""))
    places = (
        told.get("address", ""),
        f"RT {told['rt']}/RW {told.get('rw', '–')}" if told.get("rt") else "",
        f"Kel. {unit.name}" if unit else "",
    )
    return ", ".join(filter(None, places)) or "–"


def needs(given: Iterable[Need], profile: Profile) -> list[dict[str, str]]:
    """What is asked for, and for whom."""
    return [
        {
            "label": profile.need_kinds[n.kind].label,
            "subject": n.subject.get("name", "") or "yang bersangkutan",
        }
        for n in given
    ]


def checked(ticket: Ticket, sheet: Sheet | None, profile: Profile) -> list[str]:
    """The verification in sentences, as it stood when it was made."""
    if sheet is not None:
        rules = criteria.rule_sets()[sheet.rule_set]
        return [f"Diterima setelah survei {day(sheet.visited_on)} menurut {rules.title}."]
    check: Mapping[str, Any] = ticket.body.check if ticket.body else {}
    found = [
        _listing(row, check.get("sources", {}), profile)
        for row in check.get("listings", ())
        if row.get("status") == "active"
    ]
    return found or ["Diterima oleh petugas UPT-KAN."]


def _listing(row: Mapping[str, Any], sources: Mapping[str, str], profile: Profile) -> str:
    agency = profile.agencies.get(row["agency"])
    words = [str(row.get("list") or ""), str(row.get("period") or "")]
    if row.get("desil"):
        words.append(f"desil {row['desil']}")
    label = agency.label if agency else row["agency"]
    at = sources.get(row["agency"])
    stand = f", keadaan {day(date.fromisoformat(at))}" if at else ""
    return f"Tercatat pada {' '.join(filter(None, words))} ({label}{stand})."


def _answer_days() -> int:
    """Working days that an agency has from the letter to its answer."""
    states = lifecycle()[Kind.NEED].states
    limits = (states[code].limit for code in ("referred", "under_review"))
    return sum(each.normal.days or 0 for each in limits if each is not None)
