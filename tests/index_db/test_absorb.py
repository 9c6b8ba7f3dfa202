"""Absorbing: which version stands, what is found out on the way, and what never stands in clear."""

import itertools
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import text

from gateway.index import sealing, service
from gateway.index.arrivals import Absorbed, Arrival, IndexTools, Origin, Verdict
from gateway.index.store_links import get_known
from keys.errors import VaultError
from schemas.line import content_hash
from tests.conftest import Database
from tests.index_db import people
from tests.index_db.conftest import absorb, load, reconcile
from tests.index_db.people import AS_OF, Said
from tests.index_db.test_partition import TABLES, rows_of

ANI = {
    "nik": "1376015506800002",
    "nik_status": "valid_form",
    "no_kk": "1376010101150007",
    "name_source": "ANI WAHYUNI",
    "sex": "P",
    "birth_date": "1980-06-15",
    "phone": "+6281312345678",
    "mother_name": "KANARI HITAM",
    "pmks": ["09"],
    "address_ktp": {"kelurahan": "13.76.01.1021", "rt": "003", "rw": "001"},
}


def origin(number: int = 1, agency: str = "dstk", record_type: str = "person") -> Origin:
    return Origin(agency, record_type, people.batch_id(number), AS_OF, accepted=b"\x07" * 32)


def line(i: int, source_id: str, v: int, values: dict | None) -> Arrival:
    op = "del" if values is None else "put"
    said = values or {}
    return Arrival(i, op, source_id, v, None, content_hash(said, op), said, bytes([v]) * 32)


def live(database: Database, source_id: str) -> tuple | None:
    with database.session() as session:
        return session.execute(
            text(
                "select r.v, a.v, a.clear->>'name_source' from source_record r"
                " left join assertion a on a.id = r.assertion_id where source_id = :s"
            ),
            {"s": source_id},
        ).one_or_none()


def named(name: str) -> dict:
    return {**ANI, "name_source": name}


VERSIONS = ((1, "ANI"), (2, "ANI W"), (3, None), (4, "ANI W"), (5, "ANI W"))


@pytest.mark.parametrize("order", list(itertools.permutations(range(5)))[::7])
def test_versions_end_in_the_same_state_whatever_their_order(
    fresh_database: Database, tools: IndexTools, order: Sequence[int]
) -> None:
    for at in order:
        v, name = VERSIONS[at]
        arrivals = [line(0, "a1", v, None if name is None else named(name))]
        absorb(fresh_database, tools, origin(v), arrivals)
    assert live(fresh_database, "a1")[0::2] == (5, "ANI W")
    assert len(rows_of(fresh_database, "select 1 from person_feature")) == 1


def test_counts_and_verdicts_of_a_batch(fresh_database: Database, tools: IndexTools) -> None:
    first = [line(i, f"p{i}", 5, named(f"ORANG {i}")) for i in range(4)]
    done = absorb(fresh_database, tools, origin(1), first)
    assert done == Absorbed(4, 0, 0, 0, done.findings, (Verdict.APPLIED,) * 4)
    second = [
        line(0, "p0", 6, named("ORANG 0")),
        line(1, "p1", 4, named("ORANG LAMA")),
        line(2, "p2", 6, None),
        line(3, "p3", 6, named("ORANG BARU")),
        line(4, "nobody", 6, None),
    ]
    done = absorb(fresh_database, tools, origin(2), second)
    assert (done.applied, done.unchanged, done.superseded, done.tombstoned) == (1, 1, 1, 2)
    assert live(fresh_database, "p1")[:2] == (5, 5)
    assert live(fresh_database, "p2") == (6, None, None)
    history = rows_of(
        fresh_database,
        "select a.v from assertion a join source_record r on r.id = a.record_id"
        " where r.source_id = 'p1' order by a.v",
    )
    assert [h[0] for h in history] == [4, 5], "a late version belongs to the history"


def test_an_equal_version_with_other_content_is_a_finding(
    fresh_database: Database, tools: IndexTools
) -> None:
    absorb(fresh_database, tools, origin(1), [line(0, "a", 3, named("ANI"))])
    done = absorb(fresh_database, tools, origin(2), [line(7, "a", 3, named("LAIN"))])
    assert (7, "ID_TWICE") in done.findings
    assert done.superseded == 1
    assert live(fresh_database, "a")[2] == "ANI"


def test_one_nik_on_two_records_of_a_source_is_a_finding(
    fresh_database: Database, tools: IndexTools
) -> None:
    done = absorb(fresh_database, tools, origin(1), [line(0, "a", 1, ANI)])
    assert done.findings == []
    other_source = absorb(fresh_database, tools, origin(2, "baz"), [line(0, "a", 1, ANI)])
    assert other_source.findings == []
    done = absorb(fresh_database, tools, origin(3), [line(4, "b", 2, named("B"))])
    assert done.findings == [(4, "NIK_DUP_IN_SOURCE")]


def enrolment(i: int, person: str, code: str, v: int = 1) -> Arrival:
    return line(i, f"e{i}", v, {"person": person, "program_code": code, "status": "active"})


