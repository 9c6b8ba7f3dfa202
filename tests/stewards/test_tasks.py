"""What does not fit becomes one task a cause, is kept up to date, and closes when the data mend."""

import random
from dataclasses import replace

import pytest
from sqlalchemy import text

from gateway.index.verdict import Verdict
from gateway.stewards import breakers, deciding, model
from gateway.stewards.model import State, kinds
from tests.index_db import people
from tests.index_db.people import Said
from tests.stewards.conftest import Office


def born(said: Said, day: str, **more: object) -> Said:
    return replace(said, values={**said.values, "birth_date": day, **more})


def registered(town: list[Said], count: int) -> list[Said]:
    return [s for s in town if s.agency == "dukcapil"][:count]


def elsewhere(said: Said, source_id: str, agency: str = "baz", **values: object) -> Said:
    """The same person, as another agency has it."""
    return replace(said, agency=agency, source_id=source_id, values={**said.values, **values})


def kinds_of(office: Office) -> list[str]:
    return sorted({t.kind.code for t in office.tasks()})


def test_the_table_holds_all_kinds_of_the_design_and_says_what_can_be_decided():
    assert set(kinds()) == {f"K{n:02d}" for n in range(17)} | {"B01", "B02", "D01", "D02"}
    assert all(k.label["id"] and k.label["en"] for k in kinds().values())


@pytest.fixture
def village(town: list[Said]) -> list[Said]:
    """Twelve people of the register, each strange to the others."""
    return registered(town, 12)


def test_one_nik_and_two_persons_is_a_task_that_closes_when_the_source_mends_it(office, village):
    office.load(village)
    stranger = village[1].values | {"nik": village[0].values["nik"], "birth_date": "1951-02-03"}
    stranger = {k: v for k, v in stranger.items() if k not in ("no_kk", "phone")}
    odd = Said("baz", "BAZ-odd", stranger, 1)
    office.load([odd])
    [task] = office.tasks("K01")
    assert (task.agency, task.state, len(task.persons)) == ("baz", State.OPEN, 2)
    assert set(task.records) == {office.record(village[0]), office.record(odd)}
    office.load([odd], v=2)
    assert [t.id for t in office.tasks("K01")] == [task.id], "one open task a cause and pair"
    mended = replace(
        odd, values={k: v for k, v in stranger.items() if k != "nik"} | {"nik_status": "missing"}
    )
    office.load([mended], v=3)
    assert office.tasks("K01") == []
    [closed] = office.tasks("K01", closed=True)
    assert (closed.id, closed.closed_why) == (task.id, "data")


def test_two_registered_niks_of_one_person_wait_for_two_persons(office, village):
    one = village[0]
    again = replace(
        one, source_id="DUK-second", values={**one.values, "nik": _next(one.values["nik"])}
    )
    office.load([*village, again])
    [task] = office.tasks("K02")
    made = office.judge(task, Verdict.SAME)
    assert [t.state for t in office.tasks("K02")] == [State.SECOND]
    assert persons(office, one) != persons(office, again)
    with pytest.raises(Exception, match="dua orang"):
        second(office, made, office.steward)
    second(office, made, office.other)
    assert persons(office, one) == persons(office, again)
    assert office.tasks("K02") == []
    assert [t.closed_why for t in office.tasks("K02", closed=True)] == ["decision"]


def test_a_dead_person_and_a_running_benefit_are_never_joined_single_handed(office, village):
    dead = replace(village[0], values={**village[0].values, "vital_status": "deceased"})
    twin = elsewhere(village[0], "BAZ-odd", name_source="SOMEBODY ELSE", birth_date="1951-02-03")
    twin = replace(
        twin, values={k: v for k, v in twin.values.items() if k not in ("no_kk", "phone")}
    )
    office.load([dead, *village[1:], twin])
    [task] = office.tasks("K01")
    office.say(
        "baz",
        "enrolment",
        "E1",
        {"person": "BAZ-odd", "program_code": "BAZ-2025-01", "status": "active"},
    )
    made = office.judge(task, Verdict.SAME)
    assert [t.state for t in office.tasks("K01")] == [State.SECOND]
    second(office, made, office.other)
    assert persons(office, dead) == persons(office, twin)


