"""The people of the demo city as they are: families, names, births, numbers, homes.

No agency has seen them yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from demo.city.places import Places, Unit
from demo.city.words import Words

#: `STAT_HBKEL` of the civil register.
HEAD, HUSBAND, WIFE, CHILD, IN_LAW, GRANDCHILD, PARENT = 1, 2, 3, 4, 5, 6, 7


@dataclass(frozen=True, slots=True)
class Household:
    """People under one roof and, but for a planted split, on one family card."""

    id: int
    place: Unit
    old_place: Unit
    """The unit of 2011 in which this house stood."""
    street: str
    number: int
    rt: int
    rw: int
    no_kk: str
    card_date: date
    phone: str
    want: float
    """0 (well off) to 1 (very poor)."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person; `tokens` is the name as on the identity card."""

    id: int
    household: int
    relation: int
    tokens: tuple[str, ...]
    female: bool
    born: date
    birth_place: str
    nik: str
    no_kk: str
    marital: int
    education: int
    work: str
    mother: str
    disability: str = "0"
    phone: str = ""
    old_nik: str = ""
    old_no_kk: str = ""
    died: date | None = None
    moved: date | None = None
    moved_to: str = ""

    @property
    def name(self) -> str:
        return " ".join(self.tokens)

    def age(self, today: date) -> int:
        return (
            today.year
            - self.born.year
            - ((today.month, today.day) < (self.born.month, self.born.day))
        )


@dataclass(slots=True)
class Numbers:
    """Hands out NIK and No. KK: the next free serial of a place and day."""

    serials: dict[str, int] = field(default_factory=dict)

    def nik(self, region: str, born: date, *, female: bool, gap: int = 1) -> str:
        day = born.day + (40 if female else 0)
        return self._next(f"{region}{day:02d}{born:%m%y}", gap)

    def card(self, region: str, recorded: date) -> str:
        return self._next(f"{region}{recorded:%d%m%y}", 1, "kk")

    def _next(self, stem: str, gap: int, kind: str = "nik") -> str:
        serial = self.serials.get(kind + stem, 0) + gap
        self.serials[kind + stem] = serial
        return f"{stem}{serial:04d}"


@dataclass(slots=True)
class Population:
    """Everybody, while the city is being built; ids are positions."""

    people: list[Person]
    homes: list[Household]
    numbers: Numbers

    def members(self) -> Mapping[int, list[Person]]:
        out: dict[int, list[Person]] = {home.id: [] for home in self.homes}
        for person in self.people:
            out[person.household].append(person)
        return out

    def change(self, person: Person, **changes: object) -> Person:
        """Put a changed copy of `person` in its place and return it."""
        self.people[person.id] = replace(person, **changes)  # type: ignore[arg-type]
        return self.people[person.id]

    def change_home(self, home: Household, **changes: object) -> Household:
        self.homes[home.id] = replace(home, **changes)  # type: ignore[arg-type]
        return self.homes[home.id]


@dataclass(frozen=True, slots=True)
class _Seat:
    """One place at a family's table: relation, sex, birth, marital state."""

    relation: int
    female: bool
    born: date
    marital: int
    twin: bool = False


