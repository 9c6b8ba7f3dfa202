"""Places and money in a real database: counted, refused, given back, matched, taken at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.errors import Conflict, NotFound, Refused
from gateway.programs import query, service
from gateway.programs.query import Wish
from gateway.programs.service import Duplicate, NothingLeft, Wanted
from gateway.storage import ids
from tests.programs.conftest import NOW, PROGRAM, TODAY

CODE = PROGRAM["program_code"]


def wanted(code: str = CODE, amount: int = 500_000, **more: object) -> Wanted:
    return Wanted(ids.new(), code, amount, **more)


@pytest.fixture
def reserve(database):
    def act(want: Wanted):
        with database.session() as session:
            found = service.reserve(session, want, TODAY, NOW)
            session.commit()
        return found

    return act


def left(database, code: str) -> tuple[int | None, int | None, int]:
    with database.session() as session:
        found = query.truth_of(session, code)
    return found.quota_left, found.budget_left, found.matched


def test_a_reservation_takes_a_place_and_money_until_it_is_given_back(database, publish, reserve):
    publish({**PROGRAM, "program_code": "disdik-2025-10"})
    mine = wanted("disdik-2025-10")
    reserve(mine)
    assert left(database, "disdik-2025-10") == (99, 59_500_000, 0)
    with pytest.raises(Conflict) as twice:
        reserve(mine)
    assert twice.value.code == "program.reserved"
    with database.session() as session:
        assert service.release(session, mine.need_id, NOW)
        assert not service.release(session, mine.need_id, NOW)
        session.commit()
    assert left(database, "disdik-2025-10") == (100, 60_000_000, 0)
    reserve(mine)  # once given back it may be taken again
    assert left(database, "disdik-2025-10") == (99, 59_500_000, 0)


@pytest.mark.parametrize("kind", ["enrolment", "benefit"])
def test_what_the_agency_publishes_for_a_need_is_counted_once(database, publish, reserve, kind):
    code = {"enrolment": "disdik-2025-11", "benefit": "disdik-2025-12"}[kind]
    publish({**PROGRAM, "program_code": code, "quota_used": 10})
    mine = wanted(code)
    reserve(mine)
    record = {"person": "P1", "program_code": code, "complaint_need_id": ids.show(mine.need_id)}
    publish({**record, "status": "approved"}, kind=kind, name=f"{code}-e")
    publish({**PROGRAM, "program_code": code, "quota_used": 11, "budget_spent": 500_000})
    assert left(database, code) == (89, 59_500_000, 1)
    publish({"program_code": code}, kind=kind, name=f"{code}-e", op="del")
    assert left(database, code) == (88, 59_000_000, 0), "a withdrawn record answers nothing"


@pytest.mark.parametrize(
    ("more", "amount", "error", "code"),
    [
        ({"quota_total": 0}, 500_000, NothingLeft, "program.full"),
        ({"budget_total": 450_000}, 500_000, NothingLeft, "program.spent"),
        ({"period_end": "2025-11-02"}, 500_000, NothingLeft, "program.closed"),
        ({"status": "paused"}, 500_000, NothingLeft, "program.closed"),
        ({}, 399_999, Refused, "program.amount"),
        ({}, 750_001, Refused, "program.amount"),
        ({"funder": "DONASI_LKS", "budget_total": None}, 500_000, Refused, "program.no_fund"),
    ],
    ids="full spent over paused less more no_fund".split(),
)
def test_what_cannot_be_reserved_is_refused_by_its_reason(
    publish, reserve, more, amount, error, code
):
    publish({**PROGRAM, "program_code": "disdik-2025-13", **more})
    with pytest.raises(error) as refused:
        reserve(wanted("disdik-2025-13", amount))
    assert refused.value.code == code
    if error is NothingLeft:
        assert "next_fy" in refused.value.details["instead"]


def test_a_programme_that_nobody_publishes_cannot_be_reserved(reserve):
    with pytest.raises(NotFound):
        reserve(wanted("nobody-2025-01"))


def test_one_of_a_group_excludes_the_other_until_somebody_overrides_it(database, publish, reserve):
    group = {"exclusive_group": "beasiswa"}
    publish({**PROGRAM, "program_code": "disdik-2025-14", **group})
    publish({**PROGRAM, "program_code": "baz-2025-14", "funder": "ZIS", **group})
    person = ids.new()
    reserve(wanted("disdik-2025-14", person_id=person))
    other = wanted("baz-2025-14", person_id=person)
    with pytest.raises(Duplicate) as refused:
        reserve(other)
    assert refused.value.details == {"program": "disdik-2025-14"}
    assert left(database, "baz-2025-14")[0] == 100
    reserve(replace(other, override=True))
    assert left(database, "baz-2025-14")[0] == 99


def test_two_of_a_group_at_the_same_moment_are_one(database, publish):
    for code in ("disdik-2025-15", "baz-2025-15"):
        publish({**PROGRAM, "program_code": code, "exclusive_group": "pip"})
    person = ids.new()
    with database.session() as one, database.session() as other:
        service.reserve(one, wanted("disdik-2025-15", person_id=person), TODAY, NOW)
        with ThreadPoolExecutor(1) as pool:
            late = pool.submit(
                service.reserve, other, wanted("baz-2025-15", person_id=person), TODAY, NOW
            )
            one.commit()
            with pytest.raises(Duplicate):
                late.result(timeout=30)


def test_scenario_14_of_many_at_once_exactly_the_quota_succeeds(database, publish):
    code = "disdik-2025-16"
    publish({**PROGRAM, "program_code": code, "quota_total": 7})

    def act(_: int) -> str:
        with database.session() as session:
            try:
                service.reserve(session, wanted(code), TODAY, NOW)
                session.commit()
            except NothingLeft as full:
                return full.code
        return "reserved"

    with ThreadPoolExecutor(8) as pool:
        found = sorted(pool.map(act, range(40)))
    assert found == ["program.full"] * 33 + ["reserved"] * 7
    assert left(database, code)[0] == 0


def test_the_catalogue_is_filtered_and_puts_what_runs_first(database, publish):
    own = {**PROGRAM, "need_kinds": ["rutilahu"], "bidang": "SOSIAL_BUDAYA", "status": "open"}
    publish({**own, "program_code": "dstk-2025-21", "name": "B"})
    publish({**own, "program_code": "dstk-2025-22", "name": "A", "quota_total": 0})
    publish({**own, "program_code": "dstk-2025-23", "name": "C", "status": "closed"})
    publish({**own, "program_code": "dstk-2026-24", "name": "D", "fiscal_year": 2026,
             "period_start": "2026-01-05", "period_end": None, "status": "draft"})  # fmt: skip
    publish({**own, "program_code": "dstk-2025-25", "name": "E", "status": "draft"})
    with database.session() as session:
        found = query.catalogue(session, Wish(need_kind="rutilahu"), TODAY)
        assert [t.program.name for t in found] == ["B", "A", "D", "C"]
        for wish in (Wish("rutilahu", when="full"), Wish(agency="dstk", when="full")):
            assert [t.program.name for t in query.catalogue(session, wish, TODAY)] == ["A"]
        assert not query.catalogue(session, Wish("rutilahu", level="nation"), TODAY)
        assert not query.catalogue(session, Wish("rutilahu", funder="ZIS"), TODAY)
        assert not query.catalogue(session, Wish("rutilahu", bidang="KESEHATAN"), TODAY)


def test_nobody_else_speaks_for_an_agencys_own_code(database, publish):
    publish({**PROGRAM, "program_code": "disdik-2025-26", "quota_total": 5})
    publish({**PROGRAM, "program_code": "disdik-2025-26", "quota_total": 500}, agency="baz")
    assert left(database, "disdik-2025-26")[0] == 5


@pytest.fixture(scope="module")
def machine(database, publish):
    publish(
        {**PROGRAM, "program_code": "disdik-2025-27", "quota_total": 4, "budget_total": 1_900_000}
    )

    class Reserving(RuleBasedStateMachine):
        """Whatever is reserved and given back: never more than is published, and nothing lost."""

        def __init__(self):
            super().__init__()
            self.session = database.session()
            self.held: dict = {}

        @rule(amount=st.sampled_from([400_000, 500_000, 750_000]))
        def reserve(self, amount):
            want = wanted("disdik-2025-27", amount)
            fits = len(self.held) < 4 and sum(self.held.values()) + amount <= 1_900_000
            try:
                service.reserve(self.session, want, TODAY, NOW)
                assert fits
                self.held[want.need_id] = amount
            except NothingLeft:
                assert not fits

        @rule(n=st.integers(0, 3))
        def release(self, n):
            if self.held:
                need = sorted(self.held)[n % len(self.held)]
                assert service.release(self.session, need, NOW)
                del self.held[need]

        @invariant()
        def what_is_left_is_what_is_not_held(self):
            truth = query.truth_of(self.session, "disdik-2025-27")
            assert truth.quota_left == 4 - len(self.held)
            assert truth.budget_left == 1_900_000 - sum(self.held.values())

        def teardown(self):
            self.session.rollback()
            self.session.close()

    return Reserving


def test_reservations_of_any_order_keep_the_invariant(machine):
    machine.TestCase.settings = settings(max_examples=12, stateful_step_count=12, deadline=None)
    machine.TestCase().runTest()
