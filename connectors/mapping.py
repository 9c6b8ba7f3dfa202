"""Rows of a source become values of a record, as one `[[publish]]` block says; pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from connectors.config import Config, Publish
from connectors.ids import make_id
from connectors.rules import Compiler, columns_of
from connectors.sources.base import Row
from connectors.transforms import OWNER_ONLY, Context, text_of


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
    findings: tuple[tuple[str, str], ...]
    refused: str | None = None


class Mapper:
    """The compiled rules of one block."""

    def __init__(self, block: Publish, config: Config, context: Context, secret: bytes) -> None:
        self.block = block
        self._secret = secret
        blocks = {other.name: other for other in config.publish}
        self.rules = Compiler(block, blocks, config.maps, context, secret).rules()
        self._paths = {rule: ".".join(rule.target) for rule in self.rules}
        self.folds = any(rule.each for rule in self.rules)

    @property
    def used(self) -> frozenset[str]:
        """Every column that the block reads."""
        asked = {*columns_of(self.rules), *self.block.key}
        asked |= {one.column for one in (*self.block.only, *self.block.delete)}
        asked |= {name for name in (self.block.as_of, self.block.watermark) if name}
        return frozenset(asked)

    @property
    def order(self) -> tuple[str, ...]:
        """The columns by which a folded block's rows must come, so that it reads the same."""
        folded = tuple(rule for rule in self.rules if rule.each)
        inner = [column for column in columns_of(folded) if "." not in column]
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

    def again(self, mapped: Mapped, number: int) -> Mapped:
        """The same record as the `number`-th of those whose derived keys are equal."""
        made = make_id(self.block, (*mapped.own.split("|"), number), self._secret)
        return mapped if made is None else replace(mapped, id=made)

    def _key(self, row: Row) -> tuple[str | None, ...]:
        return tuple(text_of(row.get(column)) for column in self.block.key)

    def _record(self, rows: list[Row]) -> Mapped | None:
        first = rows[0]
        if first.get("@fault") is not None:
            own = f"{first.get('@file')}:{first.get('@row')}"
            return Mapped("", own, "put", {}, None, (), str(first["@fault"]))
        if not all(condition.holds(first) for condition in self.block.only):
            return None
        key = [part or "" for part in self._key(first)]
        own = "|".join(key)
        made = make_id(self.block, key, self._secret)
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
        for rule in self.rules:
            if rule.each:
                items: list[object] = []
                for row in rows:
                    item: dict[str, object] = {}
                    for inner in rule.each:
                        inner.put(inner.make(row), item)
                    items += [item] if item else []
                if items:
                    values[rule.target[-1]] = items
                continue
            for row in rows:
                made = rule.make(row)
                rule.put(made, values)
                for code in made.findings:
                    findings[code, self._paths[rule]] = None
                if made.values.get("") is not None:
                    break
        return values, tuple(findings)
