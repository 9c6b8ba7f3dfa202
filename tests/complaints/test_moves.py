"""The door: a ticket from the counter to its end, and what it refuses."""

import threading

import pytest
from sqlalchemy import text

from gateway.complaints import numbers, registering
from gateway.complaints.model import Act
from gateway.complaints.service import Target, handle
from gateway.errors import Conflict, Forbidden, NotFound, Refused
from tests.complaints.conftest import DEVICE, HOUSE, LISTED, SCHOOL


def test_scenario_1_a_listed_person_is_verified_at_once(office):
    made = office.register(SCHOOL)
    assert made.case.ticket.state == "verified"
    assert made.case.ticket.body.check == LISTED
    assert numbers.read(made.case.ticket.number) == made.case.ticket.number
    pin = made.case.ticket.body.pin
    kept = bytes.fromhex(pin["salt"]), bytes.fromhex(pin["hash"])
    assert numbers.pin_holds(made.pin, *kept)
    assert [h.move for h in office.history(made.case)] == ["C01", "C02"]


def test_every_line_of_history_is_a_leaf_of_the_log(office):
    case = office.register().case
    with office.database.session() as session:
        leaves = {r.leaf for r in office.history(case)}
        found = session.scalars(text("select leaf from log_pending")).all()
    assert leaves <= {bytes(leaf) for leaf in found}


def test_scenario_7_a_complaint_closes_when_both_needs_have_ended(office):
    case = office.refer(office.refer(office.register(SCHOOL, DEVICE).case, 1), 2)
    assert case.ticket.state == "in_service"
    assert [n.agency for n in case.needs] == ["disdik", "dinkes"]
    for n, unit in ((1, "disdik"), (2, "dinkes")):
        case = office.act(case, "acknowledge", "agency_reviewer", n, unit=unit)
    case = office.act(case, "decline", "agency_reviewer", 1, unit="disdik", reason="tidak sesuai")
    case = office.act(case, "cancel", "counter_officer", 2, reason="dibatalkan")
    assert case.ticket.state == "in_service"
    office.pass_days(31)
    case = office.act(case, "finalise_decline", "upt_coordinator", 1)
    assert case.ticket.state == "closed_unmet"


def test_all_cancelled_is_withdrawn_and_not_unmet(office):
    case = office.refer(office.register(SCHOOL).case)
    assert office.act(case, "cancel", "system", 1, reason="pindah").ticket.state == "withdrawn"


def test_a_withdrawn_ticket_that_is_resumed_asks_for_the_same_anew(office):
    case = office.register(SCHOOL).case
    case = office.act(case, "withdraw", "counter_officer", reason="mundur")
    assert [n.state for n in case.needs] == ["cancelled"]
    case = office.act(case, "resume", "upt_coordinator", reason="kembali")
    assert case.ticket.state == "registered"
    assert [n.state for n in case.needs] == ["cancelled", "proposed"]


def test_scenario_5_an_open_ticket_for_the_same_need_leads_to_a_note(office):
    who = {"nik": "1376015410900002"}
    first = office.register(SCHOOL, person=who).case
    with pytest.raises(Conflict) as told:
        office.register(SCHOOL, person=who)
    assert told.value.details == {"number": first.ticket.number}
    other = office.register(HOUSE, person=who)
    again = office.register(SCHOOL, person=who, note="anak kedua")
    running = [int(c.ticket.number[9:15]) for c in (first, other.case, again.case)]
    assert running == [running[0], running[0] + 1, running[0] + 2]


def test_the_numbers_have_no_gap_when_a_registration_is_rolled_back(office):
    before = office.register().case.ticket.number
    with office.database.session() as session:
        registering.register(session, office.registration(), office.desk())
        session.rollback()
    assert int(office.register().case.ticket.number[9:15]) == int(before[9:15]) + 1


def test_scenario_22_the_second_of_two_who_decide_is_told(office):
    case = office.refer(office.register(SCHOOL).case)
    office.act(case, "acknowledge", "agency_reviewer", 1, unit="disdik")
    with pytest.raises(Conflict) as told:
        office.act(case, "acknowledge", "agency_reviewer", 1, unit="disdik")
    assert told.value.details["state"] == "under_review"


def test_two_at_the_same_moment_make_one_move(office):
    case = office.register(SCHOOL).case
    said = []

    def one():
        try:
            with office.database.session() as session:
                target = Target(case.ticket.id, case.needs[0].id)
                handle(session, target, Act("issue_referral"), office.desk())
                session.commit()
            said.append("done")
        except Conflict:
            said.append("told")

    threads = [threading.Thread(target=one) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(said) == ["done", "told"]
    assert sum(h.move == "N01" for h in office.history(case)) == 1


@pytest.mark.parametrize(
    ("event", "who", "unit", "refused"),
    [
        ("route", "field_verifier", "upt-kan", Forbidden),
        ("accept_poor", "upt_coordinator", "upt-kan", Conflict),
        ("withdraw", "counter_officer", "upt-kan", Refused),
        ("route", "agency_reviewer", "disdik", NotFound),
        ("route", "auditor", "upt-kan", NotFound),
    ],
    ids=["role", "state", "no reason", "not theirs", "nobody's business"],
)
def test_what_the_door_refuses(office, event, who, unit, refused):
    case = office.register(SCHOOL).case
    with pytest.raises(refused):
        office.act(case, event, who, unit=unit)
    assert office.get(case).ticket.state == "verified"


def test_another_agency_cannot_decide(office):
    case = office.refer(office.refer(office.register(SCHOOL, DEVICE).case, 1), 2)
    with pytest.raises(Forbidden, match="instansi lain"):
        office.act(case, "acknowledge", "agency_reviewer", 1, unit="dinkes")


def test_scenario_9_with_stale_data_the_ticket_waits_or_is_surveyed_with_a_reason(office):
    stale = {"verdict": "unlisted", "stale": ["DSTK"]}
    case = office.register(SCHOOL, check=stale).case
    assert case.ticket.state == "registered"
    with pytest.raises(Conflict, match="DSTK basi"):
        office.act(case, "match_none", "system")
    case = office.act(case, "survey_on_stale_data", "counter_officer", reason="mendesak")
    assert case.ticket.state == "survey_queued"
    fresh = office.register(SCHOOL, check={"verdict": "unlisted", "stale": []}).case
    assert fresh.ticket.state == "survey_queued"


def test_nothing_typed_stands_open_in_the_tables(office):
    case = office.register(SCHOOL, person={"name": "Zubaidah Rahasia"}).case
    office.act(case, "withdraw", "counter_officer", reason="Zubaidah pindah")
    with office.database.session() as session:
        for table in ("complaint", "need", "complaint_event"):
            rows = session.scalars(text(f"select t::text from {table} t")).all()
            seen = "".join(rows)
            assert "Zubaidah" not in seen
            assert b"Zubaidah".hex() not in seen
            assert case.ticket.body.phone not in seen
