"""The counter: one box, candidates, a profile. Who may call it: roles of `access/policy.csv`.

Each look is POST (the question, committed) → 303 → GET (the answer): no NIK ever stands in a URL.
"""

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from gateway.access import live
from gateway.access import service as access
from gateway.access.model import Action, Purpose
from gateway.access.service import Door
from gateway.complaints import numbers, visibility
from gateway.complaints import query as complaints
from gateway.complaints.model import Actor
from gateway.errors import NotFound, Refused, TooMany
from gateway.intake import query as intake
from gateway.stewards import query as stewards
from gateway.storage import ids
from gateway.trust import keylist
from gateway.web import auth, show
from gateway.web.edge import edge
from gateway.web.freshness import freshness
from gateway.web.language import words_of_request
from gateway.web.persons import labels, speaker
from gateway.web.problems import status_of

blueprint = Blueprint("desk", __name__)

SCRIPTED = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The policy of pages with a script of ours, which only makes them quicker."""


@blueprint.after_request
def with_script(answer: Response) -> Response:
    """The keyboard of these pages is a script of ours; everything works without it."""
    answer.headers["Content-Security-Policy"] = SCRIPTED
    return answer


@blueprint.get("/loket")
@auth.members_only
def counter() -> Any:
    """The search box."""
    return _counter()


@blueprint.post("/cari")
@auth.members_only
def ask() -> Any:
    """Log the search; the answer follows at its own address. A ticket's number opens the ticket."""
    number = numbers.read(request.form.get("q", ""))
    if number is not None:
        return redirect(url_for("tickets.ticket", number=number), 303)
    purpose = purpose_of_form()
    try:
        with edge().sessions() as session:
            asked = access.ask_search(
                session,
                auth.officer(),
                (request.form.get("q", ""), purpose),
                door(),
                edge().clock(),
            )
            session.commit()
    except (Refused, TooMany) as refused:
        return _counter(request.form.get("q", ""), refused.sentence), status_of(refused)
    return redirect(url_for("desk.answer", query_id=ids.show(asked.id)), 303)


@blueprint.get("/cari/<query_id>")
@auth.members_only
def answer(query_id: str) -> Any:
    """The candidates of a logged search."""
    with edge().sessions() as session:
        found = access.search(session, auth.officer(), identifier(query_id), door(), edge().clock())
        session.commit()
    return render_template(
        "found.html",
        found=found,
        purpose=found.asked.purpose.value,
        today=edge().today,
        age=show.age,
        show_id=ids.show,
        purposes=[p.value for p in Purpose],
        query_id=query_id,
    )


@blueprint.post("/profil")
@auth.members_only
def ask_profile() -> Any:
    """Log that a profile is opened, or its NIK revealed."""
    person, purpose = identifier(request.form.get("person", "")), purpose_of_form()
    revealing = request.form.get("act") == "reveal"
    question = access.ask_reveal if revealing else access.ask_profile
    with edge().sessions() as session:
        asked = question(session, auth.officer(), (person, purpose), door(), edge().clock())
        session.commit()
    page = "desk.revealed" if revealing else "desk.profile"
    return redirect(url_for(page, query_id=ids.show(asked.id)), 303)


@blueprint.get("/profil/<query_id>")
@auth.members_only
def profile(query_id: str) -> Any:
    """One person: who says what, lists, aid, and why these records are one person."""
    with edge().sessions() as session:
        asked, view = access.open_profile(
            session, auth.officer(), identifier(query_id), door(), edge().clock()
        )
        session.commit()
        beside = _beside(session, view)
    return _profile(view, asked.purpose.value, {**beside, "query_id": query_id}, revealed=False)


@blueprint.get("/profil/<query_id>/nik")
@auth.members_only
def revealed(query_id: str) -> Any:
    """The same page with the NIK in full."""
    with edge().sessions() as session:
        asked, view = access.reveal(
            session, auth.officer(), identifier(query_id), door(), edge().clock()
        )
        session.commit()
        beside = _beside(session, view)
    return _profile(view, asked.purpose.value, beside, revealed=True)


def door() -> Door:
    """What stands between an officer and persons."""
    return Door(edge().index, edge().settings, edge().today)


def _counter(typed: str = "", problem: str | None = None) -> str:
    with edge().sessions() as session:
        fresh = _freshness(session)
    stale = [
        a.label
        for a in edge().profile.agencies.values()
        if a.code in fresh and fresh[a.code] == "silent"
    ]
    return render_template(
        "counter.html",
        typed=typed,
        problem=problem,
        stale=stale,
        purposes=[p.value for p in Purpose],
        purpose=request.form.get("purpose", Purpose.NEW_COMPLAINT.value),
    )


def _beside(session: Session, view: Any) -> dict[str, Any]:
    """What the page says beside the person's data: how fresh they are, and what does not fit."""
    actor = Actor.of(auth.officer())
    open_cases = complaints.open_of(session, view.person_id, (), edge().vault)
    return {
        "open_cases": [c for c in open_cases if visibility.sees(actor, c)],
        "kinds": edge().profile.need_kinds,
        "fresh": _freshness(session),
        "doubts": stewards.kinds_about(session, view.person_id),
        "keepers": _keepers(session, view),
        "answering": live.answering(session, edge().clock()),
    }


def _keepers(session: Session, view: Any) -> dict[bytes, str]:
    """Who kept the key of a batch, by its leaf, where it was not the agency itself."""
    kept = keylist.kept_for_others(session, edge().profile.agencies)
    leaves = {record.accepted for record in view.records if record.accepted}
    signed = intake.signers(session, {agency for agency, _ in kept}, leaves) if kept else {}
    return {leaf: kept[who] for leaf, who in signed.items() if who in kept}


def _profile(view: Any, purpose: str, beside: dict[str, Any], *, revealed: bool) -> Response:
    may_ask = auth.may(Action.LIVE, Purpose(purpose))
    page = render_template(
        "profile.html",
        askable=beside["answering"] if may_ask else (),
        person=view,
        purpose=purpose,
        may_prove_now=auth.may(Action.PROVE, Purpose(purpose)),
        **beside,
        revealed=revealed,
        labels=labels(edge().profile),
        age=view.age(edge().today),
        show_id=ids.show,
        say=speaker(edge().profile, words_of_request()),
    )
    answer = Response(page)
    answer.headers["Content-Security-Policy"] = auth.SCRIPTED  # answers of agencies come in here
    return answer


def _freshness(session: Any) -> dict[str, str]:
    now = edge().clock()
    return {
        code: freshness(edge().profile, code, row.accepted_at, now)
        for code, row in intake.overview(session).items()
    }


def purpose_of_form() -> Purpose:
    """Why the form asks.

    Raises:
        Refused: it does not say.
    """
    try:
        return Purpose(request.form.get("purpose", ""))
    except ValueError as err:
        raise Refused("purpose.missing", "Pilih keperluan pencarian terlebih dahulu.") from err


def identifier(text: str) -> Any:
    """The UUID that an address or a form names.

    Raises:
        NotFound: it is none.
    """
    found = ids.parse(text)
    if found is None:
        raise NotFound("query.expired", "Alamat itu tidak ada. Cari lagi dari halaman loket.")
    return found
