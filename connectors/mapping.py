"""Rows of a source become values of a record, as one `[[publish]]` block says; pure.

A rule is a column name, a list of columns (joined), or a table:
`{ from = …, as = "date" }`, `{ from = …, map = "table" }`, `{ const = … }`,
`{ ref = "block", from = … }` (the `_id` that the other block gives that key) and
`{ each = { … } }` (one entry a row: rows of one key are folded into one record).
`when = { column = …, is = … }`, `else = { … }` (another rule where this one says nothing) and
`default = …` go with each of them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from connectors.config import Condition, Config, Publish
from connectors.errors import FixSettings
from connectors.ids import make_id
from connectors.sources.base import Row
from connectors.transforms import OWNER_ONLY, TRANSFORMS, Context, Made, folded, text_of


@dataclass(frozen=True, slots=True)
class Mapped:
    """One record before its line: `refused` names why it cannot be sent.

    `own` is the officer's row key, never sent. `findings` are (code, field).
    """

    id: str
    own: str
    op: str
    values: Mapping[str, object]
    as_of: object
    findings: tuple[tuple[str, str | None], ...]
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class _Rule:
    """One compiled rule."""

    target: tuple[str, ...]
    cells: tuple[str, ...]
    options: Mapping[str, Any]
    ref: Publish | None
    each: tuple["_Rule", ...]
    when: Condition | None
    other: "_Rule | None" = None

    def columns(self) -> Iterator[str]:
        yield from self.cells
        if self.when is not None:
            yield self.when.column
        for rule in (*self.each, *filter(None, (self.other,))):
            yield from rule.columns()


class Mapper:
    """The compiled rules of one block."""

    def __init__(self, block: Publish, config: Config, context: Context, secret: bytes) -> None:
        self.block = block
        self._context, self._secret = context, secret
        self._blocks = {other.name: other for other in config.publish}
        self._maps = {name: folded(table) for name, table in config.maps.items()}
        self._rules = tuple(self._compile(key, rule) for key, rule in block.fields.items())
        self.folds = any(rule.each for rule in self._rules)

    @property
    def used(self) -> frozenset[str]:
        """Every column that the block reads."""
        asked = {column for rule in self._rules for column in rule.columns()}
        asked |= {*self.block.key}
        asked |= {one.column for one in (*self.block.only, *self.block.delete)}
        asked |= {name for name in (self.block.as_of, self.block.watermark) if name}
        return frozenset(asked)

    @property
    def order(self) -> tuple[str, ...]:
        """The columns by which a folded block's rows must come, so that it reads the same."""
        inner = [c for rule in self._rules if rule.each for c in rule.columns() if "." not in c]
        return tuple(dict.fromkeys((*self.block.key, *inner))) if self.folds else ()

    def records(self, rows: Iterable[Row]) -> Iterator[tuple[Row, Mapped | None]]:
        """Each row (of a folded block the first of its key) with its record, None if left aside."""
        if not self.folds:
            for row in rows:
                yield row, self._record([row])
            return
        wanted = (row for row in rows if all(one.holds(row) for one in self.block.only))
        for _, group in groupby(wanted, key=self._key):
            together = list(group)
            yield together[0], self._record(together)

    def _key(self, row: Row) -> tuple[str | None, ...]:
        return tuple(text_of(row.get(column)) for column in self.block.key)

    def _record(self, rows: list[Row]) -> Mapped | None:
        first = rows[0]
        if "@fault" in first and first["@fault"] is not None:
            own = f"{first.get('@file')}:{first.get('@row')}"
            return Mapped("", own, "put", {}, None, (), str(first["@fault"]))
        if not all(condition.holds(first) for condition in self.block.only):
            return None
        key = [part or "" for part in self._key(first)]
        own = "|".join(key)
        made = make_id(self.block, key, self._secret) if all(key) else None
        if made is None:
            refused = "KEY_SHAPE" if all(key) else "KEY_EMPTY"
            return Mapped("", own, "put", {}, None, (), refused)
        as_of = first.get(self.block.as_of) if self.block.as_of else None
        if self.block.delete and all(one.holds(first) for one in self.block.delete):
            return Mapped(made, own, "del", {}, as_of, ())
        values, findings = self._values(rows)
        if any(code == OWNER_ONLY for code, _ in findings):
            return None
        return Mapped(made, own, "put", values, as_of, findings)

    def _values(self, rows: list[Row]) -> tuple[dict[str, object], tuple[tuple[str, str], ...]]:
        values: dict[str, object] = {}
        findings: dict[tuple[str, str], None] = {}
        for rule in self._rules:
            field = ".".join(rule.target)
            if rule.each:
                items = [item for row in rows if (item := self._each(rule, row))]
                _put(values, rule.target, items or None)
                continue
            for row in rows:
                made = self._made(rule, row)
                findings |= dict.fromkeys((code, field) for code in made.findings)
                for name, value in made.values.items():
                    target = rule.target if not name else (*rule.target[:-1], name)
                    _put(values, target, value)
                if made.values.get("") is not None:
                    break
        return values, tuple(findings)

    def _each(self, rule: _Rule, row: Row) -> dict[str, object] | None:
        if rule.when is not None and not rule.when.holds(row):
            return None
        item: dict[str, object] = {}
        for inner in rule.each:
            for name, value in self._made(inner, row).values.items():
                target = inner.target if not name else (*inner.target[:-1], name)
                _put(item, target, value)
        return item

    def _made(self, rule: _Rule, row: Row) -> Made:
        made = self._made_bare(rule, row)
        if rule.other is not None and made.values.get("") is None:
            return self._made(rule.other, row)
        default = rule.options.get("default")
        if default is not None and made.values.get("") is None:
            return Made({**made.values, "": default}, made.findings)
        return made

    def _made_bare(self, rule: _Rule, row: Row) -> Made:
        if rule.when is not None and not rule.when.holds(row):
            return Made({"": None})
        if "const" in rule.options:
            return Made({"": rule.options["const"]})
        cells = [row.get(column) for column in rule.cells]
        if rule.ref is not None:
            key = [text_of(cell) for cell in cells]
            if "split" in rule.options and key[0]:
                key = [*key[0].split(str(rule.options["split"]))]
            whole = [part for part in key if part]
            named = make_id(rule.ref, whole, self._secret) if len(whole) == len(key) else None
            return Made({"": named})
        return TRANSFORMS[rule.options["as"]](cells, rule.options, self._context)

    def _compile(self, key: str, rule: Any) -> _Rule:
        where = f"publish.{self.block.name}.fields.{key}"
        options: dict[str, Any] = {"from": rule} if isinstance(rule, str | list) else dict(rule)
        cells = options.get("from", [])
        cells = (cells,) if isinstance(cells, str) else tuple(cells)
        each = tuple(self._compile(k, r) for k, r in options.get("each", {}).items())
        ref = self._blocks.get(options["ref"]) if "ref" in options else None
        if "ref" in options and ref is None:
            raise _bad(where, f"there is no block `{options['ref']}`")
        if not (each or cells or "const" in options):
            raise _bad(where, "one of from, const, each is needed")
        if "map" in options:
            options["map"] = self._map(where, options["map"])
        options.setdefault("as", "code" if "map" in options else "text")
        if options["as"] not in TRANSFORMS:
            raise _bad(where, f"`as` is one of {', '.join(sorted(TRANSFORMS))}")
        other = self._compile(key, options["else"]) if "else" in options else None
        target = tuple(key.split("."))
        return _Rule(target, cells, options, ref, each, _when(where, options), other)

    def _map(self, where: str, given: Any) -> Mapping[str, str]:
        if isinstance(given, Mapping):
            return folded(given)
        if given not in self._maps:
            raise _bad(where, f"there is no table `{given}` under [maps]")
        return self._maps[given]


def _when(where: str, options: Mapping[str, Any]) -> Condition | None:
    given = options.get("when")
    if given is None:
        return None
    match given:
        case {"column": str(column), "is": value}:
            return Condition(column, _values_of(value))
        case {"column": str(column), "is_not": value}:
            return Condition(column, _values_of(value), wanted=False)
        case {"column": str(column), "present": bool(wanted)}:
            return Condition(column, None, wanted)
    raise _bad(where, "`when` needs a column and one of is, is_not, present")


def _values_of(value: Any) -> frozenset[str]:
    items = value if isinstance(value, list) else [value]
    return frozenset(str(item).strip().casefold() for item in items)


def _put(values: dict[str, object], target: tuple[str, ...], value: object) -> None:
    """Sets a nested value; what is None is not sent, and the first row that says something wins."""
    if value is None:
        return
    for name in target[:-1]:
        inner = values.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        values = inner
    values.setdefault(target[-1], value)


def _bad(where: str, reason: str) -> FixSettings:
    return FixSettings("settings.value", key=where, reason=reason)
