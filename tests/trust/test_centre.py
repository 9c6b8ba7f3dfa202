"""The centre's own keys: in the log as an agency's are; the receipt key hands over, and both count."""

from datetime import timedelta

import pytest
from click.testing import CliRunner

from connectors import centrekeys
from connectors.evidence import Anchors as ConnectorAnchors
from connectors.memory import Memory
from gateway.access import sessions
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer
from gateway.cli import cli
from gateway.errors import Conflict, Forbidden, NotFound, Refused
from gateway.trust import anchors as trust_anchors
from gateway.trust import centre, service
from gateway.trust.model import AgencyDraft, Approver
from keys import dsse
from keys.keyset import parse_statement
from keys.secretfile import Secrets
from keys.signers import Ed25519Signer
from keys.succession import Rule, Standing, accept_first, accept_next
from keys.vault import Vault
from tests.trust.enrolling import CLERK, NOW, anchors
from tests.trust.test_keylife import FIRST, OTHER, integrate, refused
from workers import duties
from workers.app import Tools
from workers.schedule import TIDY

BOTH = (FIRST, OTHER)
DAY = timedelta(days=1)


@pytest.fixture
def database(fresh_database):
    return fresh_database


def do(database, act, *arguments):
    with database.session() as session:
        answer = act(session, *arguments)
        session.commit()
        return answer


def named(database, persons=BOTH, now=NOW):
    aud = database.settings.aud
    return do(database, centre.name_successor, database.vault, aud, persons, now)


def rotated(database, now=NOW):
    made = named(database, now=now)
    integrate(database)
    assert do(database, centre.switch, database.vault)
    return made


def versions(database):
    with database.session() as session:
        return centre.versions(session)


def test_the_first_version_says_what_the_keys_are_once(database):
    for _ in range(2):
        do(database, centre.publish, database.vault, database.settings.aud, NOW)
    (first,) = versions(database)
    said = accept_first(dsse.parse(first.envelope), database.settings.aud, known_keys=(), now=NOW)
    found = {entry.instance: entry.public for entry in said.keys.values()}
    assert found == {
        "receipt": database.vault.signer("receipt").public,
        "log": database.vault.signer("log").public,
    }
    assert integrate(database) == 1


def test_the_timetable_publishes_it(database):
    made: dict = {}

    def task(*, name):
        return lambda act: made.setdefault(name, act)

    held = Tools.of(database.settings)
    try:
        duties.register(task, lambda: held, lambda: NOW)
        for _ in range(2):
            made[TIDY]()
    finally:
        held.sessions.kw["bind"].dispose()
    assert [row.version for row in versions(database)] == [1]


def test_the_successor_signs_only_once_the_log_holds_it(database):
    old = database.vault.signer("receipt")
    made = named(database)
    assert made.version == 2
    assert do(database, centre.switch, database.vault) is False
    assert database.vault.signer("receipt").kid == old.kid
    integrate(database)
    assert do(database, centre.switch, database.vault) is True
    new = database.vault.signer("receipt")
    assert new.kid != old.kid
    before, after = (dsse.parse(row.envelope) for row in versions(database))
    standing = Standing(parse_statement(before.payload), before.payload_sha256)
    found = accept_next(after, standing, known_keys=(), centre={}, now=NOW)
    assert found.rule is Rule.ROTATE
    assert found.added == {new.kid}
    assert {each.keyid for each in after.signatures} == {old.kid, new.kid}
    refused(NotFound, "centre.none", do, database, centre.switch, database.vault)


def test_a_crash_at_any_step_is_gone_on_from(database):
    old = database.vault.signer("receipt").kid
    database.vault.next_receipt(NOW)  # made, and then the process died
    waits = database.vault.signer("receipt_next").kid
    with database.session() as session:
        centre.name_successor(session, database.vault, database.settings.aud, BOTH, NOW)
        # and died again before the commit
    refused(NotFound, "centre.none", do, database, centre.switch, database.vault)
    assert [named(database).version for _ in range(2)] == [2, 2]
    integrate(database)
    assert database.vault.signer("receipt").kid == old
    assert do(database, centre.switch, database.vault)
    assert database.vault.signer("receipt").kid == waits


def test_other_processes_sign_with_the_successor_at_once(database):
    other = Vault.load(database.settings.vault_file)
    rotated(database)
    assert other.signer("receipt").kid == database.vault.signer("receipt").kid