def test_different_is_remembered_until_the_data_of_one_of_the_two_change(office, village):
    one = village[0]
    again = replace(
        one, source_id="DUK-second", values={**one.values, "nik": _next(one.values["nik"])}
    )
    office.load([*village, again])
    [task] = office.tasks("K02")
    office.judge(task, Verdict.DIFFERENT)
    office.load([replace(again, values={**again.values, "education": "5"})], v=2)
    assert office.tasks("K02") == []
    office.load([replace(again, values={**again.values, "phone": "+628111222333"})], v=3)
    assert len(office.tasks("K02")) == 1


@pytest.mark.parametrize(
    ("verdict", "state"), [(Verdict.UNSURE, State.UNSURE), (Verdict.AT_SOURCE, State.AT_SOURCE)]
)
def test_unsure_and_at_source_keep_the_task_out_of_the_way_and_change_nothing(
    office, village, verdict, state
):
    one = village[0]
    again = replace(
        one, source_id="DUK-second", values={**one.values, "nik": _next(one.values["nik"])}
    )
    office.load([*village, again])
    office.judge(office.tasks("K02")[0], verdict)
    assert [t.state for t in office.tasks("K02")] == [state]
    assert persons(office, one) != persons(office, again)


def test_a_dead_man_on_a_list_is_told_to_the_agency_that_lists_him(office, village):
    dead = replace(village[0], values={**village[0].values, "vital_status": "deceased"})
    known = elsewhere(village[0], "DST-x", "dstk")
    office.load([dead, *village[1:], known])
    office.say(
        "dstk",
        "listing",
        "L1",
        {"person": "DST-x", "list_code": "DTKS", "listing_status": "active"},
    )
    [task] = office.tasks("K05")
    assert (task.agency, len(task.persons)) == ("dstk", 1)
    office.say(
        "dstk",
        "listing",
        "L1",
        {"person": "DST-x", "list_code": "DTKS", "listing_status": "excluded"},
        v=2,
    )
    assert office.tasks("K05") == []


