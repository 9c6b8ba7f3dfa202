"""An agency that left takes back what it said: nothing of it is live, all of it is provable."""

import random

import pytest
from click.testing import CliRunner

from gateway.cli import cli
from gateway.errors import NotFound, Unauthorized
from gateway.index import modelfile
from gateway.index.store import assertion, source_batch
from gateway.intake import reevaluation, withdrawing
from gateway.intake.model import IntakeTools, State
from gateway.ledger import query as ledger
from gateway.trust import approvals, leaving
from gateway.trust import query as trust_query
from gateway.trust import service as trust
from gateway.trust.anchors import anchors
from gateway.trust.leaving import Parting
from gateway.trust.model import Approver, Fate, Gate
from keys import dsse
from keys.enrolment import seal_enrolment
from keys.keyset import PAYLOAD_TYPE, build_again, entry_of, parse_statement
from keys.signers import Ed25519Signer
from tests.conftest import Database
from tests.intake.factory import NOW, Agency, apply, enrol, live, put, send, tools_of
from tests.intake.revoking import integrate, revoke, work
from tests.intake.test_reevaluation import (
    another_key,
    attest,
    name_of,
    new_epoch,
    one,
    says,
    snapshot,
    state,
)

FIRST, SECOND = Approver("registrar", "key_admin"), Approver("delegate", "mayor_delegate")


@pytest.fixture(scope="module")
def tools(database: Database) -> IntakeTools:
    return tools_of(database, modelfile.load())


@pytest.fixture
def agency(database: Database) -> Agency:
    return enrol(database)


def approve(session, code: str, fingerprint: str, *persons: Approver) -> None:
    groups = " ".join(fingerprint.split()[-2:])
    for person in persons:
        approvals.approve(session, code, person, groups, NOW)


def leave(database: Database, agency: Agency, fate: Fate = Fate.WITHDRAW) -> None:
    signer = database.vault.signer("receipt")
    with database.session() as session:
        parting = Parting(agency.code, fate, "agreement_ended")
        made = leaving.leave(session, parting, FIRST, signer, NOW)
        approve(session, agency.code, made.fingerprint, SECOND)
        session.commit()


def come_again(database: Database, agency: Agency) -> None:
    """A new ticket, a new key, two persons; `agency` signs with it from now on."""
    new, gate = (
        Ed25519Signer.generate(agency.code),
        Gate(agency.aud, database.vault.signer("receipt")),
    )
    with database.session() as session:
        trusted = anchors(database.settings, database.vault)
        maker = Approver("maker", "key_admin")
        ticket = trust.ticket_again(session, agency.code, maker, trusted, NOW)
        nonce = trust.challenge(session, agency.code, ticket.ticket_id, NOW)
        before = trust_query.keyset(session, agency.code)
        said = parse_statement(dsse.parse(before.envelope).payload)
        entry = entry_of(agency.code, new.public, instance="conn-b", not_before=NOW)
        payload = build_again(said, before.payload_sha256, [entry], issued=NOW)
        envelope = dsse.seal(PAYLOAD_TYPE, payload, [new])
        proof = seal_enrolment(ticket, nonce, dsse.parse(envelope).payload_sha256, [new])
        trust.enrol(session, agency.code, (envelope, proof), gate, NOW)
        approve(session, agency.code, new.public.fingerprint(), FIRST, SECOND)
        session.commit()
    agency.signer = new


def progress(database: Database, agency: Agency):
    with database.session() as session:
        return withdrawing.progress(session, agency.code)


def test_nothing_of_it_is_live_and_all_is_provable(database, tools, agency):
    parcels = [send(database, tools, one(agency, name, n)) for n, name in enumerate("abc", 1)]
    other = enrol(database)
    send(database, tools, one(other, "z", 9))
    work(database, tools)
    integrate(database)
    leave(database, agency)
    assert live(database, agency) == {"a", "b", "c"}, "workers carry it out"
    work(database, tools)
    assert live(database, agency) == set()
    assert live(database, other) == {"z"}
    assert {state(database, parcel) for parcel in parcels} == {State.QUARANTINED}
    (told,) = progress(database, agency)
    assert (told.batches, told.records, told.done, told.links_left) == (3, 3, 3, 0)
    assert told.finished == NOW
    with database.session() as session:
        kept = session.scalar(
            assertion.select()
            .join(source_batch, source_batch.c.batch_id == assertion.c.batch_id)
            .where(source_batch.c.agency == agency.code)
            .with_only_columns(assertion.c.id)
            .limit(1)
        )
        assert kept is not None
        (row,) = session.execute(
            source_batch.select().where(source_batch.c.agency == agency.code).limit(1)
        )
        assert ledger.index_of(session, row.accepted) is not None
        assert row.withdrawn


