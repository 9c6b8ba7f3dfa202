"""Cells become values: the small list of transforms, references, folding; and what may never be read."""

import sqlite3
import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.assembly import Outside, reading
from connectors.config import Config, Dataset
from connectors.errors import FixSettings
from connectors.memory import Memory
from connectors.runner import Wishes, preview
from connectors.sources.base import Query
from connectors.sources.sql import _statement
from connectors.transforms import TRANSFORMS, Context, folded, text_of
from schemas.profile import Profile
from schemas.text import clean
from tests.connectors.gateway import now

CONTEXT = Context(date(2025, 11, 3), Profile.load("payakumbuh").wilayah)


@pytest.mark.parametrize(
    ("name", "cells", "rule", "values", "findings"),
    [
        ("text", ["  a\u200b  b\n"], {}, {"": "a b"}, ()),
        ("text", ["2025", "1"], {"join": "-S"}, {"": "2025-S1"}, ()),
        ("text", ["abcdef"], {"max": 3}, {"": "abc"}, ()),
        ("text", [None, " "], {}, {"": None}, ()),
        ("upper", ["ab"], {}, {"": "AB"}, ()),
        ("digits", ["0086-12 3456"], {"length": 10}, {"": "0086123456"}, ()),
        ("digits", ["123"], {"length": 10}, {"": None}, ()),
        ("nik", ["1376011006800002"], {},
         {"": "1376011006800002", "nik_raw": None, "nik_status": "valid_form"}, ()),
        ("nik", [1376011006800000.0], {},
         {"": None, "nik_raw": "1376011006800000", "nik_status": "truncated_excel"},
         ("NIK_TRUNCATED",)),
        ("nik", ["9999999999999999"], {},
         {"": None, "nik_raw": "9999999999999999", "nik_status": "sentinel"}, ("NIK_SENTINEL",)),
        ("nik", [None], {}, {"": None, "nik_raw": None, "nik_status": "missing"}, ()),
        ("no_kk", ["1376010101090001"], {}, {"": "1376010101090001"}, ()),
        ("no_kk", ["137601"], {}, {"": None}, ("KK_INVALID",)),
        ("date", ["31 Des 1980"], {"precision": True},
         {"": "1980-12-31", "birth_date_precision": "day"}, ()),
        ("date", ["00/00/1968"], {"precision": True},
         {"": "1968-01-01", "birth_date_precision": "year"}, ()),
        ("date", ["00000000"], {}, {"": None}, ()),
        ("date", ["kemarin"], {}, {"": None}, ("DATE_UNREADABLE",)),
        ("date", [29586], {}, {"": "1980-12-31"}, ()),
        ("rupiah", ["Rp400.000,-"], {}, {"": 400_000}, ()),
        ("rupiah", ["-5000"], {}, {"": None}, ("AMOUNT_NEGATIVE",)),
        ("rupiah", ["banyak"], {}, {"": None}, ("AMOUNT_UNREADABLE",)),
        ("integer", ["12"], {}, {"": 12}, ()),
        ("integer", ["dua"], {}, {"": None}, ()),
        ("flag", ["Ya"], {}, {"": True}, ()),
        ("flag", [0], {}, {"": False}, ()),
        ("flag", ["?"], {}, {"": None}, ()),
        ("phone", ["0812-3456-7890"], {}, {"": "+6281234567890"}, ()),
        ("phone", ["abc"], {}, {"": None}, ("PHONE_UNREADABLE",)),
        ("rt_rw", ["JL SUDIRMAN 12 RT 3 RW 1"], {}, {"rt": "003", "rw": "001"}, ()),
        ("rt_rw", [3, 1], {}, {"rt": "003", "rw": "001"}, ()),
        ("code", [" kuning  tua "], {"map": {"kuning tua": "x"}}, {"": "x"}, ()),
        ("code", ["mati muda"], {"map": {"mati*": "deceased", "*": ""}}, {"": "deceased"}, ()),
        ("code", ["lain"], {"map": {"mati*": "deceased", "*": ""}}, {"": None}, ()),
        ("code", ["lain"], {"map": {"a": "b"}}, {"": None}, ("LABEL_UNKNOWN",)),
        ("code", [None], {"map": {"a": "b"}, "empty": "active"}, {"": "active"}, ()),
        ("label", ["PACA"], {"list": "pmks", "many": True}, {"": ["05"]}, ()),
        ("label", ["korban kekerasan"], {"list": "pmks"}, {"": None}, ("OWNER_ONLY",)),
        ("label", ["entah"], {"list": "pmks"}, {"": None}, ("LABEL_UNKNOWN",)),
        ("split", ["12/UPT/15"], {"at": "/", "part": 2}, {"": "15"}, ()),
        ("split", ["12"], {"at": "/", "part": 2}, {"": None}, ()),
        ("list", ["1"], {"map": {"1": "FISIK"}, "key": "kind"}, {"": [{"kind": "FISIK"}]}, ()),
        ("list", ["a", None, "b"], {}, {"": ["a", "b"]}, ()),
        ("kelurahan", ["Kel. Ibuh", None], {"by": "name"},
         {"": "13.76.01.1021", "kecamatan": "13.76.01", "kelurahan_raw": "Ibuh"}, ()),
        ("kelurahan", ["01", "1021"], {"by": "kemendagri", "prefix": "1376"},
         {"": "13.76.01.1021", "kecamatan": "13.76.01", "kelurahan_raw": "13.76.01.1021"}, ()),
        ("kelurahan", ["123"], {"by": "bps"}, {"": None}, ("KEL_UNKNOWN",)),
        ("kelurahan", [None], {"by": "bps"}, {"": None}, ()),
    ],
)  # fmt: skip
def test_a_transform(name, cells, rule, values, findings):
    made = TRANSFORMS[name](cells, rule, CONTEXT)
    assert made.values == values
    assert made.findings == findings


