"""The data desk over HTTP: who may, what is logged, and that a decision is one leaf and one promise."""

import re
from dataclasses import replace

import pytest
from sqlalchemy import text

from gateway.access import sessions
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer
from gateway.index import modelfile
from gateway.index import service as index
from gateway.index.arrivals import Arrival, IndexTools, Origin
from gateway.stewards import examining
from schemas.line import content_hash
from schemas.profile import Profile
from tests.index_db import people
from tests.index_db.conftest import load
from tests.web.conftest import PASSWORD, Browser

TASK = re.compile(r'action="(/meja-data/tugas/[a-z2-7]{26})"')


@pytest.fixture(scope="module")
def tools(database):
    return IndexTools(database.vault, Profile.load("payakumbuh"), modelfile.load())


@pytest.fixture(scope="module")
def conflicts(database, tools, app):
    """Eight people of the register, each a second time under another NIK."""
    said = [s for s in people.town(60) if s.agency == "dukcapil"][:8]
    again = [
        replace(s, source_id=s.source_id + "-2", values={**s.values, "nik": _next(s.values["nik"])})
        for s in said
    ]
    load(database, tools, people.batches([*said, *again], 100))
    examine(database, tools, app)
    with database.session() as session:
        for name in ("rina", "dewi"):
            new = NewOfficer(name, name.title(), "upt-kan", (Role.DATA_STEWARD,), PASSWORD)
            sessions.add_officer(session, new)
        session.commit()
    return said


def examine(database, tools, app):
    with database.session() as session:
        examining.examine(session, tools, app.extensions["titian"].clock())
        session.commit()


def _next(nik):
    return nik[:15] + str((int(nik[15]) + 1) % 10)


def count(database, table):
    with database.session() as session:
        return session.scalar(text(f"select count(*) from {table}"))


def opened(browser, kind="K02"):
    page = browser.get(f"/meja-data/sebab/{kind}").get_data(as_text=True)
    return browser.post(TASK.findall(page)[0])


@pytest.fixture(scope="module")
def others(conflicts, database, tools, app):
    """One task of nearly every other kind, with the barest records that make it."""
    one, _, three = conflicts[:3]
    two = [s for s in people.town(60) if s.agency == "dukcapil"][9]
    said = [
        two,
        replace(one, source_id="DUK-dead", values={**one.values, "vital_status": "deceased"}),
        *(
            replace(s, agency=agency, source_id=ref, values={**s.values, **more})
            for s, agency, ref, more in (
                (one, "baz", "B1", {}),
                (two, "baz", "B2", {"birth_date": "1950-05-05"}),
                (two, "baz", "B3", {}),
                (three, "dstk", "D1", {"occupation": "Pegawai Negeri Sipil"}),
            )
        ),
    ]
    load(database, tools, [(replace(o, batch_id=people.batch_id(80_000 + i)), a)
                           for i, (o, a) in enumerate(people.batches(said, 100))])  # fmt: skip
    program = {"program_code": "X-2025-01", "person": "B1"}
    for number, (agency, kind, values) in enumerate(
        (
            ("baz", "enrolment", {**program, "status": "active"}),
            ("baz", "benefit", {**program, "date": "2025-05-05", "form": "uang"}),
            ("dstk", "listing", {"person": "D1", "list_code": "DTKS", "listing_status": "active"}),
            ("baz", "household", {"household_key": "h", "basis": "ruta", "members": [
                {"person": "B1", "relation": "1"}, {"person": "B2", "relation": "1"}]}),
        )
    ):  # fmt: skip
        origin = Origin(agency, kind, people.batch_id(90_000 + number), people.AS_OF)
        arrival = Arrival(
            0, "put", f"R{number}", 1, None, content_hash(values, "put"), values, b"x" * 32
        )
        with database.session() as session:
            index.absorb(session, origin, [arrival], tools)
            session.commit()
    examine(database, tools, app)


@pytest.mark.parametrize("kind", ["K04", "K05", "K10", "K12", "K14", "K16"])
def test_a_task_of_any_kind_opens_and_says_what_can_be_decided(others, app, kind):
    browser = Browser(app)
    browser.log_in("rina")
    answer = opened(browser, kind)
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    assert 'name="verdict"' in page
    assert "Perbaiki di sumber" in page


def test_only_who_may_judge_sees_the_desk(conflicts, app):
    for name in ("petugas", "auditor"):
        other = Browser(app)
        page = other.log_in(name).get_data(as_text=True)
        assert "/meja-data" not in page
        assert other.get("/meja-data").status_code == 403
        assert other.post("/meja-data/tugas/" + "a" * 26).status_code == 403


