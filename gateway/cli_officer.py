"""`titian officer`: who may log in. Used by the operator at the machine."""

import click

from gateway.access import sessions
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer
from gateway.settings import Settings
from gateway.storage import engine


@click.group()
def officer() -> None:
    """Officers who may log in to the pages."""


@officer.command()
@click.argument("username")
@click.option("--name", required=True, help="The name shown on screen.")
@click.option("--unit", default="upt-kan", show_default=True, help="Agency or unit code.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([r.value for r in Role]),
    help="May be given more than once.",
)
@click.password_option(help="At least 12 characters; asked for where it is not given.")
def add(username: str, name: str, unit: str, roles: tuple[str, ...], password: str) -> None:
    """Let USERNAME in."""
    made = engine.connect(Settings.from_env())
    with engine.sessions(made)() as session:
        sessions.add_officer(
            session, NewOfficer(username, name, unit, tuple(Role(r) for r in roles), password)
        )
        session.commit()
    click.echo(f"{username} may log in as {', '.join(roles)}")


@officer.command()
@click.argument("username")
def disable(username: str) -> None:
    """Let USERNAME in no more, and end his sessions."""
    made = engine.connect(Settings.from_env())
    with engine.sessions(made)() as session:
        sessions.disable(session, username)
        session.commit()
    click.echo(f"{username} is disabled; his sessions are ended")
