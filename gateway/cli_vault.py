"""`titian vault`: the centre's secret file, its rotations, and its backup on paper.

Used by the operator at the machine. The rotations may be killed at any moment and run again; the
centre works on meanwhile.

Source: trust.md 1.1, 1.9.
"""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click
from shamir_mnemonic import MnemonicError, combine_mnemonics, generate_mnemonics
from sqlalchemy.orm import Session, sessionmaker

from gateway.complaints import rekeying
from gateway.complaints.model import TicketId
from gateway.errors import Refused
from gateway.index import reindex
from gateway.ledger import service as ledger
from gateway.settings import Settings
from gateway.storage import deks, engine
from keys import backup as backups
from keys.backup import Backup
from keys.privatefile import write_private
from keys.secretfile import VERSIONED, Secrets
from keys.vault import Vault
from schemas.profile import Profile

Clock = Callable[[], datetime]
_FILE = click.Path(path_type=Path, dir_okay=False)
_EXISTING = click.Path(path_type=Path, dir_okay=False, exists=True)
_WORDS_A_LINE = 6
_PAUSE = 0.1
"""Seconds before records that another transaction held are looked at again."""


@click.group()
def vault() -> None:
    """The centre's secret keys."""


@vault.command()
@click.option("--path", type=_FILE, help="Default: TITIAN_VAULT_PATH.")
@click.pass_obj
def init(clock: Clock, path: Path | None) -> None:
    """Make the key file, mode 0600. Keep it out of the database's backups; then `vault backup`."""
    chosen = path or Settings.from_env().vault_file
    chosen.parent.mkdir(parents=True, exist_ok=True)
    Vault.create(chosen, now=clock())
    click.echo(f"vault made at {chosen}; now make its recovery shares: titian vault backup")


@vault.group()
def rotate() -> None:
    """Replace a key while the centre works on."""


@rotate.command()
@click.pass_obj
def kek(clock: Clock) -> None:
    """A new key-encryption key: every data key is wrapped anew in one transaction.

    No value is sealed anew. The old KEK stays in the vault until `titian vault retire kek`.
    """
    settings = Settings.from_env()
    ours = deks.open_vault(settings)
    with engine.opened(settings) as sessions, sessions.begin() as session:
        deks.alone(session)
        if deks.count(session, ours.versions("kek")[0]):
            click.echo("an earlier rotation was interrupted; it is finished now")
        else:
            ours.add_version("kek", clock())
        done = deks.rewrap(session, ours)
        _log(session, "kek.rotated", ours.versions("kek")[0])
    click.echo(f"KEK {ours.versions('kek')[0]} wraps all data keys ({done} wrapped anew)")
    click.echo(_OLD_SHARES)


@rotate.command()
@click.pass_obj
def bix(clock: Clock) -> None:
    """A new key of the blind index; searches and writers go on under both meanwhile."""
    settings = Settings.from_env()
    ours = deks.open_vault(settings)
    with engine.opened(settings) as sessions, deks.only_one(settings, "rotate bix"):
        with sessions() as session:
            keys = reindex.index_keys(session, ours)
        if keys.next is None and ours.bix_versions == (keys.current,):
            ours.add_version("bix", clock())
        else:
            click.echo("an earlier rotation was interrupted; it goes on")
        _rotate_bix(sessions, ours)
    click.echo(f"BIX {ours.bix_versions[0]} is the only key of the index")
    click.echo(_OLD_SHARES)


@vault.group()
def retire() -> None:
    """Take old keys out of the vault."""


@retire.command("kek")
def retire_kek() -> None:
    """Keep the newest KEK only, once no data key is wrapped by another.

    Dumps of the database from before the rotation then open with the vault backup of their time
    alone.
    """
    settings = Settings.from_env()
    ours = deks.open_vault(settings)
    with engine.opened(settings) as sessions, sessions.begin() as session:
        deks.alone(session)
        newest = ours.versions("kek")[0]
        deks.check_retired(session, newest)
        ours.drop_below("kek", newest)
        _log(session, "kek.retired", newest)
    click.echo(f"KEK {newest} is the only one left; older ones are gone")


@vault.command()
@click.option("--shares", default=3, show_default=True, help="How many persons get one.")
@click.option("--threshold", default=2, show_default=True, help="How many of them are needed.")
@click.option("--out", type=_FILE, required=True, help="The backup file; without shares no use.")
@click.pass_obj
def backup(clock: Clock, shares: int, threshold: int, out: Path) -> None:
    """Seal the vault into a file and print the shares of its key, each for one person.

    The words are shown once and kept nowhere. Older shares go on opening older backups.
    """
    if out.exists():
        raise Refused("backup.exists", f"There is a file at {out} already; nothing was made.")
    held = Vault.load(Settings.from_env().vault_file).secrets
    made, key = backups.seal(held, shares, threshold, clock())
    words = generate_mnemonics(1, [(threshold, shares)], key, iteration_exponent=0)[0]
    write_private(out, made.write())
    for number, share in enumerate(words, 1):
        click.echo(_page(made, number, share))
        if number < shares and click.get_text_stream("stdout").isatty():
            click.pause("Berikutnya / next: Enter")
            click.clear()
    click.echo(f"backup written to {out}; prove the shares: titian vault drill {out}")


