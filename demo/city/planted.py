"""The planted facts: stories that every feature of the product needs to have something to show."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from random import Random

from demo.city.people import CHILD, HEAD, Person, Population
from demo.city.words import Words

AGENCIES = ("dukcapil", "disdik", "dstk", "dinkes", "baz", "ppkb", "lks-mk", "csr-bri")


@dataclass(frozen=True, slots=True)
class Order:
    """What one agency must do with one person, chance aside."""

    include: bool = True
    fields: Mapping[str, object] = field(default_factory=dict)
    """Fields of `Seen` that stand in the source as given here."""


@dataclass(frozen=True, slots=True)
class Payout:
    """A payment that must stand in a source."""

    person: int
    code: str
    day: date
    amount: int


@dataclass(frozen=True, slots=True)
class Story:
    """One planted fact and what one should see of it."""

    name: str
    persons: tuple[int, ...]
    see: str
    programs: tuple[tuple[str, str], ...] = ()
    """Agency and its own programme code."""


@dataclass(slots=True)
class Cast:
    """All stories, and the orders they give to the sources."""

    stories: list[Story] = field(default_factory=list)
    orders: dict[tuple[str, int], Order] = field(default_factory=dict)
    payouts: dict[str, list[Payout]] = field(default_factory=lambda: {a: [] for a in AGENCIES})
    listed: dict[int, int] = field(default_factory=dict)
    """Household to its PPLS desil."""
    unlisted: set[int] = field(default_factory=set)
    twice: set[int] = field(default_factory=set)
    """Persons whom BAZ has entered twice."""
    changed_school: set[int] = field(default_factory=set)
    poor_pupils: set[int] = field(default_factory=set)

    def order(self, agency: str, person: int) -> Order | None:
        return self.orders.get((agency, person))

    def wants(self, agency: str, person: int) -> bool | None:
        order = self.order(agency, person)
        return None if order is None else order.include


def plant(rng: Random, population: Population, words: Words, today: date) -> Cast:
    """Change a few people of `population` and return the stories told with them."""
    director = _Director(rng, population, words, today)
    director.families = population.members()
    for tell in _STORIES:
        tell(director)
    return director.cast


@dataclass(slots=True)
class _Director:
    rng: Random
    population: Population
    words: Words
    today: date
    cast: Cast = field(default_factory=Cast)
    families: Mapping[int, list[Person]] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)

    def find(self, fits: Callable[[Person], bool]) -> Person:
        """A living resident who fits, of a household that no other story uses."""
        people = self.population.people
        start = self.rng.randrange(len(people))
        for step in range(len(people)):
            person = people[(start + step) % len(people)]
            family = self.families[person.household]
            if person.household in self.taken or any(p.died or p.moved for p in family):
                continue
            if fits(person):
                self.taken.add(person.household)
                return person
        raise LookupError("nobody in this city fits the story: take another seed")

    def order(self, agency: str, person: Person, **fields: object) -> None:
        self.cast.orders[agency, person.id] = Order(fields=fields)

    def keep_out(self, person: Person, *agencies: str) -> None:
        for agency in agencies:
            self.cast.orders[agency, person.id] = Order(include=False)

    def tell(self, name: str, see: str, *persons: Person) -> None:
        self.cast.stories.append(Story(name, tuple(p.id for p in persons), see))

    def pay(self, agency: str, person: Person, code: str, what: tuple[date, int]) -> None:
        self.cast.payouts[agency].append(Payout(person.id, code, *what))

    def age(self, person: Person) -> int:
        return person.age(self.today)

    def day(self, month: int, day: int) -> date:
        return date(self.today.year, month, day)


def _scholarship(d: _Director) -> None:
    child = d.find(lambda p: p.relation == CHILD and 8 <= d.age(p) <= 11 and len(p.tokens) > 1)
    d.order("disdik", child)
    d.order("baz", child)
    d.cast.poor_pupils.add(child.id)
    d.pay("disdik", child, "BSM25-SD", (d.day(4, 22), 450_000))
    d.pay("baz", child, "BEA25", (d.day(7, 14), 450_000))
    d.tell("bsm_and_baz_scholarship", "one child paid by BSM and by BAZ's scholarship", child)


def _dead(d: _Director) -> None:
    man = d.find(
        lambda p: p.relation == HEAD and not p.female and 55 <= d.age(p) <= 75 and len(p.tokens) > 1
    )
    man = d.population.change(man, died=d.day(2, 10))
    d.cast.listed[man.household] = 1
    d.order("dstk", man)
    d.order("baz", man)
    d.pay("baz", man, "ZR46", (d.day(3, 24), 400_000))
    d.tell("dead_but_listed_and_paid", "dead since 10 February, in PPLS, paid on 24 March", man)


def _twins(d: _Director) -> None:
    def elder_of_two(p: Person) -> bool:
        family = [m for m in d.families[p.household] if m.relation == CHILD]
        place = next((i for i, m in enumerate(family) if m.id == p.id), -1)
        pair = family[place : place + 2]
        return place >= 0 and len(pair) == 2 and all(8 <= d.age(m) <= 14 for m in pair)

    one = d.find(elder_of_two)
    two = d.population.people[one.id + 1]
    names = d.rng.choice(d.words.twins[one.female])
    ending = one.tokens[-1] if len(one.tokens) > 1 else d.words.last[one.female].draw(d.rng)
    niks = [
        d.population.numbers.nik(one.nik[:6], one.born, female=one.female, gap=1) for _ in range(2)
    ]
    one = d.population.change(one, tokens=(names[0], ending), nik=niks[0])
    same = {"born": one.born, "female": one.female, "birth_place": one.birth_place}
    two = d.population.change(two, tokens=(names[1], ending), nik=niks[1], **same)
    for child in (one, two):
        d.order("disdik", child)
    d.tell("twins", "two persons: same birth date and mother, consecutive serials", one, two)


def _one_nik(d: _Director) -> None:
    owner = d.find(lambda p: p.relation == HEAD and len(p.tokens) > 1 and d.age(p) > 40)
    other = d.find(lambda p: p.relation == HEAD and len(p.tokens) > 1 and d.age(p) < 38)
    for person in (owner, other):
        d.cast.listed[person.household] = 2
    d.order("dstk", owner)
    d.order("dstk", other, nik=owner.nik)
    d.tell("two_people_one_nik", "DSTK has two persons under the first one's NIK", owner, other)


def _two_niks(d: _Director) -> None:
    who = d.find(lambda p: p.relation == HEAD and len(p.tokens) > 1 and 30 < d.age(p) < 60)
    other_day = who.born.replace(day=who.born.day % 28 + 1)
    nik = d.population.numbers.nik(who.nik[:6], other_day, female=who.female)
    who = d.population.change(who, old_nik=nik)
    d.cast.listed[who.household] = 2
    for agency in ("dstk", "dinkes"):
        d.order(agency, who)
    d.tell("one_person_two_niks", "corrected on 2 November; DSTK and DINKES have the old NIK", who)


def _no_forty(d: _Director) -> None:
    who = d.find(lambda p: p.female and 25 < d.age(p) < 60 and p.relation != CHILD)
    nik = d.population.numbers.nik(who.nik[:6], who.born, female=False)
    who = d.population.change(who, nik=nik)
    d.order("dinkes", who)
    d.tell("woman_without_forty", "a registered NIK whose day lacks the +40 (NIK_SEX_DIFF)", who)


def _sutan(d: _Director) -> None:
    man = d.find(lambda p: p.relation == HEAD and not p.female and 45 < d.age(p) < 65)
    man = d.population.change(man, tokens=("Ujang",))
    gelar = d.words.gelar[0]
    d.cast.listed[man.household] = 2
    d.order("dstk", man, name=f"UJANG GLR ST. {gelar.upper()}")
    d.order("baz", man, name=f"Sutan {gelar}")
    d.tell("sutan_and_ujang", "Sutan Rajo Ameh at BAZ is Ujang on the identity card", man)


def _moved(d: _Director) -> None:
    head = d.find(lambda p: p.relation == HEAD and len(d.families[p.household]) >= 4)
    family = [
        d.population.change(p, moved=d.day(8, 18), moved_to=d.words.moved_to)
        for p in d.families[head.household]
    ]
    d.cast.listed[head.household] = 1
    d.order("dstk", head)
    d.pay("dstk", head, "BLTD25", (d.day(10, 6), 900_000))
    d.tell("family_moved_out", "moved on 18 August; DSTK still pays on 6 October", *family)


def _split(d: _Director) -> None:
    child = d.find(
        lambda p: p.relation == CHILD and d.age(p) >= 22 and len(d.families[p.household]) >= 4
    )
    home = d.population.homes[child.household]
    card = d.population.numbers.card(home.no_kk[:6], d.day(6, 10))
    child = d.population.change(child, old_no_kk=child.no_kk, no_kk=card, relation=HEAD, marital=2)
    d.cast.listed[home.id] = 2
    d.order("dstk", child)
    head = d.families[home.id][0]
    d.tell("household_split", "own family card since 10 June; DSTK has one ruta", head, child)


def _old_name(d: _Director) -> None:
    homes = d.population.homes

    def lives(p: Person, *, known: bool) -> bool:
        home = homes[p.household]
        merged = home.old_place.name != home.place.name
        return (
            merged
            and p.relation == HEAD
            and len(p.tokens) > 1
            and bool(home.old_place.successor) is known
        )

    one = d.find(lambda p: lives(p, known=True))
    two = d.find(lambda p: lives(p, known=False))
    for who in (one, two):
        d.order("baz", who, kelurahan=homes[who.household].old_place.name)
    d.tell("old_kelurahan_name", "BAZ writes the name before the merger (KEL_OLD)", one)
    d.tell("old_kelurahan_lost", "an old unit without known successor: kecamatan only", two)


def _truncated(d: _Director) -> None:
    some = [d.find(lambda p: p.relation == HEAD and len(p.tokens) > 1) for _ in range(3)]
    for who in some:
        d.order("dinkes", who, nik=who.nik[:15] + "0")
    d.tell("truncated_niks", "the spreadsheet lost the 16th digit (NIK_TRUNCATED)", *some)


def _civil_servant(d: _Director) -> None:
    who = d.find(lambda p: p.relation == HEAD and 35 < d.age(p) < 56 and len(p.tokens) > 1)
    who = d.population.change(who, work=d.words.work["civil_servant"][0], education=8)
    d.cast.listed[who.household] = 2
    d.order("dstk", who)
    d.tell("listed_civil_servant", "PPLS desil 2 but a civil servant: inclusion error", who)


def _widow(d: _Director) -> None:
    def widow(p: Person) -> bool:
        pupils = [m for m in d.families[p.household] if 8 <= d.age(m) <= 15]
        return p.relation == HEAD and p.female and p.marital == 4 and bool(pupils)

    who = d.find(widow)
    who = d.population.change(who, work="BURUH HARIAN LEPAS", education=3)
    d.population.change_home(d.population.homes[who.household], want=0.98)
    d.cast.unlisted.add(who.household)
    family = d.families[who.household]
    for member in family:
        d.keep_out(member, "dstk", "baz", "dinkes", "ppkb", "lks-mk", "csr-bri")
    pupil = next(m for m in family if 8 <= d.age(m) <= 15)
    d.order("disdik", pupil)
    d.cast.poor_pupils.add(pupil.id)
    d.tell("unlisted_widow", "poor by DISDIK's own mark, on no list: exclusion error", who, pupil)


def _rosmaini(d: _Director) -> None:
    who = d.find(lambda p: p.female and p.relation == HEAD and 45 < d.age(p) < 62)
    who = d.population.change(who, tokens=("Rosmaini",))
    d.cast.listed[who.household] = 2
    for agency in ("dstk", "dinkes"):
        d.order(agency, who)
    d.tell("rosmaini", "valid NIK, PPLS desil 2, Jamkesda: the counter's first case", who)


def _newcomer(d: _Director) -> None:
    city = d.population.homes[0].place.kecamatan_code.replace(".", "")[:4]
    who = d.find(lambda p: p.relation == HEAD and not p.nik.startswith(city) and len(p.tokens) > 1)
    d.order("dinkes", who)
    d.tell("newcomer", "NIK of another region, identity card address in the city", who)


def _ramadan(d: _Director) -> None:
    who = d.find(lambda p: p.relation == HEAD and len(p.tokens) > 1 and d.age(p) > 35)
    d.order("baz", who)
    d.cast.twice.add(who.id)
    for day in (20, 26):
        d.pay("baz", who, "ZR46", (d.day(3, day), 400_000))
    d.tell("ramadan_twice", "one person, two mustahik rows, paid twice in one Ramadan", who)


def _changed_school(d: _Director) -> None:
    who = d.find(lambda p: p.relation == CHILD and 13 <= d.age(p) <= 14 and len(p.tokens) > 1)
    d.order("disdik", who)
    d.cast.changed_school.add(who.id)
    d.tell("changed_school", "two rows of one pupil, before and after the change", who)


def _programmes(d: _Director) -> None:
    full = "quota used up on 18 July, closed since"
    again = "opens again on 5 January with next year's budget"
    d.cast.stories.append(Story("programme_full_in_july", (), full, (("dstk", "RTLH25"),)))
    d.cast.stories.append(Story("programme_reopens_in_january", (), again, (("dstk", "RTLH26"),)))


def _companion(d: _Director) -> None:
    who = d.find(lambda p: p.relation == HEAD and 40 < d.age(p) < 70 and len(p.tokens) > 1)
    d.order("dinkes", who)
    d.order("lks-mk", who)
    d.pay("lks-mk", who, "MK25", (d.day(5, 12), 2_000_000))
    d.tell("jamkesda_and_companion", "Jamkesda pays the ward, LKS the companion: allowed", who)


_STORIES = (
    _scholarship, _dead, _twins, _one_nik, _two_niks, _no_forty, _sutan, _moved, _split, _old_name,
    _truncated, _civil_servant, _widow, _rosmaini, _newcomer, _ramadan, _changed_school,
    _programmes, _companion,
)  # fmt: skip