def test_an_unknown_programme_and_a_full_one_are_findings(
    fresh_database: Database, tools: IndexTools
) -> None:
    program = {"program_code": "dstk-2025-01", "name": "Bansos", "quota_total": 2, "status": "open"}
    mine = origin(1, record_type="enrolment")
    done = absorb(fresh_database, tools, mine, [enrolment(0, "a", "dstk-2025-01")])
    assert done.findings == [(0, "PROGRAMME_UNKNOWN")]
    absorb(fresh_database, tools, origin(2, record_type="program"), [line(0, "P", 1, program)])
    more = [enrolment(i, f"p{i}", "dstk-2025-01", v=2) for i in (1, 2)]
    done = absorb(fresh_database, tools, origin(3, record_type="enrolment"), more)
    assert done.findings == [(1, "QUOTA_EXCEEDED"), (2, "QUOTA_EXCEEDED")]


SECRETS = (
    ANI["nik"],
    ANI["no_kk"],
    "81312345678",
    "KANARI",
    "kanari",
    "9990001112223334",
    "SIMP-77",
    "8765432",
)


def test_no_identifier_and_nothing_of_class_s3_stands_in_any_table(
    fresh_database: Database, tools: IndexTools
) -> None:
    damaged = {"name_source": "BUDI", "nik_raw": "9990001112223334", "nik_status": "invalid_form"}
    covered = {**damaged, "health_cover": {"kind": "PBI_APBD", "card_no": "SIMP-77"}}
    load(fresh_database, tools, [(origin(1), [line(0, "a", 1, ANI), line(1, "b", 1, covered)])])
    home = {
        "household_key": ANI["no_kk"],
        "basis": "KK",
        "head_person": "a",
        "monthly_income": 8765432,
    }
    absorb(fresh_database, tools, origin(2, record_type="household"), [line(0, "h", 1, home)])
    with fresh_database.engine.connect() as connection:
        raw = connection.connection.driver_connection
        for table in TABLES:
            with raw.cursor().copy(f"copy {table} to stdout") as copy:
                dumped = b"".join(copy).decode()
            for secret in SECRETS:
                assert secret not in dumped, f"{table} shows {secret}"
                assert secret.encode().hex() not in dumped, f"{table} shows {secret} as bytes"


def test_a_ciphertext_moved_to_another_row_does_not_open(
    fresh_database: Database, tools: IndexTools
) -> None:
    pair = [line(0, "a", 1, ANI), line(1, "b", 1, {**ANI, "nik": "1376015506800003"})]
    load(fresh_database, tools, [(origin(1), pair)])
    with fresh_database.session() as session:
        ids = [r[0] for r in session.execute(text("select record_id from person_feature"))]
        assert len(get_known(session, tools.vault, ids)) == 2
        session.execute(
            text(
                "update person_feature f set hidden = o.hidden from person_feature o"
                " where o.record_id <> f.record_id"
            )
        )
        with pytest.raises(VaultError):
            get_known(session, tools.vault, ids)
        place = sealing.Place("dstk", "person", "a", 1, sealing.period_of(people.batch_id(1)))
        sealed = {
            r[0]: r[1]
            for r in session.execute(
                text(
                    "select r.source_id, a.sealed from assertion a"
                    " join source_record r on r.assertion_id = a.id"
                )
            )
        }
        assert sealing.opened(tools.vault, place, sealed["a"])["nik"] == ANI["nik"]
        with pytest.raises(VaultError):
            sealing.opened(tools.vault, place, sealed["b"])


def test_which_fields_are_sealed() -> None:
    assert sealing.sealed_names("person") >= {
        "nik",
        "nik_raw",
        "no_kk",
        "phone",
        "mother_name",
        "school",
        "disability",
        "chronic_illness",
        "pmks",
        "health_cover",
    }
    assert not sealing.sealed_names("person") & {"name_source", "birth_date", "sex", "address_ktp"}
    assert sealing.sealed_names("household") >= {"household_key", "monthly_income", "survey"}
    assert sealing.sealed_names("program") == frozenset()


def test_the_data_key_of_a_record_changes_with_the_month() -> None:
    first = people.batch_id(1)
    later = people.batch_id(int(timedelta(days=40).total_seconds() * 1000))
    assert sealing.period_of(first) < sealing.period_of(later)


def test_absorbing_nothing_is_fine(fresh_database: Database, tools: IndexTools) -> None:
    assert absorb(fresh_database, tools, origin(), []) == Absorbed(0, 0, 0, 0, [])
    with fresh_database.session() as session:
        assert service.reconcile(session, people.batch_id(404), tools).records == 0


def test_a_chunk_rolled_back_leaves_nothing(
    fresh_database: Database, tools: IndexTools, town: list[Said]
) -> None:
    ((where, arrivals), *_) = people.batches(town, 50)
    with fresh_database.session() as session:
        service.absorb(session, where, arrivals, tools)
        session.rollback()
    assert rows_of(fresh_database, "select 1 from source_record") == []


def test_an_edge_to_a_withdrawn_record_stops_nobody(fresh_database, tools):
    twice = {"nik": "1376015506800003"}
    load(fresh_database, tools, [(origin(1), [line(0, "a", 1, ANI), line(1, "b", 1, ANI | twice)])])
    load(fresh_database, tools, [(origin(2, "baz"), [line(0, "c", 1, ANI)])])
    absorb(fresh_database, tools, origin(3), [line(0, "a", 3, None)])  # not reconciled yet
    load(fresh_database, tools, [(origin(4, "dukcapil"), [line(0, "d", 1, ANI)])])
    reconcile(fresh_database, tools, origin(3))
    with fresh_database.session() as session:
        left = session.execute(
            text(
                "select count(*) from edge e where not exists"
                " (select from person_feature f where f.record_id = e.a)"
                " or not exists (select from person_feature f where f.record_id = e.b)"
            )
        ).scalar()
    assert left == 0
