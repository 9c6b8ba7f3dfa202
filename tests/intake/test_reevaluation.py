"""A revoked key: what it signed since T stops counting, whatever happens in between."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from gateway.errors import NotFound, Refused, Unauthorized
from gateway.index import modelfile
from gateway.index.store import assertion, membership, source_record
from gateway.intake import judging, reevaluation, service, store, store_reevaluation
from gateway.intake.model import Forked, IntakeTools, State
from gateway.jobs import Job
from gateway.ledger.store import log_entry, log_pending
from gateway.storage import outbox
from keys import merkle
from keys.signers import Signer
from schemas.batch import genesis
from tests.conftest import Database
from tests.intake.factory import (
    NOW,
    Agency,
    Parcel,
    apply,
    enrol,
    frame,
    line,
    live,
    person,
    put,
    send,
    tools_of,
)
from tests.intake.revoking import EFFECTS, another_key, integrate, promises, revoke, work
from tests.intake.revoking import tools_of_worker as worker_of


@pytest.fixture(scope="module")
def tools(database: Database) -> IntakeTools:
    return tools_of(database, modelfile.load())


@pytest.fixture
def agency(database: Database) -> Agency:
    return enrol(database)


@pytest.fixture
def thief(database: Database, agency: Agency) -> Signer:
    return another_key(database, agency)


def state(database: Database, parcel: Parcel) -> State:
    with database.session() as session:
        found = store.find(session, parcel.place)
    assert found is not None
    return found.state


def says(database: Database, agency: Agency) -> dict[str, str]:
    """The name that each live record gives."""
    query = (
        select(source_record.c.source_id, assertion.c.clear["name_source"].astext)
        .join(assertion, assertion.c.id == source_record.c.assertion_id)
        .where(source_record.c.agency == agency.code)
    )
    with database.session() as session:
        return {row[0]: row[1] for row in session.execute(query)}


def one(agency: Agency, name: str, n: int, **changes) -> Parcel:
    """A batch of one record that says variant `n`."""
    return agency.seal([line(name, agency.version(), person(n))], **changes)


def name_of(n: int) -> str:
    return str(person(n)["name_source"])


def snapshot(database, tools, agency, names, **changes) -> list[Parcel]:
    """A whole snapshot of one part, accepted; record `p` says what `names[p]` does."""
    said = {"id": f"s-{agency.version()}"}

    def sent(lines, **more):
        return send(database, tools, agency.seal(lines, **changes, **more))

    begin = sent([], kind="snapshot_begin", snapshot=said)
    version = agency.version()
    lines = [line(name, version, person(n)) for name, n in names.items()]
    part = sent(lines, kind="snapshot", snapshot=said)
    end = said | {
        "parts": 1,
        "total": len(lines),
        "root_of_roots": merkle.root([merkle.leaf_hash(part.sealed.root)]).hex(),
    }
    return [begin, part, sent([], kind="snapshot_end", snapshot=end)]


def attest(agency: Agency, *parcels: Parcel, **changes) -> Parcel:
    named = [
        {"epoch": p.place[2], "seq": p.place[3], "payload_sha256": p.sealed.payload_sha256.hex()}
        for p in parcels
    ]
    return agency.seal([], kind="attest", attests=named, **changes)


def new_epoch(agency: Agency, last: Parcel | None = None) -> None:
    """The stream begins anew after `last`."""
    first = frame.hashlib.sha256(genesis(agency.code, "target")).digest()
    after = first if last is None else last.sealed.payload_sha256
    agency.heads["target"] = (agency.head("target")[0] + 1, 0, after)


def test_the_last_trusted_version_is_live_again(database, tools, agency, thief):
    apply(database, tools, send(database, tools, one(agency, "a", 1)))
    size = integrate(database)
    stolen = send(database, tools, one(agency, "a", 2, signer=thief))
    forged = send(database, tools, one(agency, "b", 3, signer=thief))
    work(database, tools)
    assert says(database, agency) == {"a": name_of(2), "b": name_of(3)}
    revoke(database, agency, thief.kid, size)
    work(database, tools)
    assert says(database, agency) == {"a": name_of(1)}
    assert {state(database, p) for p in (stolen, forged)} == {State.QUARANTINED}


def test_backdated_created(database, tools, agency, thief):
    """The log's order decides, and not what the batch says of its time."""
    late = (NOW + timedelta(days=9)).strftime("%Y-%m-%dT%H:%M:%SZ")
    early = "2020-01-01T00:00:00Z"
    send(database, tools, one(agency, "a", 1, signer=thief, created=late, as_of=late))
    size = integrate(database)
    send(database, tools, one(agency, "a", 2, signer=thief, created=early, as_of=early))
    send(database, tools, one(agency, "b", 2, signer=thief, created=early, as_of=early))
    integrate(database)
    revoke(database, agency, thief.kid, size)
    work(database, tools)
    assert says(database, agency) == {"a": name_of(1)}


