"""A file of persons (CSV or Parquet) as a batch of the engine; each distinct value read once."""

import codecs
import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from gateway.errors import Refused
from gateway.index import dates, normalise, numbers, places
from gateway.index.linkmap import LinkMap
from gateway.index.model import FIELDS, Batch, Column, Field, Flags, Ints, Objects, objects
from schemas.kinds import Kind
from schemas.nik import ends_in_zero

_HEAD = 1 << 16
_BLOCK = 16 * 1024 * 1024
_DELIMITERS = ",;\t|"
_JOIN = "\x1f"

Read = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Persons:
    """A file's records in the order of their ids; `rows[i]` is where record i stands in it."""

    batch: Batch
    fields: tuple[Field, ...]
    rows: Ints


def read(path: Path, link_map: LinkMap) -> Persons:
    """Read and normalise a file.

    Raises:
        Refused: `input.…`; the sentence says what is wrong with the file, never a value of it.
    """
    table = _table(path, link_map.needed())
    if not table.num_rows:
        raise Refused("input.empty", f"{path.name} holds no records.")
    texts = {f: _joined(table, c, f) for f, c in link_map.columns.items()}
    ids = _ids(texts.pop("id"), path.name)
    rows = np.argsort(ids, kind="stable").astype(np.int64)
    sources = _sources(texts.pop("source", None), len(ids))
    columns = _columns(texts)
    for name, extra in link_map.extra.items():
        text = _joined(table, extra.columns, extra.kind)
        columns[f"extra.{name}"] = _mapped(text, _extra_reader(extra.kind, text))
    batch = Batch(
        keys=ids[rows].tolist(),
        sources=_ordered(sources, rows),
        registered=_registered(columns, sources, link_map.register)[rows],
        columns={name: _ordered(column, rows) for name, column in columns.items()},
    )
    fields = [f for f in FIELDS if f.name in columns]
    fields += [Field(f"extra.{name}", extra.kind) for name, extra in link_map.extra.items()]
    return Persons(batch, tuple(fields), rows)


def _table(path: Path, needed: list[str]) -> Any:
    if not path.exists():
        raise Refused("input.absent", f"There is no file {path.name}.")
    if path.suffix.lower() in {".parquet", ".pq"}:
        return _parquet(path, needed)
    return _csv(path, needed)


def _parquet(path: Path, needed: list[str]) -> Any:
    try:
        _complete(pa.parquet.read_schema(path).names, needed, path.name)
        return pa.parquet.read_table(path, columns=needed)
    except pa.ArrowInvalid as err:
        raise Refused("input.format", f"{path.name} is not a Parquet file.") from err


