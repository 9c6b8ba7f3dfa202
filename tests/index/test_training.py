import numpy as np
import pytest

from gateway.index import linking, training
from gateway.index.model import FIELDS, Batch, Field, PersonFeatures
from gateway.index.scoring import HOUSEHOLD, TWINS, bits_of_posterior
from schemas.kinds import Kind

NAMES = "ali budi cici dedi evi fani gani hadi ida joni kiki lina mira nina oki".split()


def people(count: int, copies: int, seed: int = 5) -> list[PersonFeatures]:
    """Persons with a two-word name and a birth date, each recorded `copies` times, some misspelt."""
    rng = np.random.default_rng(seed)
    out = []
    for i in range(count):
        a, b, c = rng.choice(NAMES, 3)
        born = f"{rng.integers(1940, 2015)}-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d}"
        for j in range(copies):
            name = f"{a}{b} {c}" if rng.random() < 0.8 else f"{a}{b}n {c}"
            out.append(PersonFeatures(key=f"{i:04d}-{j}", name=name, birth_date=born))
    return out


def link(records: list[PersonFeatures], fields: tuple[Field, ...] = FIELDS) -> linking.Linked:
    plan = linking.Plan(fields, bits_of_posterior(0.95))
    return linking.link(Batch.of(records), plan, lambda _: None)


def test_a_small_set_with_two_fields_is_learned() -> None:
    linked = link(people(150, 2))
    pairs = linked.labels.reshape(-1, 2)
    assert (pairs[:, 0] == pairs[:, 1]).mean() > 0.9
    assert len(np.unique(linked.labels)) >= 148


def test_without_cards_there_is_no_household() -> None:
    assert set(link(people(60, 2)).model.priors) == set()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_handful_of_records_still_gets_a_model(count: int) -> None:
    linked = link(people(count, 1))
    assert len(linked.labels) == count
    for field in linked.model.fields:
        assert sum(field.m) == pytest.approx(1.0)


def test_nobody_twice_links_nobody() -> None:
    assert len(np.unique(link(people(300, 1)).labels)) >= 298


def test_cards_bring_relatives_and_twins() -> None:
    rng = np.random.default_rng(4)
    records = [
        PersonFeatures(
            key=str(i),
            no_kk=f"{1376000000000000 + i // 4}",
            name=" ".join(rng.choice(NAMES, 2)),
            birth_date=f"{1950 + i % 60}-{i % 12 + 1:02d}-{i % 28 + 1:02d}",
        )
        for i in range(800)
    ]
    assert set(link(records).model.priors) == {HOUSEHOLD, TWINS}


def test_defaults_are_chances_for_every_kind() -> None:
    assert set(training.DEFAULTS) == set(Kind)
    for defaults in training.DEFAULTS.values():
        for chances in (defaults.match, defaults.household, defaults.twins):
            assert sum(chances) == pytest.approx(1.0)
