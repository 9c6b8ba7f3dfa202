"""The settings of one connector, from one TOML file; this side's only reader of the environment."""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from connectors.errors import FixSettings
from connectors.live import Live, read_live
from connectors.places import Places

MODES = ("hash", "watermark", "snapshot")
KEY_FORMS = ("plain", "hmac", "derived")
DATASET_SECTIONS = ("tables", "files", "sheets")
STREAM_OF = {
    "person": "target",
    "household": "target",
    "listing": "target",
    "program": "program",
    "enrolment": "program",
    "benefit": "program",
}
_VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)(?::-([^}]*))?\}")
_AGENCY = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True, slots=True)
class Dataset:
    """One table, file family or sheet family, and the columns of it that may ever be read."""

    name: str
    columns: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """Where the agency's data lies; `datasets` is the allow-list."""

    kind: str
    url: str
    folder: Path
    options: Mapping[str, Any]
    datasets: Mapping[str, Dataset]
    withheld: tuple[str, ...] = ()
    """Patterns of names that may never be read (`withheld.py`)."""


@dataclass(frozen=True, slots=True)
class Join:
    """A second dataset whose columns stand beside the row as `<name>.<column>`."""

    name: str
    dataset: str
    on: Mapping[str, str]
    optional: bool = True


@dataclass(frozen=True, slots=True)
class Condition:
    """A question to a row: is the text of `column` one of `values`, or not; or merely present."""

    column: str
    values: frozenset[str] | None
    wanted: bool = True

    def holds(self, row: Mapping[str, object]) -> bool:
        value = row.get(self.column)
        text = "" if value is None else str(value).strip().casefold()
        found = bool(text) if self.values is None else text in self.values
        return found is self.wanted


@dataclass(frozen=True, slots=True)
class Publish:
    """One `[[publish]]` block: which rows become which records, and how."""

    name: str
    record_type: str
    schema: str
    dataset: str
    key: tuple[str, ...]
    hmac: bool
    derived: bool
    id_space: str
    id_prefix: str
    mode: str
    watermark: str | None
    joins: tuple[Join, ...]
    only: tuple[Condition, ...]
    delete: tuple[Condition, ...]
    as_of: str | None
    fields: Mapping[str, Any]
    basis: str
    max_reject: float
    max_vanish: float

    @property
    def stream(self) -> str:
        return STREAM_OF[self.record_type]


@dataclass(frozen=True, slots=True)
class Config:
    """Everything a run needs to know, read once."""

    path: Path
    agency: str
    profile: str
    places: Places
    passphrase_file: Path | None
    kept_by: str | None
    """Code of the body that keeps the key for this agency; None where it does so itself."""
    gateway_url: str | None
    ca_file: str | None
    source: SourceConfig
    publish: tuple[Publish, ...]
    maps: Mapping[str, Mapping[str, str]]
    batch_records: int
    keep_days: int
    every_seconds: int
    live: Live | None = None

    @classmethod
    def load(cls, path: Path, *, state: Path | None = None) -> Self:
        """The settings in `path`; relative paths in it are relative to its folder.

        Raises:
            FixSettings: the file is missing, is not TOML, or says something that cannot be used.
        """
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError as err:
            raise FixSettings("settings.missing", path=path) from err
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
            raise FixSettings("settings.toml", path=path, reason=err) from err
        data = _filled(data)
        folder = path.resolve().parent
        section = _Section(data, "")
        agency = section.text("agency")
        if not _AGENCY.fullmatch(agency):
            raise _bad("agency", "only a-z, 0-9 and - are allowed, at most 40")
        places = Places(state or folder / section.text("state", "state"))
        gateway, key = section.table("gateway"), section.table("key")
        kept_by = key.text("kept_by", "") or None
        if kept_by is not None and not _AGENCY.fullmatch(kept_by):
            raise _bad("key.kept_by", "it is the code of an agency")
        source = _source(section.table("source"), folder)
        config = cls(
            path=path,
            agency=agency,
            profile=section.text("profile"),
            places=places,
            passphrase_file=_path(key.text("passphrase_file", ""), folder) or places.passphrase,
            kept_by=kept_by,
            gateway_url=gateway.text("url", "") or None,
            ca_file=gateway.text("ca_file", "") or None,
            source=source,
            publish=tuple(_publish(s, source, section) for s in section.tables("publish")),
            maps=section.table("maps").data,
            batch_records=section.number("batch_records", 5_000, 1, 50_000),
            keep_days=section.number("keep_days", 30, 1, 3_650),
            every_seconds=section.number("every_seconds", 900, 1, 604_800),
            live=read_live(section.table("live"), source.kind, source.datasets),
        )
        _check_names(config.publish)
        section.nothing_else({"state", "basis", "max_reject", "max_vanish"})
        return config


