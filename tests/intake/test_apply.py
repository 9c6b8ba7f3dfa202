"""Applying decides record by record; what is applied, refused or held is signed and logged."""

import itertools
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from gateway.errors import Conflict, Refused
from gateway.index.store import source_record
from gateway.intake import poison, service, store
from gateway.intake.model import IntakeTools, State
from gateway.jobs import Job
from gateway.ledger.store import log_pending
from gateway.storage.outbox import outbox
from keys import merkle
from keys.canonical import canonical
from tests.conftest import Database
from tests.intake.factory import (
    NOW,
    Agency,
    Parcel,
    apply,
    enrol,
    found,
    line,
    live,
    person,
    put,
    result,
    send,
    tools_of,
)


@pytest.fixture(scope="module")
def tools(database: Database) -> IntakeTools:
    return tools_of(database)


@pytest.fixture
def agency(database: Database) -> Agency:
    return enrol(database)


def state(database: Database, parcel: Parcel) -> tuple[State, str | None]:
    with database.session() as session:
        batch = store.find(session, parcel.place)
    return batch.state, batch.hold


def promised(database: Database, parcel: Parcel, job: Job) -> int:
    with database.session() as session:
        batch = store.find(session, parcel.place)
        query = select(func.count()).select_from(outbox)
        mine = outbox.c.args["batch"].astext == str(batch.id)
        return session.scalar(query.where(mine, outbox.c.job == job.value))


def applied_entries(database: Database, agency: Agency) -> list[bytes]:
    mine = f'"agency":"{agency.code}"'.encode()
    with database.session() as session:
        entries = session.scalars(select(log_pending.c.entry))
        return [e for e in entries if b'"t":"applied"' in e and mine in e]


def test_records_come_into_the_index_with_a_signed_result(database, tools, agency):
    parcel = send(database, tools, agency.people(range(5)))
    apply(database, tools, parcel)
    assert live(database, agency) == {f"p{n}" for n in range(5)}
    said = result(database, parcel)
    assert (said.state, said.applied, said.rejected_count, said.held) == ("applied", 5, 0, False)
    assert said.batch["payload_sha256"] == parcel.sealed.payload_sha256.hex()
    assert promised(database, parcel, Job.RECONCILE) == 1
    assert len(applied_entries(database, agency)) == 1


def test_applying_twice_does_nothing_more(database, tools, agency):
    parcel = send(database, tools, agency.people(range(5)))
    apply(database, tools, parcel, parcel)
    assert promised(database, parcel, Job.RECONCILE) == 1
    assert len(applied_entries(database, agency)) == 1


def test_batches_in_any_order_end_the_same(database, tools):
    ends = []
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        agency = enrol(database)
        one = send(database, tools, agency.people(range(4)))
        version = agency.version()
        lines = [line("p0", version, person(0, phone="+628120000001")), line("p1", version)]
        two = send(database, tools, agency.seal(lines))
        three = send(database, tools, agency.people([2, 9]))
        parcels = (one, two, three)
        apply(database, tools, *(parcels[i] for i in order))
        with database.session() as session:
            c = source_record.c
            rows = session.execute(
                select(c.source_id, c.v, c.content, c.assertion_id.is_(None)).where(
                    c.agency == agency.code
                )
            ).all()
        ends.append(sorted(map(tuple, rows)))
        assert live(database, agency) == {"p0", "p2", "p3", "p9"}
    assert ends[0] == ends[1] == ends[2]


def test_an_old_version_that_comes_late_is_superseded(database, tools, agency):
    one = send(database, tools, agency.people(range(3)))
    two = send(
        database,
        tools,
        agency.seal(
            [
                line(f"p{n}", agency.version(), person(n, sex="P", nik=None, nik_status="missing"))
                for n in range(3)
            ]
        ),
    )
    apply(database, tools, two, one)
    assert result(database, one).superseded == 3


def test_a_bad_record_is_refused_and_the_others_stand(database, tools, agency):
    version = agency.version()
    lines = [line(f"p{n}", version, person(n)) for n in range(99)]
    lines.append(line("bad", version, person(99, surprise="1376010101900001")))
    parcel = send(database, tools, agency.seal(lines))
    apply(database, tools, parcel)
    assert found(database, parcel) == [(99, "schema.unknown_field", "E", None)]
    said = result(database, parcel)
    assert (said.state, said.applied, said.rejected_count) == ("applied_partial", 99, 1)
    assert [dict(r) for r in said.rejected] == [{"i": 99, "code": "schema.unknown_field"}]
    assert len(live(database, agency)) == 99