def test_the_list_shows_causes_and_no_persons_data(conflicts, app):
    browser = Browser(app)
    assert "/meja-data" in browser.log_in("rina").get_data(as_text=True)
    page = browser.get("/meja-data").get_data(as_text=True)
    assert "Satu orang, dua NIK terdaftar" in page
    tasks = browser.get("/meja-data/sebab/K02").get_data(as_text=True)
    for said in conflicts:
        assert said.values["name_source"] not in page + tasks
        assert said.values["nik"] not in page + tasks


def test_a_task_is_logged_before_it_is_shown_and_masks_every_number(conflicts, app, database):
    browser = Browser(app)
    browser.log_in("rina")
    before = count(database, "query"), count(database, "result")
    answer = opened(browser)
    page = answer.get_data(as_text=True)
    assert (count(database, "query"), count(database, "result")) == (before[0] + 1, before[1] + 1)
    assert any(s.values["name_source"] in page for s in conflicts)
    assert not re.search(r"\b\d{16}\b", page)
    assert "Rata-rata" in page
    assert "<svg" in page
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]* src=)", page)


def test_a_decision_is_one_leaf_one_judgement_and_one_promise_and_can_be_undone(
    conflicts, app, database, tools
):
    browser = Browser(app)
    browser.log_in("rina")
    page = opened(browser)
    path = re.search(
        r'action="(/meja-data/tugas/[a-z2-7]{26}/putusan)"', page.get_data(as_text=True)
    )[1]
    query = page.request.path.rsplit("/", 1)[1]
    refused = browser.post(path, verdict="different", reason="x", query=query)
    assert refused.status_code == 422
    assert "alasan" in refused.get_data(as_text=True)
    assert count(database, "judgement") == 0
    leaves = count(database, "confirmation")
    told = browser.post(path, verdict="different", reason="dua orang berbeda", query=query)
    assert "tersimpan" in told.get_data(as_text=True)
    assert count(database, "judgement") == 1
    assert count(database, "confirmation") == leaves + 1
    with database.session() as session:
        assert session.scalar(text("select count(*) from outbox where job = 'reconcile'")) == 1
        entries = session.execute(
            text("select convert_from(entry, 'UTF8') from log_pending order by 1")
        ).scalars()
        assert any('"t":"decision"' in e for e in entries)
    again = browser.post(path, verdict="different", reason="sekali lagi saja", query=query)
    assert again.status_code == 409
    undo = re.search(
        r'action="(/meja-data/putusan/[a-z2-7]{26}/batal)"', told.get_data(as_text=True)
    )
    done = browser.post(undo[1], reason="salah tekan")
    assert "dibatalkan" in done.get_data(as_text=True)
    assert browser.post(undo[1], reason="salah tekan").status_code == 409


def test_the_second_person_confirms_with_his_password(conflicts, app, database):
    first, other = Browser(app), Browser(app)
    first.log_in("rina")
    page = opened(first)
    path = re.search(
        r'action="(/meja-data/tugas/[a-z2-7]{26}/putusan)"', page.get_data(as_text=True)
    )[1]
    first.post(
        path, verdict="same", reason="orang yang sama", query=page.request.path.rsplit("/", 1)[1]
    )
    own = first.post(path.rsplit("/", 1)[0]).get_data(as_text=True)
    assert "Anda orang pertama" in own
    other.log_in("dewi")
    shown = other.post(path.rsplit("/", 1)[0]).get_data(as_text=True)
    second = re.search(r'action="(/meja-data/putusan/[a-z2-7]{26}/kedua)"', shown)[1]
    asked = other.post(second, reason="sudah dicocokkan").get_data(as_text=True)
    sha = re.search(r'name="shown" value="([0-9a-f]{64})"', asked)[1]
    done = other.post(second, reason="sudah dicocokkan", shown=sha, password=PASSWORD)
    assert "dua orang" in done.get_data(as_text=True)
    with database.session() as session:
        assert (
            session.scalar(text("select count(*) from judgement where second_id is not null")) == 1
        )


def test_a_round_needs_its_sample(conflicts, app):
    browser = Browser(app)
    browser.log_in("rina")
    browser.get("/meja-data")
    few = browser.post("/meja-data/putaran", least="-2.0")
    assert few.status_code == 422
    assert "terlalu sedikit" in few.get_data(as_text=True)


def test_the_desk_speaks_english(conflicts, app):
    browser = Browser(app)
    browser.log_in("rina")
    browser.client.set_cookie("titian-bahasa", "en")
    page = browser.get("/meja-data").get_data(as_text=True)
    assert "One person, two registered NIKs" in page
    assert "What would move" in opened(browser).get_data(as_text=True)
