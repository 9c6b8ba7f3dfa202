"""Surveys: the queue of visits, the sheet of one, and the decision that lets a person in.

An accepted survey becomes the unit's own signed records, in the transaction of the decision: the
local listing counts at once, and the national list's owner finds a proposal beside it.

Source: design/domain.md §2.2 (C11–C17), §6.1; architecture.md §3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.complaints import criteria, sealing, store_surveys
from gateway.complaints.criteria import Outcome, Verdict
from gateway.complaints.model import Act, Case, Desk, TicketId
from gateway.complaints.service import Target, find, handle
from gateway.complaints.store_surveys import Sheet
from gateway.complaints.visibility import HOUSE
from gateway.errors import Conflict, Forbidden, Refused
from gateway.intake import own
from gateway.intake.model import IntakeTools
from gateway.intake.own import Own
from gateway.storage import ids

_TO_VISIT, _TO_DECIDE = ("survey_queued", "surveying"), ("survey_review",)
_LONGEST = 2000
_WELFARE = {Verdict.POOR: "miskin", Verdict.PMKS: "rentan"}


@dataclass(frozen=True, slots=True)
class Filled:
    """A sheet as it was filled in.

    Attributes:
        id: made on the device, so that a sheet that is sent twice is kept once.
        on_paper: written into the system later, from a paper form.
        notes: respondent, witness, remarks, recommendation.
    """

    id: UUID
    answers: Mapping[str, bool]
    pmks: tuple[str, ...]
    notes: Mapping[str, str]
    visited_on: date
    on_paper: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """What the coordinator makes of a sheet."""

    verdict: Verdict
    reason: str
    single_handed: bool


def to_visit(session: Session, desk: Desk) -> list[Case]:
    """Tickets that wait for a visit, by kelurahan and RT, so that one walk serves neighbours."""
    _only_house(desk)
    found = store_surveys.waiting(session, _TO_VISIT, desk.vault)
    return sorted(found, key=_place)


def to_decide(session: Session, desk: Desk) -> list[Case]:
    """Tickets whose survey waits for a decision."""
    _only_house(desk)
    return store_surveys.waiting(session, _TO_DECIDE, desk.vault)


def submit(session: Session, ticket_id: TicketId, filled: Filled, desk: Desk) -> Case:
    """Keep a sheet and hand it to the coordinator; sent again, it changes nothing.

    The caller commits.

    Raises:
        NotFound: no such ticket for this officer.
        Refused: an answer is missing, or the visit lies in the future (`survey.…`).
        Conflict: the ticket does not wait for a survey (any more), or the sheet is another's.
        Forbidden: he is no field verifier.
    """
    case = find(session, ticket_id, desk, lock=True)
    kept = store_surveys.ticket_of(session, filled.id)
    if kept is not None:
        if kept != ticket_id:
            raise Conflict("survey.other_ticket", "Lembar survei ini milik tiket lain.")
        return case
    if filled.visited_on > desk.now.today:
        raise Refused("survey.future", "Tanggal kunjungan tidak boleh di masa depan.")
    rules = criteria.in_force(filled.visited_on)
    outcome = criteria.judge(rules, filled.answers, filled.pmks)
    if case.ticket.state == "survey_queued":
        handle(session, Target(ticket_id), Act("start_survey"), desk)
    store_surveys.add(session, _row(ticket_id, filled, outcome, desk))
    data = {"sheet": ids.show(filled.id), "rule_set": rules.code, "met": outcome.met}
    return handle(session, Target(ticket_id), Act("submit_survey", data=data), desk)


def review(session: Session, ticket_id: TicketId, desk: Desk) -> tuple[Case, Sheet, Outcome]:
    """A ticket's newest sheet, and what the rules make of it that were in force at the visit.

    Raises:
        NotFound: no such ticket for this officer.
        Refused: it was never surveyed (`survey.none`).
    """
    case = find(session, ticket_id, desk)
    sheet = store_surveys.last(session, ticket_id, desk.vault)
    if sheet is None:
        raise Refused("survey.none", "Belum ada lembar survei. Isi formulirnya di halaman Survei.")
    rules = criteria.rule_sets()[sheet.rule_set]
    return case, sheet, criteria.judge(rules, sheet.answers, sheet.pmks)


def decide(
    session: Session, ticket_id: TicketId, decision: Decision, tools: IntakeTools, desk: Desk
) -> Case:
    """Accept or reject a surveyed person; the caller commits records, move and letter together.

    Raises:
        NotFound, Conflict, Forbidden: as `service.handle`.
        Refused: a decision against the rules, or a rejection, without a reason; or a PMKS category
            that nobody noted.
        Unavailable: the unit's own key cannot sign (`own.key`).
    """
    find(session, ticket_id, desk, lock=True)
    case, sheet, outcome = review(session, ticket_id, desk)
    against = decision.verdict is not outcome.verdict
    if against and not decision.reason.strip():
        raise Refused(
            "survey.against", "Putusan ini berbeda dari hasil kriteria: tuliskan alasannya."
        )
    if decision.verdict is Verdict.PMKS and not sheet.pmks:
        raise Refused("survey.pmks", "Tidak ada kategori PMKS pada lembar survei.")
    if decision.verdict is not Verdict.NEITHER and case.ticket.state == "survey_review":
        _enter(session, case, (sheet, decision.verdict), tools, desk)
    data = {
        "sheet": ids.show(sheet.id),
        "rule_set": sheet.rule_set,
        "proposed": outcome.verdict.value,
        "pmks": list(sheet.pmks),
    }
    act = Act(decision.verdict.value, decision.reason.strip(), data, decision.single_handed)
    return handle(session, Target(ticket_id), act, desk)


def _enter(
    session: Session,
    case: Case,
    what: tuple[Sheet, Verdict],
    tools: IntakeTools,
    desk: Desk,
) -> None:
    sheet, verdict = what
    person = Own(ids.show(case.ticket.id), _person(case, sheet))
    own.publish(session, "person", [person], tools, desk.now.moment)
    rows = _listings(case, sheet, verdict, desk)
    leaf = own.publish(session, "listing", rows, tools, desk.now.moment)
    store_surveys.enter(session, sheet.id, leaf)


def _person(case: Case, sheet: Sheet) -> dict[str, object]:
    told: Mapping[str, str] = case.ticket.body.person if case.ticket.body else {}
    place: dict[str, object] = {"kelurahan": told.get("kelurahan")}
    place |= {k: told[k].zfill(3) for k in ("rt", "rw") if told.get(k, "").isdigit()}
    if told.get("address"):
        place["street"] = told["address"][:200]
    values: dict[str, object] = {
        "name_source": told.get("name", "")[:120],
        "nik": told.get("nik") or None,
        "nik_status": "valid_form" if told.get("nik") else "missing",
        "birth_date": told.get("birth_date") or None,
        "address_domicile": place,
        "pmks": list(sheet.pmks),
    }
    return {name: value for name, value in values.items() if value not in (None, [])}


def _listings(case: Case, sheet: Sheet, verdict: Verdict, desk: Desk) -> list[Own]:
    """The unit's own list, and the proposal to whoever owns the list that counts elsewhere."""
    key = ids.show(case.ticket.id)
    common = {
        "person": key,
        "list_period": str(desk.now.today.year),
        "welfare_status": _WELFARE[verdict],
        "status_reason": "memenuhi_kriteria",
        "decided_by": desk.profile.unit.name,
        "decided_at": desk.now.today.isoformat(),
        "evidence": f"Survei {case.ticket.number}",
        "rule_set_version": sheet.rule_set,
    }
    wanted = "PMKS_DAERAH" if verdict is Verdict.PMKS else desk.profile.list_order[0]
    return [
        Own(f"{key}-s", {**common, "list_code": "UPTKAN_SURVEI", "listing_status": "active"}),
        Own(f"{key}-u", {**common, "list_code": wanted, "listing_status": "proposed_in"}),
    ]


def _row(ticket_id: TicketId, filled: Filled, outcome: Outcome, desk: Desk) -> dict[str, object]:
    kept = {
        "answers": {r.code: r.answer for r in outcome.reasons},
        "pmks": list(outcome.pmks),
        "notes": {k: v[:_LONGEST] for k, v in filled.notes.items()},
    }
    place = ("survey_sheet", filled.id, desk.now.moment)
    return {
        "id": filled.id,
        "ticket_id": ticket_id,
        "officer_id": desk.actor.officer_id,
        "rule_set": outcome.rule_set.code,
        "on_paper": filled.on_paper,
        "visited_on": filled.visited_on,
        "entered_on": desk.now.today,
        "made_at": desk.now.moment,
        "leaf": None,
        "sealed": sealing.seal(desk.vault, place, kept),
    }


def _place(case: Case) -> tuple[str, str, str]:
    told: Mapping[str, str] = case.ticket.body.person if case.ticket.body else {}
    return (case.ticket.kelurahan or "", told.get("rt", "").zfill(3), case.ticket.number)


def _only_house(desk: Desk) -> None:
    if not desk.actor.holds(*HOUSE):
        raise Forbidden("ticket.role", "Peran Anda tidak mencakup survei.")