@dataclass(slots=True)
class _Maker:
    rng: Random
    words: Words
    places: Places
    today: date
    numbers: Numbers = field(default_factory=Numbers)

    def born(self, age: int) -> date:
        """A birthday of somebody `age` years old; the old were often registered on 1 January."""
        if self.today.year - age < 1970 and self.rng.random() < 0.05:
            return date(self.today.year - age, 1, 1)
        return self.today - timedelta(days=int(age * 365.25) + 1 + self.rng.randrange(364))

    def name(self, born: date, *, female: bool) -> tuple[str, ...]:
        rng, words = self.rng, self.words
        single = 0.24 if born.year < 1960 else 0.10 if born.year < 1990 else 0.03
        three = 0.08 if born.year < 1960 else 0.25 if born.year < 1990 else 0.48
        u = rng.random()
        first, last = words.given[female].draw(rng), words.last[female].draw(rng)
        tokens = [first] if u < single else [first, last]
        if u > 1 - three:
            tokens.insert(1, words.given[female].draw(rng))
        if rng.random() < 0.05 and len(tokens) > 1:
            tokens.append(words.suku.draw(rng))
        return tuple(dict.fromkeys(tokens))

    def region(self, place: Unit, born: date, relation: int) -> str:
        """The six digits of where the NIK was first issued."""
        share = self.words.nik["elsewhere_share"] * (1.2 if relation in {HEAD, WIFE} else 0.4)
        if self.places.prefixes and self.rng.random() < share:
            return f"{self.rng.choice(self.places.prefixes)}{self.rng.randint(1, 12):02d}"
        kecamatan = place.kecamatan_code.rsplit(".", 1)[1]
        if born.year < self.words.nik["created"]:
            kecamatan = self.words.nik["older"].get(kecamatan, kecamatan)
        return self.places.city_prefix().replace(".", "") + kecamatan

    def phone(self) -> str:
        prefix = self.rng.choice(("0812", "0813", "0852", "0853", "0821", "0823", "0831", "0895"))
        return prefix + f"{self.rng.randrange(10_000_000, 99_999_999)}"

    def home(self, number: int, place: Unit) -> Household:
        rng = self.rng
        recorded = date(2007, 1, 1) + timedelta(days=rng.randrange(365 * 18))
        region = place.kecamatan_code.replace(".", "")
        return Household(
            id=number,
            place=place,
            old_place=rng.choice(self.places.before[place.kemendagri]),
            street=self.words.streets.draw(rng),
            number=rng.randint(1, 160),
            rt=rng.randint(1, 5),
            rw=rng.randint(1, 6),
            no_kk=self.numbers.card(region, recorded),
            card_date=recorded,
            phone=self.phone() if rng.random() < 0.85 else "",
            want=rng.random(),
        )

    def family(self) -> list[_Seat]:
        """The seats of one household, head first."""
        rng = self.rng
        head_female = rng.random() < 0.15
        age = int(rng.triangular(24, 80, 43))
        couple = not head_female and rng.random() < 0.86
        marital = 2 if couple else 4 if age > 45 else 3 if rng.random() < 0.7 else 1
        seats = [_Seat(HEAD, head_female, self.born(age), marital)]
        mother_age = age
        if couple:
            mother_age = max(18, age - rng.randint(-2, 8))
            seats.append(_Seat(WIFE, female=True, born=self.born(mother_age), marital=2))
        if marital != 1:
            seats.extend(self._children(mother_age))
        if rng.random() < 0.06 and age < 62:
            elder = self.born(min(96, age + rng.randint(20, 30)))
            seats.append(_Seat(PARENT, rng.random() < 0.75, elder, 4))
        return seats

    def _children(self, mother_age: int) -> list[_Seat]:
        rng, seats = self.rng, []
        last = mother_age - rng.randint(19, 26)
        for _ in range(rng.choices((0, 1, 2, 3, 4, 5), (3, 10, 30, 32, 17, 8))[0]):
            if last < 0:
                break
            if last < 21 or rng.random() < 0.25:
                female = rng.random() < 0.5
                marital = 2 if last > 27 and rng.random() < 0.2 else 1
                seats.append(_Seat(CHILD, female, self.born(last), marital))
                if rng.random() < 0.008:
                    seats.append(replace(seats[-1], twin=True))
            last -= rng.randint(2, 5)
        return seats

    def education(self, age: int, want: float) -> int:
        """1 to 10 in the civil register's order."""
        if age < 13:
            return 1 if age < 7 else 2
        if age < 19:
            return 3 if age < 16 else 4
        reach = self.rng.random() + 0.35 * (1 - want) - (0.25 if age > 60 else 0)
        bars = (0.1, 0.3, 0.5, 1.0, 1.06, 1.14, 1.3)
        return 2 + sum(reach > bar for bar in bars)

    def work(self, seat: _Seat, age: int, want: float) -> str:
        words = self.words.work
        if age < 6:
            return words["none"][0]
        if age < 19:
            return words["pupil"][0]
        if age > 64 and want < 0.15:
            return words["pensioner"][0]
        jobs = words["female" if seat.female else "male"]
        job = self.rng.choice(jobs)
        return jobs[0] if job == words["civil_servant"][0] and want > 0.25 else job