class _Section:
    """One table of the TOML file, read key by key so that a misspelt key is noticed."""

    def __init__(self, data: Mapping[str, Any], where: str) -> None:
        self.data, self.where = data, where
        self.read: set[str] = set()

    def text(self, key: str, default: str | None = None) -> str:
        value = self._take(key, default)
        if not isinstance(value, str):
            raise _bad(self.where + key, "a text is needed")
        return value

    def number(self, key: str, default: int, low: int, high: int) -> int:
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise _bad(self.where + key, f"a whole number from {low} to {high} is needed")
        return value

    def share(self, key: str, default: float) -> float:
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise _bad(self.where + key, "a share from 0 to 1 is needed")
        return float(value)

    def table(self, key: str) -> "_Section":
        value = self._take(key, {})
        if not isinstance(value, dict):
            raise _bad(self.where + key, "a table is needed")
        return _Section(value, f"{self.where}{key}.")

    def tables(self, key: str) -> list["_Section"]:
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            raise _bad(self.where + key, "a list of tables is needed")
        return [_Section(v, f"{self.where}{key}[{i}].") for i, v in enumerate(value, 1)]

    def texts(self, key: str, default: Sequence[str] | None = None) -> tuple[str, ...]:
        value = self._take(key, default)
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list | tuple) or not all(isinstance(v, str) for v in items):
            raise _bad(self.where + key, "a text or a list of texts is needed")
        return tuple(items)

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._take(key, default)
        if not isinstance(value, bool):
            raise _bad(self.where + key, "true or false is needed")
        return value

    def nothing_else(self, also: set[str] | None = None) -> None:
        left = set(self.data) - self.read - (also or set())
        if left:
            raise _bad(self.where + min(left), "this key is not known here")

    def _take(self, key: str, default: object) -> Any:
        self.read.add(key)
        value = self.data.get(key, default)
        if value is None:
            raise _bad(self.where + key, "it is missing")
        return value


def _source(section: _Section, folder: Path) -> SourceConfig:
    datasets: dict[str, Dataset] = {}
    for kind in DATASET_SECTIONS:
        for name, declared in section.table(kind).data.items():
            options = {"columns": declared} if isinstance(declared, list) else declared
            if not isinstance(options, dict):
                raise _bad(f"source.{kind}.{name}", "a list of columns is needed")
            columns = _Section(options, f"source.{kind}.{name}.").texts("columns")
            rest = {k: v for k, v in options.items() if k != "columns"}
            datasets[name] = Dataset(name, columns, rest)
    kind = section.text("kind")
    taken = {"kind", "url", "path", *DATASET_SECTIONS}
    return SourceConfig(
        kind=kind,
        url=section.text("url", ""),
        folder=_path(section.text("path", "."), folder) or folder,
        options={k: v for k, v in section.data.items() if k not in taken},
        datasets=datasets,
    )


