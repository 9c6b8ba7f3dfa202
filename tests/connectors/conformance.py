"""What every kind of source promises; each kind's test class inherits this and says how a table is made."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import GeneratorType

import pytest

from connectors.config import Dataset, Join, SourceConfig
from connectors.errors import ConnectorError, FixSource
from connectors.sources.base import Query
from connectors.sources.registry import open_source
from connectors.transforms import text_of

Table = tuple[Sequence[str], Sequence[Sequence[object]]]

PEOPLE: Table = (
    ("id", "nama", "kk", "rahasia"),
    (("1", "Nur'aini", "B", "x"), ("2", "Zainal", "A", "x"), ("3", "Mawardi", "B", "x")),
)
CARDS: Table = (("kk", "alamat"), (("A", "Jl. Sudirman"), ("C", "Jl. Melati")))


class SourceConformance:
    """Inherit, and define `make`."""

    def make(self, tmp_path: Path, tables: Mapping[str, Table]) -> SourceConfig:
        """A source that holds these tables, every column declared but `rahasia`."""
        raise NotImplementedError

    @pytest.fixture
    def config(self, tmp_path: Path) -> SourceConfig:
        return self.make(tmp_path, {"orang": PEOPLE, "kartu": CARDS})

    @pytest.fixture
    def source(self, config: SourceConfig):
        opened = open_source(config)
        yield opened
        opened.close()

    def test_streams_every_row_with_the_columns_asked_for(self, config, source):
        rows = list(source.rows(Query(config.datasets["orang"], ("id", "nama"))))
        assert [(text_of(r["id"]), r["nama"]) for r in rows] == [
            ("1", "Nur'aini"),
            ("2", "Zainal"),
            ("3", "Mawardi"),
        ]
        assert all({n for n in row if not n.startswith("@")} == {"id", "nama"} for row in rows)

    def test_a_reading_is_a_stream(self, config, source):
        rows = source.rows(Query(config.datasets["orang"], ("id",)))
        assert isinstance(rows, GeneratorType)
        next(rows)
        rows.close()
        assert len(list(source.rows(Query(config.datasets["orang"], ("id",))))) == 3

    def test_the_same_query_gives_the_same_rows(self, config, source):
        query = Query(config.datasets["orang"], ("id", "nama", "kk")).ordered(("kk", "id"))
        assert list(source.rows(query)) == list(source.rows(query))

    def test_rows_of_one_key_stand_beside_each_other_when_asked(self, config, source):
        query = Query(config.datasets["orang"], ("id", "kk")).ordered(("kk", "id"))
        assert [(r["kk"], text_of(r["id"])) for r in source.rows(query)] == [
            ("A", "2"),
            ("B", "1"),
            ("B", "3"),
        ]

    def test_a_join_brings_the_other_columns_or_nothing(self, config, source):
        join = Join("k", "kartu", {"kk": "kk"})
        query = Query(
            config.datasets["orang"], ("id", "kk"), ((join, config.datasets["kartu"], ("alamat",)),)
        ).ordered(("id",))
        assert [row["k.alamat"] for row in source.rows(query)] == [None, "Jl. Sudirman", None]

    def test_an_inner_join_leaves_rows_without_a_partner_out(self, config, source):
        join = Join("k", "kartu", {"kk": "kk"}, optional=False)
        query = Query(
            config.datasets["orang"], ("id", "kk"), ((join, config.datasets["kartu"], ("alamat",)),)
        )
        assert [text_of(row["id"]) for row in source.rows(query)] == ["2"]

    def test_a_good_query_passes_its_check(self, config, source):
        assert source.check(Query(config.datasets["orang"], ("id", "nama"))) is None

    def test_a_renamed_column_is_named(self, config, source):
        dataset = Dataset("orang", ("id", "nama_lama"), config.datasets["orang"].options)
        with pytest.raises(FixSource) as caught:
            source.check(Query(dataset, ("id", "nama_lama")))
        assert caught.value.code in ("source.column", "source.header")
        assert caught.value.facts["column"] == "nama_lama"

    def test_a_dropped_table_is_named(self, source):
        dataset = Dataset("hilang", ("id",))
        with pytest.raises(FixSource) as caught:
            source.check(Query(dataset, ("id",)))
        assert caught.value.code in ("source.table", "source.file")

    def test_a_column_nobody_declared_is_in_no_row(self, config, source):
        for row in source.rows(Query(config.datasets["orang"], config.datasets["orang"].columns)):
            assert "rahasia" not in row
            assert "x" not in map(str, row.values())

    def test_counts_rows_where_it_can(self, config, source):
        count = source.count(Query(config.datasets["orang"], ("id",)))
        assert count is None or count >= 3

    def test_describes_what_there_is_without_a_row(self, source):
        found = {one.name.casefold(): one.columns for one in source.describe()}
        assert {"id", "nama", "kk"} <= set(found["orang"])
        assert "Zainal" not in str(found)

    def test_closing_twice_is_harmless(self, config):
        opened = open_source(config)
        list(opened.rows(Query(config.datasets["orang"], ("id",))))
        opened.close()
        opened.close()

    def test_errors_have_a_sentence_in_both_languages(self, source):
        with pytest.raises(ConnectorError) as caught:
            source.check(Query(Dataset("hilang", ("id",)), ("id",)))
        for lang in ("id", "en"):
            assert "hilang" in caught.value.sentence(lang)
