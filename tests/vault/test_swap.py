"""Whoever can write to the database moves a ciphertext to another place: it does not open there."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.access import service as access
from gateway.access import sessions, tracker
from gateway.access.model import Officer, Purpose, Role
from gateway.access.service import Door
from gateway.access.sessions import NewOfficer
from gateway.index import judgements, sealing
from gateway.index import query as index
from gateway.index import service as engine
from gateway.index.arrivals import IndexTools
from gateway.index.judgements import Judged
from gateway.index.sealing import Place, Slot
from gateway.index.verdict import Verdict
from gateway.index.view import Search
from gateway.intake import service as intake_service
from gateway.intake import store as intake
from gateway.intake.model import IntakeTools
from gateway.storage import ids
from gateway.storage.deks import open_vault
from keys.errors import VaultError
from tests.conftest import Database
from tests.intake.factory import Agency, Parcel, apply, enrol, line, person, send, tools_of

NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Sealed:
    """A ciphertext at its place, and how the product opens what stands there."""

    table: str
    where: str
    ct: bytes
    open: Callable[[bytes], Any]


@pytest.fixture(scope="module")
def tools(database: Database) -> IntakeTools:
    return tools_of(database)


@pytest.fixture(scope="module")
def parcels(database: Database, tools: IntakeTools) -> list[Parcel]:
    """Two agencies, each with a batch of two persons; both know the same two."""
    made = []
    for _ in range(2):
        agency: Agency = enrol(database)
        v = agency.version()
        parcel = agency.seal(
            [line(f"p{n}", v, person(n, no_kk="1376010101150007")) for n in (1, 2)]
        )
        made.append(send(database, tools, parcel))
    apply(database, tools, *made)
    with database.session() as session:
        for parcel in made:
            batch = intake.find(session, parcel.place)
            assert batch is not None
            engine.reconcile(session, batch.id, tools.index)
        session.commit()
    return made


@pytest.fixture(scope="module")
def officer(database: Database) -> Officer:
    with database.session() as session:
        new = NewOfficer("petugas", "P", "upt-kan", (Role.COUNTER_OFFICER,), "kata sandi panjang")
        sessions.add_officer(session, new)
        session.commit()
        (officer_id,) = session.execute(text("select id from officer")).one()
    return Officer(officer_id, "petugas", "P", "upt-kan", (Role.COUNTER_OFFICER,))


@pytest.fixture(scope="module")
def door(database: Database, tools: IntakeTools) -> Door:
    return Door(tools.index, database.settings, date(2025, 11, 3))


@pytest.fixture(scope="module")
def asked(database: Database, officer: Officer, door: Door, parcels: list[Parcel]) -> list[Any]:
    """Two searches of one officer, answered."""
    made = []
    for n in (1, 2):
        with database.session() as session:
            typed = (person(n)["nik"], Purpose.SELF_CHECK)
            one = access.ask_search(session, officer, typed, door, NOW)
            session.commit()
            access.search(session, officer, one.id, door, NOW)
            session.commit()
        made.append(one.id)
    return made


@pytest.fixture(scope="module")
def judged(database: Database, officer: Officer, parcels: list[Parcel]) -> None:
    """Two judgements about the same two records."""
    with database.session() as session:
        a, b = session.scalars(text("select id from source_record order by id limit 2"))
        for n in (1, 2):
            made = Judged(ids.new(), "K01", Verdict.SAME, a, b, officer.id, bytes([n]) * 32)
            assert judgements.judge(session, made, database.vault, NOW)
        session.commit()


def everything(session: Session, tools: IndexTools, parcels: list[Parcel]) -> list[Sealed]:
    """Every ciphertext of every sealed table."""
    vault, out = tools.vault, []
    for row in session.execute(
        text(
            "select r.agency, r.record_type, r.source_id, a.v, a.period, a.sealed from assertion a"
            " join source_record r on r.id = a.record_id where a.sealed is not null"
        )
    ):
        place = Place(*row[:5])
        out.append(
            Sealed(
                "assertion",
                place.agency,
                row.sealed,
                lambda ct, p=place: sealing.opened(vault, p, ct),
            )
        )
    for row in session.execute(
        text("select agency, period, record_id, assertion_id, hidden from person_feature")
    ):
        slot = Slot(*row[:4])
        out.append(
            Sealed(
                "person_feature",
                slot.agency,
                row.hidden,
                lambda ct, s=slot: sealing.reveal(vault, [s], [ct]),
            )
        )
    for parcel in parcels:
        batch = intake.find(session, parcel.place)
        assert batch is not None
        for row in intake.lines(session, batch.id, 0, batch.count):
            where = (batch.place.scope, batch.place.aad(row.i))
            out.append(
                Sealed("batch_line", batch.agency, row.ct, lambda ct, w=where: vault.open(*w, ct))
            )
    for kind in ("query", "result"):
        for row in session.execute(text(f"select id, at, detail from {kind}")):
            where = (tracker._scope(kind, row.at), row.id.bytes)
            out.append(Sealed(kind, "", row.detail, lambda ct, w=where: vault.open(*w, ct)))
    for row in session.execute(text("select id, at, sealed from judgement")):
        where = (judgements._scope(row.at), row.id.bytes)
        out.append(Sealed("judgement", "", row.sealed, lambda ct, w=where: vault.open(*w, ct)))
    return out


def test_ciphertext_swap(
    database: Database,
    tools: IntakeTools,
    parcels: list[Parcel],
    asked: list[Any],
    judged: None,
) -> None:
    with database.session() as session:
        found = everything(session, tools.index, parcels)
    assert {(s.table, sum(o.table == s.table for o in found)) for s in found} == {
        *(("assertion", 4), ("person_feature", 4), ("batch_line", 4), ("query", 2), ("result", 2)),
        ("judgement", 2),
    }
    for one in found:
        assert one.open(one.ct)
    for one, other in itertools.permutations(found, 2):
        with pytest.raises(VaultError):
            one.open(other.ct)


def test_every_sealed_column_is_tried(database: Database) -> None:
    """A new table of ciphertexts must be tried here: columns of bytes that are no hash or key.

    A report has no other row's ciphertext to be mistaken for: its additional data is its number.
    """
    known = {
        *(("assertion", "sealed"), ("person_feature", "hidden"), ("batch_line", "ct")),
        *(("query", "detail"), ("result", "detail"), ("dek", "wrapped")),
        *(("reeval_report", "detail"), ("judgement", "sealed")),
        # Those of the desk are tried in tests/complaints and tests/letters.
        *((name, "sealed") for name in ("complaint", "need", "complaint_event")),
        *(("complaint_draft", "sealed"), ("survey_sheet", "sealed"), ("letter", "sealed")),
    }
    with database.session() as session:
        rows = session.execute(
            text(
                "select table_name, column_name from information_schema.columns"
                " where table_schema = 'public' and data_type = 'bytea'"
                " and column_name in ('sealed', 'hidden', 'ct', 'detail', 'wrapped')"
            )
        ).all()
    assert set(map(tuple, rows)) == known


SWAPS = {
    "assertion": "update assertion a set sealed = b.sealed from assertion b where a.id <> b.id"
    " and a.batch_id = b.batch_id and a.batch_id = (select id from batch order by id limit 1)",
    "person_feature": "update person_feature a set hidden = b.hidden from person_feature b"
    " where a.record_id <> b.record_id and a.agency = b.agency",
    "agencies": "update person_feature a set hidden = b.hidden from person_feature b"
    " where a.source_id = b.source_id and a.agency <> b.agency",
    "columns": "update person_feature f set hidden = a.sealed from assertion a"
    " where a.id = f.assertion_id",
    "query": "update query a set detail = b.detail from query b where a.id <> b.id",
    "batch_line": "update batch_line a set ct = b.ct from batch_line b"
    " where a.batch_id = b.batch_id and a.i <> b.i",
}


def read(session: Session, name: str, tools: IntakeTools, search: Callable[[], Any]) -> None:
    """Read what was swapped, as the product does."""
    if name == "query":
        search()
    elif name == "batch_line":
        session.execute(text("update batch set state = 'accepted'"))
        for number in session.scalars(text("select id from batch")).all():
            intake_service.apply(session, number, tools, NOW)
    else:
        for one in index.find(session, Search(nik=person(1)["nik"]), tools.index):
            index.profile(session, one.person_id, tools.index)


@pytest.mark.parametrize("name", SWAPS)
def test_the_product_refuses_what_was_swapped_in_the_tables(
    database: Database,
    tools: IntakeTools,
    officer: Officer,
    door: Door,
    asked: list[Any],
    name: str,
) -> None:
    fresh = tools_of(Database(database.settings, database.engine, open_vault(database.settings)))
    at_fresh = Door(fresh.index, database.settings, door.today)
    with database.session() as session:
        assert session.execute(text(SWAPS[name])).rowcount >= 2
        with pytest.raises(VaultError):
            read(
                session,
                name,
                fresh,
                lambda: access.search(session, officer, asked[0], at_fresh, NOW),
            )
        session.rollback()
