"""Invented persons of realistic shape, as many as wanted, the same for the same seed."""

import base64
import json
import random
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from bench.lab import PROFILE
from demo.city import words as demo_words
from demo.city.words import Words
from schemas.profile import Profile

_BORN_FIRST, _BORN_DAYS = date(1940, 1, 1), 30_000
_SLIPS = ("drop", "swap", "double", "change")


def people(count: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Values of `count` person records, each another person with a NIK of its own."""
    rng, words, profile = random.Random(seed), demo_words.load(), Profile.load(PROFILE)
    places = [unit.kemendagri for unit in profile.wilayah.active if unit.kemendagri]
    given: Counter[str] = Counter()
    for number in range(count):
        kelurahan, is_female = rng.choice(places), rng.random() < 0.5
        born = _BORN_FIRST + timedelta(days=rng.randrange(_BORN_DAYS))
        stem = _stem(kelurahan, born, is_female=is_female)
        given[stem] += 1
        yield {
            "nik": f"{stem}{given[stem]:04d}",
            "nik_status": "valid_form",
            "no_kk": f"{stem[:6]}{rng.randint(1, 28):02d}0615{number % 9999 + 1:04d}",
            "name_source": _name(rng, words, is_female=is_female),
            "sex": "P" if is_female else "L",
            "birth_place": rng.choice(words.birth_places).upper(),
            "birth_date": born.isoformat(),
            "birth_date_precision": "day",
            "address_ktp": {
                "street": f"{words.streets.draw(rng)} No. {rng.randint(1, 180)}",
                "rt": f"{rng.randint(1, 6):03d}",
                "rw": f"{rng.randint(1, 5):03d}",
                "kelurahan": kelurahan,
                "kecamatan": kelurahan[:8],
            },
            "phone": f"+628{rng.randint(10**8, 10**10 - 1)}",
        }


def line(record_id: str, version: int, values: Mapping[str, Any]) -> bytes:
    """The record as it goes into a batch."""
    salt = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    head = {"_s": salt, "_op": "put", "_id": record_id, "_v": version}
    return json.dumps({**head, **values}, separators=(",", ":"), ensure_ascii=False).encode()


def misspelt(rng: random.Random, name: str) -> str:
    """The name with one slip of a hurried hand."""
    at, slip = rng.randrange(1, len(name) - 1), rng.choice(_SLIPS)
    if slip == "drop":
        return name[:at] + name[at + 1 :]
    if slip == "swap":
        return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    other = name[at] if slip == "double" else rng.choice("AEIOUNRSTL")
    return name[:at] + other + name[at + (slip == "change") :]


def _stem(kelurahan: str, born: date, *, is_female: bool) -> str:
    return f"{kelurahan.replace('.', '')[:6]}{born.day + 40 * is_female:02d}{born:%m%y}"


def _name(rng: random.Random, words: Words, *, is_female: bool) -> str:
    parts = [words.given[is_female].draw(rng), words.last[is_female].draw(rng)]
    if rng.random() < 0.4:
        parts.insert(1, words.given[is_female].draw(rng))
    return " ".join(parts).upper()
