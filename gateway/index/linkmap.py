"""The map of `titian link`: which columns of a stranger's file are which evidence."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.errors import Refused
from schemas.kinds import Kind

COLUMNS = (
    "id",
    "source",
    "nik",
    "no_kk",
    "name",
    "birth_date",
    "sex",
    "kelurahan",
    "address",
    "phone",
)
EXTRA_KINDS = (Kind.NAME, Kind.TEXT, Kind.CODE, Kind.NUMBER, Kind.DATE)
_TABLES = ("columns", "extra", "options")
_OPTIONS: Mapping[str, type] = {"within_sources": bool, "register": str}


@dataclass(frozen=True, slots=True)
class Extra:
    """A further field: its columns (joined) and how its values compare."""

    columns: tuple[str, ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class LinkMap:
    """A checked map.

    Attributes:
        columns: for each of our fields the columns that make it up, joined in this order.
        register: the source whose NIK is the civil register's word, or None.
    """

    columns: Mapping[str, tuple[str, ...]]
    extra: Mapping[str, Extra]
    within_sources: bool = True
    register: str | None = None

    def needed(self) -> list[str]:
        """Every column that must stand in the file, each once."""
        groups = [*self.columns.values(), *(e.columns for e in self.extra.values())]
        return list(dict.fromkeys(c for group in groups for c in group))


def parse(text: str) -> LinkMap:
    """Read a map.

    Raises:
        Refused: `map.toml`, `map.unknown`, `map.missing` or `map.value`; the sentence names the
            place in the map.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise Refused("map.toml", f"The map is not TOML: {err}.") from err
    _known("the map", data, _TABLES)
    columns = _table(data, "columns")
    _known("[columns]", columns, COLUMNS)
    if "id" not in columns:
        raise Refused("map.missing", "[columns] must say which column is the `id`.")
    extra = {name: _extra(name, value) for name, value in _table(data, "extra").items()}
    if not extra and set(columns) <= {"id", "source"}:
        raise Refused("map.missing", "[columns] names nothing to compare, such as `name`.")
    options = _options(_table(data, "options"))
    if options.get("register") and "source" not in columns:
        raise Refused("map.missing", "`register` needs a `source` in [columns].")
    if options.get("within_sources") is False and "source" not in columns:
        raise Refused("map.missing", "`within_sources = false` needs a `source` in [columns].")
    return LinkMap(
        columns={field: _columns(f"[columns] {field}", v) for field, v in columns.items()},
        extra=extra,
        within_sources=options.get("within_sources", True) is not False,
        register=str(options["register"]) if "register" in options else None,
    )


def _table(data: Mapping[str, object], name: str) -> Mapping[str, object]:
    table = data.get(name, {})
    if not isinstance(table, Mapping):
        raise Refused("map.value", f"`{name}` must be a table: [{name}].")
    return table


def _known(where: str, table: Mapping[str, object], allowed: tuple[str, ...]) -> None:
    for key in table:
        if key not in allowed:
            raise Refused(
                "map.unknown", f"`{key}` is not known in {where}; known: {', '.join(allowed)}."
            )


def _columns(where: str, value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise Refused("map.value", f"{where} must be a column, or a list of columns to join.")
    return tuple(names)


def _extra(name: str, value: object) -> Extra:
    where = f"[extra.{name}]"
    if not isinstance(value, Mapping):
        raise Refused("map.value", f"{where} must be a table with `column` and `kind`.")
    _known(where, value, ("column", "kind"))
    kind = value.get("kind")
    if kind not in EXTRA_KINDS:
        kinds = ", ".join(EXTRA_KINDS)
        raise Refused("map.value", f"{where} needs a `kind`, one of: {kinds}.")
    return Extra(_columns(f"{where} column", value.get("column")), Kind(kind))


def _options(table: Mapping[str, object]) -> Mapping[str, object]:
    _known("[options]", table, tuple(_OPTIONS))
    for key, value in table.items():
        if not isinstance(value, _OPTIONS[key]):
            kind = "true or false" if _OPTIONS[key] is bool else "a text"
            raise Refused("map.value", f"[options] {key} must be {kind}.")
    return table