def _csv(path: Path, needed: list[str]) -> Any:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head.strip():
        raise Refused("input.empty", f"{path.name} holds no records.")
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head).lstrip("\r\n")
    except UnicodeDecodeError as err:
        raise Refused("input.encoding", _not_utf8(path.name)) from err
    delimiter = max(_DELIMITERS, key=text.splitlines()[0].count)
    header = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    _complete(next(header), needed, path.name)
    try:
        return pa.csv.read_csv(
            path,
            read_options=pa.csv.ReadOptions(block_size=_BLOCK),
            parse_options=pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pa.csv.ConvertOptions(
                include_columns=needed,
                column_types=dict.fromkeys(needed, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except pa.ArrowInvalid as err:
        if "UTF8" in str(err):
            raise Refused("input.encoding", _not_utf8(path.name)) from err
        raise Refused("input.format", f"{path.name}: a row has more or fewer cells.") from err


def _not_utf8(name: str) -> str:
    return f"{name} is not UTF-8; save it as UTF-8 (for instance iconv -f cp1252 -t utf-8)."


def _complete(found: list[str], needed: list[str], file: str) -> None:
    missing = [c for c in needed if c not in found]
    if missing:
        raise Refused(
            "input.column",
            f"{file} has no column {', '.join(missing)}; it has: {', '.join(found)}.",
        )


def _joined(table: Any, names: tuple[str, ...], field: str) -> Any:
    """The columns as one text column, trimmed, blanks null."""
    glue = "-" if field in {"birth_date", Kind.DATE} else " "
    texts = [pc.fill_null(pc.utf8_trim_whitespace(_text(table[n])), "") for n in names]
    joined = texts[0]
    if len(texts) > 1:
        joined = pc.binary_join_element_wise(*texts, glue)
        joined = pc.utf8_trim(pc.replace_substring_regex(joined, f"{glue}+", glue), glue)
    return pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), joined)


def _text(column: Any) -> Any:
    """Any column as one array of text; whole numbers without a fraction, days as ISO dates.

    Raises:
        Refused: it holds lists, bytes or another kind that is no text.
    """
    try:
        return _as_text(column)
    except (pa.ArrowException, ValueError) as err:
        raise Refused(
            "input.type", "A column holds lists, bytes or numbers that cannot be read as text."
        ) from err


def _as_text(column: Any) -> Any:
    column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_floating(column.type):
        whole = pc.all(pc.or_kleene(pc.equal(column, pc.floor(column)), pc.is_null(column)))
        column = column.cast(pa.int64()) if whole.as_py() is not False else column
    elif pa.types.is_timestamp(column.type):
        column = column.cast(pa.date32(), safe=False)
    return column.cast(pa.string())


def _ids(text: Any, file: str) -> Objects:
    if text.null_count:
        raise Refused("input.id", f"{file}: {text.null_count} records have no id.")
    ids = objects(text.to_pylist())
    twice = len(ids) - len(set(ids.tolist()))
    if twice:
        raise Refused("input.id", f"{file}: the id is not unique; {twice} records repeat one.")
    return ids


def _sources(text: Any, count: int) -> Column:
    if text is None:
        return Column(np.zeros(count, dtype=np.int32), objects([""]))
    return _mapped(pc.fill_null(text, ""), lambda v: v)


def _columns(texts: Mapping[str, Any]) -> dict[str, Column]:
    """Our own fields, normalised."""
    columns: dict[str, Column] = {}
    plain: Mapping[str, Read] = {
        "no_kk": numbers.family_card,
        "sex": numbers.sex,
        "kelurahan": places.place,
        "address": places.address,
        "phone": numbers.phone,
    }
    for field in plain.keys() & texts.keys():
        columns[field] = _mapped(texts[field], plain[field])
    if "birth_date" in texts:
        columns["birth_date"] = _mapped(texts["birth_date"], _dates(texts["birth_date"]))
    if "name" in texts:
        columns["name"] = _names(texts["name"], texts.get("sex"))
    if "nik" in texts:
        read_nik = numbers.nik
        if ends_in_zero(texts["nik"].unique().to_pylist()):
            read_nik = numbers.cut_nik
        columns["nik"] = _mapped(texts["nik"], lambda v: read_nik(v).value)
        columns["nik_stem"] = _mapped(texts["nik"], lambda v: read_nik(v).stem)
    return columns


def _names(text: Any, sex: Any) -> Column:
    if sex is None:
        return _mapped(text, lambda v: normalise.name(v).value)
    both = pc.binary_join_element_wise(text, pc.fill_null(sex, ""), _JOIN)

    def read_both(value: str) -> str | None:
        name, _, written = value.partition(_JOIN)
        return normalise.name(name, numbers.sex(written)).value

    return _mapped(both, read_both)


def _extra_reader(kind: Kind, text: Any) -> Read:
    if kind is Kind.DATE:
        return _dates(text)
    readers: Mapping[Kind, Read] = {
        Kind.NAME: lambda v: normalise.name(v).value,
        Kind.NUMBER: numbers.amount,
        Kind.CODE: lambda v: "".join(c for c in v.lower() if c.isalnum()) or None,
    }
    return readers.get(kind, lambda v: " ".join(v.lower().split()))


def _dates(text: Any) -> Read:
    order = dates.order(v for v in text.unique().to_pylist() if v is not None)
    return lambda v: dates.date(v, order)


def _mapped(text: Any, read_value: Read) -> Column:
    """Each distinct text read once; different texts may read alike."""
    encoded = text.dictionary_encode()
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    read_once = Column.of(read_value(v) for v in encoded.dictionary.to_pylist())
    known = np.append(read_once.codes, np.int32(-1))
    return Column(known[codes].astype(np.int32), read_once.values)


def _ordered(column: Column, rows: Ints) -> Column:
    """The column in another order of records, its values numbered alphabetically."""
    rank = np.argsort(np.argsort(column.values, kind="stable"), kind="stable")
    codes = np.append(rank, -1).astype(np.int32)[column.codes]
    return Column(codes[rows], objects(sorted(column.values.tolist())))


def _registered(columns: Mapping[str, Column], sources: Column, register: str | None) -> Flags:
    if register is None or "nik" not in columns:
        return np.zeros(len(sources.codes), dtype=bool)
    if register not in sources.values.tolist():
        raise Refused("map.register", "The map's `register` is not one of the file's sources.")
    nik = columns["nik"]
    valid = np.array([not v.startswith("~") for v in nik.values] + [False], dtype=bool)
    from_register = sources.codes == sources.values.tolist().index(register)
    flags: Flags = from_register & valid[nik.codes]
    return flags
