"""Whoever edits the rows of the index is found out by the signed lines (trust.md 5, row 8)."""

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from gateway.cli import cli
from gateway.intake import auditing
from tests.conftest import Database
from tests.intake.factory import apply, enrol, line, person, send, tools_of

MINE = "batch_id in (select id from batch where agency = :a)"
EDITS = {
    "a name": f'update assertion set clear = clear || \'{{"name_source": "X"}}\' where {MINE}'
    " and line_i = 1",
    "a field that was not said": f'update assertion set clear = clear || \'{{"sex": "P"}}\''
    f" where {MINE} and line_i = 1",
    "sealed fields": f"update assertion set sealed = (select sealed from assertion where {MINE}"
    f" and line_i = 2) where {MINE} and line_i = 1",
    "a version": f"update assertion set v = v + 1 where {MINE} and line_i = 1",
    "the hash of what it says": f"update assertion set content = '\\x00' where {MINE}"
    " and line_i = 1",
    "that it is deleted": f"update assertion set withdrawn = true where {MINE} and line_i = 1",
}
FORGERIES = {
    "a leaf hash": f"update batch_line set leaf = '\\x00' where {MINE} and i = 1",
    "a line for another": f"delete from batch_line where {MINE} and i = 4",
}


@pytest.fixture(scope="module")
def kept(fresh: Database) -> str:
    """An agency with a batch of five persons, one of whom cannot be, and a deletion."""
    tools, agency = tools_of(fresh), enrol(fresh)
    version = agency.version()
    lines = [line(f"p{n}", version, person(n)) for n in range(4)]
    apply(fresh, tools, send(fresh, tools, agency.seal([*lines, b"{}"], max_reject=1.0)))
    apply(fresh, tools, send(fresh, tools, agency.seal([line("p0", agency.version())])))
    return agency.code


@pytest.fixture(scope="module")
def fresh(database: Database) -> Database:
    return database


def audited(database: Database, edit: str | None = None, **values: object) -> auditing.Audited:
    """What an audit of everything says; the edit is taken back."""
    with database.session() as session:
        if edit is not None:
            assert session.execute(text(edit), values).rowcount == 1
        return auditing.audit(session, 1, 0, database.vault)


def test_nothing_is_said_of_an_honest_index(fresh, kept):
    found = audited(fresh)
    assert (found.batches, found.records) == (2, 5)
    assert found.forged == found.differing == ()


@pytest.mark.parametrize("name", EDITS)
def test_rebuild_detects_edit(fresh, kept, name: str):
    found = audited(fresh, EDITS[name], a=kept)
    assert found.differing == (((kept, "target", 1, 1), 1),)
    assert found.forged == ()


@pytest.mark.parametrize("name", FORGERIES)
def test_lines_that_were_not_accepted_are_found(fresh, kept, name: str):
    found = audited(fresh, FORGERIES[name], a=kept)
    assert found.forged == ((kept, "target", 1, 1),)


def test_an_erased_line_is_no_edit(fresh, kept):
    found = audited(fresh, f"update batch_line set ct = null where {MINE} and i = 1", a=kept)
    assert found.forged == found.differing == ()


def test_the_shares_cover_every_batch_once(fresh, kept):
    with fresh.session() as session:
        shares = [auditing.audit(session, 3, n, fresh.vault).batches for n in range(3)]
    assert sum(shares) == 2


def test_the_command_names_places_and_no_person(fresh, kept):
    def run(*more: str):
        command = ["log", "audit", "--one-in", "1", *more]
        return CliRunner().invoke(cli, command, env=fresh.settings.environ())

    honest = run()
    assert (honest.exit_code, "all agree" in honest.output) == (0, True), honest.output
    with fresh.session() as session:
        session.execute(text(EDITS["a name"]), {"a": kept})
        session.commit()
    said = run("--which", "7")
    assert said.exit_code == 1
    assert f"line 1 of {kept} target 1/1 says something else" in said.output
    assert "call the oversight body" in " ".join(said.output.split())
    assert person(1)["name_source"] not in said.output