def test_what_agencies_say_against_each_other(office, village):
    a, b, c, d, e, f = village[:6]
    office.load(
        [
            replace(a, values={**a.values, "residency_status": "moved_out"}),
            replace(b, values={**b.values, "residency_status": "moved_in"}),
            *(replace(x, values={**x.values, "vital_status": "alive"}) for x in (c, d)),
            replace(e, values={**e.values, "occupation": "Pegawai Negeri Sipil"}),
            *village[5:],
            elsewhere(a, "DST-a", "dstk"),
            elsewhere(c, "BAZ-c", vital_status="deceased"),
            elsewhere(d, "BAZ-d", birth_date="1950-05-05"),
            elsewhere(e, "DST-e", "dstk"),
            elsewhere(e, "DIN-e", "dinkes"),
            elsewhere(f, "BAZ-f1"),
            elsewhere(f, "BAZ-f2"),
        ]
    )
    office.say(
        "dstk",
        "listing",
        "La",
        {"person": "DST-a", "list_code": "DTKS", "listing_status": "active"},
    )
    office.say(
        "dstk",
        "listing",
        "Le",
        {"person": "DST-e", "list_code": "DTKS", "listing_status": "active"},
    )
    office.say(
        "dinkes",
        "listing",
        "Lx",
        {"person": "DIN-e", "list_code": "JAMKESDA", "listing_status": "excluded"},
    )
    paid = {
        "program_code": "BAZ-2025-01",
        "date": "2025-05-05",
        "form": "uang",
        "amount_idr": 400000,
    }
    office.say("baz", "benefit", "P1", {**paid, "person": "BAZ-c"})
    office.say("dinkes", "benefit", "P2", {**paid, "person": "DIN-e"})
    office.say("dstk", "benefit", "P3", {**paid, "person": "DST-e", "date": "2025-05-07"})
    home = {
        "household_key": "r1",
        "basis": "ruta",
        "members": [{"person": "DST-e", "relation": "1"}],
    }
    office.say("dstk", "household", "H1", home)
    two_heads = [{"person": "DST-e", "relation": "1"}, {"person": "DST-a", "relation": "1"}]
    office.say("dstk", "household", "H2", {**home, "household_key": "r2", "members": two_heads})
    assert kinds_of(office) == "K04 K06 K07 K08 K09 K10 K11 K12 K14 K15 K16".split()
    assert {(t.kind.code, t.agency) for t in office.tasks() if t.kind.code in ("K04", "K06", "K12")} == {
        ("K04", "baz"), ("K06", "baz"), ("K12", "baz")
    }  # fmt: skip
    program = {
        "program_code": "BAZ-2025-01", "name": "Zakat", "bidang": "SOSIAL_BUDAYA", "funder": "ZIS",
        "fiscal_year": 2025, "status": "open", "delivery_end": "2025-12-31",
    }  # fmt: skip
    office.say("baz", "program", "G1", program)
    assert office.tasks("K14") == [], "the programme was published after all"
    office.say("baz", "program", "G1", {**program, "delivery_end": "2025-01-31"}, v=2)
    assert {t.agency for t in office.tasks("K14")} == {"baz", "dinkes", "dstk"}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_tasks_are_the_same_for_every_order_and_batch_size(office, town, seed):
    said = town[:160]
    real = [s for s in said if s.agency == "dukcapil"]
    said = [
        *said,
        *(replace(s, source_id=s.source_id + "-2", values={**s.values, "nik": _next(s.values["nik"])}) for s in real[:3]),
        *(elsewhere(s, f"BAZ-d{i}", birth_date="1950-05-05", vital_status="deceased") for i, s in enumerate(real[3:6])),
        *(Said("baz", f"BAZ-o{i}", {**_bare(real[-1 - i].values), "nik": s.values["nik"], "nik_status": "valid_form"}, 0)
          for i, s in enumerate(real[6:9])),
    ]  # fmt: skip
    random.Random(seed).shuffle(said)
    for start in range(0, len(said), 60 * seed):
        office.load(said[start : start + 60 * seed])
    found = _named(office)
    assert {"K01", "K02", "K06"} <= {kind for kind, _ in found}
    if "tasks" not in _SEEN:
        _SEEN["tasks"] = found
    assert found == _SEEN["tasks"]


_SEEN: dict[str, set] = {}


def _named(office: Office) -> set[tuple[str, frozenset[str]]]:
    """Tasks by kind and by all records of the persons they are about, in the sources' own names."""
    with office.database.session() as session:
        rows = session.execute(
            text(
                "select person_id, array_agg(agency || '/' || source_id order by 1) from membership"
                " join source_record r on r.id = record_id group by person_id"
            )
        ).all()
    keys = dict(tuple(r) for r in rows)
    return {(t.kind.code, frozenset(k for p in t.persons for k in keys[p])) for t in office.tasks()}


