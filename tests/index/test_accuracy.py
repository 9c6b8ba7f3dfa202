"""How right the engine is where the truth is known; bars far below what is measured by `bench`."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from gateway.index import linking, linkmap, reading
from gateway.index.linking import Linked
from gateway.index.reading import Persons
from gateway.index.scoring import bits_of_posterior
from tests.shared import shared

FEBRL4 = """
[columns]
id = "unique_id"
source = "source"
name = ["given_name", "surname"]
birth_date = "date_of_birth"
address = ["street_number", "address_1", "address_2"]
kelurahan = "suburb"
[extra.number]
column = "soc_sec_id"
kind = "code"
[extra.postcode]
column = "postcode"
kind = "code"
[options]
within_sources = false
"""
FAKE_1000 = """
[columns]
id = "unique_id"
name = ["first_name", "surname"]
birth_date = "dob"
[extra.email]
column = "email"
kind = "text"
[extra.city]
column = "city"
kind = "text"
"""


def pairs_in(labels: np.ndarray) -> int:
    sizes = np.unique(labels, return_counts=True)[1]
    return int((sizes * (sizes - 1) // 2).sum())


def pairwise(truth: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    both = pairs_in(truth.astype(np.int64) * len(truth) + found)
    return both / pairs_in(found), both / pairs_in(truth)


def run(path: Path, text: str, threshold: float) -> tuple[Persons, Linked]:
    link_map = linkmap.parse(text)
    persons = reading.read(path, link_map)
    plan = linking.Plan(
        persons.fields, bits_of_posterior(threshold), within_sources=link_map.within_sources
    )
    return persons, linking.link(persons.batch, plan, lambda _: None)


def measure(path: Path, text: str, threshold: float) -> tuple[float, float]:
    persons, linked = run(path, text, threshold)
    truth = np.unique(pq.read_table(path)["truth"].to_pylist(), return_inverse=True)[1]
    return pairwise(truth[persons.rows], linked.labels)


@pytest.mark.parametrize(
    ("name", "text", "threshold", "precision", "recall"),
    [
        ("febrl4", FEBRL4, 0.95, 0.995, 0.99),
        ("fake_1000", FAKE_1000, 0.5, 0.97, 0.88),
        ("fake_1000", FAKE_1000, 0.95, 0.98, 0.76),
    ],
)
def test_public_sets(
    name: str, text: str, threshold: float, precision: float, recall: float
) -> None:
    found = measure(shared(f"data/linkage/{name}.parquet"), text, threshold)
    assert found[0] >= precision
    assert found[1] >= recall


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_records_never_shows(tmp_path: Path, seed: int) -> None:
    path = shared("data/linkage/fake_1000.parquet")
    table = pq.read_table(path)
    order = np.random.default_rng(seed).permutation(table.num_rows)
    pq.write_table(table.take(order), tmp_path / "shuffled.parquet")
    persons, linked = run(path, FAKE_1000, 0.95)
    again, linked_again = run(tmp_path / "shuffled.parquet", FAKE_1000, 0.95)
    assert persons.batch.keys == again.batch.keys
    assert linked.labels.tolist() == linked_again.labels.tolist()
    assert linked.weights.tolist() == linked_again.weights.tolist()
