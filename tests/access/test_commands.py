"""`titian officer` as the operator and two persons type it."""

from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from gateway.access import sessions
from gateway.access.model import Role
from gateway.cli import cli
from tests.access.conftest import PASSWORD, give_phone, officer


@pytest.fixture(scope="module")
def titian(database):
    with database.session() as session:
        officer(session, "rina", Role.COUNTER_OFFICER)
        officer(session, "satu", Role.OPERATOR)
        officer(session, "dua", Role.KEY_ADMIN)
        session.commit()

    def run(*arguments: str, typed: str = ""):
        return CliRunner().invoke(cli, arguments, input=typed, env=database.settings.environ())

    return run


def test_two_persons_reset_a_login(titian, database):
    said = titian("officer", "reset", "rina", "--as", "satu", typed=f"{PASSWORD}\n")
    assert "a second person" in said.output
    said = titian("officer", "reset", "rina", "--as", "satu", typed=f"{PASSWORD}\n")
    assert said.exit_code != 0
    said = titian("officer", "reset", "rina", "--as", "dua", typed=f"{PASSWORD}\n")
    given = said.output.strip().rsplit(" ", 1)[1]
    with database.session() as session:
        assert sessions.authenticate(session, "rina", given).username == "rina"


def test_whoever_has_a_phone_is_asked_for_its_code(titian, database):
    now = datetime.now(UTC)
    with database.session() as session:
        row = sessions.known(session, "dua")
        phone = give_phone(session, row.id, database.vault, now - timedelta(minutes=5))
        session.commit()
    for code, ended in (("000000", 1), (phone.code(now), 0)):
        typed = f"{PASSWORD}\n{code}\n"
        assert titian("officer", "reset", "satu", "--as", "dua", typed=typed).exit_code == ended


def test_roles_change_and_an_officer_is_disabled(titian):
    said = titian("officer", "roles", "rina", "--role", "field_verifier")
    assert "rina is field_verifier" in said.output
    assert "disabled" in titian("officer", "disable", "rina").output
    said = titian(
        "officer",
        "add",
        "budi",
        "--name",
        "Budi",
        "--role",
        "counter_officer",
        "--password",
        "bismillah123!",
    )
    assert said.exit_code != 0


def test_a_password_that_the_operator_knows_proves_nothing(titian):
    word = ("--password", PASSWORD)
    said = titian("officer", "add", "baru", "--name", "Baru", "--role", "key_admin", *word)
    assert "must change" in said.output
    said = titian("officer", "reset", "dua", "--as", "baru", typed=f"{PASSWORD}\n")
    assert getattr(said.exception, "code", "") == "password.due"