def populate(rng: Random, words: Words, places: Places, today: date) -> Population:
    """About 11,400 people in 3,400 households."""
    make = _Maker(rng, words, places, today)
    weights = places.weights(rng)
    population = Population([], [], make.numbers)
    for number in range(3_400):
        place = rng.choices(places.active, weights)[0]
        home = make.home(number, place)
        population.homes.append(home)
        _settle(make, population, home)
    return population


def _settle(make: _Maker, population: Population, home: Household) -> None:
    rng = make.rng
    family: list[Person] = []
    for seat in make.family():
        age = make.today.year - seat.born.year
        gap = 1 if seat.twin else rng.choice((1, 1, 1, 2, 3))
        region = (
            family[-1].nik[:6] if seat.twin else make.region(home.place, seat.born, seat.relation)
        )
        person = Person(
            id=len(population.people) + len(family),
            household=home.id,
            relation=seat.relation,
            tokens=_name_in_family(make, seat, family),
            female=seat.female,
            born=seat.born,
            birth_place=rng.choice(make.words.birth_places).upper(),
            nik=make.numbers.nik(region, seat.born, female=seat.female, gap=gap),
            no_kk=home.no_kk,
            marital=seat.marital,
            education=make.education(age, home.want),
            work=make.work(seat, age, home.want),
            mother=_mother(make, seat, family),
            disability=rng.choice("1234567") if rng.random() < 0.018 else "0",
            phone=make.phone() if age > 15 and rng.random() < 0.3 else "",
            died=_died(rng, age, make.today),
        )
        family.append(person)
    gone = rng.random() < 0.012
    if gone:
        day = make.today - timedelta(days=rng.randrange(20, 420))
        target = rng.choice(make.words.moved_to_others)
        family = [replace(p, moved=day, moved_to=target, died=None) for p in family]
    population.people.extend(family)


def _name_in_family(make: _Maker, seat: _Seat, family: list[Person]) -> tuple[str, ...]:
    if seat.twin and family[-1].female == seat.female:
        first = make.rng.choice(make.words.twins[seat.female])
        rest = family[-1].tokens[1:]
        family[-1] = replace(family[-1], tokens=(first[0], *rest))
        return (first[1], *rest)
    tokens = make.name(seat.born, female=seat.female)
    for _ in range(4):
        if all(tokens[0] != other.tokens[0] for other in family):
            break
        tokens = make.name(seat.born, female=seat.female)
    if seat.relation == CHILD and not seat.female and make.rng.random() < 0.08:
        tokens = (
            (*tokens[:2], family[0].tokens[-1]) if family[0].tokens[-1] not in tokens else tokens
        )
    return tokens


def _mother(make: _Maker, seat: _Seat, family: list[Person]) -> str:
    if seat.relation == CHILD:
        for other in family[:2]:
            if other.female and other.relation in {HEAD, WIFE}:
                return other.name
    year = max(1900, seat.born.year - 25)
    return " ".join(make.name(date(year, 6, 1), female=True))


def _died(rng: Random, age: int, today: date) -> date | None:
    chance = 0.002 + (0.03 if age > 65 else 0) + (0.08 if age > 78 else 0)
    if rng.random() < chance:
        return today - timedelta(days=rng.randrange(15, 900))
    return None
