"""Invented people of an invented town, as several agencies know them, with their slips."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from gateway.index import blocking, features, keystore, training
from gateway.index.arrivals import Arrival, Origin
from gateway.index.model import FIELDS, Batch, PersonFeatures
from gateway.index.scoring import Model
from schemas.line import content_hash

AS_OF = datetime(2025, 10, 1, tzinfo=UTC)
AGENCIES = ("dukcapil", "dstk", "disdik", "dinkes", "baz")
_FIRST = "Ahmad Budi Citra Dewi Eka Fitri Gusman Hendra Indah Joni Kartika Lina Mardi Nurul Oki Putri Rahmat Siska Taufik Umi Vera Wati Yulia Zainal Arif Bayu Desi Edi Fauzi Gina".split()
_LAST = "Saputra Wahyuni Rahmadani Efendi Syahrial Marlina Pratama Lestari Hidayat Anggraini Kurniawan Oktavia Ramadhan Permata Syafitri Firdaus Maulana Nasution Harahap Tanjung Wijaya Utami Amelia Ilham".split()
_KELURAHAN = [f"13.76.0{k}.10{n:02d}" for k in range(1, 4) for n in range(1, 5)]


@dataclass(frozen=True)
class Said:
    """One record of one agency; `truth` is who it really is."""

    agency: str
    source_id: str
    values: dict
    truth: int


def town(persons: int = 300, seed: int = 5) -> list[Said]:
    """About three records a person, one of them of the civil register, in a shuffled order."""
    rng = random.Random(seed)
    said: list[Said] = []
    number = 0
    while number < persons:
        card = f"137601{rng.randint(1, 28):02d}{rng.randint(1, 12):02d}{rng.randint(5, 20):02d}{rng.randint(1, 9999):04d}"
        kelurahan, street = rng.choice(_KELURAHAN), f"Jl. {rng.choice(_LAST)}"
        for _ in range(min(rng.randint(1, 4), persons - number)):
            said += _records(
                rng,
                number,
                card,
                {
                    "kelurahan": kelurahan,
                    "street": street,
                    "rt": f"{rng.randint(1, 6):03d}",
                    "rw": "001",
                },
            )
            number += 1
    rng.shuffle(said)
    return said


def _records(rng: random.Random, number: int, card: str, address: dict) -> Iterable[Said]:
    sex = rng.choice("LP")
    name = (
        f"{rng.choice(_FIRST)} {rng.choice(_FIRST)} {rng.choice(_LAST)}"
        if rng.random() < 0.5
        else f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"
    )
    born = datetime(1940, 1, 1, tzinfo=UTC) + timedelta(days=rng.randint(0, 28_000))
    day = born.day + (40 if sex == "P" else 0)
    nik = f"137601{day:02d}{born:%m%y}{rng.randint(1, 9999):04d}"
    whole = {
        "nik": nik,
        "nik_status": "valid_form",
        "no_kk": card,
        "name_source": name.upper(),
        "sex": sex,
        "birth_date": f"{born:%Y-%m-%d}",
        "address_ktp": address,
        "phone": f"+62813{number:07d}",
    }
    for agency in AGENCIES[: 1 + rng.randint(1, 4)]:
        values = dict(whole)
        if agency != "dukcapil":
            _spoil(rng, values)
        yield Said(agency, f"{agency[:3].upper()}-{number:05d}", values, number)
        if agency == "baz" and rng.random() < 0.2:
            again = dict(values)
            _spoil(rng, again)
            yield Said(agency, f"BAZ-{number:05d}b", again, number)


def _spoil(rng: random.Random, values: dict) -> None:
    if rng.random() < 0.4:
        values.pop("nik", None)
        values["nik_status"] = "missing"
    if rng.random() < 0.3:
        values.pop("no_kk", None)
    if rng.random() < 0.3:
        values.pop("phone", None)
    name = values["name_source"]
    at = rng.randrange(1, len(name) - 1)
    if rng.random() < 0.25:
        values["name_source"] = name[:at] + name[at + 1 :]
    if rng.random() < 0.1:
        values["birth_date"] = values["birth_date"][:5] + "01-01"
    if rng.random() < 0.1:
        values.pop("address_ktp", None)


def batch_id(number: int) -> UUID:
    """A time-ordered id like those of real batches."""
    return UUID(int=(1_760_000_000_000 + number << 80) | (7 << 76) | (2 << 62) | number)


def arrival(
    i: int, said: Said, v: int = 1, *, op: str = "put", as_of: datetime | None = None
) -> Arrival:
    values = said.values if op == "put" else {}
    return Arrival(
        i, op, said.source_id, v, as_of, content_hash(values, op), values, bytes([i % 251]) * 32
    )


def batches(said: Sequence[Said], size: int, v: int = 1) -> list[tuple[Origin, list[Arrival]]]:
    """The records in their order, cut into batches of one agency each, of at most `size`."""
    out: list[tuple[Origin, list[Arrival]]] = []
    open_ones: dict[str, list[Said]] = {}

    def close(agency: str) -> None:
        origin = Origin(agency, "person", batch_id(len(out) + 1000 * v), AS_OF)
        out.append((origin, [arrival(i, s, v) for i, s in enumerate(open_ones.pop(agency))]))

    for one in said:
        open_ones.setdefault(one.agency, []).append(one)
        if len(open_ones[one.agency]) == size:
            close(one.agency)
    for agency in list(open_ones):
        close(agency)
    return out


def as_features(said: Iterable[Said], register: str = "dukcapil") -> list[PersonFeatures]:
    """What the engine sees of the records, in the order of their keys."""
    read = [
        features.read(
            features.record_key(s.agency, s.source_id),
            s.agency,
            s.values,
            is_register=s.agency == register,
        )
        for s in said
    ]
    return sorted(read, key=lambda p: p.key)


def model_of(said: Iterable[Said]) -> Model:
    """A model learned from the records themselves."""
    batch = Batch.of(as_features(said))
    rows = blocking.keys(batch)
    store = keystore.ArrayKeyStore()
    store.put(rows)
    random_pairs, population = training.random_pairs(batch, within_sources=True)
    sample = training.Sample(batch, FIELDS, population, store.pairs(), random_pairs)
    return training.train(sample, "town/1")[0]
