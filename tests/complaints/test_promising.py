"""Agencies and partners decide: quota, money, the mayor, the last resort, and what excludes what."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import text

from gateway.complaints import deciding
from gateway.complaints.model import Act
from gateway.complaints.service import Target, handle, options
from gateway.errors import Conflict, Refused
from gateway.programs import query
from gateway.programs.service import NothingLeft
from gateway.storage import ids
from tests.complaints.conftest import DEVICE, HOUSE, SCHOOL
from tests.index_db import people
from tests.index_db.conftest import load
from tests.index_db.people import Said
from tests.programs.conftest import PROGRAM, index_tools, publish

__all__ = ["index_tools", "publish"]

ARREARS = {**PROGRAM, "need_kinds": [SCHOOL]}
COMPANION = "biaya_pendamping"
LKS = {**PROGRAM, "program_code": "lks-mk-2025-01", "funder": "DONASI_LKS", "bidang": "KESEHATAN",
       "need_kinds": [COMPANION, SCHOOL], "amount_min": 400_000, "amount_max": 2_500_000,
       "complements": ["dinkes-2025-01"], "quota_total": None}  # fmt: skip
BIRTH = {"name_source": "X", "sex": "P", "birth_date": "1981-05-05", "vital_status": "alive"}


@pytest.fixture(scope="module")
def catalogue(publish):
    """Whose programmes run; each test that fills one up has its own."""
    publish({**ARREARS, "program_code": "disdik-2025-04"})
    publish({**ARREARS, "program_code": "dinkes-2025-02", "need_kinds": [DEVICE],
             "bidang": "KESEHATAN", "amount_min": 350_000, "amount_max": 2_500_000})  # fmt: skip
    publish({**ARREARS, "program_code": "dinkes-2025-01", "need_kinds": ["jaminan_kesehatan"],
             "bidang": "KESEHATAN", "amount_min": None, "amount_max": None})  # fmt: skip
    publish({**ARREARS, "program_code": "dstk-2025-01", "need_kinds": [HOUSE], "status": "closed",
             "bidang": "SOSIAL_BUDAYA"})  # fmt: skip
    publish(LKS)


@pytest.fixture(scope="module")
def person_of(database, index_tools):
    """A person of the civil register with the address on the card."""
    made: dict[str, object] = {}

    def make(name: str, kelurahan: str | None, nik: str):
        address = {"address_ktp": {"kelurahan": kelurahan}} if kelurahan else {}
        values = {**BIRTH, "name_source": name, "nik": nik, "nik_status": "valid_form", **address}
        said = Said("dukcapil", name, values, 0)
        number = 9_000_000 + len(made)
        batches = people.batches([said], 10)
        load(
            database,
            index_tools,
            [(replace(o, batch_id=people.batch_id(number)), a) for o, a in batches],
        )
        with database.session() as session:
            made[name] = session.scalar(
                text("select m.person_id from membership m join source_record r on r.id ="
                     " m.record_id where r.source_id = :n"), {"n": name})  # fmt: skip
        return made[name]

    return make


def opened(office, kind=SCHOOL, unit="disdik", person=None):
    """A ticket whose first need an agency is looking at."""
    case = office.register(kind, person_id=person).case
    case = office.act(case, "issue_referral", "counter_officer", 1, data={"agency": unit})
    return office.act(case, "acknowledge", "agency_reviewer", 1, unit=unit)


def with_partner(office, kind, unit, person):
    case = office.register(kind, person_id=person).case
    data = {"agency": unit}
    return office.act(
        case, "refer_direct_to_partner", "counter_officer", 1, reason="tidak ada", data=data
    )


def approve(office, case, unit="disdik", amount=500_000, **data):
    given = {"amount_idr": amount, **data}
    return office.act(case, "approve", "agency_reviewer", 1, unit=unit, data=given)


def test_an_approval_reserves_and_a_withdrawn_budget_gives_back(office, catalogue):
    case = approve(office, opened(office))
    assert (case.needs[0].state, case.needs[0].program_code) == ("approved", "disdik-2025-04")
    assert case.needs[0].amount_idr == 500_000
    with office.database.session() as session:
        assert query.truth_of(session, "disdik-2025-04").reserved == 1
    case = office.act(
        case, "budget_withdrawn", "agency_reviewer", 1, unit="disdik", reason="dipotong"
    )
    with office.database.session() as session:
        assert query.truth_of(session, "disdik-2025-04").reserved == 0
    assert case.needs[0].queue_on == office.today


def test_a_need_that_is_cancelled_after_its_approval_gives_its_place_back(office, catalogue):
    case = approve(office, opened(office))
    office.act(case, "cancel", "system", 1, reason="meninggal")
    with office.database.session() as session:
        assert query.truth_of(session, "disdik-2025-04").reserved == 0


@pytest.mark.parametrize("amount", [399_999, 750_001])
def test_an_amount_out_of_range_changes_nothing(office, catalogue, amount):
    case = opened(office)
    with pytest.raises(Refused) as refused:
        approve(office, case, amount=amount)
    assert refused.value.code == "program.amount"
    assert office.get(case).needs[0].state == "under_review"


def test_scenario_14_of_two_who_approve_the_last_place_one_is_told_what_is_possible(
    office, publish
):
    publish({**ARREARS, "program_code": "disdik-2025-31", "quota_total": 1})
    cases = [opened(office) for _ in range(2)]
    data = {"amount_idr": 500_000, "program_code": "disdik-2025-31"}
    desks = [office.desk("agency_reviewer", "disdik") for _ in cases]

    def act(case, desk):
        with office.database.session() as session:
            try:
                target = Target(case.ticket.id, case.needs[0].id)
                handle(session, target, Act("approve", data=data), desk)
                session.commit()
            except NothingLeft as full:
                return full.sentence, full.details["instead"]
        return "approved"

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(act, cases, desks))
    assert found.count("approved") == 1
    said = next(f for f in found if f != "approved")
    assert said[0].startswith("Kuota habis.")
    assert said[1] == "queue propose_next_fy"


def test_scenario_15_a_closed_programme_leaves_next_year_or_a_partner(office, catalogue):
    case = opened(office, HOUSE, "dstk")
    with office.database.session() as session:
        found = {
            o.move.event: o.problem and o.problem.code
            for o in options(
                session, case, case.needs[0].id, office.desk("agency_reviewer", "dstk")
            )
        }
    possible = {event for event, problem in found.items() if problem is None}
    assert {"propose_next_fy", "no_government_programme"} <= possible
    assert found["queue"] == "need.not_running"
    with pytest.raises(NothingLeft):
        office.act(case, "recommend_to_mayor", "agency_reviewer", 1, unit="dstk",
                   data={"program_code": "dstk-2025-01"})  # fmt: skip
    done = office.act(case, "propose_next_fy", "agency_reviewer", 1, unit="dstk",
                      data={"target_fy": 2026, "amount_idr": 15_000_000})  # fmt: skip
    assert (done.needs[0].state, done.needs[0].target_fy) == ("next_fy", 2026)


def test_what_still_has_room_is_neither_queued_nor_put_off(office, catalogue):
    case = opened(office)
    for event, data in (("queue", {}), ("propose_next_fy", {"target_fy": 2026})):
        with pytest.raises(Conflict) as refused:
            office.act(case, event, "agency_reviewer", 1, unit="disdik", data=data)
        assert refused.value.code == "need.still_running"


def test_scenario_16_health_goes_by_the_mayor(office, catalogue):
    case = opened(office, DEVICE, "dinkes")
    with pytest.raises(Conflict) as refused:
        approve(office, case, "dinkes")
    assert refused.value.details["instead"] == "recommend_to_mayor"
    case = office.act(case, "recommend_to_mayor", "agency_reviewer", 1, unit="dinkes",
                      data={"amount_idr": 900_000})  # fmt: skip
    case = office.act(case, "mayor_approve", "mayor_delegate", 1, data={"decree": "SK-1"})
    assert (case.needs[0].state, case.needs[0].amount_idr) == ("approved", 900_000)
    with office.database.session() as session:
        assert query.truth_of(session, "dinkes-2025-02").promised == 900_000


IBUH, ELSEWHERE = "13.76.01.1021", "13.07.04.2001"


def partner(office, case, amount, **data):
    given = {"amount_idr": amount, **data}
    return office.act(case, "partner_approve", "partner_reviewer", 1, unit="lks-mk", data=given)


def test_scenario_17_cover_and_the_companions_cost_go_together(
    office, catalogue, publish, person_of
):
    person = person_of("ROSMAINI", IBUH, "1376014505810002")
    publish({"person": "ROSMAINI", "program_code": "dinkes-2025-01", "status": "active"},
            agency="dukcapil", kind="enrolment", name="E1")  # fmt: skip
    case = partner(office, with_partner(office, COMPANION, "lks-mk", person), 1_500_000)
    assert case.needs[0].state == "approved"


@pytest.mark.parametrize(
    ("name", "kelurahan", "nik", "code"),
    [
        ("ELSEWHERE", ELSEWHERE, "1376014505810003", "need.ktp_elsewhere"),
        ("NOWHERE", None, "1376014505810004", "need.ktp_unknown"),
    ],
)
def test_scenario_18_the_last_resort_is_for_cards_of_this_city(
    office, catalogue, person_of, name, kelurahan, nik, code
):
    case = with_partner(office, COMPANION, "lks-mk", person_of(name, kelurahan, nik))
    with pytest.raises(Conflict) as refused:
        partner(office, case, 1_500_000)
    assert refused.value.code == code


def test_scenario_19_a_foreign_nik_with_an_address_here_is_of_this_city(
    office, catalogue, person_of
):
    person = person_of("NEWCOMER", IBUH, "3273014505810002")
    case = partner(office, with_partner(office, COMPANION, "lks-mk", person), 1_500_000)
    assert case.needs[0].state == "approved"


def test_scenario_20_more_than_the_balance_goes_back_to_the_waiting_list(
    office, publish, person_of
):
    publish({**LKS, "program_code": "lks-mk-2025-20", "budget_total": 300_000})
    person = person_of("BALANCE", IBUH, "1376014505810005")
    case = with_partner(office, COMPANION, "lks-mk", person)
    with pytest.raises(NothingLeft) as refused:
        partner(office, case, 400_000, program_code="lks-mk-2025-20")
    assert refused.value.code == "program.spent"
    case = office.act(
        case, "partner_keep_waiting", "partner_reviewer", 1, unit="lks-mk", reason="saldo"
    )
    assert case.needs[0].state == "waiting_list"


def test_what_a_public_programme_pays_the_last_resort_does_not(
    office, catalogue, publish, person_of
):
    person = person_of("COVERED", IBUH, "1376014505810006")
    publish({"person": "COVERED", "program_code": "disdik-2025-04", "status": "active"},
            agency="dukcapil", kind="enrolment", name="E2")  # fmt: skip
    case = opened(office, person=person)
    case = office.act(case, "no_government_programme", "agency_reviewer", 1, unit="disdik",
                      reason="tidak ada", data={"agency": "lks-mk"})  # fmt: skip
    assert case.needs[0].agency == "lks-mk"
    with pytest.raises(Conflict) as refused:
        partner(office, case, 500_000, program_code="lks-mk-2025-01")
    assert refused.value.code == "need.covered"


def test_straight_to_a_partner_only_where_no_public_programme_runs(office, catalogue):
    with pytest.raises(Conflict) as refused:
        with_partner(office, SCHOOL, "lks-mk", None)
    assert refused.value.code == "need.public_programme"


def test_zakat_asks_for_the_asnaf(office, publish):
    publish({**ARREARS, "program_code": "baz-2025-31", "funder": "ZIS",
             "need_kinds": ["santunan_yatim"]})  # fmt: skip
    case = with_partner(office, "santunan_yatim", "baz", None)
    for asnaf in ("", "KAYA"):
        with pytest.raises(Refused):
            office.act(case, "partner_approve", "partner_reviewer", 1, unit="baz",
                       data={"amount_idr": 500_000, "asnaf": asnaf})  # fmt: skip
    done = office.act(case, "partner_approve", "partner_reviewer", 1, unit="baz",
                      data={"amount_idr": 500_000, "asnaf": "FAKIR"})  # fmt: skip
    assert done.needs[0].state == "approved"


def test_scenario_21_a_second_scholarship_is_stopped_until_somebody_says_why(
    office, publish, person_of
):
    group = {"exclusive_group": "beasiswa", "need_kinds": ["beasiswa"], "bidang": "PENDIDIKAN"}
    publish({**ARREARS, **group, "program_code": "disdik-2025-41", "funder": "APBN"})
    publish({**ARREARS, **group, "program_code": "baz-2025-41", "funder": "ZIS"})
    person = person_of("PUPIL", IBUH, "1376014505120002")
    publish({"person": "PUPIL", "program_code": "disdik-2025-41", "date": "2025-03-01",
             "period": "2025-S1", "form": "uang"}, agency="dukcapil", kind="benefit", name="B1")  # fmt: skip
    case = opened(office, "beasiswa", "baz", person)
    with pytest.raises(Conflict) as refused:
        approve(office, case, "baz")
    assert refused.value.details == {"program": "disdik-2025-41", "agency": "dukcapil"}
    with pytest.raises(Conflict):
        approve(office, case, "baz", override=True)  # without a reason
    done = office.act(case, "approve", "agency_reviewer", 1, unit="baz", reason="semester lain",
                      data={"amount_idr": 500_000, "override": True})  # fmt: skip
    assert done.needs[0].state == "approved"
    assert office.history(done)[-1].data["override"] is True
    with office.database.session() as session:
        (seen,) = deciding.touching(session, office.desk("agency_reviewer", "disdik"))
        none = deciding.touching(session, office.desk("agency_reviewer", "dinkes"))
    assert (seen.agency, seen.program, seen.own) == ("baz", "baz-2025-41", "disdik-2025-41")
    assert none == []


def test_a_programme_of_another_agency_cannot_be_promised(office, catalogue):
    with pytest.raises(Refused) as refused:
        approve(office, opened(office), program_code="dinkes-2025-02")
    assert refused.value.code == "need.foreign_program"


def test_who_waits_is_referred_again_when_there_is_room_and_keeps_his_day(office, publish):
    full = {**ARREARS, "program_code": "disdik-2025-51", "need_kinds": ["perlengkapan_sekolah"]}
    publish({**full, "quota_total": 0})
    case = opened(office, "perlengkapan_sekolah")
    case = office.act(case, "queue", "agency_reviewer", 1, unit="disdik")
    since = case.needs[0].queue_on
    with pytest.raises(Conflict) as refused:
        office.act(case, "reactivate", "counter_officer", 1)
    assert refused.value.code == "need.no_room_yet"
    publish({**full, "quota_total": 1})
    office.pass_days(1)
    case = office.act(case, "reactivate", "counter_officer", 1)
    assert (case.needs[0].state, case.needs[0].queue_on) == ("referred", since)


def test_delivery_failed_keeps_the_place_and_confirmed_keeps_it_until_it_is_published(
    office, publish
):
    publish({**ARREARS, "program_code": "disdik-2025-61", "need_kinds": ["beasiswa"]})
    case = approve(office, opened(office, "beasiswa"), program_code="disdik-2025-61")
    for event, given in (
        ("start_delivery", {}),
        ("delivery_failed", {"reason": "tidak di rumah"}),
        ("start_delivery", {}),
        ("confirm_delivery", {"data": {"evidence_no": "BAST-7"}}),
    ):
        case = office.act(case, event, "benefit_officer", 1, unit="disdik", **given)
        with office.database.session() as session:
            assert query.truth_of(session, "disdik-2025-61").reserved == 1
    assert case.ticket.state == "closed_fulfilled"
    publish({"person": "P", "program_code": "disdik-2025-61", "status": "active",
             "complaint_need_id": ids.show(case.needs[0].id)}, agency="disdik",
            kind="enrolment", name="E9")  # fmt: skip
    with office.database.session() as session:
        truth = query.truth_of(session, "disdik-2025-61")
    assert (truth.reserved, truth.matched) == (0, 1)
