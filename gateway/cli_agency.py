"""`titian agency`: create an agency, hand out its ticket, approve its key. For administrators."""

from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.access import sessions
from gateway.errors import Forbidden
from gateway.settings import Settings
from gateway.storage import engine
from gateway.trust import query, service
from gateway.trust.model import SECOND_APPROVERS, AgencyDraft, Anchors, Approver, Outcome
from keys.enrolment import Ticket, format_ticket
from keys.vault import Vault

_TICKET = click.Path(path_type=Path, dir_okay=False)


@click.group()
def agency() -> None:
    """Agencies and their keys."""


@agency.command()
@click.argument("code")
@click.option("--label", required=True, help="How pages name it.")
@click.option("--records", required=True, help="Record types it may publish, with commas.")
@click.option("--basis", required=True, help="The agreement that allows it, as a code.")
@click.option("--by", required=True, help="Your user name; you may not approve what you create.")
@click.option("--out", type=_TICKET, help="Where to write the ticket; default CODE.ticket.json.")
def create(  # noqa: PLR0913, PLR0917  (the options of a command)
    code: str, label: str, records: str, basis: str, by: str, out: Path | None
) -> None:
    """Create agency CODE and write its one-time ticket (72 hours). Hand it over in person."""
    settings, opened = _open()
    kinds = tuple(r.strip() for r in records.split(",") if r.strip())
    with opened() as session:
        draft = AgencyDraft(code, label, kinds, basis, by)
        ticket = service.create_agency(session, draft, _anchors(settings), _now())
        session.commit()
    _write(ticket, out)


@agency.command()
@click.argument("code")
@click.option("--out", type=_TICKET, help="Where to write the ticket; default CODE.ticket.json.")
def ticket(code: str, out: Path | None) -> None:
    """Write another ticket for an agency that has not enrolled; earlier ones are void."""
    settings, opened = _open()
    with opened() as session:
        made = service.new_ticket(session, code, _anchors(settings), _now())
        session.commit()
    _write(made, out)


@agency.command("list")
def list_() -> None:
    """All agencies and how far each has come."""
    _, opened = _open()
    with opened() as session:
        for row in query.agencies(session):
            click.echo(f"{row.code:<16} {row.state:<10} {row.label}")


@agency.command()
@click.argument("code")
def show(code: str) -> None:
    """One agency: state, key, approvals."""
    _, opened = _open()
    with opened() as session:
        row = query.agency(session, code)
    click.echo(f"{row.code}: {row.label}\nstate       {row.state}\napprovals   {row.approvals}")
    if row.fingerprint and row.state == "active":
        click.echo(f"fingerprint {row.fingerprint}")


@agency.command()
@click.argument("code")
@click.option("--as", "username", required=True, help="Your user name.")
def approve(code: str, username: str) -> None:
    """Approve the key of agency CODE, by the fingerprint read to you on the phone.

    Call the person named in the agency's letter, at a number from the directory, and have the last
    two groups of the fingerprint read to you. Two persons must do this; neither may be the one who
    created the agency.
    """
    _, opened = _open()
    password = click.prompt("password", hide_input=True)
    with opened() as session:
        officer = sessions.authenticate(session, username, password)
    role = next((r.value for r in officer.roles if r.value in SECOND_APPROVERS), None)
    if role is None:
        raise Forbidden("approval.role", "None of your roles may approve a key.")
    groups = click.prompt("last two groups of the fingerprint, as read to you")
    with opened() as session:
        approver = Approver(str(officer.id), role)
        made = service.approve(session, code, approver, groups, _now())
        session.commit()
    _tell(made.outcome, made.tries_left)


def _tell(outcome: Outcome, tries_left: int) -> None:
    if outcome is Outcome.WRONG_GROUPS:
        raise click.ClickException(
            f"that is not the end of this key's fingerprint; {tries_left} tries left. "
            "If it was read correctly, the key is not the agency's: do not approve it."
        )
    if outcome is Outcome.COMPLETED:
        click.echo("approved by two persons: the agency is active")
    else:
        click.echo("recorded; a second person must approve too")


def _open() -> tuple[Settings, engine.Sessions]:
    settings = Settings.from_env()
    return settings, engine.sessions(engine.connect(settings))


def _anchors(settings: Settings) -> Anchors:
    vault = Vault.load(settings.vault_file)
    receipt = vault.signer("receipt")
    return Anchors(
        gateway_url=settings.origin,
        aud=settings.aud,
        log_origin=settings.log_origin,
        log_vkey=vault.log_signer(settings.log_origin).vkey,
        receipt_kid=receipt.kid,
        receipt_key=receipt.public,
    )


def _write(made: Ticket, out: Path | None) -> None:
    path = out or Path(f"{made.agency}.ticket.json")
    path.touch(mode=0o600)
    path.write_text(format_ticket(made), encoding="utf-8")
    click.echo(f"ticket written to {path}; good until {made.expires:%Y-%m-%d %H:%M} UTC, once")


def _now() -> datetime:
    return datetime.now(UTC)
