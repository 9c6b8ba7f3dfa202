"""The centre asks for a new key: who may, when, what the log says, and how `titian keys` shows it."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import Conflict, Forbidden, NotFound
from gateway.ledger import query as ledger
from gateway.trust import keylist, wishing
from gateway.trust.keylist import Voice
from gateway.trust.model import Approver
from keys.canonical import read_json
from keys.signers import Ed25519Signer
from keys.suspension import Action
from tests.trust.test_commands import PASSWORD, sentence, titian  # noqa: F401 -- the fixture
from tests.trust.test_keylife import FIRST, OTHER, Owner, integrate, refused
from tests.trust.test_leaving import left
from tests.trust.test_reenrolling import Returning

DAY = timedelta(days=1)


@pytest.fixture
def owner(database) -> Owner:
    return Owner(database).active()


def ask(owner, person=FIRST) -> bytes:
    return owner.do(wishing.ask_for_rotation, owner.code, person, owner.now)


def voice(owner) -> Voice | None:
    with owner.database.session() as session:
        return keylist.voices(session, owner.now, owner.code).get(owner.code)


def test_the_wish_is_an_entry_of_the_log_that_names_nobody(owner):
    leaf = ask(owner)
    integrate(owner.database)
    with owner.database.session() as session:
        entry = read_json(ledger.entry(session, leaf))
        told = keylist.history(session, owner.code)[-1]
    assert entry == {"t": "wish", "agency": owner.code, "kind": "rotate", "version": 1}
    assert (told.what, told.who, told.role, told.leaf) == (
        *("ask_rotation", FIRST.officer_id, FIRST.role, leaf),
    )


def test_who_may_not_and_when_not(database, owner):
    refused(Forbidden, "approval.role", ask, owner, Approver("loket", "counter_officer"))
    refused(NotFound, "agency.unknown", owner.do, wishing.ask_for_rotation, "x", FIRST, owner.now)
    owner.submit(owner.rotation(Ed25519Signer.generate(owner.code)))
    refused(Conflict, "keyset.pause", ask, owner)
    owner.now += DAY
    ask(owner)
    gone = Returning(database).active()
    left(gone)
    refused(Conflict, "agency.inactive", ask, gone)


def test_how_an_agency_is_heard(database, owner):
    assert voice(Owner(database).invited().enrolled()) is None
    assert voice(owner) is Voice.HEARD
    owner.decided(Action.SUSPEND, FIRST)
    assert voice(owner) is Voice.SILENCED
    owner.now += timedelta(minutes=1)
    owner.decided(Action.RESUME, FIRST, OTHER)
    owner.now += timedelta(minutes=1)
    owner.submit(owner.rotation(Ed25519Signer.generate(owner.code)))
    owner.decided(Action.SUSPEND, FIRST)
    assert voice(owner) is Voice.PARTLY
    owner.now += 14 * DAY  # the silent key has ended
    assert voice(owner) is Voice.HEARD
    owner.now += 120 * DAY
    assert voice(owner) is Voice.NONE


@pytest.fixture
def today(database) -> Owner:
    return Owner(database, now=datetime.now(UTC).replace(microsecond=0) - DAY).active()


def test_the_command_asks_and_the_history_tells(titian, today):  # noqa: F811 -- the fixture
    said = titian("keys", "rotate", today.code, "--as", "registrar", typed=f"{PASSWORD}\n")
    assert said.exit_code == 0, sentence(said)
    shown = titian("keys", "history", today.code).output
    assert "ask_rotation by registrar" in shown


@pytest.mark.parametrize(
    ("since", "words"),
    [
        ("kemarin", "that is no moment; nothing was changed"),
        ("2020-01-05T08:00Z", "since 2020-01-05 08:00 UTC, 2020-01-05 15:00 WIB"),
        ("2020-01-05 15:00", "since 2020-01-05 08:00 UTC, 2020-01-05 15:00 WIB"),
    ],
)
def test_the_command_takes_a_moment_in_its_zone(titian, today, since, words):  # noqa: F811
    asked = ("--since", since, "--as", "registrar", "--dry-run")
    said = titian("keys", "revoke", today.code, today.signer.kid, *asked)
    assert words in " ".join(sentence(said).replace("│", " ").split()), sentence(said)
    assert today.speaks()
