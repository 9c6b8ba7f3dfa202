"""`titian agency` as the operator and the two persons type it."""

from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from gateway.access import sessions
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer
from gateway.cli import cli
from keys.enrolment import parse_ticket
from tests.trust.enrolling import Agency

PASSWORD = "kata sandi yang panjang"
OFFICERS = {
    "panitera": (Role.KEY_ADMIN,),
    "registrar": (Role.UPT_COORDINATOR, Role.KEY_ADMIN),
    "delegasi": (Role.MAYOR_DELEGATE,),
    "loket": (Role.COUNTER_OFFICER,),
}


@pytest.fixture(scope="module")
def titian(database):
    with database.session() as session:
        for name, roles in OFFICERS.items():
            sessions.add_officer(session, NewOfficer(name, name, "upt-kan", roles, PASSWORD))
        session.commit()

    def run(*arguments: str, typed: str = ""):
        return CliRunner().invoke(cli, arguments, input=typed, env=database.settings.environ())

    return run


@pytest.fixture
def agency(database, titian, tmp_path) -> Agency:
    made = Agency(database, now=datetime.now(UTC).replace(microsecond=0))
    out = tmp_path / "ticket.json"
    said = titian(
        *("agency", "create", made.code, "--label", "Dinas Sosial", "--records", "person, benefit"),
        *("--basis", "PKS-1", "--by", "Panitera", "--out", str(out)),
        typed=f"{PASSWORD}\n",
    )
    assert said.exit_code == 0, said.output
    assert out.stat().st_mode & 0o777 == 0o600
    made.ticket = parse_ticket(out.read_text(encoding="utf-8"), now=made.now)
    return made


def approve(titian, agency, who: str, groups: str | None = None, password: str = PASSWORD):
    typed = f"{password}\n{agency.end if groups is None else groups}\n"
    return titian("agency", "approve", agency.code, "--as", who, typed=typed)


def sentence(result) -> str:
    return result.output + str(result.exception or "")


def test_from_ticket_to_active(titian, agency):
    assert "invited" in titian("agency", "show", agency.code).output
    agency.enrolled()
    said = approve(titian, agency, "registrar")
    assert "a second person must approve" in said.output, sentence(said)
    said = approve(titian, agency, "Delegasi")
    assert "the agency is active" in said.output, sentence(said)
    shown = titian("agency", "show", agency.code).output
    assert "by registrar, key_admin" in shown
    assert "by delegasi, mayor_delegate" in shown
    assert agency.signer.public.fingerprint() in shown
    assert f"{agency.code:<16} active     2/2" in titian("agency", "list").output


def test_the_screen_does_not_show_what_must_be_read_out(titian, agency):
    agency.enrolled()
    outputs = [
        titian("agency", "show", agency.code).output,
        titian("agency", "list").output,
        approve(titian, agency, "registrar", "aaaa aaaa").output,
        approve(titian, agency, "registrar").output,
    ]
    first, *_, last_but_one, last = agency.signer.public.fingerprint().split()
    assert first in outputs[0]
    assert first in outputs[2]
    for output in outputs:
        assert last not in output
        assert last_but_one not in output


def test_wrong_groups_count_although_the_command_fails(titian, agency):
    agency.enrolled()
    for left in ("2 tries left", "1 tries left", "closed for 15 minutes"):
        said = approve(titian, agency, "registrar", "aaaa aaaa")
        assert said.exit_code == 1
        assert left in said.output
    assert "closed for 15 minutes" in sentence(approve(titian, agency, "registrar"))
    assert agency.shown().approvals == ()


@pytest.mark.parametrize(
    ("who", "words"),
    [("panitera", "may not approve"), ("loket", "key_admin"), ("delegasi", "key_admin")],
)
def test_who_may_not(titian, agency, who: str, words: str):
    agency.enrolled()
    said = approve(titian, agency, who)
    assert said.exit_code == 1
    assert words in sentence(said)


def test_a_wrong_password_opens_nothing(titian, agency):
    agency.enrolled()
    for _ in range(10):  # each wait is longer than the one before, also on a slow machine
        said = sentence(approve(titian, agency, "nobody", password="something else"))
        if "Terlalu banyak" in said:
            break
        assert "tidak cocok" in said
    assert "Terlalu banyak" in sentence(approve(titian, agency, "nobody", password=PASSWORD))
    assert agency.shown().approvals == ()


def test_another_ticket(titian, agency, tmp_path):
    out = tmp_path / "again.json"
    said = titian("agency", "ticket", agency.code, "--out", str(out))
    assert said.exit_code == 0, sentence(said)
    again = parse_ticket(out.read_text(encoding="utf-8"), now=agency.now)
    assert again.ticket_id != agency.ticket.ticket_id
    agency.ticket = again
    agency.enrolled()
    assert "no ticket is needed" in sentence(
        titian("agency", "ticket", agency.code, "--out", str(out))
    )