def test_kept_by_law_it_stays(database, tools, agency):
    send(database, tools, one(agency, "a", 1))
    work(database, tools)
    leave(database, agency, Fate.KEEP)
    work(database, tools)
    assert says(database, agency) == {"a": name_of(1)}
    assert progress(database, agency) == []


def test_what_was_not_applied_yet_never_is(database, tools, agency):
    waits = send(database, tools, one(agency, "a", 1))
    leave(database, agency)
    work(database, tools)
    assert live(database, agency) == set()
    assert state(database, waits) is State.QUARANTINED


def test_its_key_sends_no_more(database, tools, agency):
    leave(database, agency)
    with pytest.raises(Unauthorized) as caught:
        put(database, tools, one(agency, "a", 1))
    assert caught.value.code == "key.expired"


@pytest.mark.parametrize("seed", range(4))
def test_killed_before_any_commit_it_ends_the_same(database, tools, agency, seed):
    rng = random.Random(seed)
    for n, name in enumerate("abcd", 1):
        parcel = send(database, tools, one(agency, name, n))
        if rng.random() < 0.5:
            apply(database, tools, parcel)
    leave(database, agency)
    work(database, tools, rng=rng)
    work(database, tools)
    assert live(database, agency) == set()
    assert progress(database, agency)[0].finished is not None


def test_begun_twice_it_is_done_once(database, tools, agency):
    send(database, tools, one(agency, "a", 1))
    work(database, tools)
    leave(database, agency)
    with database.session() as session:
        (departure,) = trust_query.departures(session, agency.code)
        for _ in range(2):
            withdrawing.begin(session, departure.id, NOW)
        session.commit()
    work(database, tools)
    assert live(database, agency) == set()
    with database.session() as session, pytest.raises(NotFound):
        withdrawing.begin(session, 10**6, NOW)


def test_enrolled_anew_it_attests_what_it_stands_by(database, tools, agency):
    first = send(database, tools, one(agency, "a", 1))
    second = send(database, tools, one(agency, "b", 2))
    work(database, tools)
    leave(database, agency)
    work(database, tools)
    come_again(database, agency)
    send(database, tools, attest(agency, first))
    work(database, tools)
    assert says(database, agency) == {"a": name_of(1)}
    assert state(database, second) is State.QUARANTINED


def test_enrolled_anew_it_publishes_anew(database, tools, agency):
    send(database, tools, one(agency, "a", 1))
    work(database, tools)
    leave(database, agency)
    work(database, tools)
    come_again(database, agency)
    new_epoch(agency)
    snapshot(database, tools, agency, {"a": 5, "b": 6})
    work(database, tools)
    assert says(database, agency) == {"a": name_of(5), "b": name_of(6)}


def test_it_leaves_again_and_keeps_what_it_said_since(database, tools, agency):
    send(database, tools, one(agency, "a", 1))
    work(database, tools)
    leave(database, agency)
    come_again(database, agency)
    send(database, tools, one(agency, "b", 2))
    work(database, tools)
    assert says(database, agency) == {"b": name_of(2)}
    leave(database, agency, Fate.KEEP)
    work(database, tools)
    assert says(database, agency) == {"b": name_of(2)}


def test_a_stolen_key_of_an_agency_that_left_is_still_revoked(database, tools, agency):
    thief = another_key(database, agency)
    send(database, tools, one(agency, "a", 1))
    stolen = send(database, tools, one(agency, "b", 2, signer=thief))
    work(database, tools)
    number = revoke(database, agency, thief.kid, 0)
    work(database, tools)
    leave(database, agency)
    work(database, tools)
    assert live(database, agency) == set()
    assert state(database, stolen) is State.QUARANTINED
    with database.session() as session:
        assert reevaluation.progress(session, number).batches == 1
    assert progress(database, agency)[0].batches == 1


def test_the_operator_sees_how_far_it_is(database, tools, agency):
    send(database, tools, one(agency, "a", 1))
    work(database, tools)
    leave(database, agency)
    env = database.settings.environ()

    def shown() -> str:
        lines = CliRunner().invoke(cli, ["reeval", "show"], env=env).output.splitlines()
        return next((line for line in lines if f" of {agency.code}:" in line), "")

    assert shown() == ""
    work(database, tools, steps=1)
    assert "1 batches withdrawn, 0 of 1 records judged" in shown()
    work(database, tools)
    assert "1 of 1 records judged" in shown()
    assert "stands since" in shown()
