"""Letters and surveys on the pages, without JavaScript: from a referral to paper, from a visit to data."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from gateway.access import sessions
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer
from gateway.trust import approvals, house
from gateway.trust import query as trust
from gateway.trust.model import AgencyDraft, Approver
from tests.letters.test_press import words
from tests.web.conftest import PASSWORD, Browser
from tests.web.test_counter import NUMBER, PIN, desk, make_ticket, page, town

__all__ = ["desk", "town"]

HOSTILE = "#panic(1) *Siti* <script>alert(1)</script>"
YES = ("q_floor", "q_wall", "q_hunger")
ASKED = (
    *("no_shelter", "head_not_working", "hunger", "food_spending", "no_clothing", "floor"),
    *("wall", "no_toilet", "light"),
)


@pytest.fixture(scope="module")
def staff(app, database):
    now = datetime.now(UTC) - timedelta(minutes=5)
    draft = AgencyDraft("upt-kan", "UPT-KAN", house.RECORDS, "survei", "clerk")
    with database.session() as session:
        roles = (Role.FIELD_VERIFIER,)
        sessions.add_officer(session, NewOfficer("sari", "Sari", "upt-kan", roles, PASSWORD))
        roles = (Role.AGENCY_REVIEWER,)
        sessions.add_officer(session, NewOfficer("dina", "Dina", "disdik", roles, PASSWORD))
        house.enrol(session, draft, database.settings, database.vault, now)
        groups = " ".join(str(trust.agency(session, "upt-kan").fingerprint).split()[-2:])
        for who, role in (("registrar", "key_admin"), ("delegate", "mayor_delegate")):
            approvals.approve(session, "upt-kan", Approver(who, role), groups, now)
        session.commit()

    def log_in(username):
        found = Browser(app)
        found.log_in(username)
        return found

    return log_in


@pytest.fixture(scope="module")
def referred(app, town, database):
    """A listed person's ticket, referred; its receipt."""
    with database.session() as session:
        session.execute(text("delete from look_rate"))
        session.commit()
    browser = Browser(app)
    browser.log_in("petugas")
    receipt = make_ticket(browser, town[0], name=HOSTILE)
    number = NUMBER.search(receipt)[0]
    browser.post(f"/tiket/{number}/rujuk")
    return number, PIN.search(receipt)[1]


def letter_of(browser, number):
    found = page(browser.get(f"/tiket/{number}"))
    return re.search(r'action="(/surat/\w{26})"', found)[1]


def test_one_button_from_a_referred_ticket_to_its_letter(desk, referred, town):
    number, _ = referred
    where = letter_of(desk, number)
    first = desk.post(where, paper="f4")
    assert first.content_type == "application/pdf"
    said = words(first.data)
    assert "460/1/UPT-KAN/XI/2025" in said
    assert HOSTILE in said
    assert "DTSEN" in said
    assert town[0].values["nik"] not in said
    assert town[0].values["nik"] in words(desk.post(where, **{"for": "instansi"}).data)
    assert "CETAK ULANG KE-2" in words(desk.post(where).data)
    assert "3 kali" in page(desk.get(f"/tiket/{number}"))


def test_the_receipt_carries_the_pin_of_this_ticket_or_none(desk, referred):
    number, pin = referred
    where = f"/surat/tiket/{number}/tanda-terima"
    assert pin in words(desk.post(where, pin=pin).data)
    assert "sudah diberikan" in words(desk.post(where).data)
    wrong = "000000" if pin != "000000" else "000001"
    assert desk.post(where, pin=wrong).status_code == 422
    assert desk.post(f"/surat/tiket/{number}/lain").status_code == 404


def test_scenario_23_a_stranger_learns_that_the_letter_is_ours_and_a_word(app, desk, referred):
    number, _ = referred
    with app.extensions["titian"].sessions() as session:
        code = session.scalar(text("select code from letter order by id limit 1"))
    stranger = Browser(app).get(f"/s/{code}")
    said = page(stranger)
    assert "Surat ini asli" in said
    assert "Dirujuk" in said
    assert "panic" not in said
    assert number not in said
    assert Browser(app).get("/s/aaaaaaaaaaaaaaaa").status_code == 404
    assert desk.get(f"/s/{code}").location.endswith(f"/tiket/{number}")


def test_an_agency_prints_no_letter_of_the_house_and_a_verifier_none_with_a_nik(
    staff, desk, referred
):
    where = letter_of(desk, referred[0])
    assert staff("sari").post(where, **{"for": "instansi"}).status_code == 403
    assert staff("dina").post(where).status_code == 403
    assert staff("dina").get("/survei").status_code == 403


