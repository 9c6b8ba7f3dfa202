"""Records for the engine's tests: only what matters is said."""

import numpy as np

from gateway.index import normalise, numbers, places
from gateway.index.model import Batch, Pairs, PersonFeatures

KELURAHAN = "13.76.01.1021"
CARD = "1376010101100001"


def person(key: str, name: str | None = None, **said: object) -> PersonFeatures:
    """A record as features; `name`, `address` and `phone` as written."""
    values = dict(said)
    if name is not None:
        values["name"] = normalise.name(name, str(said.get("sex", ""))).value
    if "address" in said:
        values["address"] = places.address(str(said["address"]))
    if "phone" in said:
        values["phone"] = numbers.phone(str(said["phone"]))
    return PersonFeatures(key=key, **values)  # type: ignore[arg-type]


def pair_of(a: PersonFeatures, b: PersonFeatures) -> tuple[Batch, Pairs]:
    return Batch.of([a, b]), Pairs(np.array([0]), np.array([1]))
