"""The agencies' desks: lists, batches, the turn of the year, an agency that leaves, the digest."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from gateway.complaints import batch, digest, inbox, leaving, year
from gateway.complaints.clock import Now
from gateway.complaints.model import SYSTEM_ACTOR, Act, Desk
from gateway.complaints.service import Target, handle
from gateway.errors import Conflict, Forbidden
from gateway.programs import query
from gateway.storage.engine import sessions
from tests.complaints.conftest import DEVICE, PROFILE, SCHOOL
from tests.complaints.test_promising import ARREARS, approve, opened
from tests.programs.conftest import index_tools, publish
from workers import programs as duties
from workers import schedule

__all__ = ["index_tools", "publish"]


@pytest.fixture(scope="module")
def catalogue(publish):
    publish({**ARREARS, "program_code": "disdik-2025-04"})
    publish({**ARREARS, "program_code": "dinkes-2025-02", "need_kinds": [DEVICE],
             "bidang": "KESEHATAN", "quota_total": 3})  # fmt: skip
    publish({**ARREARS, "program_code": "disdik-2025-09", "need_kinds": ["beasiswa"],
             "quota_total": 0})  # fmt: skip


def test_an_agency_sees_its_own_most_urgent_first_and_no_name(office, catalogue):
    calm = opened(office)
    urgent = office.register(SCHOOL, emergency="dirawat di rumah sakit").case
    urgent = office.act(urgent, "issue_referral", "counter_officer", 1)
    opened(office, DEVICE, "dinkes")
    with office.database.session() as session:
        found = inbox.of_agency(session, inbox.TO_REVIEW, office.desk("agency_reviewer", "disdik"))
    assert [line.number for line in found] == [urgent.ticket.number, calm.ticket.number]
    assert found[0].emergency
    assert found[1].days == 7
    assert "Rosmaini" not in repr(found)


@pytest.mark.parametrize("who", ["counter_officer", "mayor_delegate", "auditor"])
def test_who_sits_at_no_agency_has_no_desk_there(office, who):
    with office.database.session() as session:
        with pytest.raises(Forbidden):
            inbox.of_agency(session, inbox.TO_REVIEW, office.desk(who))
        if who != "mayor_delegate":
            with pytest.raises(Forbidden):
                inbox.for_mayor(session, office.desk(who))


def recommended(office):
    case = opened(office, DEVICE, "dinkes")
    data = {"amount_idr": 500_000}
    return office.act(case, "recommend_to_mayor", "agency_reviewer", 1, unit="dinkes", data=data)


def decree(office, cases, number="SK-9/2025"):
    acts = [
        (Target(c.ticket.id, c.needs[0].id), Act("mayor_approve", data={"decree": number}))
        for c in cases
    ]
    with office.database.session() as session:
        found = batch.decide(session, acts, office.desk("mayor_delegate"))
        session.commit()
    return found


def test_scenario_16_a_batch_under_one_decree_and_what_does_not_fit_is_told_alone(
    office, catalogue
):
    cases = [recommended(office) for _ in range(5)]
    with office.database.session() as session:
        waiting = inbox.for_mayor(session, office.desk("mayor_delegate"))
    assert {c.ticket.number for c in cases} == {line.number for line in waiting}
    found = decree(office, cases)
    told = [o.problem.code for o in found if o.problem]
    assert told == ["program.full", "program.full"]
    states = [office.get(c).needs[0].state for c in cases]
    assert sorted(states) == ["approved"] * 3 + ["awaiting_mayor"] * 2
    approved = next(c for c in cases if office.get(c).needs[0].state == "approved")
    assert office.history(approved)[-1].data == {"decree": "SK-9/2025"}
    again = decree(office, [approved])
    assert again[0].problem.code == "ticket.moved_on"


def test_two_who_decide_the_same_need_at_once_are_one_decision(office, catalogue):
    case = opened(office)
    acts = {"approve": {"data": {"amount_idr": 500_000}}, "decline": {"reason": "tidak sesuai"}}
    desks = {event: office.desk("agency_reviewer", "disdik") for event in acts}

    def act(event):
        with office.database.session() as session:
            try:
                target = Target(case.ticket.id, case.needs[0].id)
                handle(session, target, Act(event, **acts[event]), desks[event])
                session.commit()
            except Conflict as late:
                return late.code, late.details["state"]
        return "done", ""

    with ThreadPoolExecutor(2) as pool:
        found = sorted(pool.map(act, acts))
    assert found[0] == ("done", "")
    assert found[1][0] == "ticket.moved_on"
    assert found[1][1] == office.get(case).needs[0].state


def waiting(office, n):
    """Tickets put off to next year, and as many on the waiting list."""
    off, queued = [], []
    for _ in range(n):
        case = opened(office, "beasiswa")
        off.append(office.act(case, "propose_next_fy", "agency_reviewer", 1, unit="disdik",
                              data={"target_fy": 2026, "amount_idr": 450_000}))  # fmt: skip
        queued.append(
            office.act(opened(office, "beasiswa"), "queue", "agency_reviewer", 1, unit="disdik")
        )
    return off, queued


def at(office, today):
    return Desk(
        SYSTEM_ACTOR, office.database.vault, PROFILE, Now(today, datetime(2026, 1, 1, tzinfo=UTC))
    )


def test_scenario_24_the_year_turns_once_however_often_it_runs(office, catalogue):
    off, queued = waiting(office, 3)
    before = [c.needs[0].queue_on for c in (*off, *queued)]
    turned = []
    for today in (date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 1), date(2026, 1, 2)):
        moved = 2
        done = {"moved": 0, "carried": 0}
        while moved == 2:
            with office.database.session() as session:
                found = year.turn(session, at(office, today), limit=2)
                session.commit()
            moved = found["moved"]
            done = {k: done[k] + found[k] for k in done}
        turned.append(done)
    assert turned[0] == {"moved": 0, "carried": 3}  # this year's list, as yet
    assert turned[1] == {"moved": 3, "carried": 3}
    assert turned[2] == turned[3] == {"moved": 0, "carried": 0}
    after = [office.get(c).needs[0] for c in (*off, *queued)]
    assert {n.state for n in after} == {"waiting_list"}
    assert {n.target_fy for n in after} == {2026}
    assert [n.queue_on for n in after] == before
    assert [h.event for h in office.history(off[0])].count("fy_rollover") == 1
    with office.database.session() as session:
        (wished,) = year.budget(session, 2026)
    assert (wished.agency, wished.kind, wished.needs) == ("disdik", "beasiswa", 6)
    assert (wished.amount_idr, wished.unknown) == (3 * 450_000, 3)


@pytest.fixture
def work(office, tmp_path):
    """The duties as a worker runs them, on a folder for the digests."""
    made = {}
    held = SimpleNamespace(
        sessions=sessions(office.database.engine),
        vault=office.database.vault,
        profile=PROFILE,
        settings=SimpleNamespace(digest_folder=str(tmp_path / "post")),
    )

    def task(name):
        return lambda duty: made.setdefault(name, duty)

    duties.register(task, lambda: held, lambda: office.moment)
    return made


def test_an_agency_that_left_hands_back_what_was_open(office, publish, work):
    publish({**ARREARS, "program_code": "dukcapil-2025-01", "bidang": "PENDIDIKAN"})
    referred = office.register(SCHOOL).case
    referred = office.act(
        referred, "issue_referral", "counter_officer", 1, data={"agency": "dukcapil"}
    )
    promised = approve(
        office, opened(office, unit="dukcapil"), "dukcapil", program_code="dukcapil-2025-01"
    )
    with office.database.session() as session:
        session.execute(
            text(
                "insert into agency (code, label, state, created_by, created_at) values ('dukcapil', 'X', 'active', 'x', now())"
            )
        )
        session.commit()
    work[schedule.HAND_OVER]()
    assert office.get(referred).needs[0].state == "referred", "it has not left"
    with office.database.session() as session:
        session.execute(text("update agency set state = 'left' where code = 'dukcapil'"))
        session.commit()
    for _ in range(2):
        work[schedule.HAND_OVER]()
    assert office.get(referred).needs[0].state == "returned"
    assert office.get(promised).needs[0].state == "waiting_list"
    with office.database.session() as session:
        assert query.truth_of(session, "dukcapil-2025-01").reserved == 0
    last = office.history(referred)[-1]
    assert (last.role, last.officer_id, last.reason) == ("agency_reviewer", None, leaving.REASON)


def test_the_digest_counts_and_names_nobody(office, catalogue, work, tmp_path):
    case = opened(office)
    work[schedule.DIGEST]()
    folder = tmp_path / "post"
    names = sorted(p.name for p in folder.iterdir())
    assert "2025-11-03-disdik.txt" in names
    said = (folder / "2025-11-03-disdik.txt").read_text()
    assert said.startswith("Kepada: Dinas Pendidikan\n")
    assert "- Ditelaah SKPD: " in said
    assert "November 2025" in said
    for word in ("Rosmaini", case.ticket.number, "1376"):
        assert word not in said
    (folder / "2025-11-03-disdik.txt").write_text("sudah diambil")
    work[schedule.DIGEST]()
    assert (folder / "2025-11-03-disdik.txt").read_text() == "sudah diambil"
    assert not [n for n in names if n.endswith(".part")]


def test_the_digest_says_what_is_due(office, catalogue):
    opened(office)
    with office.database.session() as session:
        found = digest.of_day(session, PROFILE, date(2025, 12, 30))
    said = next(d.text for d in found if d.agency == "disdik")
    assert "sudah jatuh tempo" in said


def test_the_year_duty_runs_until_nothing_is_left(office, work):
    work[schedule.YEAR]()
    with office.database.session() as session:
        assert year.turn(session, at(office, date(2025, 11, 3)))["moved"] == 0
