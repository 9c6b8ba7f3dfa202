"""Who every row of every source really is. Kept beside the city, never published."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from demo.city.people import Person


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a source and the person it is about."""

    agency: str
    table: str
    source_key: str
    """The key columns joined with `|`, as stored in the source."""
    person_id: int
    household_id: int


@dataclass(slots=True)
class Truth:
    """Collects the rows while the sources are written.

    `rows` are person rows; `events` are payouts, enrolments and the like, which refer to a person.
    """

    rows: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)

    def person(self, source: tuple[str, str], key: str, person: Person) -> None:
        self.rows.append(Row(*source, key, person.id, person.household))

    def event(self, source: tuple[str, str], key: str, person: Person) -> None:
        self.events.append(Row(*source, key, person.id, person.household))

    def about(self, person: int) -> Iterator[Row]:
        return (row for row in self.rows if row.person_id == person)

    def write(self, path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(("agency", "table", "source_key", "person_id", "household_id"))
            out.writerows(
                (r.agency, r.table, r.source_key, f"p{r.person_id:05d}", f"h{r.household_id:04d}")
                for r in self.rows
            )
