"""Time at the desk: what is late is told and nothing else, reminders, pauses, days off, samples."""

from dataclasses import replace
from datetime import date, timedelta
from types import MappingProxyType

import pytest

from gateway.access.model import Role
from gateway.complaints import (
    acting,
    criteria,
    deadlines,
    queues,
    service,
    store_queues,
    surveying,
)
from gateway.complaints.model import Actor
from gateway.complaints.queues import Bucket, Whose
from gateway.complaints.surveying import Filled
from gateway.errors import Conflict, Forbidden, NotFound, Refused
from gateway.storage import ids
from schemas.profile import Holiday
from tests.complaints.conftest import MONDAY, PROFILE, SCHOOL, Office, officer


@pytest.fixture
def office(fresh_database):
    return Office(fresh_database)


def run(office, profile=PROFILE):
    with office.database.session() as session:
        done = deadlines.run(session, replace(office.desk("system"), profile=profile))
        session.commit()
    return done


def events(office, case, name):
    return [h for h in office.history(case) if h.event == name]


def at_disdik(office):
    case = office.refer(office.register(SCHOOL).case)
    return office.act(case, "acknowledge", "agency_reviewer", 1, unit="disdik")


def test_scenario_27_what_is_late_is_told_once_and_moves_nothing(office):
    case = at_disdik(office)
    assert case.needs[0].due.on == date(2025, 11, 12)
    office.pass_days(9)
    assert run(office)["escalated"] == 0
    office.pass_days(1)
    assert [run(office)["escalated"] for _ in range(2)] == [1, 0]
    after = office.get(case)
    assert (after.ticket.state, after.needs[0].state) == ("in_service", "under_review")
    told = events(office, case, "escalate")
    assert [h.data for h in told] == [{"to": ["disdik", "steering"]}]
    with office.database.session() as session:
        seen = queues.queue(session, Whose.UNIT, None, office.desk("steering"))
    assert [i.escalated for i in seen.of(Bucket.LATE)] == [True]


def test_scenario_26_the_clock_stands_still_for_documents_and_lapses_after_two_reminders(office):
    stale = {"verdict": "unlisted", "stale": ["DSTK"]}
    case = office.register(SCHOOL, check=stale).case
    whole = case.ticket.case_due
    case = office.act(case, "request_info", "counter_officer", reason="fotokopi KK")
    assert case.ticket.due.on is None
    office.pass_days(7)
    back = office.act(case, "supply_info", "counter_officer")
    assert back.ticket.state == "registered"
    assert back.ticket.case_due == whole + timedelta(days=7)
    office.act(back, "request_info", "counter_officer", reason="masih kurang")
    seen = []
    for _ in range(30):
        office.pass_days(1)
        seen.append(run(office)["reminded"])
    assert [day for day, n in enumerate(seen, 1) if n] == [7, 21]
    assert office.get(case).ticket.state == "withdrawn"
    assert [n.state for n in office.get(case).needs] == ["cancelled"]


def test_scenario_25_a_day_off_that_is_entered_later_moves_what_is_due_with_a_line(office):
    case = at_disdik(office)
    added = {**PROFILE.holidays, date(2025, 11, 5): Holiday(date(2025, 11, 5), "cuti_bersama", "x")}
    later = replace(PROFILE, holidays=MappingProxyType(added))
    assert run(office, later)["recomputed"] == 1
    assert office.get(case).needs[0].due.on == date(2025, 11, 13)
    assert [h.data for h in events(office, case, "recompute")] == [{"due": "2025-11-13"}]
    assert run(office, later)["recomputed"] == 0


def test_what_the_coordinator_put_off_stays_and_is_reported(office):
    case = at_disdik(office)
    desk = office.desk("upt_coordinator")
    where = case.ticket.id, case.needs[0].id
    with office.database.session() as session:
        with pytest.raises(Refused):
            acting.extend(session, where, (31, "lama"), desk)
        acting.extend(session, where, (5, "menunggu data sekolah"), desk)
        session.commit()
    assert office.get(case).needs[0].due.on == date(2025, 11, 19)
    assert run(office)["recomputed"] == 0
    assert [h.data for h in events(office, case, "extend")] == [{"days": 5}]


def test_a_decline_that_nobody_objects_to_becomes_final(office):
    case = office.act(
        at_disdik(office), "decline", "agency_reviewer", 1, unit="disdik", reason="tidak sesuai"
    )
    office.pass_days(30)
    assert run(office)["finalised"] == 0
    office.pass_days(1)
    assert run(office)["finalised"] == 1
    assert office.get(case).ticket.state == "closed_unmet"