def test_two_persons_and_not_twice_a_day(database):
    refused(Forbidden, "approval.persons", named, database, (FIRST,))
    refused(Conflict, "approval.same_person", named, database, (FIRST, FIRST))
    stranger = Approver("loket", "counter_officer")
    refused(Forbidden, "approval.role", named, database, (FIRST, stranger))
    rotated(database)
    refused(Conflict, "keyset.pause", named, database, now=NOW + DAY / 2)
    assert rotated(database, now=NOW + DAY).version == 3


def test_the_vaults_file_reads_back_in_every_state(database):
    path = database.settings.vault_file
    for act in (
        lambda: None,
        lambda: database.vault.next_receipt(NOW),
        database.vault.replace_receipt,
        database.vault.replace_receipt,
    ):
        act()
        held = Secrets.read(path.read_bytes())
        assert Secrets.read(held.write()) == held
        assert held.seeds == database.vault.secrets.seeds
    assert database.vault.secrets.made["receipt"] == NOW


def test_every_receipt_key_stands_in_the_policy_and_new_tickets_name_the_newest(database):
    old = database.vault.signer("receipt").kid
    rotated(database)
    with database.session() as session:
        policy = trust_anchors.policy(session, database.settings, database.vault)
    new = database.vault.signer("receipt").kid
    assert set(policy["receipt"]) == {old, new}
    assert anchors(database).receipt_kid == new


def test_no_agency_takes_the_centres_name(database):
    draft = AgencyDraft("gateway", "Dinas", ("person",), "PKS-1", CLERK)
    refused(
        Refused, "agency.code", do, database, service.create_agency, draft, anchors(database), NOW
    )


# -- what a connector makes of it -------------------------------------------------------------


@pytest.fixture
def memory(tmp_path):
    made = Memory.open(tmp_path / "memory.sqlite")
    yield made
    made.close()


def ticketed(database) -> ConnectorAnchors:
    made = anchors(database)
    return ConnectorAnchors(made.aud, made.log_vkey, {made.receipt_kid: made.receipt_key})


@pytest.mark.parametrize("enrolled", [0, 1, 2], ids=["before", "between", "after"])
def test_a_connector_learns_all_keys_whenever_it_enrolled(database, memory, enrolled):
    tickets = [ticketed(database)]
    for day in range(2):
        rotated(database, now=NOW + day * DAY)
        tickets.append(ticketed(database))
    mine = tickets[enrolled]
    for _ in range(2):  # what is known already is passed over
        for row in versions(database):
            centrekeys.heed(memory, mine, row.envelope)
    every = {kid for each in tickets for kid in each.receipt_keys}
    assert set(mine.receipt_keys) == every
    assert len(every) == 3
    again = ConnectorAnchors(mine.aud, mine.log_vkey, dict(tickets[enrolled].receipt_keys))
    assert set(centrekeys.remembered(memory, again).receipt_keys) == every


def test_keys_of_somebody_else_are_never_believed(database, memory):
    rotated(database)
    other = Ed25519Signer.generate("gateway")
    mine = ConnectorAnchors(database.settings.aud, "", {other.kid: other.public})
    before = dict(mine.receipt_keys)
    for row in versions(database):
        centrekeys.heed(memory, mine, row.envelope)
    assert mine.receipt_keys == before


def test_what_does_not_follow_stops_the_connector(database, memory):
    rotated(database)
    mine = ticketed(database)
    with pytest.raises(centrekeys.CallCentre) as caught:
        centrekeys.heed(memory, mine, versions(database)[1].envelope)
    assert caught.value.code == "trust.centre_keyset"
    assert memory.fact("centre") is None


def test_the_command(database):
    password = "kata sandi yang panjang"
    with database.session() as session:
        for name, role in (("satu", Role.KEY_ADMIN), ("dua", Role.MAYOR_DELEGATE)):
            sessions.add_officer(session, NewOfficer(name, name, "upt-kan", (role,), password))
        session.commit()

    def run():
        return CliRunner().invoke(
            cli,
            ["keys", "rotate-receipt", "--as", "satu", "--and", "dua", "--wait", "0"],
            input=f"{password}\n{password}\n",
            env=database.settings.environ(),
        )

    old = database.vault.signer("receipt").kid
    waiting = run()
    assert "Run the same command again" in waiting.output
    assert database.vault.signer("receipt").kid == old
    integrate(database)
    done = run()
    assert done.exit_code == 0, done.output
    assert "signs receipts from now on" in done.output
    assert database.vault.signer("receipt").kid != old
