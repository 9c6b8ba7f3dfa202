"""A new complaint: from a person found (or not found) to the receipt. Who may call it: officers.

Typing is kept as a draft on the server from the first moment on; the script only sends it earlier.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from gateway.access import service as access
from gateway.access.model import Purpose
from gateway.complaints import drafts, query, sealing, verification, visibility
from gateway.complaints.drafts import Draft
from gateway.complaints.model import Channel, TicketId
from gateway.complaints.service import find
from gateway.errors import Conflict, GatewayError, NotFound, Refused
from gateway.storage import ids
from gateway.web import auth, counter, show
from gateway.web.edge import edge
from gateway.web.pages.desk import SCRIPTED, door, identifier
from gateway.web.problems import status_of

blueprint = Blueprint("counter", __name__, url_prefix="/pengaduan")


@blueprint.after_request
def with_script(answer: Response) -> Response:
    """These pages keep what is typed by a script; everything works without it."""
    answer.headers["Content-Security-Policy"] = SCRIPTED
    return answer


@blueprint.get("")
@auth.members_only
def waiting() -> Any:
    """Drafts that are not finished, and what citizens filed."""
    with edge().sessions() as session:
        own, filed = drafts.waiting(session, counter.desk())
    return render_template("drafts.html", own=own, filed=filed, show_id=ids.show)


@blueprint.post("/baru")
@auth.members_only
def begin() -> Any:
    """A new draft: of the person whose profile is open, of a search that found nobody, or empty."""
    desk = counter.desk()
    with edge().sessions.begin() as session:
        kept = _of_profile(session) or _of_search(session) or {"fields": {}, "check": {}}
        draft_id = drafts.begin(session, kept, desk)
    return redirect(url_for("counter.form", draft_id=ids.show(draft_id)), 303)


@blueprint.get("/draf/<draft_id>")
@auth.members_only
def form(draft_id: str) -> Any:
    """The form, as far as it is filled."""
    with edge().sessions() as session:
        draft = drafts.find(session, identifier(draft_id), counter.desk())
        if draft.ticket_id is not None:
            return redirect(url_for("counter.receipt", draft_id=draft_id), 303)
        return _form(session, draft)


@blueprint.post("/draf/<draft_id>/simpan")
@auth.members_only
def save(draft_id: str) -> Any:
    """Keep what is typed; the script asks for this while one types."""
    with edge().sessions.begin() as session:
        drafts.save(session, identifier(draft_id), counter.fields_of_form(), counter.desk())
    return "", 204


@blueprint.post("/draf/<draft_id>")
@auth.members_only
def submit(draft_id: str) -> Any:
    """Make it a ticket; what is wrong is said above the form, and nothing typed is lost."""
    desk, number = counter.desk(), identifier(draft_id)
    with edge().sessions.begin() as session:
        try:
            draft = drafts.save(session, number, counter.fields_of_form(), desk)
        except Conflict:
            return redirect(url_for("counter.receipt", draft_id=draft_id), 303)
    try:
        with edge().sessions.begin() as session:
            given = counter.registration(_checked(session, draft), edge().profile)
            drafts.submit(session, draft, given, desk)
    except (Refused, Conflict) as problem:
        with edge().sessions() as session:
            return _form(session, draft, problem), status_of(problem)
    return redirect(url_for("counter.receipt", draft_id=draft_id), 303)


@blueprint.post("/draf/<draft_id>/buang")
@auth.members_only
def drop(draft_id: str) -> Any:
    """Throw a draft away."""
    with edge().sessions.begin() as session:
        drafts.drop(session, identifier(draft_id), counter.desk())
    return redirect(url_for("counter.waiting"), 303)


@blueprint.get("/tanda-terima/<draft_id>")
@auth.members_only
def receipt(draft_id: str) -> Any:
    """The receipt; the PIN stands on it the first time and never again."""
    desk = counter.desk()
    with edge().sessions.begin() as session:
        draft = drafts.find(session, identifier(draft_id), desk)
        if draft.ticket_id is None:
            raise NotFound("draft.unknown", "Draf itu belum menjadi tiket.")
        pin = drafts.take_pin(session, draft.id, desk)
        case = find(session, draft.ticket_id, desk)
    return render_template("receipt.html", case=case, pin=pin, **tracking_link())


def tracking_link() -> dict[str, Any]:
    """Where a citizen follows his ticket: an address without anything personal, also as a QR."""
    link = edge().settings.origin + url_for("tracking.ask")
    return {"link": link, "qr": show.qr(link)}


def _of_profile(session: Session) -> dict[str, Any] | None:
    """What the profile that is open says, with its snapshot; the look is logged like any other."""
    if "profile" not in request.form:
        return None
    now = edge().clock()
    _, view = access.open_profile(
        session, auth.officer(), identifier(request.form["profile"]), door(), now
    )
    return {
        "fields": counter.prefilled(view, edge().profile),
        "person": ids.show(view.person_id),
        "nik": view.nik or "",
        "family": counter.family(view),
        "check": verification.of_person(view, counter.stale(session)),
        "on": edge().today.isoformat(),
    }


def _of_search(session: Session) -> dict[str, Any] | None:
    """What was searched for, where none of the candidates was the person."""
    if "search" not in request.form:
        return None
    found = access.search(
        session, auth.officer(), identifier(request.form["search"]), door(), edge().clock()
    )
    terms = found.asked.terms
    told = {"name": "name", "number": "nik", "birth_date": "birth_date", "phone": "phone"}
    fields = {field: terms[term] for term, field in told.items() if terms.get(term)}
    check = verification.of_nobody(found.candidates, counter.stale(session))
    return {"fields": fields, "check": check, "on": edge().today.isoformat()}


def _checked(session: Session, draft: Draft) -> Mapping[str, Any]:
    """The draft with a snapshot of today: an older one, or none, is made anew, and logged."""
    kept = draft.kept
    if kept.get("check") and kept.get("on") == edge().today.isoformat():
        return kept
    person = ids.parse(str(kept.get("person") or ""))
    found = stale_check(session, person, kept["fields"])
    return {**kept, "check": found}


def stale_check(
    session: Session, person: UUID | None, fields: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Ask the index anew: of the person who was chosen, else for what was typed."""
    officer, now = auth.officer(), edge().clock()
    purpose = Purpose.NEW_COMPLAINT
    with edge().sessions.begin() as first:
        if person is not None:
            asked = access.ask_profile(first, officer, (person, purpose), door(), now)
        else:
            typed = str(fields.get("nik") or fields.get("name") or "")
            asked = access.ask_search(first, officer, (typed, purpose), door(), now)
    silent = counter.stale(session)
    if person is not None:
        _, view = access.open_profile(session, officer, asked.id, door(), now)
        return verification.of_person(view, silent)
    found = access.search(session, officer, asked.id, door(), now)
    return verification.of_nobody(found.candidates, silent)


