"""A first settings file: what a source offers, and which column probably means what."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from connectors.config import SourceConfig
from connectors.errors import FixSettings
from connectors.sources.base import Found
from connectors.sources.registry import open_source

# What column names mean, the most certain first: (pattern, field, the rest of its rule).
GUESSES: Sequence[tuple[str, str, str]] = (
    (r"nik(_?ktp)?|no_?ktp|nik/no_ktp", "nik", 'as = "nik"'),
    (r"no_?kk", "no_kk", 'as = "no_kk"'),
    (r"nama(_?(lengkap|lgkp|mustahik|peserta|penerima))?", "name_source", ""),
    (
        r"jk|l/p|jenis_?(kelamin|klmin)|jns_kelamin",
        "sex",
        'map = { L = "L", P = "P", "1" = "L", "2" = "P" }',
    ),
    (r"tgl_?(lahir|lhr)|tanggal_?lahir", "birth_date", 'as = "date", precision = true'),
    (r"tempat_?lahir|tmpt_?lhr", "birth_place", ""),
    (r"(nama_)?ibu(_kandung)?|nama_ibu_kandung", "mother_name", ""),
    (r"alamat(_jalan)?", "address_domicile.street", "max = 200"),
    (r"(desa_?)?(kelurahan|kel)", "address_domicile.kelurahan", 'as = "kelurahan"'),
    (r"no_?hp|telp|telepon|nomor_telepon_seluler", "phone", 'as = "phone"'),
)
_SQL = re.compile(r"(sqlite|postgresql|mysql|mariadb)(\+[a-z0-9]+)?:")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A first settings file and how much of it was recognised."""

    text: str
    tables: int
    mapped: int


def examples() -> tuple[str, ...]:
    """The agencies that have a worked example."""
    folder = files("connectors").joinpath("agencies")
    return tuple(
        sorted(p.name.removesuffix(".toml") for p in folder.iterdir() if p.name.endswith(".toml"))
    )


def example(agency: str) -> str:
    """The worked example of an agency.

    Raises:
        FixSettings: there is none.
    """
    if agency not in examples():
        reason = f"the examples are {', '.join(examples())}"
        raise FixSettings("settings.value", key="--example", reason=reason)
    return files("connectors").joinpath("agencies", f"{agency}.toml").read_text(encoding="utf-8")


def propose(agency: str, profile: str, source: str, folder: Path) -> Proposal:
    """A settings file for a database or a folder, from the names of its tables and columns alone.

    Raises:
        ConnectorError: the source cannot be read.
    """
    kind = _kind(source, folder)
    config = SourceConfig(kind, source if kind == "sql" else "", folder / source, {}, {})
    if kind == "sql":
        config = SourceConfig(kind, source, folder, {}, {})
    opened = open_source(config)
    try:
        found = [table for table in opened.describe() if table.columns]
    finally:
        opened.close()
    blocks = [block for table in found if (block := _block(table))]
    mapped = sum(block.count("\n  ") for block in blocks)
    head = [
        f'agency = "{agency}"',
        f'profile = "{profile}"',
        'basis = "PERJANJIAN-BELUM-DIISI"  # the agreement that allows the sharing',
        "",
        "[source]",
        f'kind = "{kind}"',
        f'{"url" if kind == "sql" else "path"} = "{source}"',
        "",
        "# Only what stands here can ever be read. Take out what nobody needs.",
        f"[source.{ {'sql': 'tables', 'text': 'files', 'xlsx': 'sheets'}[kind] }]",
        *(f"{_key(t.name)} = {_list(t.columns)}" for t in found),
    ]
    return Proposal("\n".join([*head, "", *blocks]) + "\n", len(found), mapped)


def _kind(source: str, folder: Path) -> str:
    if _SQL.match(source):
        return "sql"
    path = folder / source
    if not path.is_dir():
        raise FixSettings(
            "settings.value", key="--source", reason="neither a database URL nor a folder"
        )
    return "xlsx" if any(path.glob("*.xlsx")) else "text"


def _block(found: Found) -> str | None:
    fields: dict[str, str] = {}
    for pattern, field, rest in GUESSES:
        for column in found.columns:
            if field not in fields and re.fullmatch(pattern, column.casefold().replace(" ", "_")):
                quoted = _quoted(column)
                fields[field] = f"{{ from = {quoted}, {rest} }}" if rest else quoted
    if "name_source" not in fields:
        return None
    key = found.columns[0]
    hidden = "nik" in fields and _quoted(key) in fields["nik"]
    lines = [
        "[[publish]]",
        f"name = {_quoted(found.name)}",
        f"from = {_quoted(found.name)}",
        'record_type = "person"',
        f"key = [{_quoted(key)}]",
        *(['key_form = "hmac"'] if hidden else []),
        f'id_prefix = "{re.sub("[^A-Za-z0-9]", "", found.name)[:20]}."',
        "[publish.fields]",
        *(f"  {_key(field)} = {rule}" for field, rule in fields.items()),
    ]
    return "\n".join(lines) + "\n"


def _list(columns: Sequence[str]) -> str:
    return "[" + ", ".join(map(_quoted, columns)) + "]"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    escapes: Mapping[int, str] = {ord("\\"): "\\\\", ord('"'): '\\"', ord("\n"): "\\n"}
    return f'"{text.translate(escapes)}"'