@pytest.mark.parametrize(
    ("spoil", "code", "where"),
    [
        (lambda v: line("x", v, person(1, nik="1376010101900000")), None, "nik"),
        (lambda v: line("x", v, person(1, nik="137601010190001x")), None, "nik"),
        (lambda v: line("x", v, {}), None, "name_source"),
        (lambda v: line("x", v + 1, person(1)), "version.mismatch", "_v"),
        (lambda v: line("bad id", v, person(1)), "id.format", "_id"),
        (
            lambda v: b'{"_s":"' + b"a" * 22 + b'","_op":"put","_op":"del"}',
            "json.duplicate_key",
            None,
        ),
        (lambda v: b"[" * 60 + b"]" * 60, None, None),
        (lambda v: b"not json", "json.syntax", None),
        (lambda v: line("p0", v, person(1)), "id.twice", "_id"),
        (lambda v: line("x", v, {"name_source": "A\x00B"}), None, "name_source"),
    ],
    ids=[
        "serial",
        "letter",
        "nameless",
        "version",
        "id",
        "twice",
        "deep",
        "text",
        "same-id",
        "nul",
    ],
)
def test_what_is_wrong_with_a_line_is_named_by_code_and_field(
    database, tools, agency, spoil, code, where
):
    version = agency.version()
    lines = [line(f"p{n}", version, person(n)) for n in range(60)]
    parcel = send(database, tools, agency.seal([*lines, spoil(version)]))
    apply(database, tools, parcel)
    ((i, got, level, field),) = found(database, parcel)
    assert (i, level, field) == (60, "E", where)
    assert code is None or got == code


def test_doubts_are_told_and_the_record_is_taken(database, tools, agency):
    parcel = send(
        database,
        tools,
        agency.seal([line("p1", agency.version(), person(1, name_source="ORANG 5"))]),
    )
    apply(database, tools, parcel)
    assert (0, "NAME_DIGIT", "W", "name_source") in found(database, parcel)
    assert result(database, parcel).state == "applied"


def test_an_unknown_programme_is_a_warning(database, tools, agency):
    values = {"program_code": "BAZ-2025-001", "status": "active", "person": "p1"}
    parcel = send(
        database,
        tools,
        agency.seal([line("e1", agency.version("program"), values)], record_type="enrolment"),
    )
    apply(database, tools, parcel)
    assert [(c, lv) for _, c, lv, _ in found(database, parcel)] == [("PROGRAMME_UNKNOWN", "W")]
    assert live(database, agency, "enrolment") == {"e1"}
    assert promised(database, parcel, Job.RECONCILE) == 0


def test_too_many_bad_records_hold_the_whole_batch(database, tools, agency):
    version = agency.version()
    lines = [line(f"p{n}", version, person(n)) for n in range(9)] + [b"not json"]
    parcel = send(database, tools, agency.seal(lines))
    apply(database, tools, parcel)
    assert state(database, parcel) == (State.HELD, "max_reject")
    said = result(database, parcel)
    assert (said.held, said.applied, said.rejected_count) == (True, 0, 1)
    assert live(database, agency) == set()
    assert promised(database, parcel, Job.RECONCILE) == 0


def test_an_agency_may_allow_more_bad_records(database, tools, agency):
    version = agency.version()
    lines = [line(f"p{n}", version, person(n)) for n in range(9)] + [b"not json"]
    parcel = send(database, tools, agency.seal(lines, max_reject=0.1))
    apply(database, tools, parcel)
    assert state(database, parcel) == (State.APPLIED_PARTIAL, None)


def test_the_result_commits_to_every_disposition(database, tools, agency):
    version = agency.version()
    lines = [line(f"p{n}", version, person(n, name_source=f"ORANG {n}")) for n in range(30)]
    parcel = send(database, tools, agency.seal([*lines, b"not json"], max_reject=0.5))
    apply(database, tools, parcel)
    leaves = [
        merkle.leaf_hash(canonical({"code": c, "field": f, "i": i, "level": lv}))
        for i, c, lv, f in found(database, parcel)
    ]
    assert len(leaves) >= 31
    assert result(database, parcel).dispositions_root == merkle.root(leaves).hex()


