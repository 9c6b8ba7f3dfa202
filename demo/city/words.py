"""The words of the demo city, read from `words.toml`, and how often each is drawn."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

_FILE = Path(__file__).parent / "words.toml"


@dataclass(frozen=True, slots=True)
class Pool:
    """Words with falling frequency (Zipf-like), drawn in constant time."""

    words: tuple[str, ...]
    weights: tuple[float, ...]

    @classmethod
    def of(cls, words: Sequence[str], exponent: float) -> "Pool":
        weights = accumulate(1.0 / (rank + 6) ** exponent for rank in range(len(words)))
        return cls(tuple(words), tuple(weights))

    def draw(self, rng: Random) -> str:
        return rng.choices(self.words, cum_weights=self.weights)[0]


@dataclass(frozen=True, slots=True)
class Words:
    """Everything that belongs to this one city and is not a place."""

    given: Mapping[bool, Pool]
    """First words by sex (True = female)."""
    last: Mapping[bool, Pool]
    suku: Pool
    gelar: tuple[str, ...]
    variants: Mapping[str, tuple[str, ...]]
    twins: Mapping[bool, tuple[tuple[str, str], ...]]
    front: Mapping[bool, tuple[str, ...]]
    behind: tuple[str, ...]
    streets: Pool
    birth_places: tuple[str, ...]
    landmarks: tuple[str, ...]
    moved_to: str
    moved_to_others: tuple[str, ...]
    education_codes: tuple[str, ...]
    health_centres: Mapping[str, str]
    work: Mapping[str, tuple[str, ...]]
    pmks: tuple[str, ...]
    nik: Mapping[str, Any]


def load() -> Words:
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    places, titles = data["places"], data["titles"]
    return Words(
        given={False: _pool(data["given"]["male"]), True: _pool(data["given"]["female"])},
        last={False: _pool(data["last"]["male"]), True: _pool(data["last"]["female"])},
        suku=Pool.of(data["clan"]["suku"].split(), 0.7),
        gelar=_list(data["clan"]["gelar"]),
        variants={
            token: tuple(v.replace("+", " ") for v in text.split())
            for token, text in data["variants"].items()
        },
        twins={False: _pairs(data["twins"]["male"]), True: _pairs(data["twins"]["female"])},
        front={
            False: tuple(titles["front_male"].split()),
            True: tuple(titles["front_female"].split()),
        },
        behind=tuple(titles["behind"].split()),
        streets=Pool.of(_list(places["streets"]), 0.5),
        birth_places=tuple(places["birth"].split()),
        landmarks=_list(places["landmarks"]),
        moved_to=places["moved_to"],
        moved_to_others=_list(places["moved_to_others"]),
        education_codes=tuple(places["education_codes"].split()),
        health_centres=data["health_centres"],
        work={key: _list(text) for key, text in data["work"].items()},
        pmks=_list(data["pmks"]["kinds"]),
        nik=data["nik"],
    )


def _pool(text: str) -> Pool:
    return Pool.of(tuple(dict.fromkeys(text.split())), 0.75)


def _list(text: str) -> tuple[str, ...]:
    return tuple(part for line in text.split("\n") for part in line.split("|") if part)


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((pair.split()[0], pair.split()[1]) for pair in text.split("|"))
