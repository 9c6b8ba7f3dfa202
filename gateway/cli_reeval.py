"""`titian reeval`: what followed a revocation, and whom it concerns. For the operator."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import click

from gateway.access import blast
from gateway.intake import reevaluation, withdrawing
from gateway.intake.model import Progress
from gateway.intake.withdrawing import Withdrawn
from gateway.settings import Settings
from gateway.storage import deks, engine, ids
from gateway.trust import query as trust


@click.group()
def reeval() -> None:
    """After a key was revoked or an agency left: quarantine, live view, links, answers touched."""


@reeval.command("show")
@click.option("--revocation", type=int, help="One revocation; default: all of them.")
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
def show(revocation: int | None, *, as_json: bool) -> None:
    """How far each re-evaluation has come, and each withdrawal of an agency that left."""
    with engine.opened(Settings.from_env()) as sessions, sessions() as session:
        found: list[Progress | Withdrawn] = (
            [*reevaluation.every(session), *withdrawing.progress(session)]
            if revocation is None
            else [reevaluation.progress(session, revocation)]
        )
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], default=str))
        return
    for one in found:
        click.echo(_line(one))
    if not found:
        click.echo("no key was revoked since a time T, and no agency took its records back")


@reeval.command("blast-radius")
@click.option("--revocation", type=int, required=True, help="Its number: `titian reeval show`.")
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
def blast_radius(revocation: int, *, as_json: bool) -> None:
    """Every answer that used a batch now in quarantine, and what it would say today.

    Names of fields, never values; persons by their id, which opens them at the desk.
    """
    settings = Settings.from_env()
    vault = deks.open_vault(settings)
    with engine.opened(settings) as sessions, sessions() as session:
        progress = reevaluation.progress(session, revocation)
        revoked = trust.revocation(session, revocation)
        found = blast.radius(session, revocation, vault)
    if as_json:
        told = {"finished": progress.finished is not None, "summary": asdict(blast.summary(found))}
        click.echo(json.dumps({**told, "answers": [_shown(one) for one in found]}))
        return
    if progress.finished is None:
        click.echo("the live view is not finished; ask again for the whole list", err=True)
    click.echo(
        f"revocation {revocation} of {revoked.agency}: key {revoked.kid}, "
        f"since {revoked.since:%Y-%m-%d %H:%M} UTC, from the log's entry {revoked.size_at_since} on"
    )
    for line in _glance(blast.summary(found), progress.batches):
        click.echo(line)
    for one in found:
        _print(_shown(one))


def _glance(made: blast.Summary, batches: int) -> Iterator[str]:
    yield f"{made.answers} answers to {made.officers} askers used the {batches} batches set aside"
    if made.answers:
        yield (
            f"of the persons shown {made.gone} are no longer known, {made.changed} read otherwise "
            f"now, {made.same} read as before"
        )
    if made.gone or made.changed:
        yield "next: open these persons at the desk, and see to the cases named below"


def _print(one: Mapping[str, Any]) -> None:
    """An answer, and the persons of whom it would say something else today."""
    head = ("at", "who", "role", "action", "purpose", "ticket", "query")
    click.echo("  ".join(str(one[name] or "–") for name in head))
    same = 0
    for person in one["persons"]:
        if not person["exists"]:
            click.echo(f"    {person['id']}  no longer known")
        elif person["fields"]:
            click.echo(f"    {person['id']}  differs now: {', '.join(person['fields'])}")
        else:
            same += 1
    if same:
        click.echo(f"    {same} more read as before")


def _shown(one: blast.Affected) -> dict[str, Any]:
    return {
        "query": ids.show(one.query_id),
        "at": f"{one.at:%Y-%m-%dT%H:%M:%SZ}",
        "who": one.who,
        "role": one.role,
        "action": one.action,
        "purpose": one.purpose,
        "ticket": one.ticket,
        "record_types": list(one.record_types),
        "persons": [
            {"id": ids.show(p.person_id), "exists": p.exists, "fields": list(p.fields)}
            for p in one.persons
        ],
    }


def _line(one: Progress | Withdrawn) -> str:
    ended = "running" if one.finished is None else f"stands since {one.finished:%Y-%m-%d %H:%M} UTC"
    said = (
        f"departure {one.departure} of {one.agency}: {one.batches} batches withdrawn"
        if isinstance(one, Withdrawn)
        else f"revocation {one.revocation} of {one.agency}: {one.batches} batches in quarantine"
    )
    return (
        f"{said}, {one.done} of {one.records} records judged, {one.links_left} links left; {ended}"
    )
