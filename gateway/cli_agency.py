"""`titian agency`: create an agency, hand out its ticket, approve its key.

Used by the operator at the machine, and by the two persons who approve, each with his password.

Source: trust.md 1.5.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy.orm import Session, sessionmaker

from gateway.cli_proof import authenticated
from gateway.settings import Settings
from gateway.storage import engine
from gateway.trust import anchors, keylist, query, rules, service
from gateway.trust import house as own
from gateway.trust.model import (
    SECOND_APPROVERS,
    AgencyDraft,
    AgencyRow,
    AgencyState,
    Anchors,
    ApprovalState,
    Approver,
    Outcome,
)
from keys.enrolment import Ticket, format_ticket
from keys.privatefile import write_private
from keys.vault import Vault
from schemas.profile import Profile

Clock = Callable[[], datetime]
_TICKET = click.Path(path_type=Path, dir_okay=False)
_OUT = click.option("--out", type=_TICKET, help="Where to write it; default CODE.ticket.json.")
_NEEDED = 2


@click.group()
def agency() -> None:
    """Agencies and their keys."""


@agency.command()
@click.argument("code")
@click.option("--label", required=True, help="How pages name it.")
@click.option("--records", required=True, help="Record types it may publish, with commas.")
@click.option("--basis", required=True, help="The agreement that allows it, as a code.")
@click.option("--live", is_flag=True, help="It may also be asked about one person at once.")
@click.option(
    "--by",
    required=True,
    help="Your user name; you may not approve what you create. Asks for your password.",
)
@_OUT
@click.pass_obj
def create(  # noqa: PLR0913 -- a command's options
    clock: Clock,
    *,
    code: str,
    label: str,
    records: str,
    basis: str,
    live: bool,
    by: str,
    out: Path | None,
) -> None:
    """Create agency CODE and write its one-time ticket (72 hours). Hand it over in person."""
    settings = Settings.from_env()
    trusted = _anchors(settings)
    kinds = tuple(kind.strip() for kind in records.split(",") if kind.strip())
    with engine.opened(settings) as opened:
        officer = authenticated(opened, settings, by, clock())
        draft = AgencyDraft(code, label, kinds, basis, officer.username, live)
        with opened() as session:
            made = service.create_agency(session, draft, trusted, clock())
            path = _write(made, out)
            session.commit()
    _tell_ticket(made, path)


@agency.command()
@click.argument("code")
@_OUT
@click.option(
    "--again",
    is_flag=True,
    help="For an agency that had keys: it lost them all, or left and comes back. Needs --as.",
)
@click.option("--as", "username", help="Your user name; you may not approve the keys that come.")
@click.pass_obj
def ticket(clock: Clock, *, code: str, out: Path | None, again: bool, username: str | None) -> None:
    """Write another ticket for agency CODE, which has sent no keys; earlier ones are void.

    With --again the ticket brings new keys that replace all others, once two persons have
    approved them: titian keys approve CODE --as NAME. Until then nothing changes.
    """
    settings = Settings.from_env()
    trusted = _anchors(settings)
    if again and username is None:
        raise click.UsageError("--again needs --as, and asks for that person's password")
    with engine.opened(settings) as opened:
        person = _key_admin(opened, settings, username, clock()) if username and again else None
        with opened() as session:
            if person is None:
                made = service.new_ticket(session, code, trusted, clock())
            else:
                made = service.ticket_again(session, code, person, trusted, clock())
            path = _write(made, out)
            session.commit()
    _tell_ticket(made, path)


@agency.command()
@click.option(
    "--by",
    required=True,
    help="Your user name; you may not approve what you create. Asks for your password.",
)
@click.pass_obj
def house(clock: Clock, *, by: str) -> None:
    """Let the unit itself in: its key from the vault, by which accepted surveys are signed.

    Two others approve it as they approve any agency's; read the fingerprint out to them.
    """
    settings = Settings.from_env()
    vault, unit = Vault.load(settings.vault_file), Profile.load(settings.profile).unit
    with engine.opened(settings) as opened:
        officer = authenticated(opened, settings, by, clock())
        draft = AgencyDraft(unit.code, unit.name, own.RECORDS, "survei", officer.username)
        with opened.begin() as session:
            sent = own.enrol(session, draft, settings, vault, clock())
    click.echo(f"{sent.fingerprint}\ntwo persons approve: titian agency approve {unit.code}")


@agency.command("list")
def list_() -> None:
    """All agencies and how far each has come."""
    with engine.opened(Settings.from_env()) as opened, opened() as session:
        for row in query.agencies(session):
            given = f"{len(row.approvals)}/{_NEEDED}"
            click.echo(f"{row.code:<16} {row.state.value:<10} {given}  {row.label}")


@agency.command()
@click.argument("code")
def show(code: str) -> None:
    """One agency: state, records, fingerprint, approvals.

    While its key waits for approval, the last two groups of the fingerprint are not shown: whoever
    approves must have them read to him.
    """
    with engine.opened(Settings.from_env()) as opened, opened() as session:
        row = query.agency(session, code)
    click.echo(f"{row.code}: {row.label}")
    click.echo(f"state        {row.state.value}")
    click.echo(f"records      {', '.join(row.record_types)}")
    click.echo(f"created      {row.created_at:%Y-%m-%d %H:%M} UTC by {row.created_by}")
    if row.fingerprint is not None:
        click.echo(f"fingerprint  {_masked(row)}")
    for given in row.approvals:
        click.echo(
            f"approved     {given.at:%Y-%m-%d %H:%M} UTC by {given.officer_id}, {given.role}"
        )


@agency.command()
@click.argument("code")
@click.option("--as", "username", required=True, help="Your user name.")
@click.pass_obj
def approve(clock: Clock, code: str, username: str) -> None:
    """Approve the key of agency CODE, by the fingerprint read to you on the phone.

    Call the person named in the agency's letter, at a number from the directory, and have the last
    two groups of the fingerprint read to you. Two persons must do this; neither may be the one who
    created the agency.
    """
    settings = Settings.from_env()
    with engine.opened(settings) as opened:
        officer = authenticated(opened, settings, username, clock())
        with opened() as session:
            row = query.agency(session, code)
        if row.state is not AgencyState.PENDING:
            raise click.ClickException(
                f"no first key of {code} waits; for a change of keys: titian keys approve {code}"
            )
        role = rules.acting_role([r.value for r in officer.roles], len(row.approvals))
        click.echo(f"{row.code}: {row.label}\nfingerprint {_masked(row)}")
        groups = click.prompt("Its last two groups, as read to you", hide_input=True)
        approver = Approver(officer.username, role)
        with opened() as session:
            made = service.approve(session, code, approver, groups, clock())
            session.commit()  # a wrong answer counts too
    _tell_outcome(made)


@agency.command()
@click.argument("code")
@click.option("--as", "username", required=True, help="Your user name.")
@click.pass_obj
def reject(clock: Clock, code: str, username: str) -> None:
    """Refuse the key of agency CODE that waits: what was read on the phone was another one.

    The agency needs a new ticket and new keys.
    """
    settings = Settings.from_env()
    with engine.opened(settings) as opened:
        officer = authenticated(opened, settings, username, clock())
        roles = [role.value for role in officer.roles]
        role = next((role for role in roles if role in SECOND_APPROVERS), roles[0])
        with opened.begin() as session:
            service.reject(session, code, Approver(officer.username, role), clock())
    click.echo(f"rejected; for other keys: titian agency ticket {code}")


def _key_admin(
    opened: sessionmaker[Session], settings: Settings, username: str, now: datetime
) -> Approver:
    """The person, by his password, in the role that makes tickets."""
    officer = authenticated(opened, settings, username, now)
    return Approver(officer.username, rules.acting_role([r.value for r in officer.roles], 0))


def _tell_outcome(made: ApprovalState) -> None:
    if made.outcome is Outcome.COMPLETED:
        click.echo("approved by two persons: the agency is active")
    elif made.outcome is Outcome.RECORDED:
        click.echo("recorded; a second person must approve too")
    else:
        left = f"{made.tries_left} tries left" if made.tries_left else "closed for 15 minutes"
        raise click.ClickException(
            f"that is not the end of this key's fingerprint ({left}). If it was read to you so, "
            "the key is not the agency's: do not approve it."
        )


def _masked(row: AgencyRow) -> str:
    if row.fingerprint is None:
        return "none yet"
    return keylist.shown(row.fingerprint, approved=row.state is AgencyState.ACTIVE)


def _anchors(settings: Settings) -> Anchors:
    return anchors.anchors(settings, Vault.load(settings.vault_file))


def _write(made: Ticket, out: Path | None) -> Path:
    path = out or Path(f"{made.agency}.ticket.json")
    try:
        write_private(path, format_ticket(made).encode("utf-8"))
    except OSError as err:
        raise click.ClickException(f"The ticket cannot be written to {path}.") from err
    return path


def _tell_ticket(made: Ticket, path: Path) -> None:
    click.echo(f"ticket written to {path}; good once, until {made.expires:%Y-%m-%d %H:%M} UTC")
