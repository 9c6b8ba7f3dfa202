"""A first settings file: what a source offers, and which column probably means what."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from connectors.config import SourceConfig
from connectors.errors import FixSettings
from connectors.sources.base import Found
from connectors.sources.registry import open_source
from connectors.withheld import is_withheld
from schemas.errors import SchemaError
from schemas.profile import Profile

# What column names mean, the most certain first: (pattern, field, the rest of its rule, how sure).
GUESSES: Sequence[tuple[str, str, str, float]] = (
    (r"nik(_?ktp)?|no_?ktp|nik/_?no_?ktp", "nik", 'as = "nik"', 0.98),
    (r"no_?kk", "no_kk", 'as = "no_kk"', 0.95),
    (
        r"(nama|nm)(_?(lengkap|lgkp|mustahik|peserta|penerima|kepala|siswa))?",
        "name_source",
        "",
        0.95,
    ),
    (
        r"jk|l/p|jenis_?(kelamin|klmin)|jns_kelamin",
        "sex",
        'map = { L = "L", P = "P", "1" = "L", "2" = "P" }',
        0.9,
    ),
    (r"tgl_?(lahir|lhr)|tanggal_?lahir", "birth_date", 'as = "date", precision = true', 0.95),
    (r"tempat_?lahir|tmpt_?lhr", "birth_place", "", 0.9),
    (r"(nama_)?ibu(_kandung)?|nama_ibu_kandung", "mother_name", "", 0.85),
    (r"alamat(_jalan)?", "address_domicile.street", "max = 200", 0.85),
    (r"(desa_?)?(kelurahan|kel)", "address_domicile.kelurahan", 'as = "kelurahan"', 0.85),
    (r"no_?hp|telp|telepon|hp|nomor_telepon_seluler", "phone", 'as = "phone"', 0.85),
)
_SQL = re.compile(r"(sqlite|postgresql|mysql|mariadb)(\+[a-z0-9]+)?:")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an officer says of the agency; `source` is a database URL or a folder in `folder`."""

    agency: str
    profile: str
    source: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Guess:
    """A column that probably means a field; `by_name`, 0 to 1, is how sure its name alone is."""

    table: str
    column: str
    field: str
    rule: str
    by_name: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """A first settings file and how much of it was recognised."""

    text: str
    tables: int
    guesses: tuple[Guess, ...]

    @property
    def mapped(self) -> int:
        return len(self.guesses)


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


def propose(wanted: Wanted, *, without: Collection[tuple[str, str]] = ()) -> Proposal:
    """A settings file for a database or a folder, from the names of its tables and columns.

    `without` are (table, field) that turned out not to fit. What the city withholds is left out.

    Raises:
        ConnectorError: the source cannot be read, or the profile is not known.
    """
    patterns = _withheld(wanted.profile)
    kind = _kind(wanted.source, wanted.folder)
    is_sql = kind == "sql"
    place = wanted.folder if is_sql else wanted.folder / wanted.source
    config = SourceConfig(kind, wanted.source if is_sql else "", place, {}, {}, patterns)
    opened = open_source(config)
    try:
        found = [t for t in (_allowed(one, patterns) for one in opened.describe()) if t.columns]
    finally:
        opened.close()
    guesses = tuple(
        g for table in found for g in _guesses(table) if (g.table, g.field) not in without
    )
    blocks = [block for table in found if (block := _block(table, guesses))]
    head = [
        f"agency = {_quoted(wanted.agency)}",
        f"profile = {_quoted(wanted.profile)}",
        'basis = "PERJANJIAN-BELUM-DIISI"  # the agreement that allows the sharing',
        "",
        "[source]",
        f'kind = "{kind}"',
        f"{'url' if is_sql else 'path'} = {_quoted(wanted.source)}",
        "",
        "# Only what stands here can ever be read. Take out what nobody needs.",
        *(line for table in found for line in _declared(kind, table)),
    ]
    return Proposal("\n".join([*head, "", *blocks]) + "\n", len(found), guesses)


def _withheld(profile: str) -> tuple[str, ...]:
    try:
        return tuple(pattern.casefold() for pattern in Profile.load(profile).withheld)
    except SchemaError as err:
        raise FixSettings("settings.profile", profile=profile) from err


def _allowed(table: Found, patterns: Sequence[str]) -> Found:
    kept = [c for c in table.columns if not is_withheld(c, patterns)]
    columns = () if is_withheld(table.name, patterns) else tuple(kept)
    return replace(table, columns=columns)


def _declared(kind: str, table: Found) -> list[str]:
    section = {"sql": "tables", "text": "files", "xlsx": "sheets"}.get(kind, "files")
    options = [f"{name} = {_value(value)}" for name, value in table.options.items()]
    return [
        f"[source.{section}.{_key(table.name)}]",
        f"columns = {_list(table.columns)}",
        *options,
        "",
    ]


def _value(value: object) -> str:
    return _list(list(value)) if isinstance(value, tuple | list) else _quoted(str(value))


def _kind(source: str, folder: Path) -> str:
    if _SQL.match(source):
        return "sql"
    path = folder / source
    if not path.is_dir():
        raise FixSettings(
            "settings.value", key="--source", reason="neither a database URL nor a folder"
        )
    return "xlsx" if any(path.glob("*.xlsx")) else "text"


def _guesses(found: Found) -> list[Guess]:
    """At most one column a field; no guess at all where nothing looks like a name."""
    guesses: dict[str, Guess] = {}
    for pattern, field, rule, sure in GUESSES:
        for column in found.columns:
            plain = column.casefold().replace(" ", "_")
            if field not in guesses and re.fullmatch(pattern, plain):
                guesses[field] = Guess(found.name, column, field, rule, sure)
    return list(guesses.values()) if "name_source" in guesses else []


def _block(found: Found, guesses: Sequence[Guess]) -> str | None:
    mine = [guess for guess in guesses if guess.table == found.name]
    if not any(guess.field == "name_source" for guess in mine):
        return None
    key = _key_columns(found, mine)
    hidden = any(guess.column in key for guess in mine)
    lines = [
        "[[publish]]",
        f"name = {_quoted(found.name)}",
        f"from = {_quoted(found.name)}",
        'record_type = "person"',
        f"key = {_list(key)}",
        *(['key_form = "derived"'] if hidden else []),
        f'id_prefix = "{re.sub("[^A-Za-z0-9]", "", found.name)[:20]}."',
        "[publish.fields]",
        *(f"  {_key(guess.field)} = {_rule(guess)}" for guess in mine),
    ]
    return "\n".join(lines) + "\n"


def _key_columns(found: Found, mine: Sequence[Guess]) -> list[str]:
    """The first column, which usually is a number of the source's own; else what names the person.

    A running number in a list that is typed anew each time says nothing, so it is passed over.
    """
    first = found.columns[0]
    meant = {guess.column for guess in mine}
    if first not in meant and first.casefold() not in ("no", "no.", "nomor", "urut"):
        return [first]
    firm = [g.column for g in mine if g.field in ("nik", "name_source", "birth_date", "phone")]
    return firm or [first]


def _rule(guess: Guess) -> str:
    quoted = _quoted(guess.column)
    return f"{{ from = {quoted}, {guess.rule} }}" if guess.rule else quoted


def _list(columns: Sequence[str]) -> str:
    return "[" + ", ".join(map(_quoted, columns)) + "]"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    escapes: Mapping[int, str] = {ord("\\"): "\\\\", ord('"'): '\\"', ord("\n"): "\\n"}
    return f'"{text.translate(escapes)}"'
