"""`titian keys …`: what can be done about agencies' keys after the first.

Each act asks for a password, and stands in the log as that person's decision.

Source: trust.md 1.4 (rules R3 to R6), 1.6.
"""

from collections.abc import Callable
from datetime import datetime

import click
from sqlalchemy.orm import Session, sessionmaker

from gateway.cli_proof import authenticated
from gateway.errors import NotFound
from gateway.settings import Settings
from gateway.storage import engine
from gateway.trust import approvals, keylife, keylist, leaving, query, rules, suspending, wishing
from gateway.trust.leaving import Parting
from gateway.trust.model import SECOND_APPROVERS, Approver, Fate, Loss, Outcome, Submitted
from keys.signers import Signer
from keys.suspension import Action, Suspension
from keys.vault import Vault
from schemas.errors import Unreadable
from schemas.moment import WIB, read_moment

Clock = Callable[[], datetime]
_AS = click.option("--as", "username", required=True, help="Your user name; asks your password.")


class _Moment(click.ParamType[datetime]):
    """A moment with its zone, or by the city's clock."""

    name = "moment"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        try:
            return read_moment(value)
        except Unreadable:
            self.fail(
                "that is no moment; nothing was changed. Write it as 2026-11-20 15:00 WIB, "
                "2026-11-20T08:00Z, or 2026-11-20 for the beginning of that day.",
                param,
                ctx,
            )


_REASON = click.option(
    "--reason", default="key_compromise", show_default=True, help="A code of a-z and _."
)


@click.command("list")
@click.argument("agency", required=False)
@click.option("--expiring", is_flag=True, help="Only keys that run out within 30 days.")
@click.pass_obj
def list_(clock: Clock, agency: str | None, *, expiring: bool) -> None:
    """Keys of all agencies, or of AGENCY: state, when each ends, when its connector rotates it."""
    with engine.opened(Settings.from_env()) as opened, opened() as session:
        if expiring:
            found = [each.key for each in keylist.expiring(session, clock())]
        else:
            found = keylist.keys(session, clock(), agency)
    for key in found:
        if agency in {None, key.agency}:
            click.echo(
                f"{key.kid:<45} {key.state.value:<12} until {key.ends_at:%Y-%m-%d}"
                f"  rotates {key.rotates_at:%Y-%m-%d}\n    {key.fingerprint}"
            )
    if not found:
        click.echo("no key runs out within 30 days" if expiring else "there are no keys")


@click.command()
@click.argument("kid")
@click.pass_obj
def show(clock: Clock, kid: str) -> None:
    """One key by its name KID: whose, its state, its times, what it was revoked or destroyed for.

    While it waits for approval, the last two groups of its fingerprint are not shown.
    """
    agency = kid.partition(":")[0]
    with engine.opened(Settings.from_env()) as opened, opened() as session:
        found = [line for line in keylist.keys(session, clock(), agency) if line.kid == kid]
    if not found:
        raise NotFound("key.unknown", "No agency has enrolled this key. See: titian keys list")
    (key,) = found
    warned = "" if key.warning is None else f", WARNING: within {key.warning} days"
    told: list[tuple[str, object]] = [
        ("agency", f"{key.agency}, {key.label}"),
        ("fingerprint", key.fingerprint),
        ("state", key.state.value),
        ("from", f"{key.not_before:%Y-%m-%d %H:%M} UTC"),
        ("until", f"{key.ends_at:%Y-%m-%d %H:%M} UTC{warned}"),
        ("rotates", f"{key.rotates_at:%Y-%m-%d}"),
    ]
    for name, at in (("revoked", key.revoked), ("destroyed", key.destroyed)):
        if at is not None:
            told.append((name, f"{at:%Y-%m-%d %H:%M} UTC"))
    for name, value in told:
        click.echo(f"{name:<12} {value}")


@click.command()
@click.argument("agency")
def history(agency: str) -> None:
    """What happened to the keys of AGENCY, with the leaf of each entry in the log."""
    with engine.opened(Settings.from_env()) as opened, opened() as session:
        query.agency(session, agency)
        for event in keylist.history(session, agency):
            who = "" if event.who is None else f" by {event.who}, {event.role or 'creator'}"
            leaf = "" if event.leaf is None else f"  leaf {event.leaf.hex()}"
            click.echo(f"{event.at:%Y-%m-%d %H:%M} UTC  {event.what}{who}{leaf}")


@click.command()
@click.argument("agency")
def pending(agency: str) -> None:
    """The statement about the keys of AGENCY that waits for a person, or for its time."""
    with engine.opened(Settings.from_env()) as opened, opened() as session:
        found = query.pending(session, agency)
    click.echo("nothing waits" if found is None else _sentence(found))


