"""Rule sets as data: three ways out, reasons in words, and old decisions by old rules."""

import itertools
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.complaints import criteria
from gateway.complaints.criteria import Verdict
from gateway.complaints.lifecycle import Kind, lifecycle
from gateway.errors import Refused

NEW, OLD = "262/HUK/2022", "146/HUK/2013"


def answers(code: str = NEW, *yes: str) -> dict[str, bool]:
    return {q.code: q.code in yes for q in criteria.rule_sets()[code].questions}


def judge(code: str, *yes: str, pmks: tuple[str, ...] = ()) -> Verdict:
    return criteria.judge(criteria.rule_sets()[code], answers(code, *yes), pmks).verdict


@pytest.mark.parametrize(
    ("yes", "pmks", "verdict"),
    [
        (("floor", "wall", "hunger"), (), Verdict.POOR),
        (("floor", "wall", "hunger"), ("08",), Verdict.POOR),
        (("no_shelter",), (), Verdict.POOR),
        (("floor", "wall"), ("08",), Verdict.PMKS),
        ((), ("02", "09"), Verdict.PMKS),
        (("floor", "wall"), (), Verdict.NEITHER),
        ((), (), Verdict.NEITHER),
    ],
)
def test_the_three_ways_out(yes, pmks, verdict):
    assert judge(NEW, *yes, pmks=pmks) is verdict


def test_each_way_out_is_a_move_of_the_lifecycle():
    assert {v.value for v in Verdict} <= lifecycle()[Kind.COMPLAINT].events.keys()


@pytest.mark.parametrize(
    ("day", "code"),
    [(date(2015, 3, 1), OLD), (date(2022, 12, 30), OLD), (date(2022, 12, 31), NEW)],
)
def test_scenario_13_a_visit_is_judged_by_the_rules_of_its_day(day, code):
    assert criteria.in_force(day).code == code


def test_scenario_13_the_same_house_may_be_judged_otherwise_later():
    assert judge(NEW, "floor", "wall", "food_spending") is Verdict.POOR
    assert judge(OLD, "floor", "wall", "food_spending") is Verdict.NEITHER


def test_before_the_first_rules_nothing_is_judged():
    with pytest.raises(Refused, match="belum ada kriteria"):
        criteria.in_force(date(2012, 12, 31))


def test_sets_follow_on_each_other_without_a_gap_or_an_overlap():
    sets = list(criteria.rule_sets().values())
    assert sets[-1].valid_to is None
    for before, after in itertools.pairwise(sets):
        assert before.valid_to is not None
        assert (after.valid_from - before.valid_to).days == 1
    for each in sets:
        codes = [q.code for q in each.questions]
        assert len(set(codes)) == len(codes) >= each.least > 0
        assert set(each.at_once) <= set(codes)


def test_a_question_without_an_answer_is_asked_again():
    with pytest.raises(Refused, match="ya atau tidak"):
        criteria.judge(criteria.rule_sets()[NEW], {"floor": True})


@pytest.mark.parametrize("code", ["06", "16", "19", "99", "x"])
def test_categories_that_never_leave_their_owner_cannot_be_noted(code):
    with pytest.raises(Refused, match="PMKS"):
        judge(NEW, pmks=(code,))


@given(st.sets(st.sampled_from([q.code for q in criteria.rule_sets()[NEW].questions])))
def test_one_more_sign_never_makes_anybody_less_poor(yes):
    outcome = criteria.judge(criteria.rule_sets()[NEW], answers(NEW, *yes))
    assert outcome.met == len(yes)
    assert [r.code for r in outcome.reasons if r.answer] == [
        q.code for q in outcome.rule_set.questions if q.code in yes
    ]
    if outcome.verdict is Verdict.POOR:
        more = answers(NEW, *yes, "floor")
        again = criteria.judge(criteria.rule_sets()[NEW], more)
        assert again.verdict is Verdict.POOR
