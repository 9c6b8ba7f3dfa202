"""`titian prove`: one file that anybody can check offline with `titian-verify`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial, wraps
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from sqlalchemy.orm import Session

from gateway.access import proving
from gateway.access.model import Asked, Officer, Purpose
from gateway.access.service import Door
from gateway.cli_proof import authenticated
from gateway.errors import Refused
from gateway.index import modelfile
from gateway.index.arrivals import IndexTools
from gateway.intake import proving as batches
from gateway.settings import Settings
from gateway.storage import deks, engine, ids
from gateway.trust import anchors
from keys.bundle import SUFFIX, Evidence, KeysetEvidence, build
from keys.privatefile import write_private
from schemas.profile import Profile

Clock = Callable[[], datetime]
_OUT = click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"The file to write; default: a name of its own that ends in {SUFFIX}.",
)
_AS = click.option("--as", "username", required=True, help="Your user name; asks your password.")
_PURPOSE = click.option(
    "--purpose",
    type=click.Choice([each.value for each in Purpose]),
    default=Purpose.SELF_CHECK.value,
    show_default=True,
    help="Why; it stands in the log.",
)


def _asking(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command `who`: the user name, and why he asks."""

    @wraps(command)
    def asked(username: str, purpose: str, **given: Any) -> None:
        clock: Clock = click.get_current_context().obj
        command(Who(username, Purpose(purpose), clock), **given)

    return _AS(_PURPOSE(asked))


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks at the shell, and why."""

    username: str
    purpose: Purpose
    clock: Clock


@click.group()
def prove() -> None:
    """Write evidence into a file; `titian-verify FILE --policy policy.json` checks it anywhere.

    record and query hold personal data in the clear: they ask who you are, and are logged before
    they are written. batch, keyset and decision hold none.
    """


@prove.command("record")
@click.argument("person")
@click.argument("number", type=int)
@_asking
@_OUT
def record(who: Who, person: str, number: int, output: Path | None) -> None:
    """A record of PERSON: which agency signed it, when it was accepted, and its words.

    PERSON and NUMBER stand on the profile page, below the table of sources.
    """
    wanted = (_id(person), number, who.purpose)
    path = output or Path(f"record-{number}{SUFFIX}")
    _after_asking(who, partial(proving.ask_record, asked=wanted), proving.record, path)


@prove.command("query")
@click.argument("query_id")
@_asking
@_OUT
def query(who: Who, query_id: str, output: Path | None) -> None:
    """Who looked: the question, the answers, and the batches that these came from."""
    wanted = (_id(query_id), who.purpose)
    path = output or Path(f"query-{query_id}{SUFFIX}")
    _after_asking(who, partial(proving.ask_look, asked=wanted), proving.look, path)


@prove.command("batch")
@click.argument("agency")
@click.argument("stream")
@click.argument("epoch", type=int)
@click.argument("seq", type=int)
@_OUT
def batch(agency: str, stream: str, epoch: int, seq: int, output: Path | None) -> None:
    """A batch: who signed it and when it was accepted; the hashes of its lines, not the lines."""
    path = output or Path(f"batch-{agency}-{stream}-{epoch}-{seq}{SUFFIX}")
    _write(lambda session: batches.batch(session, (agency, stream, epoch, seq)), path)


@prove.command("keyset")
@click.argument("agency")
@_OUT
def keyset(agency: str, output: Path | None) -> None:
    """The history of an agency's keys: every keyset, and its place in the log."""
    path = output or Path(f"keyset-{agency}{SUFFIX}")
    _write(lambda session: KeysetEvidence(batches.keysets(session, agency)), path)


@prove.command("decision")
@click.argument("leaf")
@_OUT
def decision(leaf: str, output: Path | None) -> None:
    """What a person decided; LEAF is the hash of its entry in the log (64 digits)."""
    try:
        wanted = bytes.fromhex(leaf)
    except ValueError as err:
        raise click.BadParameter("a leaf has 64 hexadecimal digits") from err
    path = output or Path(f"decision-{leaf[:16]}{SUFFIX}")
    _write(lambda session: proving.decision(session, wanted), path)


@prove.command("policy")
@click.option("--quorum", type=int, help="Witnesses that must have seen; default: more than half.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path))
def policy(quorum: int | None, output: Path | None) -> None:
    """What a reader must trust: our name, the log's key, the receipt key, the witnesses.

    Hand it over by another way than the evidence, and let the reader compare the keys.
    """
    settings = Settings.from_env()
    vault = deks.open_vault(settings)
    with engine.opened(settings) as sessions, sessions() as session:
        made = anchors.policy(session, settings, vault, quorum)
    path = output or Path("policy.json")
    path.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    click.echo(f"{path}: {len(made['witnesses'])} witnesses, {made['quorum']} must have seen")


def _after_asking(
    who: Who,
    ask: Callable[..., Asked],
    answer: Callable[[Session, Officer, UUID, Door, datetime], Evidence],
    path: Path,
) -> None:
    """Ask and commit, answer and commit, and only then write the file."""
    settings, now = Settings.from_env(), who.clock()
    _check_free(path)
    with engine.opened(settings) as sessions:
        officer = authenticated(sessions, settings, who.username, now)
        door = _door(settings, now)
        with sessions.begin() as session:
            asked = ask(session, officer, door=door, now=now)
        with sessions.begin() as session:
            made = build(answer(session, officer, asked.id, door, now))
    _keep(path, made)


def _write(make: Callable[[Session], Evidence], path: Path) -> None:
    _check_free(path)
    with engine.opened(Settings.from_env()) as sessions, sessions() as session:
        made = build(make(session))
    _keep(path, made)


def _check_free(path: Path) -> None:
    if path.exists():
        raise Refused("proof.exists", f"{path} exists already; nothing was written. Name another.")


def _keep(path: Path, made: bytes) -> None:
    write_private(path, made)
    click.echo(f"{path}: {len(made)} bytes; check it with `titian-verify {path} --policy …`")


def _door(settings: Settings, now: datetime) -> Door:
    profile = Profile.load(settings.profile)
    tools = IndexTools(deks.open_vault(settings), profile, modelfile.load())
    return Door(tools, settings, profile.today(now))


def _id(text: str) -> Any:
    found = ids.parse(text)
    if found is None:
        raise click.BadParameter("that is no identifier; copy it from the page")
    return found