def test_without_a_cosigned_checkpoint_all_of_the_key_is_suspect(database, tools, agency, thief):
    send(database, tools, one(agency, "a", 1))
    send(database, tools, one(agency, "b", 2, signer=thief))
    integrate(database)
    work(database, tools)
    revoke(database, agency, thief.kid, 0)
    work(database, tools)
    assert says(database, agency) == {"a": name_of(1)}


def test_an_entry_without_a_place_in_the_log_yet_is_suspect(database, tools, agency, thief):
    size = integrate(database)
    send(database, tools, one(agency, "a", 1, signer=thief))
    revoke(database, agency, thief.kid, size + 1000)
    work(database, tools)
    assert live(database, agency) == set()


def test_a_batch_that_comes_after_the_revocation_is_refused(database, tools, agency, thief):
    parcel = one(agency, "a", 1, signer=thief)
    revoke(database, agency, thief.kid, 0)
    with pytest.raises(Unauthorized):
        put(database, tools, parcel)
    work(database, tools)
    with pytest.raises(Unauthorized):
        put(database, tools, parcel)
    assert live(database, agency) == set()


def test_what_waits_to_be_applied_never_is(database, tools, agency, thief):
    waits = send(database, tools, one(agency, "a", 1, signer=thief))
    parked = send(database, tools, one(agency, "b", 1, signer=thief))
    held = send(database, tools, agency.seal([b"not json"], signer=thief))
    apply(database, tools, held)
    with database.session() as session:
        service.set_aside(session, store.find(session, parked.place).id, tools, NOW)
        session.commit()
    assert [state(database, p) for p in (waits, parked, held)] == ["accepted", "parked", "held"]
    revoke(database, agency, thief.kid, 0)
    work(database, tools, (Job.REEVALUATE,))
    apply(database, tools, waits, parked, held)
    work(database, tools)
    assert {state(database, p) for p in (waits, parked, held)} == {State.QUARANTINED}
    assert live(database, agency) == set()


def test_batches_before_the_theft_may_be_applied_after_it(database, tools, agency, thief):
    first = send(database, tools, one(agency, "a", 1))
    stolen = send(database, tools, one(agency, "a", 2, signer=thief))
    apply(database, tools, stolen)
    revoke(database, agency, thief.kid, 0)
    work(database, tools, (Job.REEVALUATE,))
    assert live(database, agency) == set()
    apply(database, tools, first)
    assert says(database, agency) == {"a": name_of(1)}


def test_a_trusted_repetition_of_what_the_thief_said_stands_in_its_own_name(
    database, tools, agency, thief
):
    stolen = send(database, tools, one(agency, "a", 2, signer=thief))
    again = send(database, tools, one(agency, "a", 2))
    work(database, tools)
    revoke(database, agency, thief.kid, 0)
    work(database, tools)
    assert says(database, agency) == {"a": name_of(2)}
    with database.session() as session:
        mine = store.find(session, again.place).id
        query = select(assertion.c.batch_id).join(
            source_record, source_record.c.assertion_id == assertion.c.id
        )
        assert session.scalars(query.where(source_record.c.agency == agency.code)).all() == [mine]
    assert state(database, stolen) is State.QUARANTINED


