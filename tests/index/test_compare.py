import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.index import compare
from gateway.index.compare import COMPARATORS, MISSING
from gateway.index.model import Column, Pairs
from schemas.kinds import Kind

ONE = Pairs(np.array([0]), np.array([1]))


def level(kind: Kind, a: str | None, b: str | None) -> str:
    found = int(compare.levels(kind, Column.of([a, b]), ONE)[0])
    return "missing" if found == MISSING else COMPARATORS[kind].levels[found]


def test_every_kind_has_a_comparator() -> None:
    assert set(COMPARATORS) == set(Kind)


@pytest.mark.parametrize(
    ("kind", "a", "b", "expected"),
    [
        (Kind.NIK, "1376014512100001", "1376014512100001", "same"),
        (Kind.NIK, "1376014512100001", "1376014512100002", "near"),
        (Kind.NIK, "1376014512100001", "1376014512100347", "same day"),
        (Kind.NIK, "1376014512100001", "1376014513100001", "slip"),
        (Kind.NIK, "1376014512100001", "1376010101700001", "different"),
        (Kind.NIK, "1376014512100001", "~137601451210001", "near"),
        (Kind.NIK, "~137601451210001", "~137601451210001", "near"),
        (Kind.NIK, "1376014512100001", "~137601010170001", "missing"),
        (Kind.NO_KK, "1376010101100001", "1376010101100010", "slip"),
        (Kind.NAME, "siti amina", "siti amina", "same"),
        (Kind.NAME, "siti amina", "amina siti", "same words"),
        (Kind.NAME, "siti amina", "siti", "same words"),
        (Kind.NAME, "m riski", "muhamat riski", "same words"),
        (Kind.NAME, "nur hayati", "nurhayati", "same words"),
        (Kind.NAME, "uyang|rayo ameh", "rayo ameh", "same words"),
        (Kind.NAME, "siti aminah", "siti amimah", "near"),
        (Kind.NAME, "rina putri", "rini putri", "near, other first word"),
        (Kind.NAME, "hasan basri", "husin basri", "shared word"),
        (Kind.NAME, "hasan basri", "dewi sari", "different"),
        (Kind.DATE, "1980-12-31", "1980-01-01", "vague"),
        (Kind.DATE, "1980-12-31", "1980", "vague"),
        (Kind.DATE, "1980-12-05", "1980-05-12", "slip"),
        (Kind.DATE, "1980-12-05", "1981-12-05", "slip"),
        (Kind.DATE, "1980-12-05", "1980-12-15", "slip"),
        (Kind.DATE, "1980-12-05", "1980-03-09", "same year"),
        (Kind.DATE, "1980-12-05", "1955-03-09", "different"),
        (Kind.SEX, "L", "P", "different"),
        (Kind.KELURAHAN, "13.76.01.1021", "13.76.01.1022", "different"),
        (Kind.KELURAHAN, "13.76.01.1021", "koto baru", "missing"),
        (Kind.KELURAHAN, "tanjung pauh", "tanjung pauhh", "near"),
        (Kind.ADDRESS, "sudirman|12|3|1", "sudirman||3|1", "same house"),
        (Kind.ADDRESS, "sudirman|12|3|1", "sudirman|9|3|1", "same street"),
        (Kind.ADDRESS, "sudirman|12|3|1", "||3|1", "same RT"),
        (Kind.ADDRESS, "||3|1", "||3|1", "same RT"),
        (Kind.ADDRESS, "sudirman|||", "||3|1", "missing"),
        (Kind.ADDRESS, "sudirman|12|3|1", "melati|2|3|1", "different"),
        (Kind.PHONE, "6281234567890", "6281234567891", "slip"),
        (Kind.TEXT, "politician", "politicien", "near"),
        (Kind.TEXT, "writer and poet", "poet and actor", "related"),
        (Kind.CODE, "tq138df", "tq138hu", "same start"),
        (Kind.CODE, "tq138df", "tq138dg", "slip"),
        (Kind.NUMBER, "100.0", "100.5", "near"),
        (Kind.NUMBER, "100.0", "150.0", "different"),
        (Kind.NONE, "a", "a", "missing"),
    ],
)
def test_levels(kind: Kind, a: str, b: str, expected: str) -> None:
    assert level(kind, a, b) == expected
    assert level(kind, b, a) == expected


@pytest.mark.parametrize("kind", list(Kind))
def test_a_missing_value_says_nothing(kind: Kind) -> None:
    value = {Kind.ADDRESS: "veteran|3|1|2", Kind.NUMBER: "1.0"}.get(kind, "1980-01-02")
    assert level(kind, None, value) == "missing"


@given(st.lists(st.sampled_from(["siti amina", "siti", "amina siti", "m ali", "ali"]), min_size=2))
def test_distinct_pairs_are_compared_once_and_alike(names: list[str]) -> None:
    column = Column.of(names)
    left, right = np.triu_indices(len(names), 1)
    found = compare.levels(Kind.NAME, column, Pairs(left, right))
    alone = [level(Kind.NAME, names[i], names[j]) for i, j in zip(left, right, strict=True)]
    assert [COMPARATORS[Kind.NAME].levels[x] for x in found] == alone