CELLS = st.one_of(
    st.none(), st.text(max_size=40), st.integers(), st.floats(), st.booleans(), st.dates(),
    st.datetimes(), st.decimals(allow_nan=False, allow_infinity=False),
)  # fmt: skip
RULES = {"map": {"a": "b"}, "list": "pmks"}


@given(name=st.sampled_from(sorted(TRANSFORMS)), cell=CELLS)
def test_no_cell_stops_a_row(name, cell):
    made = TRANSFORMS[name]([cell], RULES, CONTEXT)
    assert isinstance(made.findings, tuple)


@given(CELLS)
def test_text_is_one_clean_line(cell):
    text = text_of(cell)
    assert text is None or clean(text) == unicodedata.normalize("NFC", text) == text.strip()


def test_labels_of_a_map_are_folded():
    assert folded({" Kepala  Keluarga": "1"}) == {"kepala keluarga": "1"}


# -- whole blocks

HOUSE = """
agency = "baz"
profile = "payakumbuh"
basis = "PKS-1"
[source]
kind = "sql"
url = "sqlite:///rumah.sqlite"
[source.tables]
anggota = ["kk", "no", "nama", "hub", "keluar"]
kartu = ["kk", "alamat"]
[[publish]]
name = "orang"
record_type = "person"
from = "anggota"
key = ["kk", "no"]
key_form = "{form}"
[publish.fields]
name_source = "nama"
[[publish]]
name = "rumah"
record_type = "household"
from = "anggota"
key = ["kk"]
[[publish.only]]
column = "keluar"
present = false
[[publish.join]]
from = "kartu"
on = {{ kk = "kk" }}
[publish.fields]
household_key = "kk"
basis = {{ const = "KK" }}
head_person = {{ ref = "orang", from = ["kk", "no"], when = {{ column = "hub", is = "1" }} }}
members = {{ each = {{ person = {{ ref = "orang", from = ["kk", "no"] }}, relation = "hub" }} }}
"address.street" = {{ from = "kartu.alamat", else = {{ const = "tidak diketahui" }} }}
"""


@pytest.fixture
def house(tmp_path):
    db = sqlite3.connect(tmp_path / "rumah.sqlite")
    db.executescript(
        """
        CREATE TABLE anggota(kk TEXT, no INTEGER, nama TEXT, hub TEXT, keluar TEXT);
        CREATE TABLE kartu(kk TEXT, alamat TEXT);
        CREATE TABLE kasus_kekerasan(id INTEGER, nama TEXT);
        INSERT INTO anggota VALUES('B', 2, 'Siti', '3', NULL), ('A', 1, 'Ujang', '1', NULL),
          ('B', 1, 'Rani', '1', NULL), ('B', 3, 'Pindah', '4', 'ya'), ('C', 1, 'Pergi', '1', 'ya');
        INSERT INTO kartu VALUES('B', 'Jl. Melati');
        INSERT INTO kasus_kekerasan VALUES(1, 'KORBAN');
        """
    )
    db.close()
    return tmp_path


