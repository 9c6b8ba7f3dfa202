"""What persons of the centre do about an agency's keys: silence, revoke, end all, approve a change.

Who may call it: key_admin silences, revokes and lets an agency leave; approvers let a silent key
speak again, approve and reject.
"""

from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, request, url_for
from sqlalchemy.orm import Session

from gateway.access.model import Role
from gateway.errors import NotFound, Refused
from gateway.trust import approvals, keylife, keylist, leaving, query, rules, suspending, wishing
from gateway.trust.leaving import Parting
from gateway.trust.model import Approver, Fate, Loss, Outcome, Submitted
from gateway.web import auth
from gateway.web.confirming import decide
from gateway.web.edge import edge
from gateway.web.pages.agencies import APPROVERS, MANAGERS, asked, only
from keys.canonical import to_moment
from keys.keyset import KeyEntry
from keys.suspension import Action, Suspension
from schemas.errors import Unreadable
from schemas.moment import WIB, read_moment

blueprint = Blueprint("keyacts", __name__, url_prefix="/instansi/<code>/kunci")

_REASON = "key_compromise"
_MISTAKE = "not_compromised"


@blueprint.post("/ganti")
@auth.members_only
def rotate(code: str) -> Any:
    """Ask the agency's connector for a new key."""
    only(MANAGERS)
    person = Approver(auth.officer().username, Role.KEY_ADMIN.value)

    def act(session: Session) -> Any:
        wishing.ask_for_rotation(session, code, person, edge().clock())
        return _back(code, "asked")

    return decide(asked("ask_rotation", Role.KEY_ADMIN, code, {"agency": code}), act)


@blueprint.post("/bekukan")
@auth.members_only
def suspend(code: str) -> Any:
    """Silence a key at once."""
    only(MANAGERS)
    key, me = _key(code), auth.officer()
    signer = edge().vault.signer("receipt")

    def act(session: Session) -> Any:
        now = edge().clock()
        said = Suspension(
            edge().settings.aud, code, key.kid, Action.SUSPEND, now.replace(microsecond=0), _REASON
        )
        person = Approver(me.username, Role.KEY_ADMIN.value)
        suspending.decide(session, said, [person], signer, now)
        return _back(code, "suspended")

    body = {"agency": code, "kid": key.kid, "fingerprint": key.public.fingerprint()}
    return decide(asked("suspend_key", Role.KEY_ADMIN, code, body), act)


@blueprint.post("/hidupkan")
@auth.members_only
def resume(code: str) -> Any:
    """Let a silent key speak again: two persons, each at his own screen."""
    only(APPROVERS)
    key, me = _key(code), auth.officer()
    role = next(role for role in me.roles if role in APPROVERS)
    signer = edge().vault.signer("receipt")

    def act(session: Session) -> Any:
        now = edge().clock()
        said = Suspension(
            edge().settings.aud, code, key.kid, Action.RESUME, now.replace(microsecond=0), _MISTAKE
        )
        person = Approver(me.username, role.value)
        done = suspending.agree_to_resume(session, said, person, signer, now)
        return _back(code, "resuming" if done is None else "resumed")

    body = {"agency": code, "kid": key.kid, "fingerprint": key.public.fingerprint()}
    return decide(asked("resume_key", role, code, body), act)


@blueprint.post("/cabut")
@auth.members_only
def revoke(code: str) -> Any:
    """State that a key is lost since a time; a second person must approve."""
    only(MANAGERS)
    key, since, me = _key(code), _since(), auth.officer()
    signer, lost = edge().vault.signer("receipt"), Loss(code, key.kid, since, _REASON)
    with edge().sessions() as session:
        said = keylife.compose_revocation(session, lost, edge().clock())
    named = [each for each in said.revoked if each.since == since]

    def act(session: Session) -> Any:
        now = edge().clock().replace(microsecond=0)
        keylife.revoke(session, lost, Approver(me.username, Role.KEY_ADMIN.value), signer, now)
        return _back(code, "revoking")

    body = {
        "agency": code,
        "since": to_moment(since),
        "since_here": f"{since.astimezone(WIB):%Y-%m-%d %H:%M} WIB",
        "from_log_entry": named[0].size_at_since,
        "keys": [each.kid for each in named],
    }
    return decide(asked("revoke_key", Role.KEY_ADMIN, code, body), act)


@blueprint.post("/keluar")
@auth.members_only
def leave(code: str) -> Any:
    """The agency leaves, and its records are kept or withdrawn; a second person must approve."""
    only(MANAGERS)
    fate = next((one for one in Fate if one.value == request.form.get("fate")), None)
    if fate is None:
        raise Refused("leave.fate", "Its records are kept or withdrawn; choose one.")
    parting, me = Parting(code, fate, "decided_at_centre"), auth.officer()
    signer = edge().vault.signer("receipt")
    with edge().sessions() as session:
        said = leaving.compose(session, parting, edge().clock())

    def act(session: Session) -> Any:
        now = edge().clock().replace(microsecond=0)
        person = Approver(me.username, Role.KEY_ADMIN.value)
        leaving.leave(session, parting, person, signer, now)
        return _back(code, "leaving")

    body = {"agency": code, "records": fate.value, "keys": sorted(said.keys)}
    return decide(asked("leave_agency", Role.KEY_ADMIN, code, body), act)


@blueprint.post("/setujui")
@auth.members_only
def approve(code: str) -> Any:
    """Approve the change that waits, by the end of its fingerprint."""
    only(APPROVERS)
    found, me = _waiting(code), auth.officer()
    groups = request.form.get("groups", "")[:40]
    role = Role(rules.acting_role([r.value for r in me.roles], found.approvals))

    def act(session: Session) -> Any:
        person = Approver(me.username, role.value)
        made = approvals.approve(session, code, person, groups, edge().clock())
        if made.outcome is Outcome.WRONG_GROUPS:
            return _back(code, "wrong")
        return _back(code, "changed" if made.outcome is Outcome.COMPLETED else "recorded")

    return decide(asked("approve_change", role, code, _body(found)), act)


@blueprint.post("/tolak")
@auth.members_only
def reject(code: str) -> Any:
    """Refuse the change that waits; the keys stay as they were."""
    only(APPROVERS)
    found, me = _waiting(code), auth.officer()
    role = next(role for role in me.roles if role in APPROVERS)

    def act(session: Session) -> Any:
        approvals.reject(session, code, Approver(me.username, role.value), edge().clock())
        return _back(code, "rejected")

    return decide(asked("reject_change", role, code, _body(found)), act)


def _body(found: Submitted) -> dict[str, Any]:
    return {
        "agency": found.agency,
        "version": found.version,
        "rule": found.rule,
        "fingerprint": keylist.shown(found.fingerprint, approved=False),
    }


def _waiting(code: str) -> Submitted:
    with edge().sessions() as session:
        found = query.pending(session, code)
    if found is None:
        raise NotFound("keyset.none", "No statement of this agency waits for approval.")
    return found


def _key(code: str) -> KeyEntry:
    with edge().sessions() as session:
        keys = query.keyset_entries(session, code)
    found = keys.get(request.form.get("kid", ""))
    if found is None:
        raise NotFound("key.unknown", "The agency has no such key.")
    return found


def _since() -> datetime:
    """The moment of the form, in the zone that it names or by the city's clock."""
    typed = f"{request.form.get('since', '')} {request.form.get('zone', '')}"
    try:
        return read_moment(typed[:40])
    except Unreadable as err:
        raise Refused("revocation.moment", "A moment is a day and a time.") from err


def _back(code: str, done: str) -> Any:
    return redirect(url_for("agencies.agency", code=code, hasil=done), 303)
