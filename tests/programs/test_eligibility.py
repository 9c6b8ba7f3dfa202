"""Criteria in three values, what is suggested, and what a person has already: tables, no database."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.index.radar import Kind
from gateway.index.view import PersonView, Provenance, Related
from gateway.programs import aid, criteria, eligibility, facts
from gateway.programs.criteria import Answer
from gateway.programs.model import Program, Truth
from schemas.profile import Profile
from tests.programs.conftest import PROGRAM, TODAY

PROFILE = Profile.load("payakumbuh")
POOR = {"field": "desil", "max": 4}
CHILD = {"all": [{"field": "age", "min": 6}, {"field": "age", "max": 18}]}
HERE = {"alive": True, "ktp_here": True, "lives_here": True}
_NUMBERS = count(1)


@pytest.mark.parametrize(
    ("predicate", "known", "answer"),
    [
        (None, {}, "meets"),
        (POOR, {"desil": 4}, "meets"),
        (POOR, {"desil": 5}, "fails"),
        (POOR, {}, "unknown"),
        (CHILD, {"age": 12}, "meets"),
        (CHILD, {"age": 5}, "fails"),
        ({"any": [POOR, CHILD]}, {"age": 12}, "meets"),
        ({"any": [POOR, CHILD]}, {"age": 40}, "unknown"),
        ({"all": [POOR, CHILD]}, {"age": 40}, "fails"),
        ({"not": POOR}, {"desil": 2}, "fails"),
        ({"not": POOR}, {}, "unknown"),
        ({"field": "pmks", "any": ["02", "08"]}, {"pmks": ("08",)}, "meets"),
        ({"field": "pmks", "none": ["02"]}, {"pmks": ("08",)}, "meets"),
        ({"field": "attending", "is": True}, {"attending": False}, "fails"),
        ({"field": "health_cover", "is": "none"}, {"health_cover": "none"}, "meets"),
    ],
)
def test_three_values(predicate, known, answer):
    assert criteria.judge(predicate, known).answer == answer


@pytest.mark.parametrize(
    "broken",
    [
        *({}, {"any": []}, {"field": "desil"}, {"field": "desil", "max": "4"}, {"all": POOR}),
        *({"field": "shoe", "is": 1}, {"field": "pmks", "min": 3}, {"field": "age", "any": [3]}),
        *({"field": "desil", "max": 4, "min": 1}, {"sql": "drop"}, {"all": [1]}),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_not_known_and_never_a_no(broken):
    found = criteria.judge(broken, {"desil": 9, "age": 90, "pmks": ()})
    assert found.answer is Answer.UNKNOWN
    assert found.reasons[0].text["id"].startswith("Satu syarat")


_RULES = st.sampled_from([POOR, {"field": "sex", "is": "P"}, {"field": "age", "min": 60}])
_PREDICATES = st.recursive(
    _RULES,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=6,
)
_WHOLE = {"desil": st.integers(1, 10), "sex": st.sampled_from("LP"), "age": st.integers(0, 100)}


@given(_PREDICATES, st.fixed_dictionaries(_WHOLE), st.sets(st.sampled_from(sorted(_WHOLE))))
def test_what_is_decided_stays_so_whatever_else_becomes_known(predicate, whole, hidden):
    known = {name: value for name, value in whole.items() if name not in hidden}
    before, after = criteria.judge(predicate, known), criteria.judge(predicate, whole)
    assert after.answer is not Answer.UNKNOWN
    assert before.answer in (after.answer, Answer.UNKNOWN)


def test_each_reason_says_what_was_found_and_what_is_asked_for():
    (low,) = criteria.judge(POOR, {"desil": 7}).reasons
    assert low.text == {
        "id": "Desil 7; syarat: paling tinggi 4",
        "en": "Decile 7; asked for: at most 4",
    }
    found = criteria.judge({"field": "attending", "is": True}, {})
    assert found.reasons[0].text["id"] == "Masih bersekolah belum diketahui; syarat: ya"
    assert found.missing == ("attending",)


def test_the_rules_of_a_programme_read_in_words():
    rules = {"all": [{"any": [POOR, {"field": "list", "is": "DTSEN"}]}, {"field": "shoe", "is": 1}]}
    found = criteria.describe(
        truth("a-2025-01", criteria=rules, residency_rule="DOMICILE_CITY").program
    )
    assert [text["id"] for text in found] == [
        "Berdomisili di kota ini",
        "Desil: paling tinggi 4 atau Daftar: DTSEN",
        "Satu syarat program tidak dapat diperiksa mesin; periksa sendiri",
    ]
    assert found[1]["en"] == "Decile: at most 4 or List: DTSEN"
    assert criteria.describe(truth("a-2025-01").program) == ()


def truth(code: str, **more: object) -> Truth:
    agency = code.partition("-2")[0]
    return Truth(Program.read(agency, {**PROGRAM, "program_code": code, "name": code, **more}))


def test_what_is_open_and_met_comes_first_and_nothing_is_left_out():
    given_ = [
        truth("a-2025-01", criteria={"field": "desil", "max": 1}),
        truth("b-2026-01", fiscal_year=2026, period_start="2026-01-02", status="draft"),
        truth("c-2025-01", criteria={"field": "age", "max": 18}),
        truth("d-2025-01", quota_total=0),
        truth("e-2025-01", residency_rule="KTP_CITY", criteria=POOR),
        truth("f-2025-01", status="closed"),
        truth("g-2025-01", need_kinds=["rutilahu"]),
    ]
    found = eligibility.suggest(given_, "perlengkapan_sekolah", {**HERE, "desil": 3}, TODAY)
    assert [s.truth.program.code[0] for s in found] == list("edcbfa")
    assert [s.rank for s in found] == [0, 1, 2, 3, 4, 5]
    assert [r.field for r in found[0].verdict.reasons] == ["alive", "ktp_here", "desil"]


@pytest.mark.parametrize(
    ("rule", "known", "answer"),
    [
        ("KTP_CITY", {"ktp_here": False, "alive": True}, "fails"),
        ("KTP_CITY", {"alive": True}, "unknown"),
        ("DOMICILE_CITY", {"lives_here": True, "ktp_here": False, "alive": True}, "meets"),
        ("none", {"alive": True}, "meets"),
        ("none", {"alive": False}, "fails"),
    ],
)
def test_residence_and_life_are_rules_like_any_other(rule, known, answer):
    assert (
        eligibility.weigh(truth("a-2025-01", residency_rule=rule).program, known).answer == answer
    )


def said(agency: str, kind: str, program: str | None = None, **values: object) -> Related:
    number = next(_NUMBERS)
    at = datetime(2025, 1, 1, tzinfo=UTC)
    whence = Provenance(agency, number, kind, 1, at, UUID(int=1), 0, b"x" * 32, None)
    return Related(whence, "person", "of", values, program)


def person(programs=(), benefits=(), enrolments=(), listings=(), **golden: object) -> PersonView:
    shown = {name: _Shown(value) for name, value in golden.items()}
    return PersonView(
        UUID(int=7), None, None, shown, (), (), (), (), tuple(listings), tuple(enrolments),
        tuple(benefits), (), (), {}, (), programs={p["program_code"]: p for p in programs},
    )  # fmt: skip


@dataclass
class _Shown:
    value: object


BSM = {**PROGRAM, "program_code": "disdik-2025-01", "need_kinds": ["beasiswa"],
       "exclusive_group": "beasiswa", "funder": "APBN"}  # fmt: skip
JKD = {**PROGRAM, "program_code": "dinkes-2025-01", "need_kinds": ["jaminan_kesehatan"],
       "complements": ["lks-mk-2025-01"]}  # fmt: skip
BAZ = Program.read("baz", {**BSM, "program_code": "baz-2025-02", "funder": "ZIS"})
LKS = Program.read("lks-mk", {**PROGRAM, "program_code": "lks-mk-2025-01", "funder": "DONASI_LKS",
                              "need_kinds": ["biaya_pendamping", "jaminan_kesehatan"]})  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "view", "found"),
    [
        (
            BAZ,
            person([BSM], [said("disdik", "benefit", "disdik-2025-01", date="2025-03-01", period="2025-S1")]),
            [("disdik-2025-01", Kind.DUPLICATE)],
        ),
        (
            BAZ,
            person([BSM], (), [said("disdik", "enrolment", "disdik-2025-01", status="active")]),
            [("disdik-2025-01", Kind.DUPLICATE)],
        ),
        (
            BAZ,
            person([BSM], (), [said("disdik", "enrolment", "disdik-2025-01", status="ended")]),
            [],
        ),
        (BAZ, person([BSM], [said("disdik", "benefit", "disdik-2025-01", date="2024-03-01")]), []),
        (
            LKS,
            person([JKD], (), [said("dinkes", "enrolment", "dinkes-2025-01", status="active")]),
            [("dinkes-2025-01", Kind.COMPLEMENT)],
        ),
        (BAZ, person(), []),
    ],
    ids="paid enrolled ended last_year complement nothing".split(),
)  # fmt: skip
def test_scenarios_17_and_21_what_somebody_has_already(asked, view, found):
    assert [(b.program, b.kind) for b in aid.beside(asked, view, (), TODAY)] == found


def test_what_the_desk_has_reserved_counts_before_anything_is_published():
    bsm = Program.read("disdik", BSM)
    (found,) = aid.beside(BAZ, person(), [bsm], TODAY)
    assert (found.agency, found.kind) == ("disdik", Kind.DUPLICATE)
    assert aid.beside(BAZ, person(), [BAZ], TODAY) == []


def test_covered_means_this_need_this_year_by_public_money():
    paid = [said("disdik", "benefit", "disdik-2025-01", date="2025-03-01")]
    view = person([BSM], paid)
    assert aid.covered_by("beasiswa", view, TODAY) == "disdik-2025-01"
    assert aid.covered_by("tunggakan_sekolah", view, TODAY) is None
    assert aid.covered_by("beasiswa", view, date(2026, 2, 1)) is None
    assert aid.covered_by("beasiswa", person([{**BSM, "funder": "ZIS"}], paid), TODAY) is None


@pytest.mark.parametrize(
    ("golden", "field", "value"),
    [
        ({"address_ktp": {"kelurahan": "13.76.01.1021"}}, "ktp_here", True),
        ({"address_ktp": {"kelurahan": "13.07.04.2001"}}, "ktp_here", False),
        ({"address_ktp": {"street": "Jl. Sudirman"}}, "ktp_here", None),
        ({"address_ktp": {"kelurahan": "13.76.01.1021"}}, "lives_here", True),
        ({"address_ktp": {"kelurahan": "13.76.01.1021"}, "residency_status": "moved_out"}, "lives_here", False),
        ({"vital_status": "deceased"}, "alive", False),
        ({"vital_status": "unknown"}, "alive", None),
        ({"birth_date": "2013-11-04"}, "age", 11),
        ({"birth_date": "2013"}, "age", None),
        ({"nik": "3273016704850002"}, "ktp_here", None),
    ],
)  # fmt: skip
def test_scenarios_18_and_19_where_somebody_lives_is_read_from_his_address(golden, field, value):
    assert facts.of_view(person(**golden), PROFILE, TODAY).get(field) == value


def test_lists_that_hold_somebody_are_facts():
    held = [
        said("dstk", "listing", list_code="DTSEN", listing_status="active", desil=3),
        said("dstk", "listing", list_code="PPLS2011", listing_status="active", desil=2,
             welfare_status="miskin"),
        said("baz", "listing", list_code="BAZ_MUSTAHIK", listing_status="excluded", desil=1),
    ]  # fmt: skip
    found = facts.of_view(person(listings=held), PROFILE, TODAY)
    assert found == {"desil": 2, "list": ("DTSEN", "PPLS2011"), "welfare": ("miskin",)}