def _preview(folder, text):
    path = folder / "titian.toml"
    path.write_text(text)
    config = Config.load(path, state=folder / "state")
    memory = Memory.open(config.places.memory)
    try:
        with reading(config, memory, Outside(now, lambda: "")) as job:
            return {tally.block: tally for tally in preview(job, Wishes())}
    finally:
        memory.close()


def test_rows_of_one_key_are_folded_into_one_record(house):
    told = _preview(house, HOUSE.format(form="plain"))["rumah"]
    assert told.sample == [
        ("A", {
            "household_key": "A", "basis": "KK", "head_person": "A:1",
            "members": [{"person": "A:1", "relation": "1"}],
            "address": {"street": "tidak diketahui"},
        }),
        ("B", {
            "household_key": "B", "basis": "KK", "head_person": "B:1",
            "members": [{"person": "B:1", "relation": "1"}, {"person": "B:2", "relation": "3"}],
            "address": {"street": "Jl. Melati"},
        }),
    ]  # fmt: skip


def test_a_reference_is_the_id_that_the_other_block_gives(house):
    told = _preview(house, HOUSE.format(form="hmac"))["rumah"].sample
    assert len({m["person"] for _, values in told for m in values["members"]}) == 3
    assert all(len(values["head_person"]) == 32 for _, values in told)
    assert told == _preview(house, HOUSE.format(form="hmac"))["rumah"].sample


def test_two_blocks_may_not_give_the_same_ids(house):
    text = HOUSE.format(form="plain")
    twin = text.partition("[[publish]]")[2].partition("[[publish]]")[0].replace('"orang"', '"lain"')
    with pytest.raises(FixSettings) as caught:
        _preview(house, text + "[[publish]]" + twin)
    assert "id_prefix" in str(caught.value)


FORBIDDEN = [
    ('from = "anggota"', 'from = "kasus_kekerasan"'),
    ('name_source = "nama"', 'name_source = "alamat_rahasia"'),
    ('name_source = "nama"', 'name_source = "kasus_kekerasan.nama"'),
    ('name_source = "nama"', 'name_source = "kartu.rahasia"'),
    ('key = ["kk"]', 'key = ["id FROM kasus_kekerasan; --"]'),
    ('column = "keluar"', 'column = "rahasia"'),
    ('on = { kk = "kk" }', 'on = { kk = "rahasia" }'),
    ('on = { kk = "kk" }', 'on = { rahasia = "kk" }'),
    ('[[publish.join]]\nfrom = "kartu"', '[[publish.join]]\nfrom = "kasus_kekerasan"'),
    ('key = ["kk"]', 'key = ["kk"]\nmode = "watermark"\nwatermark = "rahasia"'),
    ('key = ["kk"]', 'key = ["kk"]\nas_of = "rahasia"'),
    ('relation = "hub"', 'relation = "rahasia"'),
    ('is = "1"', 'is = "1" }, else = { from = "rahasia"'),
]


@pytest.mark.parametrize(("before", "after"), FORBIDDEN, ids=[after[:50] for _, after in FORBIDDEN])
def test_what_is_not_declared_cannot_be_read(house, before, after):
    text = HOUSE.format(form="plain")
    assert before in text
    with pytest.raises(FixSettings):
        _preview(house, text.replace(before, after, 1))


def test_a_table_is_reached_by_declaring_it_alone(house):
    text = HOUSE.format(form="plain").replace(
        '"nama", "hub"', '"nama FROM kasus_kekerasan --", "hub"'
    )
    with pytest.raises(Exception, match="nama"):
        _preview(house, text)


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_names_in_the_statement_are_quoted_never_spliced(table, column):
    statement = str(_statement(Query(Dataset(table, (column,)), (column,))))
    assert statement.count("SELECT") == 1 + table.count("SELECT") + 2 * column.count("SELECT")