def test_scenario_48_the_hand_over_is_one_page(desk, referred):
    printed = desk.post("/surat/serah-terima", paper="f4")
    said = words(printed.data)
    assert "Serah terima harian" in said
    assert said.rstrip().endswith("1 / 1")


def unlisted(desk, said):
    number = NUMBER.search(make_ticket(desk, said))[0]
    desk.post(f"/tiket/{number}/langkah", event="survey_on_stale_data", reason="mendesak")
    return number


def filled(form, *yes, **more):
    sheet = re.search(r'name="sheet" value="(\w+)"', form)[1]
    answers = {f"q_{c}": "ya" if f"q_{c}" in yes else "tidak" for c in ASKED}
    return {"sheet": sheet, "visited_on": "2025-11-01", **answers, **more}


def test_scenario_9_and_10_from_an_unlisted_person_to_data_of_our_own(staff, desk, town, database):
    number = unlisted(desk, town[8])
    form = words(desk.post(f"/surat/tiket/{number}/formulir-survei").data)
    assert "Lantai rumah sebagian besar tanah" in form
    sari, boss = staff("sari"), staff("koordinator")
    assert number in page(sari.get("/survei"))
    sheet = page(sari.get(f"/survei/{number}"))
    half = filled(sheet, *YES, witness=HOSTILE)
    del half["q_light"]
    missing = sari.post(f"/survei/{number}", **half)
    assert missing.status_code == 422
    assert "Jawab setiap pertanyaan" in page(missing)
    assert re.search(r'name="q_floor" value="ya" checked', page(missing))
    kept = filled(page(missing), *YES, witness=HOSTILE, on_paper="on")
    assert "tersimpan" in page(sari.post(f"/survei/{number}", **kept))
    assert sari.post(f"/survei/{number}", **kept).status_code == 200
    review = page(boss.get(f"/survei/{number}/telaah"))
    assert "diinput 3 November 2025" in review
    assert "3 tanda terpenuhi" in review
    assert "<script>alert" not in review
    assert "accept_pmks_not_poor" not in review
    done = page(boss.post(f"/survei/{number}/putusan", verdict="accept_poor"))
    assert "Terverifikasi" in done
    with database.session() as session:
        rows = session.scalars(
            text("select record_type from batch where agency = 'upt-kan' order by seq")
        ).all()
    assert rows == ["person", "listing"]


def test_scenario_12_who_is_rejected_gets_a_letter(staff, desk, town):
    number = unlisted(desk, town[9])
    sari, boss = staff("sari"), staff("koordinator")
    sari.post(f"/survei/{number}", **filled(page(sari.get(f"/survei/{number}")), "q_floor"))
    silent = boss.post(f"/survei/{number}/putusan", verdict="reject_criteria")
    assert silent.status_code == 422
    boss.post(f"/survei/{number}/putusan", verdict="reject_criteria", reason="Rumah layak huni")
    said = words(boss.post(letter_of(boss, number)).data)
    assert "460/1/UPT-KAN.TL/XI/2025" in said
    assert "Rumah layak huni" in said
    assert "3 Desember 2025" in said


@pytest.mark.parametrize(
    ("change", "status"),
    [({"visited_on": "kemarin"}, 422), ({"sheet": "x"}, 404), ({"visited_on": "2030-01-01"}, 422)],
)
def test_what_a_sheet_may_not_say_is_said_and_nothing_is_kept(staff, desk, town, change, status):
    number = unlisted(desk, town[10])
    sari = staff("sari")
    given = filled(page(sari.get(f"/survei/{number}")), *YES)
    assert sari.post(f"/survei/{number}", **{**given, **change}).status_code == status
    assert "Antre Survei" in page(desk.get(f"/tiket/{number}"))
    desk.post(f"/tiket/{number}/langkah", event="withdraw", reason="uji selesai")


def test_the_script_hears_which_sheet_was_kept(staff, desk, town):
    number = unlisted(desk, town[11])
    sari = staff("sari")
    given = filled(page(sari.get(f"/survei/{number}")), *YES)
    headers = {"Origin": "http://localhost", "X-Titian-Csrf": sari.csrf}
    for _ in range(2):
        answer = sari.client.post(f"/survei/{number}", data=given, headers=headers)
        assert answer.json == {"kept": given["sheet"]}
    other = {**given, "sheet": "a" * 26}
    answer = sari.client.post(f"/survei/{number}", data=other, headers=headers)
    assert (answer.status_code, answer.json["kept"]) == (409, "")


def test_a_huge_form_is_refused_and_says_so(staff, desk, town):
    number = unlisted(desk, town[12])
    sari = staff("sari")
    given = filled(page(sari.get(f"/survei/{number}")), *YES)
    assert sari.post(f"/survei/{number}", **given, remarks="x" * 200_000).status_code == 413