def test_a_ticket_that_cannot_be_written_makes_no_agency(titian, tmp_path):
    said = titian(
        *("agency", "create", "lost", "--label", "X", "--records", "person", "--basis", "P"),
        *("--by", "panitera", "--out", str(tmp_path / "no" / "ticket.json")),
        typed=f"{PASSWORD}\n",
    )
    assert "cannot be written" in said.output
    assert "There is no agency" in sentence(titian("agency", "show", "lost"))


def test_nobody_creates_an_agency_in_anothers_name(titian, tmp_path):
    said = titian(
        *("agency", "create", "borrowed", "--label", "X", "--records", "person", "--basis", "P"),
        *("--by", "panitera", "--out", str(tmp_path / "ticket.json")),
        typed="bukan kata sandinya\n",
    )
    assert said.exit_code == 1
    assert "There is no agency" in sentence(titian("agency", "show", "borrowed"))


def test_a_ticket_to_enrol_anew_needs_a_person(titian, agency, tmp_path):
    out = tmp_path / "again.json"
    asked = ("agency", "ticket", agency.code, "--again", "--out", str(out))
    assert "--as" in titian(*asked).output
    said = titian(*asked, "--as", "registrar", typed=f"{PASSWORD}\n")
    assert "never had keys" in sentence(said)
    agency.enrolled()
    approve(titian, agency, "registrar")
    approve(titian, agency, "delegasi")
    said = titian(*asked, "--as", "delegasi", typed=f"{PASSWORD}\n")
    assert "key_admin" in sentence(said)
    assert "titian keys approve" in approve(titian, agency, "registrar").output
    said = titian(*asked, "--as", "panitera", typed=f"{PASSWORD}\n")
    assert said.exit_code == 0, sentence(said)
    assert parse_ticket(out.read_text(encoding="utf-8"), now=agency.now).agency == agency.code


def test_an_agency_leaves_by_two_commands(titian, agency):
    agency.enrolled()
    approve(titian, agency, "registrar")
    approve(titian, agency, "delegasi")
    asked = ("keys", "leave", agency.code, "--fate", "keep", "--reason", "agreement_ended")
    said = titian(*asked, "--as", "registrar", "--dry-run")
    assert "nothing was changed" in said.output, sentence(said)
    said = titian(*asked, "--as", "delegasi", typed=f"{PASSWORD}\n")
    assert "key_admin" in sentence(said)
    said = titian(*asked, "--as", "registrar", typed=f"{PASSWORD}\n")
    assert "1 of 2 persons" in said.output, sentence(said)
    groups = " ".join(titian("keys", "fingerprint", agency.code).output.split()[-2:])
    typed = f"{PASSWORD}\n{groups}\n"
    said = titian("keys", "approve", agency.code, "--as", "delegasi", typed=typed)
    assert "it counts" in said.output, sentence(said)
    assert "left" in titian("agency", "show", agency.code).output


def test_one_key_by_its_name(titian, agency):
    agency.enrolled()
    kid = agency.signer.kid
    shown = titian("keys", "show", kid).output
    assert "pre_active" in shown
    assert agency.signer.public.fingerprint() not in shown
    approve(titian, agency, "registrar")
    approve(titian, agency, "delegasi")
    shown = titian("keys", "show", kid).output
    assert agency.signer.public.fingerprint() in shown
    assert "active" in shown
    assert "No agency has enrolled this key" in sentence(titian("keys", "show", "x:y"))


def test_a_key_that_is_not_the_agencys_is_rejected(titian, agency):
    agency.enrolled()
    said = titian("agency", "reject", agency.code, "--as", "loket", typed=f"{PASSWORD}\n")
    assert "may not approve keys" in sentence(said)
    said = titian("agency", "reject", agency.code, "--as", "delegasi", typed=f"{PASSWORD}\n")
    assert said.exit_code == 0, sentence(said)
    assert "invited" in titian("agency", "show", agency.code).output
    said = titian("agency", "reject", agency.code, "--as", "delegasi", typed=f"{PASSWORD}\n")
    assert "No key of this agency waits" in sentence(said)


def test_the_unit_itself_comes_in_by_two_persons(titian, database):
    said = titian("agency", "house", "--by", "panitera", typed=f"{PASSWORD}\n")
    assert said.exit_code == 0, sentence(said)
    key = database.vault.signer("house").public
    assert key.fingerprint() in said.output
    end = " ".join(key.fingerprint().split()[-2:])
    refused = titian(
        "agency", "approve", "upt-kan", "--as", "panitera", typed=f"{PASSWORD}\n{end}\n"
    )
    assert refused.exit_code != 0
    for who in ("registrar", "delegasi"):
        titian("agency", "approve", "upt-kan", "--as", who, typed=f"{PASSWORD}\n{end}\n")
    assert "upt-kan          active     2/2" in titian("agency", "list").output
    again = titian("agency", "house", "--by", "panitera", typed=f"{PASSWORD}\n")
    assert again.exit_code != 0