def test_tombstones_of_a_stolen_snapshot_are_undone(database, tools, agency, thief):
    send(database, tools, agency.people(range(10)))
    snapshot(database, tools, agency, {"p0": 0}, signer=thief)
    send(database, tools, agency.seal([line("p0", agency.version(), None)], signer=thief))
    work(database, tools)
    assert live(database, agency) == set()
    revoke(database, agency, thief.kid, 0)
    work(database, tools)
    assert live(database, agency) == {f"p{n}" for n in range(10)}


def test_a_snapshot_with_one_stolen_part_deletes_nothing(database, tools, agency, thief):
    send(database, tools, agency.people(range(4)))
    said = {"id": "mixed"}
    sent = [send(database, tools, agency.seal([], kind="snapshot_begin", snapshot=said))]
    lines = [line("p0", agency.version(), person(0))]
    part = agency.seal(lines, kind="snapshot", snapshot=said, signer=thief)
    sent.append(send(database, tools, part))
    root = merkle.root([merkle.leaf_hash(part.sealed.root)]).hex()
    end = said | {"parts": 1, "total": 1, "root_of_roots": root}
    sent.append(send(database, tools, agency.seal([], kind="snapshot_end", snapshot=end)))
    work(database, tools)
    assert live(database, agency) == {"p0"}
    revoke(database, agency, thief.kid, 0)
    work(database, tools)
    assert live(database, agency) == {f"p{n}" for n in range(4)}
    send(database, tools, attest(agency, part))
    work(database, tools)
    assert live(database, agency) == {"p0"}


def test_a_snapshot_held_for_a_stolen_part_goes_on_once_it_is_attested(
    database, tools, agency, thief
):
    send(database, tools, agency.people(range(4)))
    said = {"id": "open"}
    send(database, tools, agency.seal([], kind="snapshot_begin", snapshot=said))
    lines = [line("p0", agency.version(), person(0))]
    part = send(database, tools, agency.seal(lines, kind="snapshot", snapshot=said, signer=thief))
    revoke(database, agency, thief.kid, 0)
    work(database, tools)
    root = merkle.root([merkle.leaf_hash(part.sealed.root)]).hex()
    end = said | {"parts": 1, "total": 1, "root_of_roots": root}
    ended = send(database, tools, agency.seal([], kind="snapshot_end", snapshot=end))
    work(database, tools)
    assert state(database, ended) is State.HELD
    send(database, tools, attest(agency, part))
    work(database, tools)
    assert state(database, ended) is State.APPLIED
    assert live(database, agency) == {"p0"}


def test_a_deletion_that_the_thief_confirmed_is_undone(database, tools, agency, thief):
    send(database, tools, agency.people(range(60)))
    gone = [line(f"p{n}", agency.version(), None) for n in range(40)]
    held = send(database, tools, agency.seal(gone))
    named = held.sealed.payload_sha256.hex()
    work(database, tools)
    assert state(database, held) is State.HELD
    send(database, tools, agency.seal([], kind="confirm", confirms=named, signer=thief))
    work(database, tools)
    assert len(live(database, agency)) == 20
    revoke(database, agency, thief.kid, 0)
    work(database, tools)
    assert len(live(database, agency)) == 60
    send(database, tools, attest(agency, held))
    work(database, tools)
    assert len(live(database, agency)) == 20


def test_a_snapshot_waiting_for_what_went_into_quarantine_is_completed(
    database, tools, agency, thief
):
    apply(database, tools, send(database, tools, agency.people(range(4))))
    send(database, tools, one(agency, "q", 9, signer=thief))
    sent = snapshot(database, tools, agency, {"p0": 0})
    apply(database, tools, *sent)
    assert state(database, sent[-1]) is State.ACCEPTED
    with database.session() as session:  # every promise was tried; the thief's batch alone is late
        session.execute(update(outbox.outbox).values(done=NOW))
        session.commit()
    revoke(database, agency, thief.kid, 0)
    work(database, tools)
    assert live(database, agency) == {"p0"}