@vault.command()
@click.argument("file", type=_EXISTING)
def drill(file: Path) -> None:
    """Prove that shares open the backup FILE, and say what it lacks; nothing is written."""
    made, found = _opened(file)
    click.echo(f"the shares open the backup of {made.made:%Y-%m-%d}; nothing was written")
    missing = _missing(found, Vault.load(Settings.from_env().vault_file).secrets)
    if missing:
        raise Refused(
            "backup.old",
            f"But it lacks what today's vault holds ({', '.join(missing)}): make a new backup.",
        )
    click.echo("it holds every key of today's vault")


@vault.command()
@click.argument("file", type=_EXISTING)
@click.option("--path", type=_FILE, help="Default: TITIAN_VAULT_PATH.")
def restore(file: Path, path: Path | None) -> None:
    """Write the vault from the backup FILE, with shares, where there is none.

    The head file beside it is not restored: it is newer than any backup, or it is gone.
    """
    chosen = path or Settings.from_env().vault_file
    if chosen.exists():
        raise Refused("vault.exists", f"There is a vault at {chosen}; nothing was written.")
    _, found = _opened(file)
    chosen.parent.mkdir(parents=True, exist_ok=True)
    write_private(chosen, found.write())
    click.echo(f"vault restored to {chosen}")
    if not chosen.with_name(f"{chosen.name}.head").exists():
        click.echo("its .head file is missing: the log is not signed until a person has settled it")


_OLD_SHARES = "the recovery shares do not hold the new key yet: titian vault backup"


def _rotate_bix(sessions: sessionmaker[Session], ours: Vault) -> None:
    """Go from wherever the rotation stands to its end."""
    with sessions.begin() as session:
        keys = reindex.begin(session, ours)
    _rekey_tickets(sessions, ours)
    _until_none(
        sessions,
        lambda s, after: reindex.write_next(s, ours, keys, after),
        lambda s: reindex.left_to_write(s, keys),
    )
    with sessions.begin() as session:
        switched = reindex.switch(session, ours, keys)
    click.echo("every record has the new key; dropping the old one")
    _until_none(
        sessions,
        lambda s, after: reindex.drop_old(s, switched, after),
        lambda s: reindex.left_to_drop(s, switched),
    )
    with sessions.begin() as session:
        version = reindex.finish(session, switched)
        _log(session, "bix.rotated", version)
        ours.drop_below("bix", version)
    _rekey_tickets(sessions, ours)


def _rekey_tickets(sessions: sessionmaker[Session], ours: Vault) -> None:
    """Tickets are found by whatever keys the vault holds; by no other."""
    profile = Profile.load(Settings.from_env().profile)
    after: TicketId | None = None
    while True:
        with sessions.begin() as session:
            after = rekeying.rekey(session, ours, profile, after)
        if after is None:
            return


def _until_none(
    sessions: sessionmaker[Session],
    step: Callable[[Session, int], int | None],
    left: Callable[[Session], int],
) -> None:
    """Take a step from chunk to chunk, each committed, and again while others held records."""
    after: int | None = 0
    while after is not None:
        with sessions.begin() as session:
            after = step(session, after)
        if after is None:
            with sessions() as session:
                after = 0 if left(session) else None
            if after == 0:
                time.sleep(_PAUSE)


def _log(session: Session, act: str, version: int) -> None:
    """What was done to the centre's secrets stands in the log, for its witnesses to see."""
    ledger.append(session, {"t": "vault", "act": act, "version": version})


def _page(made: Backup, number: int, share: str) -> str:
    """One share as it is printed, for one person."""
    words = share.split()
    lines = [
        "  ".join(f"{i + 1:>2} {w:<10}" for i, w in enumerate(words) if i // _WORDS_A_LINE == row)
        for row in range(-(-len(words) // _WORDS_A_LINE))
    ]
    return "\n".join(
        (
            "=" * 84,
            (
                f"Titian: bagian kunci pemulihan {number} dari {made.shares};"
                f" diperlukan {made.threshold} bagian. Cadangan {made.made:%d-%m-%Y %H:%M} UTC."
            ),
            (
                f"Titian: recovery share {number} of {made.shares}; {made.threshold} are needed."
                f" Backup of {made.made:%Y-%m-%d %H:%M} UTC."
            ),
            "Simpan di amplop tersegel, terpisah dari bagian lain. / Keep sealed, and apart.",
            "",
            *lines,
            "",
        )
    )


def _opened(file: Path) -> tuple[Backup, Secrets]:
    """The backup and what is in it, by shares that are asked for."""
    made = Backup.read(file.read_bytes())
    shares: list[str] = []
    while len(shares) < made.threshold:
        typed = click.prompt(
            f"Bagian / share {len(shares) + 1} ({made.threshold})", hide_input=True
        )
        shares.append(" ".join(w for w in typed.lower().split() if not w.isdecimal()))
    return made, made.open(_key(shares))


def _key(shares: list[str]) -> bytes:
    try:
        key: bytes = combine_mnemonics(shares)
    except MnemonicError:
        # The library's own sentence may repeat a word of the share.
        raise Refused(
            "backup.share",
            "A share is mistyped, given twice, or of another backup; nothing was written."
            " Type the words of each share again, in their order.",
        ) from None
    return key


def _missing(found: Secrets, today: Secrets) -> list[str]:
    """What today's vault holds and the backup does not."""
    seeds = [name for name, seed in today.seeds.items() if found.seeds.get(name) != seed]
    versions = [
        f"{kind} {n}"
        for kind in VERSIONED
        for n, key in today.versions(kind).items()
        if found.versions(kind).get(n) != key
    ]
    return sorted(seeds + versions)