def _publish(section: _Section, source: SourceConfig, root: _Section) -> Publish:
    name, record_type = section.text("name"), section.text("record_type")
    if record_type not in STREAM_OF:
        raise _bad(f"{section.where}record_type", f"it is one of {', '.join(STREAM_OF)}")
    key_form = section.text("key_form", "plain")
    if key_form not in KEY_FORMS:
        raise _bad(f"{section.where}key_form", f"it is one of {', '.join(KEY_FORMS)}")
    mode = section.text("mode", "hash")
    if mode not in MODES:
        raise _bad(f"{section.where}mode", f"it is one of {', '.join(MODES)}")
    watermark = section.text("watermark", "") or None
    if (mode == "watermark") is not (watermark is not None):
        raise _bad(
            f"{section.where}watermark", "it is needed for the mode watermark, and only there"
        )
    publish = Publish(
        name=name,
        record_type=record_type,
        schema=section.text("schema", f"{record_type}/1"),
        dataset=section.text("from"),
        key=section.texts("key"),
        hmac=key_form != "plain",
        derived=key_form == "derived",
        id_space=section.text("id_space", name),
        id_prefix=section.text("id_prefix", ""),
        mode=mode,
        watermark=watermark,
        joins=tuple(_join(s) for s in section.tables("join")),
        only=_conditions(section.tables("only")),
        delete=_conditions(section.tables("delete")),
        as_of=section.text("as_of", "") or None,
        fields=section.table("fields").data,
        basis=section.text("basis", root.data.get("basis")),
        max_reject=section.share("max_reject", root.data.get("max_reject", 0.05)),
        max_vanish=section.share("max_vanish", root.data.get("max_vanish", 0.05)),
    )
    for dataset in (publish.dataset, *(join.dataset for join in publish.joins)):
        if dataset not in source.datasets:
            raise _bad(f"{section.where}from", f"`{dataset}` is not declared under [source]")
    section.nothing_else({"stream"})
    return publish


def _join(section: _Section) -> Join:
    dataset = section.text("from")
    on = section.table("on").data
    if not on or not all(isinstance(v, str) for v in on.values()):
        raise _bad(f"{section.where}on", 'pairs like { nisn = "nisn" } are needed')
    optional = section.flag("optional", default=True)
    return Join(section.text("name", dataset), dataset, on, optional)


def _conditions(sections: Sequence[_Section]) -> tuple[Condition, ...]:
    found = []
    for section in sections:
        column = section.text("column")
        given = [k for k in ("is", "is_not", "present") if k in section.data]
        if len(given) != 1:
            raise _bad(f"{section.where}is", "one of is, is_not, present is needed")
        if given == ["present"]:
            found.append(Condition(column, None, section.flag("present", default=True)))
            continue
        values = frozenset(v.strip().casefold() for v in section.texts(given[0]))
        found.append(Condition(column, values, given == ["is"]))
    return tuple(found)


def _check_names(blocks: Sequence[Publish]) -> None:
    """No two blocks of one name, and no two that would give different rows the same `_id`."""
    spaces: dict[tuple[str, bool, str, str], str] = {}
    for block in blocks:
        space = (block.record_type, block.hmac, block.id_prefix, block.id_space * block.hmac)
        other = spaces.setdefault(space, block.name)
        if other != block.name:
            reason = f"`{other}` and `{block.name}` may give the same id; give each its id_prefix"
            raise _bad("publish.id_prefix", reason)
    names = [block.name for block in blocks]
    for name in names:
        if names.count(name) > 1:
            raise _bad("publish.name", f"`{name}` stands twice")


def _filled(value: Any) -> Any:
    """The value with `${NAME}` and `${NAME:-default}` taken from the environment."""
    if isinstance(value, dict):
        return {key: _filled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item) for item in value]
    return _VARIABLE.sub(_variable, value) if isinstance(value, str) else value


def _variable(match: re.Match[str]) -> str:
    value = os.environ.get(match[1]) or match[2]
    if value is None:
        raise FixSettings("settings.environment", name=match[1])
    return value


def _path(text: str, folder: Path) -> Path | None:
    return folder / text if text else None


def _bad(key: str, reason: str) -> FixSettings:
    return FixSettings("settings.value", key=key, reason=reason)


def language(arguments: Sequence[str]) -> str:
    """The language of the screen: `--lang`, else TITIAN_LANG, else Indonesian."""
    for at, argument in enumerate(arguments):
        given = argument.partition("=")[2] if argument.startswith("--lang=") else None
        if argument == "--lang" and at + 1 < len(arguments):
            given = arguments[at + 1]
        if given in ("id", "en"):
            return str(given)
    return "en" if os.environ.get("TITIAN_LANG") == "en" else "id"
