"""The counter without JavaScript: from a search to a referred ticket, drafts, tracking, filing."""

import re

import pytest
from sqlalchemy import text

from gateway.access import sessions
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer
from gateway.index import modelfile
from gateway.index import service as index
from gateway.index.arrivals import Arrival, IndexTools, Origin
from schemas.line import content_hash
from schemas.profile import Profile
from tests.index_db import people
from tests.index_db.conftest import load
from tests.web.conftest import PASSWORD, Browser

NUMBER = re.compile(r"PKN-\d{4}-\d{6}-\d")
PIN = re.compile(r'class="secret num">(\d{6})<')
HOSTILE = "<script>alert(1)</script> O'Neil"


def give_listing(database, tools, said, number=1):
    values = {
        "person": {"id": said.source_id},
        "list_code": "DTSEN",
        "list_period": "2025",
        "desil": 2,
        "listing_status": "active",
    }
    values["person"] = said.source_id
    origin = Origin(said.agency, "listing", people.batch_id(9_000_000 + number), people.AS_OF)
    one = Arrival(0, "put", f"L{number}", 1, None, content_hash(values, "put"), values, b"x" * 32)
    with database.session() as session:
        index.absorb(session, origin, [one], tools)
        session.commit()


@pytest.fixture(scope="module")
def town(database):
    tools = IndexTools(database.vault, Profile.load("payakumbuh"), modelfile.load())
    said = people.town(40)
    load(database, tools, people.batches(said, 200))
    listed = [s for s in said if s.agency == "dukcapil"]
    give_listing(database, tools, listed[0])
    return listed


@pytest.fixture
def desk(app, town, database):
    with database.session() as session:
        session.execute(text("delete from look_rate"))
        session.commit()
    browser = Browser(app)
    browser.log_in("petugas")
    return browser


def page(answer):
    return answer.get_data(as_text=True)


def open_draft(desk, said):
    found = page(desk.post("/cari", q=said.values["nik"], purpose="pengaduan_baru"))
    person = re.search(r'name="person" value="(\w+)"', found)[1]
    profile = page(desk.post("/profil", person=person, purpose="pengaduan_baru"))
    query = re.search(r'name="profile" value="(\w+)"', profile)[1]
    return page(desk.post("/pengaduan/baru", profile=query))


def where(form):
    return re.search(r'action="(/pengaduan/draf/\w+)"', form)[1]


def fields_of(form):
    found = dict(re.findall(r'<input id="\w+" name="(\w+)"[^>]* value="([^"]*)"', form))
    chosen = re.search(r'<option value="([\d.]+)" selected>', form)
    found["kelurahan"] = chosen[1] if chosen else "13.76.01.1021"  # the town has invented ones
    return found


def test_the_form_does_not_show_the_nik_that_nobody_revealed(desk, town):
    form = open_draft(desk, town[12])
    assert town[12].values["nik"] not in form
    assert f"•••• {town[12].values['nik'][-4:]}" in form


def make_ticket(desk, said, **more):
    form = open_draft(desk, said)
    given = {**fields_of(form), "need": "tunggakan_sekolah", "narrative": "menunggak", **more}
    return page(desk.post(where(form), **given))


def test_scenario_1_from_a_nik_to_a_referred_ticket(desk, town):
    receipt = make_ticket(desk, town[0], note="uji")
    number, pin = NUMBER.search(receipt)[0], PIN.search(receipt)[1]
    assert "<svg" in receipt
    assert town[0].values["nik"] not in receipt
    ticket = page(desk.get(f"/tiket/{number}"))
    assert "Terverifikasi" in ticket
    assert "DTSEN desil 2" in ticket
    assert town[0].values["nik"] not in ticket
    referred = page(desk.post(f"/tiket/{number}/rujuk"))
    assert "Dalam Layanan" in referred
    assert "Dirujuk" in referred
    assert number in page(desk.post("/cari", q=number.lower(), purpose="pengaduan_baru"))
    queue = page(desk.get("/antrean?siapa=saya"))
    assert number in queue
    tracked = page(Browser(desk.client.application).post("/lacak", number=number, pin=pin))
    assert "<strong>Dirujuk</strong>" in tracked
    assert town[0].values["name_source"] not in tracked


def test_an_unlisted_person_is_queued_for_a_survey_or_waits_for_fresh_data(desk, town):
    ticket = make_ticket(desk, town[1])
    number = NUMBER.search(ticket)[0]
    waiting = page(desk.get(f"/tiket/{number}"))
    assert "Tercatat" in waiting
    assert "basi" in waiting
    surveyed = page(
        desk.post(f"/tiket/{number}/langkah", event="survey_on_stale_data", reason="mendesak")
    )
    assert "Antre Survei" in surveyed