# -- the ways out ----------------------------------------------------------------------------


def test_attested_batches_come_back_without_being_sent_again(database, tools, agency, thief):
    first = send(database, tools, one(agency, "a", 1, signer=thief))
    apply(database, tools, first)
    second = send(database, tools, one(agency, "b", 2, signer=thief))  # not applied yet
    third = send(database, tools, one(agency, "c", 3, signer=thief))
    revoke(database, agency, thief.kid, 0)
    work(database, tools)
    vouched = send(database, tools, attest(agency, first, second))
    assert live(database, agency) == set()
    work(database, tools)
    assert says(database, agency) == {"a": name_of(1), "b": name_of(2)}
    states = [state(database, p) for p in (first, second, third, vouched)]
    assert states == [State.APPLIED, State.APPLIED, State.QUARANTINED, State.APPLIED]


def test_an_attestation_by_a_key_revoked_later_counts_no_more(database, tools, agency, thief):
    other = another_key(database, agency)
    stolen = send(database, tools, one(agency, "a", 1, signer=thief))
    revoke(database, agency, thief.kid, 0)
    work(database, tools)
    send(database, tools, attest(agency, stolen, signer=other))
    work(database, tools)
    assert live(database, agency) == {"a"}
    revoke(database, agency, other.kid, 0)
    work(database, tools)
    assert live(database, agency) == set()


def test_only_batches_in_quarantine_of_that_hash_can_be_attested(database, tools, agency, thief):
    good = send(database, tools, one(agency, "a", 1))
    stolen = send(database, tools, one(agency, "b", 2, signer=thief))
    revoke(database, agency, thief.kid, 0)
    work(database, tools)
    with pytest.raises(Refused) as caught:
        put(database, tools, attest(agency, good))
    assert caught.value.code == "attest.not_quarantined"
    lie = {"epoch": 1, "seq": stolen.place[3], "payload_sha256": "00" * 32}
    with pytest.raises(Refused) as caught:
        put(database, tools, agency.seal([], kind="attest", attests=[lie]))
    assert caught.value.code == "attest.unknown"
    assert state(database, stolen) is State.QUARANTINED


def test_a_new_epoch_begins_after_the_last_trusted_batch_and_replaces(
    database, tools, agency, thief
):
    good = send(database, tools, one(agency, "a", 1))
    stolen = send(database, tools, one(agency, "a", 2, signer=thief))
    send(database, tools, one(agency, "b", 2, signer=thief))
    work(database, tools)
    revoke(database, agency, thief.kid, 0)
    work(database, tools)
    head = agency.head("target")
    new_epoch(agency, stolen)
    with pytest.raises(Forked):
        put(
            database,
            tools,
            agency.seal([], kind="snapshot_begin", snapshot={"id": "after-the-thief"}),
        )
    with database.session() as session:
        service.resume(session, agency.code, "target", restart=True)
        session.commit()
    agency.heads["target"] = head
    new_epoch(agency, good)
    snapshot(database, tools, agency, {"a": 3, "c": 4})
    work(database, tools)
    assert says(database, agency) == {"a": name_of(3), "c": name_of(4)}
    send(database, tools, attest(agency, stolen))
    work(database, tools)
    assert says(database, agency) == {"a": name_of(3), "c": name_of(4)}


def test_a_new_epoch_may_begin_though_nothing_is_trusted(database, tools, agency, thief):
    send(database, tools, one(agency, "a", 2, signer=thief))
    work(database, tools)
    revoke(database, agency, thief.kid, 0)
    work(database, tools)
    new_epoch(agency)
    snapshot(database, tools, agency, {"c": 4})
    work(database, tools)
    assert says(database, agency) == {"c": name_of(4)}


# -- killed, raced, watched ------------------------------------------------------------------