def test_the_radar_tells_duplicates_from_complements_and_closes_when_a_payment_is_taken_back(
    office, village
):
    child = village[0]
    office.load([*village, elsewhere(child, "DIS-1", "disdik"), elsewhere(child, "BAZ-1")])
    for code, more in {
        "DIS-2025-01": {"exclusive_group": "beasiswa"},
        "BAZ-2025-01": {"exclusive_group": "beasiswa"},
        "BAZ-2025-02": {"complements": ["DIS-2025-01"]},
        "BAZ-2025-03": {},
    }.items():
        said = {
            "program_code": code,
            "name": code,
            "bidang": "PENDIDIKAN",
            "funder": "ZIS",
            "fiscal_year": 2025,
        }
        agency = {"D": "disdik", "B": "baz"}[code[0]]
        office.say(
            agency, "program", code, {**said, "status": "open", "need_kinds": ["beasiswa"], **more}
        )
    paid = {"period": "2025-S1", "date": "2025-03-05", "form": "uang", "amount_idr": 400000}
    office.say(
        "disdik", "benefit", "P1", {**paid, "person": "DIS-1", "program_code": "DIS-2025-01"}
    )
    office.say(
        "baz",
        "benefit",
        "P2",
        {**paid, "person": "BAZ-1", "program_code": "BAZ-2025-02", "amount_idr": 1},
    )
    assert office.tasks("D01") == office.tasks("D02") == [], "one completes the other"
    office.say(
        "baz",
        "benefit",
        "P3",
        {**paid, "person": "BAZ-1", "program_code": "BAZ-2025-01", "amount_idr": 2},
    )
    office.say(
        "baz",
        "benefit",
        "P4",
        {**paid, "person": "BAZ-1", "program_code": "BAZ-2025-03", "amount_idr": 3},
    )
    [double] = office.tasks("D01")
    assert double.persons == (persons(office, child),)
    assert len(office.tasks("D02")) == 1
    office.say(
        "baz",
        "benefit",
        "P3",
        {**paid, "person": "BAZ-1", "program_code": "BAZ-2025-01", "reversed_by": "P9"},
        v=2,
    )
    assert office.tasks("D01") == []


def test_a_household_paid_twice_is_one_task_for_all_its_members_and_ends_with_a_payment(
    office, village
):
    two = village[:2]
    office.load([*village, *(elsewhere(s, f"BAZ-{i}") for i, s in enumerate(two))])
    members = [{"person": "BAZ-0", "relation": "1"}, {"person": "BAZ-1", "relation": "4"}]
    office.say(
        "baz", "household", "H1", {"household_key": "h", "basis": "ruta", "members": members}
    )
    for code in ("BAZ-2025-01", "BAZ-2025-02"):
        said = {
            "program_code": code,
            "name": code,
            "bidang": "SOSIAL_BUDAYA",
            "funder": "ZIS",
            "fiscal_year": 2025,
        }
        office.say("baz", "program", code, {**said, "status": "open", "exclusive_group": "sembako"})
        paid = {"household": "H1", "program_code": code, "date": "2025-03-05", "form": "barang"}
        office.say("baz", "benefit", f"P-{code}", paid)
    [task] = office.tasks("D01")
    assert task.persons == ()
    office.forget("baz", "benefit", "P-BAZ-2025-02")
    assert office.tasks("D01") == []


def test_a_programme_in_conflict_is_forgotten_with_its_last_payment(office, village):
    office.load([elsewhere(village[0], "BAZ-1")])
    paid = {"program_code": "X-2025-01", "date": "2025-05-05", "form": "uang", "person": "BAZ-1"}
    for name in ("P1", "P2"):
        office.say("baz", "benefit", name, paid)
    office.forget("baz", "benefit", "P1")
    assert len(office.tasks("K14")) == 1
    office.forget("baz", "benefit", "P2")
    assert office.tasks("K14") == []


def test_a_task_about_no_pair_of_persons_is_set_aside_and_stays_so_until_its_data_change(
    office, village
):
    office.load([elsewhere(village[0], "BAZ-1")])
    paid = {"program_code": "X-2025-01", "date": "2025-05-05", "form": "uang", "person": "BAZ-1"}
    office.say("baz", "benefit", "P1", paid)
    office.judge(office.tasks("K14")[0], Verdict.AT_SOURCE)
    with office.database.session() as session:
        session.execute(text("insert into stirred (record_id) select id from source_record"))
        session.commit()
    office.examine()
    assert [t.state for t in office.tasks("K14")] == [State.AT_SOURCE]
    office.say("baz", "benefit", "P1", {**paid, "amount_idr": 5}, v=2)
    assert [t.state for t in office.tasks("K14")] == [State.OPEN]


def test_examining_again_and_in_any_order_changes_nothing(office, village):
    one = village[0]
    again = replace(
        one, source_id="DUK-second", values={**one.values, "nik": _next(one.values["nik"])}
    )
    office.load([again, *reversed(village)])
    before = office.tasks()
    with office.database.session() as session:
        session.execute(text("insert into stirred (record_id) select id from source_record"))
        session.commit()
    office.examine()
    assert office.tasks() == before