def test_a_heartbeat_is_applied_and_says_nothing(database, tools, agency):
    parcel = send(database, tools, agency.seal([], kind="heartbeat"))
    apply(database, tools, parcel)
    assert state(database, parcel) == (State.APPLIED, None)


def test_a_batch_set_aside_stays_as_evidence(database, tools, agency):
    parcel = send(database, tools, agency.people(range(3)))
    with database.session() as session:
        batch = store.find(session, parcel.place)
        service.set_aside(session, batch.id, tools, NOW)
        session.commit()
    apply(database, tools, parcel)
    assert state(database, parcel) == (State.PARKED, None)
    assert result(database, parcel).state == "parked"
    assert live(database, agency) == set()


# -- snapshots -------------------------------------------------------------------------------


def snapshot(database, tools, agency, parts, *, lie=None) -> list[Parcel]:
    """A whole snapshot, accepted; each part is a list of numbers or of lines."""
    name = {"id": f"s-{agency.version()}"}
    sent = [send(database, tools, agency.seal([], kind="snapshot_begin", snapshot=name))]
    for part in parts:
        version = agency.version()
        lines = [p if isinstance(p, bytes) else line(f"p{p}", version, person(p)) for p in part]
        sent.append(send(database, tools, agency.seal(lines, kind="snapshot", snapshot=name)))
    roots = [merkle.leaf_hash(p.sealed.root) for p in sent[1:]]
    end = name | {
        "parts": len(parts),
        "total": sum(map(len, parts)),
        "root_of_roots": merkle.root(roots).hex(),
    }
    sent.append(
        send(database, tools, agency.seal([], kind="snapshot_end", snapshot=end | (lie or {})))
    )
    return sent


def test_what_a_snapshot_does_not_hold_has_gone(database, tools, agency):
    apply(database, tools, send(database, tools, agency.people(range(10))))
    sent = snapshot(database, tools, agency, [[0, 1, 2], [3, 4, 50]])
    apply(database, tools, *sent)
    assert live(database, agency) == {"p0", "p1", "p2", "p3", "p4", "p50"}
    assert result(database, sent[-1]).state == "applied"
    assert promised(database, sent[-1], Job.RECONCILE) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::3], ids=str)
def test_a_snapshot_waits_for_all_its_parts_in_any_order(database, tools, agency, order):
    apply(database, tools, send(database, tools, agency.people(range(10))))
    sent = snapshot(database, tools, agency, [[0, 1], [2, 3]])
    for n, i in enumerate(order):
        apply(database, tools, sent[i])
        gone = not live(database, agency) >= {"p7", "p8"}
        assert gone == ({0, 1, 2} <= set(order[: n + 1]))
    assert live(database, agency) == {"p0", "p1", "p2", "p3"}
    assert state(database, sent[-1]) == (State.APPLIED, None)


def test_a_snapshot_waits_for_the_batches_before_it(database, tools, agency):
    early = send(database, tools, agency.people(range(10)))
    sent = snapshot(database, tools, agency, [[0, 1]])
    apply(database, tools, *sent)
    assert state(database, sent[-1]) == (State.ACCEPTED, None)
    apply(database, tools, early)
    assert live(database, agency) == {"p0", "p1"}


def test_what_comes_after_a_snapshot_began_is_not_deleted_by_it(database, tools, agency):
    sent = snapshot(database, tools, agency, [[0, 1]])
    later = send(database, tools, agency.people([77]))
    apply(database, tools, later, *sent)
    assert live(database, agency) == {"p0", "p1", "p77"}


def test_a_refused_record_of_a_snapshot_still_exists_at_its_source(database, tools, agency):
    apply(database, tools, send(database, tools, agency.people(range(100))))
    version = agency.version() + 1
    bad = line("p99", version, person(99, surprise=1))
    sent = snapshot(database, tools, agency, [[*range(99), bad]])
    apply(database, tools, *sent)
    assert len(live(database, agency)) == 100


def test_too_many_records_gone_at_once_are_held_until_confirmed(database, tools, agency):
    apply(database, tools, send(database, tools, agency.people(range(100))))
    sent = snapshot(database, tools, agency, [list(range(70))])
    apply(database, tools, *sent)
    assert state(database, sent[-1]) == (State.HELD, "mass_delete")
    assert result(database, sent[-1]).held
    assert len(live(database, agency)) == 100
    named = sent[-1].sealed.payload_sha256.hex()
    confirm = send(database, tools, agency.seal([], kind="confirm", confirms=named))
    apply(database, tools, confirm)
    assert len(live(database, agency)) == 70
    assert state(database, sent[-1]) == (State.APPLIED, None)
    assert state(database, confirm) == (State.APPLIED, None)
    with pytest.raises(Refused, match="No held batch"):
        put(database, tools, agency.seal([], kind="confirm", confirms=named))