def test_scenario_22_what_comes_back_twice_is_told_to_the_coordinator(office):
    case = at_disdik(office)
    for told in (0, 1):
        case = office.act(
            case, "return_referral", "agency_reviewer", 1, unit="disdik", reason="bukan kami"
        )
        assert run(office)["escalated"] == told
        if not told:
            case = office.act(case, "re_refer", "counter_officer", 1)
            case = office.act(case, "acknowledge", "agency_reviewer", 1, unit="disdik")
    assert [h.data for h in events(office, case, "escalate")] == [{"to": ["upt_coordinator"]}]
    assert [h.reason for h in events(office, case, "return_referral")] == ["bukan kami"] * 2


def test_scenario_48_three_people_see_what_is_due_and_what_to_do(office):
    desks = [office.desk(w) for w in ("counter_officer", "field_verifier", "upt_coordinator")]
    for n in range(52):
        verdict = ("listed", "unlisted")[n % 2]
        office.register(SCHOOL, check={"verdict": verdict, "stale": []})
    office.pass_days(1)
    with office.database.session() as session:
        whole = queues.queue(session, Whose.UNIT, None, replace(desks[2], now=office.desk().now))
    assert sum(whole.counts.values()) == len(whole.items) == 52
    assert whole.counts[Bucket.TODAY] == 26
    for item in whole.items:
        assert {o.move.event for o in steps(office, item)} & {"route", "start_survey"}


def steps(office, item):
    desk = office.desk("system")
    both = Actor(("counter_officer", "field_verifier"), "upt-kan", office.desk().actor.officer_id)
    with office.database.session() as session:
        case = service.find(session, item.ticket_id, desk)
        return service.options(session, case, item.need_id, desk.by(both))


def test_an_emergency_runs_by_the_minute_and_is_flagged_once(office):
    case = office.refer(office.register(SCHOOL).case)
    with office.database.session() as session:
        acting.flag_emergency(session, case.ticket.id, "di rumah sakit", office.desk())
        session.commit()
    due = office.get(case).needs[0].due
    assert due.at == office.moment + timedelta(hours=4)
    office.moment += timedelta(hours=4, minutes=1)
    assert run(office)["escalated"] == 1
    with office.database.session() as session, pytest.raises(Conflict):
        acting.flag_emergency(session, case.ticket.id, "lagi", office.desk())


def test_a_waiting_person_is_to_be_contacted_after_90_days(office):
    case = office.act(
        at_disdik(office), "propose_next_fy", "agency_reviewer", 1, unit="disdik",
        data={"target_fy": "2026"},
    )  # fmt: skip
    need = case.needs[0]
    assert (need.state, need.target_fy, need.queue_on) == ("next_fy", 2026, MONDAY)
    office.pass_days(89)
    assert todays(office) == []
    office.pass_days(1)
    assert todays(office) == [case.ticket.number]
    with office.database.session() as session:
        where = case.ticket.id, need.id
        acting.contact(session, where, ("reached", "masih membutuhkan"), office.desk())
        session.commit()
    assert todays(office) == []


def todays(office):
    with office.database.session() as session:
        found = queues.queue(session, Whose.UNIT, None, office.desk())
        assert found.counts[Bucket.TODAY] == len(found.of(Bucket.TODAY))
    return [i.number for i in found.of(Bucket.TODAY)]


def test_scenario_11_who_surveyed_alone_decides_alone_and_is_looked_at_later(office):
    alone = officer(Role.UPT_COORDINATOR, Role.FIELD_VERIFIER)
    office.people["upt_coordinator@upt-kan"] = alone
    case = office.register(SCHOOL, check={"verdict": "unlisted", "stale": []}).case
    case = office.act(case, "start_survey", "upt_coordinator")
    answers = dict.fromkeys((q.code for q in criteria.in_force(office.today).questions), False)
    sheet = Filled(ids.new(), answers, pmks=(), notes={}, visited_on=office.today, on_paper=False)
    with office.database.session() as session:
        case = surveying.submit(session, case.ticket.id, sheet, office.desk("upt_coordinator"))
        session.commit()
    with pytest.raises(Forbidden, match="menyurvei"):
        office.act(case, "reject_criteria", "upt_coordinator", reason="mampu")
    case = office.act(
        case, "reject_criteria", "upt_coordinator", reason="mampu", single_handed=True
    )
    assert case.ticket.state == "rejected"
    with office.database.session() as session:
        (sample,) = store_queues.samples(session, 10)
        with pytest.raises(Forbidden):
            acting.review(session, sample.id, "saya sendiri", office.desk("upt_coordinator"))
        acting.review(session, sample.id, "sudah benar", office.desk("steering"))
        session.commit()
        assert store_queues.samples(session, 10) == []
        with pytest.raises(NotFound):
            acting.review(session, sample.id, "lagi", office.desk("steering"))