def test_an_agency_that_copied_anothers_niks_is_one_task_and_nobody_is_merged(
    office, town, monkeypatch
):
    monkeypatch.setattr(breakers, "FEWEST", 5)
    real = registered(town, 40)
    office.load(real)
    pick = registered(people.town(200, seed=31), 40)
    copied = [
        Said(
            "baz",
            f"BAZ-c{i}",
            {**_bare(p.values), "nik": r.values["nik"], "nik_status": "valid_form"},
            0,
        )
        for i, (p, r) in enumerate(zip(pick, real, strict=True))
    ]
    office.load(copied)
    assert len({persons(office, s) for s in [*real, *copied]}) == 80
    [flood] = office.tasks("B01")
    assert (flood.agency, flood.about) == ("baz", "agency:baz")
    office.judge(flood, Verdict.AT_SOURCE)
    office.load([replace(c, values={**c.values, "sex": "L"}) for c in copied[:20]], v=2)
    assert [t.state for t in office.tasks("B01")] == [State.AT_SOURCE]
    mended = [replace(c, values=_bare(c.values)) for c in copied]
    office.load(mended, v=3)
    assert office.tasks("B01") == office.tasks("K01") == []


def test_an_agency_that_swaps_its_columns_merges_nobody(office, town):
    real = registered(town, 30)
    office.load(real)
    before = [persons(office, s) for s in real]
    swapped = [
        Said("baz", f"BAZ-s{i}", {**s.values, "nik": s.values["no_kk"], "no_kk": s.values["nik"],
             "name_source": s.values.get("birth_place", "PAYAKUMBUH")}, 0)
        for i, s in enumerate(real)
    ]  # fmt: skip
    office.load(swapped)
    assert [persons(office, s) for s in real] == before
    assert len(set(before)) == len(real)


def test_a_block_of_one_name_and_day_costs_bounded_work_and_merges_nobody(office):
    same = {
        "name_source": "MUHAMMAD",
        "birth_date": "1990-01-01",
        "sex": "L",
        "nik_status": "missing",
    }
    block = [Said("baz", f"BAZ-m{i:04d}", same, i) for i in range(700)]
    office.load(block)
    pairs = office.tasks("K00")
    assert len(pairs) <= 700 * 25
    with office.database.session() as session:
        largest = session.scalar(
            text("select max(n) from (select count(*) n from membership group by person_id) x")
        )
    assert largest == 1


def test_an_officer_who_merges_everybody_is_stopped_and_a_coordinator_hears_of_it(
    office, village, monkeypatch
):
    monkeypatch.setattr(breakers, "MOST_JOINED_AN_HOUR", 0)
    one = village[0]
    again = replace(
        one, source_id="DUK-second", values={**one.values, "nik": _next(one.values["nik"])}
    )
    office.load([*village, again])
    with pytest.raises(Exception, match="satu jam"):
        office.judge(office.tasks("K02")[0], Verdict.SAME)
    assert office.tasks("K02")[0].state is State.OPEN
    with office.database.session() as session:
        breakers.tell(session, office.steward, office.now)
        breakers.tell(session, office.steward, office.now)
        session.commit()
    [task] = office.tasks("B02")
    assert model.kinds()["B02"].to == "coordinator"
    assert task.about == "officer:rina"


def _bare(values: dict) -> dict:
    kept = ("name_source", "birth_date", "sex")
    return {k: v for k, v in values.items() if k in kept} | {"nik_status": "missing"}


def _next(nik: str) -> str:
    return nik[:15] + str((int(nik[15]) + 1) % 10)


def persons(office: Office, said: Said) -> object:
    with office.database.session() as session:
        return session.scalar(
            text("select person_id from membership where record_id = :r"),
            {"r": office.record(said)},
        )


def second(office: Office, judgement: object, who: object) -> None:
    with office.database.session() as session:
        deciding.second(session, judgement, "sudah diperiksa bersama", office.desk(who))
        session.commit()
    office.work()
