"""Scores of a small model, counted by hand."""

from math import log2

import numpy as np
import pytest

from gateway.index import scoring
from gateway.index.compare import MISSING
from gateway.index.frequency import Frequency
from gateway.index.model import Batch, Field, Pairs, PersonFeatures
from gateway.index.scoring import HOUSEHOLD, FieldModel, Model, Reason, Scorer
from schemas.kinds import Kind

MATCH, FAMILY, REST = 0.001, 0.002, 0.997
CARD = FieldModel(
    Field("no_kk", Kind.NO_KK), (0.8, 0.15, 0.05), ((0.01,), (0.02,), (0.97,)), {HOUSEHOLD: (0.9, 0.07, 0.03)}
)  # fmt: skip
SEX = FieldModel(Field("sex", Kind.SEX), (0.9, 0.1), ((0.4,), (0.6,)), {HOUSEHOLD: (0.3, 0.7)})
SCORER = Scorer(Model("small", (CARD, SEX), MATCH, {HOUSEHOLD: FAMILY}))
KK = "1376010101100001"
SLIP, OTHER = "1376010101100002", "1376029905110777"
ONE = Pairs(np.array([0]), np.array([1]))


def two(card: str | None, sex: str | None) -> Batch:
    """A record of card KK and sex L, beside one that says this."""
    return Batch.of(
        [PersonFeatures("a", no_kk=KK, sex="L"), PersonFeatures("b", no_kk=card, sex=sex)]
    )


CASES = [
    pytest.param(KK, "L", 0, 0, id="same card, same sex"),
    pytest.param(SLIP, "P", 1, 1, id="a slip, other sex"),
    pytest.param(OTHER, "L", 2, 0, id="other card"),
    pytest.param(None, "P", None, 1, id="no card"),
    pytest.param(KK, None, 0, None, id="no sex"),
    pytest.param(None, None, None, None, id="nothing"),
]


def chances(card: int | None, sex: int | None) -> tuple[float, float, float]:
    """Of one person, of a household, and of strangers."""
    one, family, rest = MATCH, FAMILY, REST
    for model, level in ((CARD, card), (SEX, sex)):
        if level is not None:
            one *= model.m[level]
            family *= model.others[HOUSEHOLD][level]
            rest *= model.u[level][0]
    return one, family, rest


@pytest.mark.parametrize(("said_card", "said_sex", "card", "sex"), CASES)
def test_a_score_weighs_one_person_against_all_ways_to_be_two(said_card, said_sex, card, sex):
    one, family, rest = chances(card, sex)
    found = float(SCORER.score_pairs(two(said_card, said_sex), ONE)[0])
    assert found == pytest.approx(log2(one / (family + rest)), abs=1e-12)


@pytest.mark.parametrize(("said_card", "said_sex", "card", "sex"), CASES)
def test_each_entry_of_an_explanation_is_what_it_says(said_card, said_sex, card, sex):
    evidence = SCORER.evidence(two(said_card, said_sex), ONE)
    _, family, rest = chances(card, sex)
    on_card = card in (0, 1)
    against = family if on_card else rest
    names = {"no_kk": ("same", "slip", "different"), "sex": ("same", "different")}
    expected = [
        ("prior", "same family card" if on_card else "other", MATCH / (FAMILY if on_card else REST))
    ]
    for model, level in ((CARD, card), (SEX, sex)):
        if level is not None:
            other = model.others[HOUSEHOLD][level] if on_card else model.u[level][0]
            name = model.field.name
            expected.append((name, names[name][level], model.m[level] / other))
    rest_of_it = against / (family + rest)
    expected.append(("alternatives", "strangers or twins" if on_card else "relatives", rest_of_it))
    found = SCORER.explain(evidence, 0)
    assert [(r.field, r.level) for r in found] == [(f, level) for f, level, _ in expected]
    assert [r.bits for r in found] == pytest.approx([log2(x) for _, _, x in expected], abs=1e-12)
    assert {r.band for r in found} == {None}
    assert SCORER.same_card(evidence).tolist() == [on_card]


def test_without_cards_and_households_everybody_is_weighed_against_strangers():
    alone = FieldModel(SEX.field, SEX.m, SEX.u, {})
    scorer = Scorer(Model("least", (alone,), MATCH, {}))
    evidence = scorer.evidence(two(KK, "L"), ONE)
    assert scorer.same_card(evidence).tolist() == [False]
    assert scorer.explain(evidence, 0) == (
        Reason("prior", "other", pytest.approx(log2(MATCH / (1 - MATCH)))),
        Reason("sex", "same", pytest.approx(log2(0.9 / 0.4))),
        Reason("alternatives", "relatives", pytest.approx(0.0, abs=1e-12)),
    )
    with_card = Scorer(Model("card", (FieldModel(CARD.field, CARD.m, CARD.u, {}),), MATCH, {}))
    on_one_card = with_card.evidence(two(KK, "L"), ONE)
    assert with_card.explain(on_one_card, 0)[0].level == "other", (
        "no household to be weighed against"
    )


