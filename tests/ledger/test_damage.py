"""Whoever edits the log's tables is found out, by `verify` and by the command."""

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from gateway.cli import cli
from gateway.ledger import query
from keys.checkpoint import Checkpoint, NoteSigner
from keys.errors import TrustError
from tests.ledger.logging_room import Log
from tests.ledger.tampering import grown, missed_in_tables

EDITS = {
    "an entry": "update log_entry set entry = replace(convert_from(entry, 'UTF8'), '00:', '01:')::bytea where idx = 5",
    "a leaf": "update log_entry set leaf = sha256('x') where idx = 5",
    "an entry and its leaf": "update log_entry set entry = 'x', leaf = sha256('\\x0078') where idx = 5",
    "an entry removed": "delete from log_entry where idx = 5",
    "the last entry removed": "delete from log_entry where idx = 299",
    "two entries swapped": "update log_entry set idx = -idx where idx in (5, 6); update log_entry set idx = 11 + idx where idx < 0",
    "a tile": "update log_tile set data = overlay(data placing '\\x00' from 40) where level = 0 and n = 0",
    "a partial tile": "update log_tile set data = overlay(data placing '\\x00' from 40) where n = 1",
    "a tile removed": "delete from log_tile where level = 1",
    "the root": "update log_head set root = sha256('x') where size = 300",
    "the size": "update log_head set size = 299 where size = 300",
}


@pytest.fixture(scope="module")
def log(database) -> Log:
    made = Log(database)
    made.grow(range(300))
    return made


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edit_is_found(log, session, edit: str):
    assert query.verify(session, log.signer.vkey).size == 300
    for statement in edit.split("; "):
        assert session.execute(text(statement.replace(":'", "\\:'"))).rowcount > 0
    with pytest.raises((query.LogDamaged, TrustError)):
        query.verify(session, log.signer.vkey)


def test_a_checkpoint_of_another_key_is_found(log, session, database):
    origin = database.settings.log_origin
    true = log.note()
    forged = NoteSigner(origin, bytes(32)).sign(Checkpoint(origin, true.size, true.root))
    session.execute(text("update log_head set note = :note"), {"note": forged.decode()})
    with pytest.raises(TrustError):
        query.verify(session, log.signer.vkey)


def _run(database, *arguments: str):
    return CliRunner().invoke(cli, arguments, env=database.settings.environ())


def test_the_command_says_size_and_root(log, database):
    said = _run(database, "log", "verify")
    assert said.exit_code == 0, said.output
    assert "size 300" in said.output
    assert log.note().root.hex() in said.output


def test_the_command_fails_with_a_sentence(fresh_database):
    log = Log(fresh_database)
    log.grow(range(3))
    with fresh_database.session() as session:
        session.execute(text("update log_entry set entry = 'x' where idx = 1"))
        session.commit()
    said = _run(fresh_database, "log", "verify")
    assert said.exit_code == 1
    assert "Entry 1 is not what was logged" in said.output


def test_the_command_knows_what_the_signer_signed_last(fresh_database):
    assert "nothing is signed yet" in _run(fresh_database, "log", "verify").output
    log = Log(fresh_database)
    log.grow(range(3))
    log.grow(range(3, 5))
    with fresh_database.session() as session:
        session.execute(text("delete from log_head where size = 5"))
        session.commit()
    said = _run(fresh_database, "log", "verify")
    assert said.exit_code == 1
    assert "5 entries were signed" in said.output


def test_each_seeded_change_of_the_tables_is_found(fresh_database):
    """A sample of the campaign that `make bench ONLY=mutations` runs in full."""
    assert missed_in_tables(grown(Log(fresh_database)), 1, 150) == []