@click.command()
@click.argument("agency")
@_AS
@click.pass_obj
def rotate(clock: Clock, agency: str, username: str) -> None:
    """Ask the connector of AGENCY to replace its key. It does so within minutes, by itself.

    Only the agency can make its key; the wish stands in the log, where its connector reads it.
    """
    settings = Settings.from_env()
    with engine.opened(settings) as opened:
        person = _person(opened, settings, username, clock())
        with opened.begin() as session:
            wishing.ask_for_rotation(session, agency, person, clock())
    click.echo(
        "asked. The connector replaces its key at its next round and nothing stops meanwhile; "
        f"see it with: titian keys history {agency}"
    )


@click.command()
@click.argument("agency")
@click.argument("kid")
@_AS
@_REASON
@click.pass_obj
def suspend(clock: Clock, agency: str, kid: str, username: str, reason: str) -> None:
    """Silence the key KID of AGENCY at once. One person may; nothing that counts is lost.

    What its connector sends meanwhile is refused and stays in its outbox.
    """
    settings = Settings.from_env()
    with engine.opened(settings) as opened:
        person = _person(opened, settings, username, clock())
        said = _said(settings, (agency, kid), Action.SUSPEND, reason, clock())
        with opened.begin() as session:
            suspending.decide(session, said, [person], _signer(settings), clock())
    click.echo(
        "the key is silent on every process. If it was lost: titian keys revoke; "
        "if not, two persons let it speak again: titian keys resume"
    )


@click.command()
@click.argument("agency")
@click.argument("kid")
@_AS
@click.option("--and", "second", required=True, help="The second person; asks his password too.")
@_REASON
@click.pass_obj
def resume(  # noqa: PLR0913 -- a command's options
    clock: Clock, *, agency: str, kid: str, username: str, second: str, reason: str
) -> None:
    """Let a silent key speak again; two persons decide, each with his password."""
    settings = Settings.from_env()
    with engine.opened(settings) as opened:
        persons = [_person(opened, settings, name, clock()) for name in (username, second)]
        said = _said(settings, (agency, kid), Action.RESUME, reason, clock())
        with opened.begin() as session:
            suspending.decide(session, said, persons, _signer(settings), clock())
    click.echo("the key may speak again")


@click.command()
@click.argument("agency")
@click.argument("kid")
@click.option(
    "--since",
    required=True,
    type=_Moment(),
    help="The earliest time at which the key may have been in other hands, such as "
    "'2026-11-20 15:00 WIB' or 2026-11-20T08:00Z; WIB where no zone is named.",
)
@_AS
@_REASON
@click.option("--dry-run", is_flag=True, help="Say what would be revoked, and change nothing.")
@click.pass_obj
def revoke(  # noqa: PLR0913 -- a command's options
    clock: Clock,
    *,
    agency: str,
    kid: str,
    since: datetime,
    username: str,
    reason: str,
    dry_run: bool,
) -> None:
    """State that the key KID of AGENCY is lost since a time. A second person must approve.

    The key is silent at once. With the approval, what it signed since then (by the log's order,
    not by the dates in it) is set aside and judged anew; keys that it brought in go with it.
    """
    settings = Settings.from_env()
    lost = Loss(agency, kid, since, reason)
    with engine.opened(settings) as opened:
        with opened() as session:
            said = keylife.compose_revocation(session, lost, clock().replace(microsecond=0))
        click.echo(f"since {since:%Y-%m-%d %H:%M} UTC, {since.astimezone(WIB):%Y-%m-%d %H:%M} WIB")
        for each in said.revoked:
            if each.since == lost.since:
                click.echo(f"revoked: {each.kid}, from the log's entry {each.size_at_since} on")
        if dry_run:
            click.echo("nothing was changed")
            return
        person = _person(opened, settings, username, clock())
        with opened.begin() as session:
            now = clock().replace(microsecond=0)
            made = keylife.revoke(session, lost, person, _signer(settings), now)
    click.echo(
        f"the key is silent. {_sentence(made)}\nA second person now runs: "
        f"titian keys approve {agency} --as NAME"
    )


