"""How an agency writes a person down: variants, slips, missing and damaged numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from demo.city.people import Household, Person
from demo.city.words import Words

_NEIGHBOURS = {
    "a": "sqz", "b": "vgn", "c": "xvd", "d": "sfe", "e": "wrd", "f": "dgr", "g": "fht", "h": "gjy",
    "i": "uok", "j": "hku", "k": "jli", "l": "kop", "m": "nj", "n": "bmh", "o": "ipl", "p": "ol",
    "r": "etf", "s": "adw", "t": "ryg", "u": "yij", "v": "cbf", "w": "qes", "y": "tuh", "z": "xas",
}  # fmt: skip
_SENTINELS = ("0000000000000000", "9999999999999994", "9999999999999999", "1111111111111111")


@dataclass(frozen=True, slots=True)
class Habit:
    """Rates, 0 to 1, of how one agency writes people down."""

    nik_given: float
    nik_wrong: float = 0.02
    nik_relative: float = 0.004
    kk_given: float = 0.9
    name_variant: float = 0.2
    """Per word that has variants."""
    name_slip: float = 0.04
    name_title: float = 0.0
    upper: bool = False
    born_missing: float = 0.02
    born_new_year: float = 0.015
    born_swapped: float = 0.01
    born_digit: float = 0.01
    sex_missing: float = 0.0
    sex_wrong: float = 0.003
    old_name: float = 0.0
    """Kelurahan written with the name it had before it was merged."""
    phone_given: float = 0.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One person as one agency has written it down."""

    person: int
    name: str
    nik: str
    no_kk: str
    sex: str
    """`L`, `P` or empty."""
    born: date | None
    birth_place: str
    mother: str
    street: str
    number: int
    rt: int
    rw: int
    kelurahan: str
    kecamatan: str
    phone: str


@dataclass(frozen=True, slots=True)
class Writer:
    """One agency's clerk."""

    rng: Random
    words: Words
    habit: Habit

    def write(self, person: Person, home: Household, family: Sequence[Person]) -> Seen:
        rng, habit = self.rng, self.habit
        old = rng.random() < habit.old_name
        phone = person.phone or home.phone
        return Seen(
            person=person.id,
            name=self.name(person),
            nik=self.nik(person, family),
            no_kk=(person.old_no_kk or person.no_kk) if rng.random() < habit.kk_given else "",
            sex=self.sex(person),
            born=self.born(person.born),
            birth_place=person.birth_place.title(),
            mother=self.slip(person.mother) if rng.random() < habit.name_slip else person.mother,
            street=home.street,
            number=home.number,
            rt=home.rt,
            rw=home.rw,
            kelurahan=(home.old_place if old else home.place).name,
            kecamatan=home.place.kecamatan,
            phone=phone if rng.random() < habit.phone_given else "",
        )

    def exact(self, person: Person, home: Household) -> Seen:
        """Everything as it is: for planted facts, where chance may not interfere."""
        name = person.name.upper() if self.habit.upper else person.name
        return Seen(
            person=person.id,
            name=name,
            nik=person.old_nik or person.nik,
            no_kk=person.old_no_kk or person.no_kk,
            sex="P" if person.female else "L",
            born=person.born,
            birth_place=person.birth_place.title(),
            mother=person.mother,
            street=home.street,
            number=home.number,
            rt=home.rt,
            rw=home.rw,
            kelurahan=home.place.name,
            kecamatan=home.place.kecamatan,
            phone=person.phone or home.phone,
        )

    def name(self, person: Person) -> str:
        rng, habit = self.rng, self.habit
        tokens = list(person.tokens)
        for place, token in enumerate(tokens):
            ways = self.words.variants.get(token)
            if ways and rng.random() < habit.name_variant:
                tokens[place] = rng.choice(ways)
        text = " ".join(tokens)
        if rng.random() < habit.name_slip:
            text = self.faulty(tokens)
        if rng.random() < habit.name_title and len(tokens) > 1:
            if rng.random() < 0.6:
                text = f"{rng.choice(self.words.front[person.female])} {text}"
            else:
                text = f"{text}, {rng.choice(self.words.behind)}"
        return text.upper() if habit.upper else text

    def faulty(self, tokens: list[str]) -> str:
        """The words with one fault: a slip, a word lost, cut short, run together, out of order."""
        u, rng = self.rng.random(), self.rng
        if u < 0.5 or len(tokens) < 2:
            return self.slip(" ".join(tokens))
        if u < 0.68:
            return " ".join(tokens[:-1])
        if u < 0.82:
            return " ".join([*tokens[:-1], tokens[-1][0] + "."])
        if u < 0.92:
            return " ".join([tokens[0] + tokens[1].lower(), *tokens[2:]])
        return " ".join(rng.sample(tokens, len(tokens)))

    def slip(self, text: str) -> str:
        """One slip of the keyboard."""
        rng = self.rng
        spots = [i for i, c in enumerate(text) if c.isalpha() and i > 0]
        if len(spots) < 3:
            return text
        i, u = rng.choice(spots), rng.random()
        if u < 0.35:
            new = rng.choice(_NEIGHBOURS.get(text[i].lower(), "e"))
            return text[:i] + (new.upper() if text[i].isupper() else new) + text[i + 1 :]
        if u < 0.6:
            return text[:i] + text[i + 1 :]
        if u < 0.8:
            return text[:i] + text[i] + text[i:]
        return text[: i - 1] + text[i] + text[i - 1] + text[i + 1 :]

    def nik(self, person: Person, family: Sequence[Person]) -> str:
        rng, habit = self.rng, self.habit
        if rng.random() >= habit.nik_given:
            return ""
        u = rng.random()
        nik = person.old_nik or person.nik
        if u < habit.nik_relative and len(family) > 1:
            return rng.choice([other for other in family if other.id != person.id]).nik
        if u < habit.nik_relative + habit.nik_wrong:
            return self.damaged(nik)
        return nik

    def damaged(self, nik: str) -> str:
        rng, u = self.rng, self.rng.random()
        place = rng.randrange(6, 16)
        if u < 0.45:
            return f"{nik[:place]}{(int(nik[place]) + rng.randint(1, 9)) % 10}{nik[place + 1 :]}"
        if u < 0.65:
            return nik[: place - 1] + nik[place] + nik[place - 1] + nik[place + 1 :]
        if u < 0.8:
            return nik[:place] + nik[place + 1 :]
        if u < 0.9:
            return rng.choice(_SENTINELS)
        return nik[:15] + "0"

    def sex(self, person: Person) -> str:
        u = self.rng.random()
        if u < self.habit.sex_missing:
            return ""
        wrong = u > 1 - self.habit.sex_wrong
        return "P" if person.female != wrong else "L"

    def born(self, born: date) -> date | None:
        rng, habit = self.rng, self.habit
        u = rng.random()
        if u < habit.born_missing:
            return None
        u -= habit.born_missing
        if u < habit.born_new_year:
            return date(born.year, 1, 1)
        u -= habit.born_new_year
        if u < habit.born_swapped and born.day <= 12:
            return date(born.year, born.day, born.month)
        u -= habit.born_swapped
        if 0 <= u < habit.born_digit:
            return _digit_off(rng, born)
        return born


def _digit_off(rng: Random, born: date) -> date:
    if rng.random() < 0.5:
        return born.replace(year=born.year + rng.choice((-10, -1, 1))) if born.day < 29 else born
    return born.replace(day=(born.day - 1 + rng.choice((1, 2, 10))) % 28 + 1)