def test_somebody_whom_nobody_knows_is_registered_from_the_search(desk):
    found = page(desk.post("/cari", q="Xyzzq Plughh", purpose="pengaduan_baru"))
    query = re.search(r'name="search" value="(\w+)"', found)[1]
    form = page(desk.post("/pengaduan/baru", search=query))
    given = {"name": "Xyzzq Plughh", "kelurahan": "13.76.01.1021", "need": "rutilahu"}
    refused = page(desk.post(where(form), **given))
    assert "Isi NIK atau tanggal lahir" in refused
    assert 'value="Xyzzq Plughh"' in refused
    receipt = page(desk.post(where(form), **given, birth_date="3-4-1970"))
    assert NUMBER.search(receipt)


def test_scenario_4_an_impossible_nik_is_named_and_nothing_is_made(desk, database):
    form = page(desk.post("/pengaduan/baru"))
    given = {"name": "Rina", "kelurahan": "13.76.01.1021", "need": "lain", "birth_date": "1-1-1980"}
    before = count(database)
    answer = page(desk.post(where(form), **given, nik="1376019913900002"))
    assert "bukan tanggal lahir yang mungkin" in answer
    assert "1376019913900002" in answer
    assert count(database) == before


def count(database):
    with database.session() as session:
        return session.scalar(text("select count(*) from complaint"))


def test_scenario_5_a_second_ticket_leads_to_a_note(desk, town, database):
    first = NUMBER.search(make_ticket(desk, town[2]))[0]
    before = count(database)
    again = make_ticket(desk, town[2])
    assert f"Sudah ada tiket {first}" in again
    assert f'href="/tiket/{first}#catatan"' in again
    assert count(database) == before
    noted = page(desk.post(f"/tiket/{first}/catatan", reason="Anak kedua juga menunggak"))
    assert "Anak kedua juga menunggak" in noted


def test_scenario_6_a_draft_outlives_the_browser_and_two_clicks_make_one_ticket(desk, town, app):
    form = open_draft(desk, town[3])
    desk.post(where(form) + "/simpan", name="Rina", narrative="baru setengah", need="beasiswa")
    other = Browser(app)
    other.log_in("petugas")
    assert where(form).rsplit("/", 1)[1] in page(other.get("/pengaduan"))
    kept = page(other.get(where(form)))
    assert "baru setengah" in kept
    assert re.search(r'value="beasiswa" checked', kept)
    given = {**fields_of(form), "need": "beasiswa"}
    one, two = (page(other.post(where(form), **given)) for _ in range(2))
    assert NUMBER.search(one)[0] == NUMBER.search(two)[0]
    assert PIN.search(one)
    assert not PIN.search(two)


def test_a_draft_is_seen_by_its_officer_alone(desk, town, app):
    form = open_draft(desk, town[4])
    other = Browser(app)
    other.log_in("koordinator")
    assert other.get(where(form)).status_code == 404


def test_scenario_7_two_needs_for_two_people_on_one_ticket(desk, town):
    receipt = make_ticket(desk, town[5], more_0="alat_bantu", more_for_0="Pak Zul", note="uji lagi")
    ticket = page(desk.get(f"/tiket/{NUMBER.search(receipt)[0]}"))
    assert "Tunggakan sekolah" in ticket
    assert "Alat bantu disabilitas · Pak Zul" in ticket


def test_scenario_8_a_backlog_form_is_late_entry_and_its_clock_starts_today(desk, town):
    receipt = make_ticket(desk, town[6], received_on="1-10-2025")
    ticket = page(desk.get(f"/tiket/{NUMBER.search(receipt)[0]}"))
    assert "data lama" in ticket
    assert "1 Oktober 2025" in ticket
    assert "4 November 2025" in ticket


def test_what_is_typed_is_never_markup(desk, town):
    receipt = make_ticket(desk, town[7], narrative=HOSTILE, behalf_name=HOSTILE, name=HOSTILE)
    ticket = page(desk.get(f"/tiket/{NUMBER.search(receipt)[0]}"))
    assert "<script>alert" not in ticket
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in ticket


def test_scenario_39_unknown_and_wrong_answer_alike_and_the_sixth_try_is_refused(desk, town):
    number = NUMBER.search(make_ticket(desk, town[8]))[0]
    wrong = replace_pin(desk, number, "000000")
    unknown = replace_pin(desk, "PKN-2025-999999-0", "000000")
    assert (wrong[0], wrong[1].replace(number, "")) == (
        unknown[0],
        unknown[1].replace("PKN-2025-999999-0", ""),
    )
    seen = [replace_pin(desk, number, "000000")[0] for _ in range(5)]
    assert seen[-1] == 429
    assert "Terlalu banyak percobaan" in replace_pin(desk, number, "000000")[1]