def test_killed_before_any_commit_it_ends_the_same(database, tools, agency, thief):
    send(database, tools, one(agency, "a", 1))
    for n in range(3):
        send(database, tools, one(agency, "a", 2 + n, signer=thief))
        send(database, tools, one(agency, f"b{n}", 2, signer=thief))
    work(database, tools)
    number = revoke(database, agency, thief.kid, 0)
    kills = 0
    while waiting := promises(database, (Job.REEVALUATE,)):
        with database.session() as session:  # the whole step, and then it dies
            promise = outbox.lock(session, waiting[0])
            EFFECTS[promise.job](session, promise.args, worker_of(database, tools), NOW)
            session.rollback()
        kills += 1
        work(database, tools, (Job.REEVALUATE,), steps=1)
    assert kills >= 3
    assert says(database, agency) == {"a": name_of(1)}
    with database.session() as session:
        told = reevaluation.progress(session, number)
        assert reevaluation.begin(session, number, NOW) is None  # again: nothing happens
        assert judging.judge(session, agency.code) == judging.Judged(0, 0, 0)
    assert (told.batches, told.records, told.done) == (6, 4, 4)
    assert told.finished == NOW


def test_an_accept_in_flight_is_seen_or_refused(database, tools, agency, thief):
    parcel = one(agency, "a", 1, signer=thief)
    begun = threading.Event()

    def later():
        begun.set()
        work(database, tools, (Job.REEVALUATE,))

    with database.session() as session:
        send(database, tools, one(agency, "z", 0))
        parcel = one(agency, "a", 1, signer=thief)
        service.accept(session, parcel.request(), tools, NOW)  # holds the head
        revoke(database, agency, thief.kid, 0)
        thread = threading.Thread(target=later)
        thread.start()
        begun.wait()
        thread.join(0.3)
        assert thread.is_alive()  # it waits for the head
        session.commit()
    thread.join()
    assert state(database, parcel) is State.QUARANTINED


def test_persons_whom_the_thief_had_joined_are_two_again(database, tools, agency, thief):
    other = enrol(database)
    send(database, tools, one(agency, "a", 1))
    send(database, tools, one(other, "x", 2))
    work(database, tools)
    assert persons(database, agency, other) == 2
    send(database, tools, one(agency, "a", 2, signer=thief))
    work(database, tools)
    assert persons(database, agency, other) == 1
    number = revoke(database, agency, thief.kid, 0)
    work(database, tools, (Job.REEVALUATE,))
    with database.session() as session:
        assert reevaluation.progress(session, number).links_left == 1
    work(database, tools)
    assert persons(database, agency, other) == 2
    with database.session() as session:
        assert reevaluation.progress(session, number).links_left == 0


def persons(database: Database, *agencies: Agency) -> int:
    query = (
        select(func.count(membership.c.person_id.distinct()))
        .join(source_record, source_record.c.id == membership.c.record_id)
        .where(source_record.c.agency.in_([a.code for a in agencies]))
    )
    with database.session() as session:
        return session.scalar(query) or 0


def test_what_was_done_is_logged_once(database, tools, agency, thief):
    send(database, tools, one(agency, "a", 1, signer=thief))
    work(database, tools)
    revoke(database, agency, thief.kid, 0)
    work(database, tools)
    integrate(database)
    mine = f'"kid":"{thief.kid}"'.encode()
    with database.session() as session:
        entries = [*session.scalars(select(log_entry.c.entry))]
        assert not session.scalars(select(log_pending.c.entry)).all()
    said = [e for e in entries if b'"t":"reeval"' in e and mine in e]
    assert len(said) == 1
    assert b'"batches":1' in said[0]
    assert b'"records":1' in said[0]
    assert b'"size_at_since":0' in said[0]


def test_nothing_is_known_of_a_revocation_that_never_was(database):
    with database.session() as session:
        with pytest.raises(NotFound):
            reevaluation.begin(session, 999, NOW)
        with pytest.raises(NotFound):
            reevaluation.progress(session, 999)


def test_a_locked_agency_does_not_stop_another(database, tools, agency):
    other = enrol(database)
    parcel = send(database, tools, one(other, "a", 1))
    with database.session() as session:
        store_reevaluation.close(session, agency.code)
        apply(database, tools, parcel)
    assert live(database, other) == {"a"}
