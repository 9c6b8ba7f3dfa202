import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.index import modelfile, scoring
from gateway.index.model import Batch, Pairs, PersonFeatures
from gateway.index.modelfile import BadModel
from gateway.index.scoring import Scorer
from tests.index.records import CARD, KELURAHAN, pair_of, person

SCORER = Scorer(modelfile.load())
LINKS = scoring.bits_of_posterior(0.95)
NIK = "1376010512700001"


def bits(a: PersonFeatures, b: PersonFeatures) -> float:
    return float(SCORER.score_pairs(*pair_of(a, b))[0])


RARE = "Gusneti Elfira Yarnis"
LINKED = {
    "same NIK, card and name": (
        person("a", "Hasan Basri", nik=NIK, no_kk=CARD, birth_date="1970-12-05", sex="L"),
        person("b", "HASAN BASRI", nik=NIK, no_kk=CARD, birth_date="1970-12-05", sex="L"),
    ),
    "same NIK, short name, vague date": (
        person("a", "Hasan Basri", nik=NIK, birth_date="1970-12-05"),
        person("b", "Hasan", nik=NIK, birth_date="1970-01-01"),
    ),
    "no NIK: rare name, kelurahan, RT": (
        person("a", RARE, kelurahan=KELURAHAN, address="Jl. Veteran No. 3 RT 02 RW 01"),
        person("b", RARE.upper(), kelurahan=KELURAHAN, address="RT 2/RW 1"),
    ),
    "no NIK: rare name, kelurahan, phone": (
        person("a", RARE, kelurahan=KELURAHAN, phone="0812 3456 7890"),
        person("b", RARE, kelurahan=KELURAHAN, phone="+6281234567890"),
    ),
    "a gelar and the name it stands for": (
        person("a", "Ujang St. Rajo Ameh", birth_date="1970-12-05", sex="L", kelurahan=KELURAHAN),
        person("b", "Sutan Rajo Ameh", birth_date="1970-12-05", sex="L", kelurahan=KELURAHAN),
    ),
    "a typing error in the NIK": (
        person("a", "Hasan Basri", nik=NIK, no_kk=CARD, birth_date="1970-12-05"),
        person("b", "Hasan Basri", nik="1376010612700001", no_kk=CARD, birth_date="1970-12-05"),
    ),
}
APART = {
    "a common name in one kelurahan": (
        person("a", "Siti Rahma", kelurahan=KELURAHAN),
        person("b", "Siti Rahma", kelurahan=KELURAHAN),
    ),
    "twins": (
        person("a", "Rina Putri", nik="1376014512100001", no_kk=CARD, birth_date="2010-12-05"),
        person("b", "Rini Putri", nik="1376014512100002", no_kk=CARD, birth_date="2010-12-05"),
    ),
    "twins without NIK": (
        person("a", "Rina Putri", no_kk=CARD, birth_date="2010-12-05", sex="P"),
        person("b", "Rini Putri", no_kk=CARD, birth_date="2010-12-05", sex="P"),
    ),
    "father and son of one name": (
        person("a", "Hasan Basri", nik=NIK, no_kk=CARD, birth_date="1970-12-05", sex="L"),
        person("b", "Hasan Basri", nik="1376010703000002", no_kk=CARD, birth_date="2000-03-07"),
    ),
    "a relative's NIK": (
        person("a", "Hasan Basri", nik=NIK, no_kk=CARD, birth_date="1970-12-05", sex="L"),
        person("b", "Rizki Basri", nik=NIK, no_kk=CARD, birth_date="2001-03-07", sex="L"),
    ),
    "one 15-digit stem, brothers": (
        person("a", "Hasan Basri", nik="1376010512700012", nik_stem=None, birth_date="1970-12-05"),
        person("b", "Husin Basri", nik_stem="137601051270001", birth_date="1972-02-07"),
    ),
    "nothing in common but the place": (
        person("a", "Hasan Basri", kelurahan=KELURAHAN),
        person("b", "Dewi Sari", kelurahan=KELURAHAN),
    ),
}


@pytest.mark.parametrize("case", LINKED)
def test_one_person(case: str) -> None:
    assert bits(*LINKED[case]) >= LINKS


@pytest.mark.parametrize("case", APART)
def test_two_persons(case: str) -> None:
    assert bits(*APART[case]) < LINKS


@pytest.mark.parametrize("case", [*LINKED, *APART])
def test_an_explanation_sums_to_the_score(case: str) -> None:
    batch, pairs = pair_of(*{**LINKED, **APART}[case])
    evidence = SCORER.evidence(batch, pairs)
    total = sum(r.bits for r in SCORER.explain(evidence, 0))
    assert total == pytest.approx(float(SCORER.score(evidence)[0]), abs=1e-9)


OPTIONAL = {
    "nik": st.sampled_from([None, NIK, "1376010512700002", "~137601051270000"]),
    "no_kk": st.sampled_from([None, CARD, "1376010101100009"]),
    "name": st.sampled_from([None, "hasan basri", "husin basri", "siti", "hasan|rayo ameh"]),
    "birth_date": st.sampled_from([None, "1970-12-05", "1970-01-01", "1970", "1999-04-04"]),
    "sex": st.sampled_from([None, "L", "P"]),
    "kelurahan": st.sampled_from([None, KELURAHAN, "13.76.02.1001"]),
    "address": st.sampled_from([None, "veteran|3|1|2", "||1|2", "melati|||"]),
    "phone": st.sampled_from([None, "6281234567890", "6281234567899"]),
}
ANYBODY = st.builds(lambda said: PersonFeatures(key="x", **said), st.fixed_dictionaries(OPTIONAL))


@settings(max_examples=60, deadline=None)
@given(ANYBODY, ANYBODY)
def test_any_explanation_sums_to_its_score_and_the_order_never_shows(
    a: PersonFeatures, b: PersonFeatures
) -> None:
    evidence = SCORER.evidence(*pair_of(a, b))
    score = float(SCORER.score(evidence)[0])
    assert abs(sum(r.bits for r in SCORER.explain(evidence, 0)) - score) < 1e-9
    assert bits(b, a) == pytest.approx(score, abs=1e-12)


@given(st.floats(-60, 60), st.floats(0.001, 20))
def test_the_posterior_grows_with_the_score(low: float, more: float) -> None:
    one, other = scoring.posterior(np.array([low, low + more]))
    assert 0 <= one <= other <= 1


@given(st.floats(0.01, 0.99))
def test_a_threshold_in_bits_is_its_chance(chance: float) -> None:
    at = scoring.bits_of_posterior(chance)
    assert float(scoring.posterior(np.array([at]))[0]) == pytest.approx(chance)


def test_two_empty_records_are_strangers() -> None:
    batch = Batch.of([person("a"), person("b")])
    nothing = SCORER.score_pairs(batch, Pairs(np.array([0]), np.array([1])))
    assert nothing[0] < -10


def test_a_model_survives_its_file() -> None:
    model = modelfile.load()
    assert modelfile.parse(modelfile.dump(model)) == model


@pytest.mark.parametrize("text", ["", "{}", '{"format": "other"}', json.dumps([1])])
def test_another_text_is_no_model(text: str) -> None:
    with pytest.raises(BadModel):
        modelfile.parse(text)
