import csv
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result

from gateway.cli_link import link

HEAD = "id,agency,nik,kk,nama,lahir,jk,kel\n"
ROWS = [
    "1,dukcapil,1376010512700001,1376010101100001,HASAN BASRI,05-12-1970,1,Ibuh",
    "2,dinsos,1376010512700001,1376010101100001,Hasan Basri,05121970,L,Ibuah",
    "3,dukcapil,1376014512100001,1376010101100001,RINA PUTRI,05-12-2010,2,Ibuh",
    "4,dukcapil,1376014512100002,1376010101100001,RINI PUTRI,05-12-2010,2,Ibuh",
    "5,disdik,,1376010101100001,Rina Putri,2010-12-05,P,Ibuh",
    "6,dinsos,1376011203650001,1376010202100002,Siti Aminah,12/03/1965,P,Koto Baru",
    "7,disdik,1376015203650001,1376010202100002,St. Aminah,12 Maret 1965,P,Kt. Baru",
    "8,dinsos,,,Upik,,P,",
]
MAP = """
[columns]
id = "id"
source = "agency"
nik = "nik"
no_kk = "kk"
name = "nama"
birth_date = "lahir"
sex = "jk"
kelurahan = "kel"
[options]
register = "dukcapil"
"""

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(data: str | bytes = HEAD + "\n".join(ROWS), link_map: str = MAP, *more: str) -> Result:
        source = tmp_path / "persons.csv"
        source.write_bytes(data if isinstance(data, bytes) else data.encode())
        (tmp_path / "map.toml").write_text(link_map)
        files = ["--map", str(tmp_path / "map.toml"), "--out", str(tmp_path / "out.csv")]
        return CliRunner().invoke(link, [str(source), *files, *more])

    return run


def clusters(folder: Path) -> dict[str, str]:
    with (folder / "out.csv").open(newline="") as file:
        return {row["id"]: row["cluster_id"] for row in csv.DictReader(file)}


def test_a_file_is_linked(run: Run, tmp_path: Path) -> None:
    result = run(HEAD + "\n".join(ROWS), MAP, "--json", str(tmp_path / "stats.json"))
    assert result.exit_code == 0, result.output
    found = clusters(tmp_path)
    assert list(found) == [str(i) for i in range(1, 9)]
    assert found["1"] == found["2"]
    assert found["3"] == found["5"]
    assert found["6"] == found["7"]
    assert len({found[i] for i in "13468"}) == 5
    stats = json.loads((tmp_path / "stats.json").read_text())
    assert stats["records"] == 8
    assert stats["clusters"] == 5


