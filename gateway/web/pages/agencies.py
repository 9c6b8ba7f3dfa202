"""Agencies and their keys. Who may call it: key_admin all; approvers approve; the auditor looks."""

from collections.abc import Collection, Mapping
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from gateway.access import decisions
from gateway.access.decisions import Statement
from gateway.access.model import Officer, Role
from gateway.errors import Conflict, Forbidden, NotFound, Refused
from gateway.intake import query as intake
from gateway.intake import withdrawing
from gateway.ledger import query as ledger
from gateway.trust import anchors, keylist, query, rules, service, suspending
from gateway.trust.model import (
    SECOND_APPROVERS,
    AgencyDraft,
    AgencyRow,
    AgencyState,
    Approver,
    Outcome,
)
from gateway.web import auth
from gateway.web.confirming import Asked, decide
from gateway.web.edge import edge
from keys.enrolment import Ticket, format_ticket
from schemas.records.registry import RECORD_TYPES

blueprint = Blueprint("agencies", __name__, url_prefix="/instansi")

MANAGERS = frozenset({Role.KEY_ADMIN})
APPROVERS = frozenset(Role(role) for role in SECOND_APPROVERS)
VIEWERS = MANAGERS | APPROVERS | {Role.AUDITOR}
_DONE = frozenset(
    ("created", "recorded", "completed", "rejected", "wrong", "suspended", "revoking", "changed")
) | {"leaving", "resuming", "resumed", "asked"}


@blueprint.get("")
@auth.members_only
def overview() -> Any:
    """All agencies, and the keys that run out soon."""
    only(VIEWERS)
    now = edge().clock()
    with edge().sessions() as session:
        return render_template(
            "agencies.html",
            agencies=query.agencies(session),
            sent=intake.overview(session),
            expiring=keylist.expiring(session, now),
            voices=keylist.voices(session, now),
            may_manage=auth.holds(MANAGERS),
        )


@blueprint.get("/<code>")
@auth.members_only
def agency(code: str) -> Any:
    """One agency: its keys, what can be done, and what was done."""
    only(VIEWERS)
    now, me = edge().clock(), auth.officer()
    with edge().sessions() as session:
        row = query.agency(session, code)
        history = keylist.history(session, code)
        decided = decisions.about(session, code)
        leaves = {e.leaf for e in history if e.leaf is not None} | {e.leaf for e in decided}
        return render_template(
            "agency.html",
            row=row,
            fingerprint=_shown(row),
            keys=keylist.keys(session, now, code),
            used=intake.last_used(session, code, now),
            history=history,
            decided=decided,
            places={leaf: _place(session, leaf) for leaf in leaves},
            living=keylist.living(session, now, code),
            voice=keylist.voices(session, now, code).get(code),
            **_silent(session, code, me),
            departures=query.departures(session, code),
            withdrawn={one.departure: one for one in withdrawing.progress(session, code)},
            may_manage=auth.holds(MANAGERS),
            may_approve=_is_next(row, me),
            may_reject=auth.holds(APPROVERS),
            **_of_change(session, code, me),
            done=request.args.get("hasil") if request.args.get("hasil") in _DONE else None,
        )


@blueprint.get("/_baru")
@auth.members_only
def new() -> Any:
    """The form for another agency."""
    only(MANAGERS)
    return render_template("agency_new.html", record_types=RECORD_TYPES)


@blueprint.post("/_baru")
@auth.members_only
def create() -> Any:
    """Create an agency; its ticket is made when it is fetched."""
    only(MANAGERS)
    code, label, basis = (_field(name) for name in ("code", "label", "basis"))
    records = sorted(set(request.form.getlist("records")))
    live = "live" in request.form
    draft = AgencyDraft(code, label, tuple(records), basis, auth.officer().username, live)
    body = {"agency": code, "label": label, "records": records, "basis": basis, "live": live}

    def act(session: Session) -> Any:
        trusted = anchors.anchors(edge().settings, edge().vault)
        service.create_agency(session, draft, trusted, edge().clock())
        return _back(code, "created")

    return decide(asked("create_agency", Role.KEY_ADMIN, code, body), act)


@blueprint.post("/<code>/tiket")
@auth.members_only
def ticket(code: str) -> Any:
    """A one-time ticket as a file, good for 72 hours; earlier ones are void."""
    only(MANAGERS)

    def act(session: Session) -> Any:
        trusted = anchors.anchors(edge().settings, edge().vault)
        return _file(service.new_ticket(session, code, trusted, edge().clock()))

    _agency(code)
    return decide(asked("new_ticket", Role.KEY_ADMIN, code, {"agency": code}), act)


@blueprint.post("/<code>/tiket-ulang")
@auth.members_only
def ticket_again(code: str) -> Any:
    """The same for an agency that lost its keys or left: what comes replaces all it had."""
    only(MANAGERS)
    person = Approver(auth.officer().username, Role.KEY_ADMIN.value)

    def act(session: Session) -> Any:
        trusted = anchors.anchors(edge().settings, edge().vault)
        return _file(service.ticket_again(session, code, person, trusted, edge().clock()))

    _agency(code)
    return decide(asked("ticket_again", Role.KEY_ADMIN, code, {"agency": code}), act)


