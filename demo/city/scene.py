"""What every source needs to write its own view of the city."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from demo.city.people import Household, Person, Population
from demo.city.places import Places
from demo.city.planted import Cast
from demo.city.programs import Program, Spending
from demo.city.truth import Truth
from demo.city.words import Words
from demo.city.writing import Seen, Writer


@dataclass(frozen=True, slots=True)
class Scene:
    """One city as it is, and the collectors that the sources fill."""

    seed: int
    words: Words
    places: Places
    population: Population
    families: Mapping[int, list[Person]]
    cast: Cast
    today: date
    catalogues: Mapping[str, tuple[Program, ...]]
    truth: Truth = field(default_factory=Truth)
    spending: Spending = field(default_factory=Spending)

    @property
    def export(self) -> date:
        """The day of the agencies' last export."""
        return self.today - timedelta(days=1)

    def rng(self, name: str) -> Random:
        return Random(f"{self.seed}:{name}")

    def home(self, person: Person) -> Household:
        return self.population.homes[person.household]

    def people(self) -> Iterator[Person]:
        return iter(self.population.people)

    def chosen(self, agency: str, wanted: int, candidates: list[Person]) -> list[Person]:
        """About `wanted` of the candidates and everybody whom a planted fact needs, by id."""
        by_order = {p.id for p in self.people() if self.cast.wants(agency, p.id)}
        free = [p for p in candidates if self.cast.order(agency, p.id) is None]
        some = free[: max(0, wanted - len(by_order))]
        return sorted(
            [*some, *(self.population.people[i] for i in by_order)], key=lambda person: person.id
        )

    def seen(self, writer: Writer, agency: str, person: Person) -> Seen:
        """How `agency` has written `person` down."""
        order = self.cast.order(agency, person.id)
        home = self.home(person)
        if order is None:
            return writer.write(person, home, self.families[person.household])
        fields = dict(order.fields)
        return replace(writer.exact(person, home), **fields)  # type: ignore[arg-type]

    def programs(self, agency: str) -> tuple[Program, ...]:
        return self.catalogues[agency]

    def program(self, agency: str, code: str) -> Program:
        return next(p for p in self.catalogues[agency] if p.code == code)