def test_what_is_unsure_stands_in_the_review(run: Run, tmp_path: Path) -> None:
    run()
    with (tmp_path / "out.review.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = clusters(tmp_path)
    assert all(found[r["id_a"]] != found[r["id_b"]] for r in rows)
    assert all("1376" not in r["evidence"] for r in rows)


def test_the_order_of_rows_never_shows(run: Run, tmp_path: Path) -> None:
    run()
    first = clusters(tmp_path)
    run(HEAD + "\n".join(reversed(ROWS)))
    assert dict(sorted(clusters(tmp_path).items())) == first


def test_semicolons_a_bom_and_windows_line_ends_are_read(run: Run, tmp_path: Path) -> None:
    text = (HEAD + "\n".join(ROWS)).replace(",", ";").replace("\n", "\r\n")
    assert run(b"\xef\xbb\xbf" + text.encode()).exit_code == 0
    assert clusters(tmp_path)["2"] == "1"


def test_parquet_with_numbers_and_missing_columns(tmp_path: Path) -> None:
    table = pa.table(
        {
            "no": [1, 2, 3],
            "a": ["Ali", "Ali", None],
            "b": ["Basri", "Basri", None],
            "y": [1970.0, 1970.0, None],
            "m": [12, 12, 1],
            "d": [5, 5, 2],
        }
    )
    pa.parquet.write_table(table, tmp_path / "p.parquet")
    (tmp_path / "map.toml").write_text(
        '[columns]\nid="no"\nname=["a","b"]\nbirth_date=["y","m","d"]\n'
        '[extra.born]\ncolumn="y"\nkind="number"\n'
    )
    args = [str(tmp_path / "p.parquet"), "--map", str(tmp_path / "map.toml")]
    result = CliRunner().invoke(link, [*args, "--out", str(tmp_path / "out.csv")])
    assert result.exit_code == 0, result.output
    assert set(clusters(tmp_path)) == {"1", "2", "3"}


def test_sources_without_duplicates_are_linked_one_to_one(run: Run, tmp_path: Path) -> None:
    one = "9,dinsos,1376010512700001,1376010101100001,Hasan Basri,05121970,L,Ibuh"
    options = MAP + "within_sources = false\n"
    assert run(HEAD + "\n".join([*ROWS, one]), options).exit_code == 0
    found = clusters(tmp_path)
    assert found["9"] != found["2"]


@pytest.mark.parametrize(
    ("data", "link_map", "said"),
    [
        (HEAD + "\n".join(ROWS), MAP.replace('"nama"', '"name"'), "no column name"),
        (HEAD + "\n".join([ROWS[0], ROWS[0]]), MAP, "id is not unique"),
        (HEAD + ROWS[0][1:], MAP, "have no id"),
        (HEAD, MAP, "holds no records"),
        ("", MAP, "holds no records"),
        ((HEAD + ROWS[0]).replace("HASAN", "HÀSAN").encode("latin-1"), MAP, "not UTF-8"),
        (HEAD + "1,2,3", MAP, "more or fewer cells"),
        (HEAD + ROWS[0], MAP + 'colour = "red"', "`colour` is not known"),
        (HEAD + ROWS[0], MAP.replace("kelurahan", "village"), "`village` is not known"),
        (HEAD + ROWS[0], "[columns]\nname = 'nama'", "`id`"),
        (HEAD + ROWS[0], "[columns", "not TOML"),
        (HEAD + ROWS[0], "[columns]\nid = 'id'", "nothing to compare"),
        (HEAD + ROWS[0], MAP.replace("dukcapil", "nobody"), "not one of the file's sources"),
        (HEAD + ROWS[0], MAP + "within_sources = 3", "true or false"),
        (HEAD + ROWS[0], MAP + "[extra.x]\ncolumn = 'nama'\nkind = 'nik'", "needs a `kind`"),
        (HEAD + ROWS[0], MAP + "[extra.x]\ncolumn = 3\nkind = 'code'", "a column, or a list"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(
    run: Run, data: str | bytes, link_map: str, said: str
) -> None:
    result = run(data, link_map)
    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output
    assert "137601" not in result.output


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(MAP)
    where = ["--map", str(tmp_path / "map.toml"), "--out", str(tmp_path / "o.csv")]
    result = CliRunner().invoke(link, [str(tmp_path / "none.csv"), *where])
    assert result.exit_code == 1
    assert "no file none.csv" in result.output


def _link(tmp_path: Path, source: Path, out: Path, *more: str) -> Result:
    link_map = tmp_path / "m.toml"
    link_map.write_text('[columns]\nid = "id"\nname = "name"\n', encoding="utf-8")
    return CliRunner().invoke(link, [str(source), "--map", str(link_map), "--out", str(out), *more])


def test_the_input_is_never_written_over(tmp_path: Path) -> None:
    source = tmp_path / "list.csv"
    source.write_text("id,name\n1,Siti Aminah\n", encoding="utf-8")
    before = source.read_bytes()
    assert _link(tmp_path, source, source).exit_code == 1
    out = tmp_path / "out.csv"
    assert _link(tmp_path, source, out, "--json", str(out)).exit_code == 1
    assert source.read_bytes() == before


def test_a_folder_that_is_not_there_is_said_before_the_work(tmp_path: Path) -> None:
    source = tmp_path / "list.csv"
    source.write_text("id,name\n1,Siti Aminah\n", encoding="utf-8")
    done = _link(tmp_path, source, tmp_path / "none" / "out.csv")
    assert done.exit_code == 1
    assert "no folder" in done.output


@pytest.mark.parametrize(
    "text", ["\n\nid,name\n1,Siti\n", '"id","name"\n1,"Siti\nAminah"\n'], ids=["blank", "quoted"]
)
def test_odd_but_lawful_csv_is_read(tmp_path: Path, text: str) -> None:
    source = tmp_path / "list.csv"
    source.write_text(text, encoding="utf-8")
    assert _link(tmp_path, source, tmp_path / "out.csv").exit_code == 0


def test_a_column_of_lists_is_refused_with_a_sentence(tmp_path: Path) -> None:
    source = tmp_path / "list.parquet"
    pa.parquet.write_table(pa.table({"id": ["1"], "name": [["Siti"]]}), source)
    done = _link(tmp_path, source, tmp_path / "out.csv")
    assert done.exit_code == 1
    assert "cannot be read as text" in done.output