def _form(session: Session, draft: Draft, problem: GatewayError | None = None) -> str:
    profile, desk = edge().profile, counter.desk()
    person = ids.parse(str(draft.kept.get("person") or ""))
    open_cases = query.open_of(session, person, _keys(draft), desk.vault)
    wilayah = profile.wilayah
    return render_template(
        "complaint_new.html",
        draft=draft,
        draft_id=ids.show(draft.id),
        fields=draft.kept.get("fields", {}),
        check=draft.kept.get("check", {}),
        family=draft.kept.get("family", []),
        kinds=list(profile.need_kinds.values()),
        channels=[c.value for c in Channel],
        places=sorted(wilayah.active, key=lambda u: u.name),
        open_cases=[c for c in open_cases if visibility.sees(desk.actor, c)],
        today=edge().today,
        extra=range(counter.EXTRA),
        problem=problem,
        masked=show.masked,
    )


def _keys(draft: Draft) -> list[bytes]:
    typed = draft.kept.get("fields", {})
    try:
        body = counter.registration({**draft.kept, "fields": {"need": [], **typed}}, edge().profile)
    except Refused:
        return []
    return sealing.identity_keys(edge().vault, body.body, edge().profile)


def ticket_id(text: str) -> TicketId:
    """The ticket of an address."""
    return TicketId(identifier(text))
