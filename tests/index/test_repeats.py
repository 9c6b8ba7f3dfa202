"""A list that names one person hundreds of times: still one person, and nobody else."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli_link import link
from gateway.index import repeats
from gateway.index.model import Batch, PersonFeatures

FIRST = "Ahmad Budi Citra Dewi Eka Fitri Gusman Hendra Indah Joni Kartika Lina Mardi Nurul".split()
LAST = "Saputra Wahyuni Rahmadani Efendi Syahrial Marlina Pratama Lestari Hidayat Utami".split()


def clusters(tmp_path: Path, rows: list[tuple[str, ...]]) -> dict[str, set[str]]:
    source, link_map, out = (tmp_path / n for n in ("in.csv", "map.toml", "out.csv"))
    with source.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("no", "nik", "nama", "lahir", "jk"))
        writer.writerows(rows)
    link_map.write_text(
        '[columns]\nid="no"\nnik="nik"\nname="nama"\nbirth_date="lahir"\nsex="jk"\n',
        encoding="utf-8",
    )
    done = CliRunner().invoke(link, [str(source), "--map", str(link_map), "--out", str(out)])
    assert done.exit_code == 0, done.output
    found: dict[str, set[str]] = {}
    with out.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["cluster_id"], set()).add(row["id"])
    return found


def others(count: int = 280) -> list[tuple[str, ...]]:
    return [
        (
            f"o{n}",
            f"1101{n % 28 + 1:02d}{n % 28 + 1:02d}{n % 12 + 1:02d}{60 + n % 30}{n + 1:04d}",
            f"{FIRST[n % 14]} {LAST[n % 10]}",
            f"{1960 + n % 30}-{n % 12 + 1:02d}-{n % 28 + 1:02d}",
            "LP"[n % 2],
        )
        for n in range(count)
    ]


@pytest.mark.parametrize("times", [3, 250, 600])
def test_one_person_named_often_is_one_person(tmp_path: Path, times: int):
    same = [
        (f"x{n}", "1101011708650007", "Zubaidah Rangkuti", "1965-08-17", "P") for n in range(times)
    ]
    found = clusters(tmp_path, [*others(), *same])
    mine = [ids for ids in found.values() if any(i.startswith("x") for i in ids)]
    assert mine == [{f"x{n}" for n in range(times)}]


def test_a_bare_common_name_stays_many(tmp_path: Path):
    same = [(f"x{n}", "", "Ahmad", "", "") for n in range(60)]
    found = clusters(tmp_path, [*others(), *same])
    mine = [ids for ids in found.values() if any(i.startswith("x") for i in ids)]
    assert all(len(ids) == 1 for ids in mine)
    assert len(mine) == 60


def test_without_many_repetitions_nothing_is_thinned():
    batch = Batch.of([PersonFeatures(key=str(n), name="a b") for n in range(repeats.KEPT)])
    assert repeats.thin(batch) is None
    more = Batch.of([PersonFeatures(key=str(n), name="a b") for n in range(repeats.KEPT + 5)])
    thinned = repeats.thin(more)
    assert thinned is not None
    assert len(thinned.rows) == repeats.KEPT