@click.command()
@click.argument("agency")
@click.option(
    "--fate",
    required=True,
    type=click.Choice([fate.value for fate in Fate]),
    help="What becomes of its records: kept by law, or withdrawn from the live view.",
)
@_AS
@click.option("--reason", required=True, help="A code of a-z and _, such as agreement_ended.")
@click.option("--dry-run", is_flag=True, help="Say what would end, and change nothing.")
@click.pass_obj
def leave(  # noqa: PLR0913 -- a command's options
    clock: Clock, *, agency: str, fate: str, username: str, reason: str, dry_run: bool
) -> None:
    """AGENCY leaves: all its keys and grants end. A second person must approve.

    What it said stays provable whichever fate is chosen. An agency that comes back enrols anew:
    titian agency ticket AGENCY --again.
    """
    settings = Settings.from_env()
    parting = Parting(agency, Fate(fate), reason)
    with engine.opened(settings) as opened:
        with opened() as session:
            said = leaving.compose(session, parting, clock().replace(microsecond=0))
        click.echo(f"{len(said.keys)} keys end; its records: {fate}")
        if dry_run:
            click.echo("nothing was changed")
            return
        person = _person(opened, settings, username, clock(), given=0)
        with opened.begin() as session:
            now = clock().replace(microsecond=0)
            made = leaving.leave(session, parting, person, _signer(settings), now)
    click.echo(
        f"{_sentence(made)}\nUntil then its keys speak. A second person now runs: "
        f"titian keys approve {agency} --as NAME"
    )


@click.command()
@click.argument("agency")
@_AS
@click.pass_obj
def approve(clock: Clock, agency: str, username: str) -> None:
    """Approve the statement about the keys of AGENCY that waits.

    You type the last two groups of its fingerprint. For a new key have them read to you on the
    phone, by the person named in the agency's letter; for a revocation drawn up at the centre, by
    the colleague who drew it up.
    """
    settings = Settings.from_env()
    with engine.opened(settings) as opened:
        with opened() as session:
            found = query.pending(session, agency)
        if found is None:
            raise NotFound("keyset.none", f"Nothing waits for approval at {agency}.")
        click.echo(_sentence(found))
        person = _person(opened, settings, username, clock(), given=found.approvals)
        click.echo(f"fingerprint {keylist.shown(found.fingerprint, approved=False)}")
        groups = click.prompt("Its last two groups, as read to you", hide_input=True)
        with opened.begin() as session:
            made = approvals.approve(session, agency, person, groups, clock())
    if made.outcome is Outcome.WRONG_GROUPS:
        raise click.ClickException(
            f"that is not the end of this fingerprint; {made.tries_left} tries left"
        )
    left = found.needed - made.approvals
    click.echo("approved; it counts" if left <= 0 else f"recorded; {left} more must approve")


@click.command()
@click.argument("agency")
@_AS
@click.pass_obj
def reject(clock: Clock, agency: str, username: str) -> None:
    """Refuse the statement about the keys of AGENCY that waits; nothing changes."""
    settings = Settings.from_env()
    with engine.opened(settings) as opened:
        person = _person(opened, settings, username, clock())
        with opened.begin() as session:
            approvals.reject(session, agency, person, clock())
    click.echo(
        "rejected; the keys stay as they were. A suspended key stays silent: titian keys resume"
    )


@click.command()
@click.argument("agency")
def fingerprint(agency: str) -> None:
    """The fingerprint of a statement drawn up at the centre, to be read to the second person."""
    with engine.opened(Settings.from_env()) as opened, opened() as session:
        found = query.pending(session, agency)
    if found is None or found.rule not in {"revoke", "leave"}:
        raise NotFound("keyset.none", "No statement drawn up at the centre waits there.")
    click.echo(found.fingerprint)


def _person(
    opened: sessionmaker[Session],
    settings: Settings,
    username: str,
    now: datetime,
    given: int | None = None,
) -> Approver:
    """The person, by his password, in the role in which he may decide this."""
    officer = authenticated(opened, settings, username, now)
    roles = [role.value for role in officer.roles]
    if given is not None:
        return Approver(officer.username, rules.acting_role(roles, given))
    role = next((role for role in roles if role in SECOND_APPROVERS), roles[0])
    return Approver(officer.username, role)


def _said(
    settings: Settings, whose: tuple[str, str], action: Action, reason: str, now: datetime
) -> Suspension:
    return Suspension(settings.aud, *whose, action, now.replace(microsecond=0), reason)


def _signer(settings: Settings) -> Signer:
    return Vault.load(settings.vault_file).signer("receipt")


def _sentence(found: Submitted) -> str:
    wait = "" if found.counts_from is None else f", counts from {found.counts_from:%Y-%m-%d %H:%M}"
    return (
        f"{found.agency}: version {found.version}, {found.rule}; "
        f"{found.approvals} of {found.needed} persons have approved{wait}"
    )


COMMANDS = (
    *(list_, show, history, pending, rotate, suspend, resume, revoke, leave, approve, reject),
    fingerprint,
)