def replace_pin(desk, number, pin):
    answer = Browser(desk.client.application).post("/lacak", number=number, pin=pin)
    return answer.status_code, page(answer)


def test_a_citizen_files_from_a_phone_and_an_officer_confirms(desk, app, database):
    with database.session() as session:
        session.execute(text("delete from tracking_try"))
        session.commit()
    stranger = Browser(app)
    given = {"name": "Ibu Yanti", "kelurahan": "13.76.01.1021", "need": "bantuan_sosial"}
    refused = stranger.post("/lapor", **given, birth_date="2-2-1960")
    assert refused.status_code == 422
    assert "Tuliskan nomor telepon" in page(refused)
    sent = page(stranger.post("/lapor", **given, birth_date="2-2-1960", phone="0812 3456 7890"))
    assert "Petugas menghubungi Anda" in sent
    listed = page(desk.get("/pengaduan"))
    assert "Ibu Yanti" in listed
    draft = re.search(r'href="(/pengaduan/draf/\w+)">Ibu Yanti', listed)[1]
    form = page(desk.get(draft))
    assert "dikirim warga" in form
    receipt = page(desk.post(draft, **given, birth_date="2-2-1960", channel="portal"))
    assert NUMBER.search(receipt)


def test_a_strangers_pages_need_no_login_and_tell_nothing(app):
    stranger = Browser(app)
    for path in ("/lacak", "/lapor"):
        assert stranger.get(path).status_code == 200
    for path in ("/pengaduan", "/antrean", "/tiket/PKN-2025-000001-9"):
        assert stranger.get(path).status_code == 303


def test_a_restricted_case_is_not_there_for_others(desk, town, app, database):
    with database.session() as session:
        new = NewOfficer("lain", "Lain", "upt-kan", (Role.COUNTER_OFFICER,), PASSWORD)
        sessions.add_officer(session, new)
        session.commit()
    number = NUMBER.search(make_ticket(desk, town[9], restricted="on"))[0]
    other = Browser(app)
    other.log_in("lain")
    assert other.get(f"/tiket/{number}").status_code == 404
    assert number not in page(other.get("/antrean"))
    boss = Browser(app)
    boss.log_in("koordinator")
    assert number in page(boss.get("/antrean"))
    assert "terbatas" in page(boss.get(f"/tiket/{number}"))


def test_the_hand_over_and_bulk_work(desk, town):
    number = NUMBER.search(make_ticket(desk, town[10]))[0]
    assert "Serah terima" in page(desk.get("/antrean/serah-terima"))
    ticket = re.search(r'name="ticket" value="(\w+)"[^>]*' + number, page(desk.get("/antrean")))[1]
    done = page(desk.post("/antrean/massal", ticket=ticket, act="assign", siapa="saya"))
    assert "1 selesai, 0 tidak dapat" in done
    left = page(desk.post("/antrean/massal", ticket=ticket, act="refer", siapa="saya"))
    assert "0 selesai, 1 tidak dapat" in left


def test_a_single_handed_decision_stands_in_the_sample_until_somebody_looked(
    desk, town, app, database
):
    alone = (Role.UPT_COORDINATOR, Role.FIELD_VERIFIER, Role.COUNTER_OFFICER)
    with database.session() as session:
        new = NewOfficer("sendiri", "Sendiri", "upt-kan", alone, PASSWORD)
        sessions.add_officer(session, new)
        session.commit()
    one = Browser(app)
    one.log_in("sendiri")
    number = NUMBER.search(make_ticket(one, town[11]))[0]
    one.post(f"/tiket/{number}/langkah", event="survey_on_stale_data", reason="sendiri")
    form = page(one.get(f"/survei/{number}"))
    answers = dict.fromkeys(re.findall(r'name="(q_\w+)"', form), "tidak")
    sheet = re.search(r'name="sheet" value="(\w+)"', form)[1]
    one.post(f"/survei/{number}", sheet=sheet, visited_on="2025-11-01", **answers)
    given = {"verdict": "reject_criteria", "reason": "mampu"}
    alone = page(one.post(f"/survei/{number}/putusan", **given))
    assert "Anda sendiri yang menyurvei" in alone
    done = page(one.post(f"/survei/{number}/putusan", **given, single="on"))
    assert "Ditolak – Tidak Memenuhi Kriteria" in done
    boss = Browser(app)
    boss.log_in("koordinator")
    listed = page(boss.get("/antrean"))
    review = re.search(r'action="(/antrean/uji-petik/\w+)"', listed)[1]
    assert "uji-petik" not in page(boss.post(review, reason="sudah benar"))
