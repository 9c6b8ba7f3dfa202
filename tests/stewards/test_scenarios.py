"""Acceptance scenarios 33 to 35 of design/domain.md 7, as far as the index and the desk carry them."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from gateway.index import query as index
from gateway.index.verdict import Verdict
from gateway.stewards import deciding, query
from tests.index_db.people import Said
from tests.stewards.conftest import Office
from tests.stewards.test_tasks import elsewhere, persons, registered, second


@pytest.fixture
def village(town: list[Said]) -> list[Said]:
    return registered(town, 12)


def view(office: Office, said: Said) -> index.PersonView:
    with office.database.session() as session:
        return index.profile(session, persons(office, said), office.tools)


def test_scenario_33_a_death_is_a_task_for_each_paying_agency_and_no_relative_is_touched(
    office, village
):
    dead, widow = (
        village[0],
        replace(village[1], values={**village[1].values, "no_kk": village[0].values["no_kk"]}),
    )
    office.load(
        [dead, widow, *village[2:], *(elsewhere(dead, f"{a}-1", a) for a in ("baz", "dinkes"))]
    )
    office.load([elsewhere(widow, "baz-2", "baz")])
    for agency, ref in (("baz", "baz-1"), ("dinkes", "dinkes-1"), ("baz", "baz-2")):
        office.say(
            agency,
            "enrolment",
            f"E-{ref}",
            {"person": ref, "program_code": "X-2025-01", "status": "active"},
        )
    assert office.tasks("K05") == []
    office.load([replace(dead, values={**dead.values, "vital_status": "deceased"})], v=2)
    assert sorted(t.agency for t in office.tasks("K05")) == ["baz", "dinkes"]
    assert {t.persons for t in office.tasks("K05")} == {(persons(office, dead),)}
    assert not view(office, widow).notes


def test_scenario_34_two_people_of_one_nik_are_not_merged_and_both_carry_the_warning(
    office, village
):
    office.load(village)
    wrong = {
        "name_source": "YUSNIAR BATUBARA",
        "birth_date": "1950-02-03",
        "sex": "P",
        "nik": village[0].values["nik"],
    }
    odd = Said("baz", "BAZ-34", wrong, 0)
    office.load([odd])
    assert persons(office, odd) != persons(office, village[0])
    with office.database.session() as session:
        for said in (odd, village[0]):
            assert [k.code for k in query.kinds_about(session, persons(office, said))] == ["K01"]
    office.load(
        [replace(odd, values={**wrong, "nik": village[0].values["nik"][:12] + "7777"})], v=2
    )
    with office.database.session() as session:
        for said in (odd, village[0]):
            assert query.kinds_about(session, persons(office, said)) == []


def test_scenario_35_after_a_wrong_merge_every_word_and_benefit_is_the_right_persons_again(
    office, village
):
    one, other = village[:2]
    copies = [elsewhere(one, "BAZ-1"), elsewhere(other, "BAZ-2")]
    office.load([*village, *copies])
    for ref, amount in (("BAZ-1", 400000), ("BAZ-2", 750000)):
        paid = {
            "person": ref,
            "program_code": "X-2025-01",
            "date": "2025-05-05",
            "form": "uang",
            "amount_idr": amount,
        }
        office.say("baz", "benefit", f"P-{ref}", paid)
    wrong = replace(
        one,
        source_id="DUK-w",
        values={
            **one.values,
            "nik": one.values["nik"][:15] + str((int(one.values["nik"][15]) + 1) % 10),
        },
    )
    office.load([wrong])
    before = view(office, one), view(office, other)
    old = persons(office, other)
    [task] = office.tasks("K02")
    # Two officers merge the two strangers by hand, against all evidence.
    with office.database.session() as session:
        session.execute(
            text(
                "update task set record_a = least(:a, :b), record_b = greatest(:a, :b), kind = 'K01' where id = :id"
            ),
            {"a": office.record(one), "b": office.record(other), "id": task.id},
        )
        session.commit()
    made = office.judge(
        replace(task, records=(office.record(one), office.record(other))), Verdict.SAME
    )
    second(office, made, office.other)
    assert persons(office, one) == persons(office, other)
    assert sorted(b.values["amount_idr"] for b in view(office, one).benefits) == [400000, 750000]
    with office.database.session() as session:
        assert index.profile(session, old, office.tools).person_id == persons(office, one)
        deciding.undo(session, made, "salah orang", office.desk())
        session.commit()
    office.work()
    assert (view(office, one), view(office, other)) == before
    assert persons(office, other) == old


def test_scenario_17_a_complement_is_no_duplicate_on_the_profile(office, village):
    patient = village[0]
    office.load(
        [*village, elsewhere(patient, "DIN-1", "dinkes"), elsewhere(patient, "LKS-1", "lks-mk")]
    )
    for agency, code, more in (
        ("dinkes", "DIN-2025-01", {"complements": ["LKS-2025-01"]}),
        ("lks-mk", "LKS-2025-01", {}),
    ):
        said = {
            "program_code": code,
            "name": code,
            "bidang": "KESEHATAN",
            "funder": "ZIS",
            "fiscal_year": 2025,
        }
        office.say(
            agency, "program", code, {**said, "status": "open", "need_kinds": ["kesehatan"], **more}
        )
    paid = {"date": "2025-03-05", "form": "uang"}
    office.say(
        "dinkes",
        "benefit",
        "P1",
        {**paid, "person": "DIN-1", "program_code": "DIN-2025-01", "amount_idr": 1},
    )
    office.say(
        "lks-mk",
        "benefit",
        "P2",
        {**paid, "person": "LKS-1", "program_code": "LKS-2025-01", "amount_idr": 1500000},
    )
    assert [o.kind.value for o in view(office, patient).overlaps] == ["complement"]
    assert office.tasks("D01") == office.tasks("D02") == []