def test_a_rare_value_has_the_chances_of_its_band_the_commoner_of_two_counts():
    table = Frequency(by_word=False, known={"kota": 3.0, "kot": 9.0}, unknown=30.0)
    bands = tuple(0.5 / (i + 1) for i in range(10))
    model = FieldModel(
        Field("extra.x", Kind.CODE), (0.7, 0.1, 0.1, 0.1), (bands, bands, bands, bands[::-1]), {}, table
    )  # fmt: skip
    scorer = Scorer(Model("bands", (model,), MATCH, {}))
    said = ["kota", "kota", "kot", "kot", "langka", "langka", None]
    batch = Batch.of(
        [PersonFeatures(str(i), extra={"x": s} if s else {}) for i, s in enumerate(said)]
    )
    pairs = Pairs(np.array([0, 2, 4, 0, 0]), np.array([1, 3, 5, 4, 6]))
    evidence = scorer.evidence(batch, pairs)
    assert evidence.levels[0].tolist() == [0, 0, 0, 3, MISSING]
    assert evidence.bands[0].tolist() == [0, 3, 9, 0, 0]
    against = [bands[0], bands[3], bands[9], bands[::-1][0]]
    same = [0.7, 0.7, 0.7, 0.1]
    prior = log2(MATCH / (1 - MATCH))
    expected = [prior + log2(m / u) for m, u in zip(same, against, strict=True)] + [prior]
    assert scorer.score(evidence).tolist() == pytest.approx(expected, abs=1e-12)
    assert [scorer.explain(evidence, i)[1].band for i in range(4)] == [0, 3, 9, 0]


def test_a_field_is_silent_where_another_has_said_it():
    fields = (
        Field("nik", Kind.NIK),
        Field("birth_date", Kind.DATE, unless=("nik", ("near", "same day"))),
        Field("kelurahan", Kind.KELURAHAN),
        Field("address", Kind.ADDRESS, given="kelurahan"),
    )
    a = PersonFeatures(
        "a", nik="1376010512700001", birth_date="1970-12-05", kelurahan="13.76.01.1001", address="veteran|3|1|2"
    )  # fmt: skip
    near = PersonFeatures(
        "b", nik="1376010512700002", birth_date="1970-12-05", kelurahan="13.76.01.1001", address="veteran|3|1|2"
    )  # fmt: skip
    far = PersonFeatures(
        "c", nik="1376020101800009", birth_date="1970-12-05", kelurahan="13.76.01.1002", address="veteran|3|1|2"
    )  # fmt: skip
    pairs = Pairs(np.array([0, 0]), np.array([1, 2]))
    levels = scoring.observe(Batch.of([a, near, far]), pairs, fields, [None] * 4).levels
    assert levels[:, 0].tolist() == [2, MISSING, 0, 0]
    assert levels[:, 1].tolist() == [4, 0, 2, MISSING]


def test_work_is_done_in_pieces_and_nothing_shows_of_it(monkeypatch):
    batch = Batch.of([PersonFeatures(str(i), sex="LP"[i % 2]) for i in range(5)])
    low, high = (side.astype(np.int64) for side in np.triu_indices(5, 1))
    whole = SCORER.score_pairs(batch, Pairs(low, high)).tolist()
    monkeypatch.setattr(scoring, "_PIECE", 3)
    assert list(scoring.pieces(7)) == [slice(0, 3), slice(3, 6), slice(6, 9)]
    assert SCORER.score_pairs(batch, Pairs(low, high)).tolist() == whole


def test_bits_and_chances():
    found = scoring.posterior(np.array([0.0, 1.0, -2.0, 900.0, -900.0])).tolist()
    assert found == pytest.approx([0.5, 2 / 3, 0.2, 1.0, 0.0])
    assert 0 < found[4] < 1e-100
    assert scoring.bits_of_posterior(0.75) == pytest.approx(log2(3))
    levels, bands = np.array([0, 2, MISSING], dtype=np.int8), np.array([1, 3, 0], dtype=np.int8)
    assert scoring.cells_of(levels, bands, 10).tolist() == [1, 23, -1]
    assert scoring.cells_of(levels, bands, 1).tolist() == [0, 2, -1]
