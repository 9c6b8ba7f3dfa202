"""`[live.lookup]`: what an agency lets be asked of its own database at once, as it declares.

The statement is built from a declared table and its declared columns, with bound values: no text of
a request and no SQL of the settings ever becomes part of it. This section is also the agency's own
copy of what it has granted: a purpose that does not stand here is not answered.

Source: trust.md 2.8.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.errors import FixSettings

SUBJECT = ("nik", "name", "birth_date")
"""What a request may know of a person."""
MOST_COLUMNS = 12
MOST_ROWS = 5


@dataclass(frozen=True, slots=True)
class Live:
    """One declared question to one table.

    Attributes:
        dataset: a dataset of `[source]`.
        match: of what a request knows of the person, which column must be equal to it; all must.
        show: under which name which column is shown.
        purposes: the purposes that are answered.
    """

    dataset: str
    match: Mapping[str, str]
    show: Mapping[str, str]
    purposes: frozenset[str]

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that it reads, each once."""
        return tuple(dict.fromkeys((*self.show.values(), *self.match.values())))


def read_live(section: Any, kind: str, datasets: Mapping[str, Any]) -> Live | None:
    """The question that the section `[live]` declares, or None where there is none.

    Raises:
        FixSettings: it reads what `[source]` does not allow, or says something that cannot be used.
    """
    if not section.data:
        return None
    part = section.table("lookup")
    made = Live(
        dataset=part.text("from"),
        match=part.table("match").data,
        show=part.table("show").data,
        purposes=frozenset(part.texts("purposes")),
    )
    if kind != "sql":
        raise _bad("live.lookup", "only a database can be asked at once, so it needs kind = sql")
    if made.dataset not in datasets:
        raise _bad("live.lookup.from", f"`{made.dataset}` is not declared under [source]")
    if not made.match or not set(made.match) <= set(SUBJECT):
        raise _bad("live.lookup.match", f"pairs from {', '.join(SUBJECT)} to a column are needed")
    if not 0 < len(made.show) <= MOST_COLUMNS:
        raise _bad("live.lookup.show", f"1 to {MOST_COLUMNS} pairs from name to column are needed")
    for column in made.columns:
        if column not in datasets[made.dataset].columns:
            raise FixSettings("settings.not_allowed", column=column, dataset=made.dataset)
    part.nothing_else()
    return made


def _bad(key: str, reason: str) -> FixSettings:
    return FixSettings("settings.value", key=key, reason=reason)