@blueprint.post("/<code>/setujui")
@auth.members_only
def approve(code: str) -> Any:
    """Approve the key that waits, by the end of its fingerprint as it was read to the officer."""
    only(APPROVERS)
    row, me, groups = _agency(code), auth.officer(), request.form.get("groups", "")[:40]
    if row.created_by == me.username:
        raise Forbidden("approval.own", "Whoever created the agency may not approve its key.")
    role = Role(rules.acting_role([r.value for r in me.roles], len(row.approvals)))

    def act(session: Session) -> Any:
        approver = Approver(me.username, role.value)
        made = service.approve(session, code, approver, groups, edge().clock())
        wrong = made.outcome is Outcome.WRONG_GROUPS
        return _back(code, "wrong" if wrong else made.outcome.value)

    return decide(asked("approve_key", role, code, _of_key(row)), act)


@blueprint.post("/<code>/tolak")
@auth.members_only
def reject(code: str) -> Any:
    """Refuse the key that waits: what was read on the phone was another one."""
    only(APPROVERS)
    row, me = _agency(code), auth.officer()
    role = next(role for role in me.roles if role in APPROVERS)

    def act(session: Session) -> Any:
        service.reject(session, code, Approver(me.username, role.value), edge().clock())
        return _back(code, "rejected")

    return decide(asked("reject_key", role, code, _of_key(row)), act)


def asked(kind: str, role: Role, code: str, body: Mapping[str, Any]) -> Asked:
    """The statement of an act on an agency, with the officer's reason in it."""
    reason = _field("reason")
    if not 5 <= len(reason) <= 200:
        raise Refused("reason.missing", "Tulis alasannya, 5 sampai 200 huruf. Belum ada perubahan.")
    statement = Statement(kind, role.value, {**body, "reason": reason}, code)
    known = kind != "create_agency"
    back = url_for("agencies.agency", code=code) if known else url_for("agencies.new")
    return Asked(statement, kind, back)


def _file(made: Ticket) -> Response:
    answer = Response(format_ticket(made), content_type="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="{made.agency}.ticket.json"'
    return answer


def _of_key(row: AgencyRow) -> Mapping[str, Any]:
    """What is decided about the key that waits: the part of its fingerprint that is shown."""
    if row.state is not AgencyState.PENDING:
        raise Conflict("enrolment.not_pending", "No key of this agency waits for approval.")
    return {"agency": row.code, "label": row.label, "fingerprint": _shown(row)}


def _shown(row: AgencyRow) -> str | None:
    if row.fingerprint is None:
        return None
    waits = row.state is AgencyState.PENDING
    return keylist.shown(row.fingerprint, approved=not waits)


def _is_next(row: AgencyRow, me: Officer) -> bool:
    """Whether the next approval may be this officer's: for the page; the service decides."""
    given = {each.officer_id for each in row.approvals}
    may = APPROVERS if given else MANAGERS
    return me.username not in {row.created_by, *given} and auth.holds(may)


def _of_change(session: Session, code: str, me: Officer) -> dict[str, Any]:
    """What the officer may do about the change of keys that waits: for the page."""
    found = query.pending(session, code)
    given = () if found is None else query.approvers(session, code, found.payload_sha256)
    maker = None if found is None else query.maker(session, code, found.payload_sha256)
    may = APPROVERS if given else MANAGERS
    return {
        "waiting": found,
        "may_approve_change": me.username not in {maker, *given} and auth.holds(may),
        "my_statement": found is not None
        and found.rule in {"revoke", "leave"}
        and me.username in given,
    }


def _silent(session: Session, code: str, me: Officer) -> dict[str, Any]:
    """The silent keys that the officer may let speak, and those for which he has said so."""
    now = edge().clock()
    silent = keylist.silent(session, now, code)
    first = suspending.first_of_two(session, [key.kid for key in silent], now)
    mine = [key for key in silent if first.get(key.kid) == me.username]
    return {"silent": [key for key in silent if key not in mine], "said_to_resume": mine}


def _agency(code: str) -> AgencyRow:
    with edge().sessions() as session:
        return query.agency(session, code)


def _place(session: Session, leaf: bytes) -> int | None:
    """The position of a leaf in the log; None while it waits for its checkpoint."""
    try:
        return ledger.inclusion(session, leaf).index
    except NotFound:
        return None


def _field(name: str) -> str:
    return request.form.get(name, "").replace("\0", "").strip()[:200]


def _back(code: str, done: str) -> Any:
    return redirect(url_for("agencies.agency", code=code, hasil=done), 303)


def only(roles: Collection[Role]) -> None:
    if not auth.holds(roles):
        raise Forbidden("agencies.role", "Peran Anda tidak mencakup halaman atau tindakan ini.")
