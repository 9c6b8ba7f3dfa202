"""One field's rule of the settings, compiled into a function from a row to values; pure.

A rule is a column name, a list of columns (joined), or a table:
`{ from = …, as = "date" }`, `{ from = …, map = "table" }`, `{ const = … }`,
`{ ref = "block", from = … }` (the `_id` that the other block gives that key) and
`{ each = { … } }` (one entry a row: rows of one key are folded into one record).
`when = { column = …, is = … }`, `else = { … }` (another rule where this one says nothing) and
`default = …` go with each of them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.config import Condition, Publish
from connectors.errors import FixSettings
from connectors.ids import make_id
from connectors.sources.base import Row
from connectors.transforms import NOTHING, TRANSFORMS, Context, Made, folded, text_of

Make = Callable[[Row], Made]


@dataclass(frozen=True, slots=True)
class Rule:
    """A compiled rule: where its value goes, which columns it reads, and how it is made."""

    target: tuple[str, ...]
    columns: tuple[str, ...]
    make: Make
    each: tuple["Rule", ...] = ()

    def put(self, made: Made, values: dict[str, object]) -> None:
        """Sets what was made; None is not sent, and the first row that says something wins."""
        for name, value in made.values.items():
            if value is None:
                continue
            inner = values
            for part in self.target[:-1]:
                inner = inner.setdefault(part, {})  # type: ignore[assignment]
            inner.setdefault(name or self.target[-1], value)


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles the rules of one block; knows the other blocks, for references."""

    block: Publish
    blocks: Mapping[str, Publish]
    maps: Mapping[str, Mapping[str, str]]
    context: Context
    secret: bytes

    def rules(self) -> tuple[Rule, ...]:
        """All rules, in the order of the settings.

        Raises:
            FixSettings: `settings.value`, a rule that cannot be understood.
        """
        return tuple(self._rule(key, rule) for key, rule in self.block.fields.items())

    def _rule(self, key: str, given: Any) -> Rule:
        where = f"publish.{self.block.name}.fields.{key}"
        options: dict[str, Any] = {"from": given} if isinstance(given, str | list) else dict(given)
        columns = options.get("from", [])
        columns = (columns,) if isinstance(columns, str) else tuple(columns)
        each = tuple(self._rule(k, r) for k, r in options.get("each", {}).items())
        if not (each or columns or "const" in options):
            raise _bad(where, "one of from, const, each is needed")
        make = self._make(where, options, columns)
        read = [*columns, *(column for rule in each for column in rule.columns)]
        when = _when(where, options)
        if when is not None:
            read.append(when.column)
            make = _only_when(when, make)
        if "else" in options:
            other = self._rule(key, options["else"])
            read += other.columns
            make = _or_else(make, other.make)
        if "default" in options:
            default = Made({"": options["default"]})
            make = _or_else(make, lambda _row: default)
        return Rule(tuple(key.split(".")), tuple(read), make, each)

    def _make(self, where: str, options: dict[str, Any], columns: tuple[str, ...]) -> Make:
        if "const" in options:
            const = Made({"": options["const"]})
            return lambda _row: const
        if "ref" in options:
            return self._reference(where, options, columns)
        if "map" in options:
            options["map"] = self._map(where, options["map"])
        name = options.get("as", "code" if "map" in options else "text")
        if name not in TRANSFORMS:
            raise _bad(where, f"`as` is one of {', '.join(sorted(TRANSFORMS))}")
        transform, context = TRANSFORMS[name], self.context
        if len(columns) == 1:
            column = columns[0]
            return lambda row: transform((row.get(column),), options, context)
        return lambda row: transform([row.get(c) for c in columns], options, context)

    def _reference(self, where: str, options: Mapping[str, Any], columns: tuple[str, ...]) -> Make:
        target = self.blocks.get(options["ref"])
        if target is None:
            raise _bad(where, f"there is no block `{options['ref']}`")
        split, secret = options.get("split"), self.secret

        def make(row: Row) -> Made:
            key = [text_of(row.get(column)) for column in columns]
            if split is not None and key[0]:
                key = [*key[0].split(split)]
            named = make_id(target, [part or "" for part in key], secret)
            return NOTHING if named is None else Made({"": named})

        return make

    def _map(self, where: str, given: Any) -> Mapping[str, str]:
        if isinstance(given, Mapping):
            return folded(given)
        if given not in self.maps:
            raise _bad(where, f"there is no table `{given}` under [maps]")
        return folded(self.maps[given])


def columns_of(rules: tuple[Rule, ...]) -> Iterator[str]:
    for rule in rules:
        yield from rule.columns


def _only_when(when: Condition, make: Make) -> Make:
    return lambda row: make(row) if when.holds(row) else NOTHING


def _or_else(first: Make, second: Make) -> Make:
    def make(row: Row) -> Made:
        made = first(row)
        return made if made.values.get("") is not None else second(row)

    return make


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


def _bad(key: str, reason: str) -> FixSettings:
    return FixSettings("settings.value", key=key, reason=reason)