def test_twenty_records_may_go_unasked_and_a_small_share_of_many(database, tools, agency):
    apply(database, tools, send(database, tools, agency.people(range(600))))
    sent = snapshot(database, tools, agency, [list(range(575))])
    apply(database, tools, *sent)
    assert len(live(database, agency)) == 575


def test_many_deletions_in_a_delta_are_held_until_confirmed(database, tools, agency):
    apply(database, tools, send(database, tools, agency.people(range(60))))
    version = agency.version()
    delta = send(database, tools, agency.seal([line(f"p{n}", version) for n in range(30)]))
    apply(database, tools, delta)
    assert state(database, delta) == (State.HELD, "mass_delete")
    assert len(live(database, agency)) == 60
    named = delta.sealed.payload_sha256.hex()
    apply(database, tools, send(database, tools, agency.seal([], kind="confirm", confirms=named)))
    assert len(live(database, agency)) == 30
    assert result(database, delta).state == "applied"


def test_a_snapshot_with_a_held_part_deletes_nothing(database, tools, agency):
    apply(database, tools, send(database, tools, agency.people(range(10))))
    sent = snapshot(database, tools, agency, [[0, 1], [b"not json", b"nor this"]])
    apply(database, tools, *sent)
    assert state(database, sent[-1]) == (State.HELD, "snapshot_incomplete")
    assert len(live(database, agency)) == 10


def test_a_new_snapshot_takes_the_place_of_an_unfinished_one(database, tools, agency):
    apply(database, tools, send(database, tools, agency.people(range(5))))
    open_one = {"id": "given-up"}
    send(database, tools, agency.seal([], kind="snapshot_begin", snapshot=open_one))
    sent = snapshot(database, tools, agency, [[0, 1]])
    with pytest.raises(Conflict, match="No snapshot"):
        put(database, tools, agency.seal([], kind="snapshot", snapshot=open_one))
    with database.session() as session:
        begun = store.find(session, (agency.code, "target", 1, 2))
        service.apply(session, begun.id, tools, NOW)
        session.commit()
    apply(database, tools, *sent)
    assert live(database, agency) == {"p0", "p1"}


@pytest.mark.parametrize("lie", [{"parts": 2}, {"total": 9}, {"root_of_roots": "00" * 32}], ids=str)
def test_an_end_that_does_not_fit_its_parts_is_refused(database, tools, agency, lie):
    with pytest.raises(Refused) as caught:
        snapshot(database, tools, agency, [[0, 1]], lie=lie)
    assert caught.value.code == "snapshot.totals"


def test_an_id_names_one_snapshot(database, tools, agency):
    send(database, tools, agency.seal([], kind="snapshot_begin", snapshot={"id": "once"}))
    with pytest.raises(Conflict) as caught:
        put(database, tools, agency.seal([], kind="snapshot_begin", snapshot={"id": "once"}))
    assert caught.value.code == "snapshot.known"


# -- poison ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "bad"), [(1, {0}), (50, {17}), (50, {0, 49}), (37, set())], ids=str
)
def test_the_record_that_kills_its_worker_is_found_and_only_it_is_refused(
    database, tools, agency, count, bad
):
    generous = replace(tools)
    parcel = send(database, generous, agency.people(range(count), max_reject=1))
    with database.session() as session:
        batch_id = store.find(session, parcel.place).id
    deaths = 0
    while True:  # each turn is a worker; it dies where the span holds a bad record
        with database.session() as books:
            span = poison.next_span(books, batch_id, count)
            books.commit()
        if span is None:
            break
        if bad & set(range(span.lo, span.hi)):
            deaths += 1
            continue
        with database.session() as session:
            service.rehearse(session, batch_id, span, tools, NOW)
            session.rollback()
        with database.session() as books:
            poison.clear(books, batch_id, span)
            books.commit()
    assert live(database, agency) == set()
    apply(database, tools, parcel)
    assert found(database, parcel) == [(i, "poison", "E", None) for i in sorted(bad)]
    assert live(database, agency) == {f"p{n}" for n in range(count) if n not in bad}
    assert deaths <= len(bad) * 3 * max(1, count.bit_length())
