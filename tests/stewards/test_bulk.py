"""Accepting many pairs at once needs a sample that was decided by hand, and nothing but *sama* in it."""

from dataclasses import replace

import pytest

from gateway.errors import Conflict, Refused
from gateway.index.clustering import Band
from gateway.index.verdict import Verdict
from gateway.stewards import bulk
from gateway.stewards.model import BULK_SAMPLE
from tests.index_db.people import Said
from tests.stewards.conftest import Office
from tests.stewards.test_tasks import persons, registered


@pytest.fixture
def doubtful(office: Office, town: list[Said]) -> list[tuple[Said, Said]]:
    """Twelve people whom another agency knows by name and day alone, under a threshold too high."""
    office.tools = replace(office.tools, threshold=60.0, band=Band(low=-6.0))
    known = registered(town, 12)
    bare = [
        Said(
            "baz",
            f"BAZ-b{i}",
            {k: s.values[k] for k in ("name_source", "birth_date", "sex")},
            s.truth,
        )
        for i, s in enumerate(known)
    ]
    office.load([*known, *bare])
    assert len(office.tasks("K00")) >= 12
    return list(zip(known, bare, strict=True))


def accept(office: Office, made: object) -> int:
    with office.database.session() as session:
        count = bulk.accept(session, made, "contoh semuanya cocok", office.desk())
        session.commit()
    office.work()
    return count


def draw(office: Office, least: float = 0.0) -> object:
    with office.database.session() as session:
        made = bulk.draw(session, least, office.desk())
        session.commit()
    return made


def sample(office: Office, made: object) -> list:
    with office.database.session() as session:
        return [t for t, _ in bulk.look(session, made).sample]


def test_the_rest_is_accepted_only_after_the_whole_sample(office, doubtful):
    made = draw(office)
    chosen = sample(office, made)
    assert len(chosen) == BULK_SAMPLE
    for task in chosen[:-1]:
        office.judge(task, Verdict.SAME)
    with pytest.raises(Conflict, match="Contoh"):
        accept(office, made)
    office.judge(chosen[-1], Verdict.SAME)
    waiting = len(office.tasks("K00"))
    assert accept(office, made) >= 12 - BULK_SAMPLE
    assert len(office.tasks("K00")) < waiting
    assert all(persons(office, a) == persons(office, b) for a, b in doubtful)
    with pytest.raises(Conflict):
        accept(office, made)


def test_one_of_the_sample_that_was_two_persons_ends_the_round(office, doubtful):
    made = draw(office)
    chosen = sample(office, made)
    for task in chosen[:-1]:
        office.judge(task, Verdict.SAME)
    office.judge(chosen[-1], Verdict.DIFFERENT)
    with pytest.raises(Conflict):
        accept(office, made)
    assert office.tasks("K00"), "nothing else was decided"


def test_too_few_pairs_are_no_round(office, doubtful):
    with pytest.raises(Refused, match="terlalu sedikit"):
        draw(office, 1000.0)
