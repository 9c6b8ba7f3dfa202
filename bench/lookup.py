"""`lookup`: a person by NIK through the whole stack, beside a route that does the least it could.

Questions to both routes take turns on one connection, so that both meet the same weather.
"""

import random

from bench.desk import REFERENCE, VERIFY, open_desk, p95
from bench.figure import Figure
from bench.lab import BenchFailed, Lab, serving
from bench.population import city

BAR = 2.0
_WARM = 20


def run(lab: Lab) -> list[Figure]:
    """p95 of both, and their ratio."""
    asked = lab.size(400, 20)
    known = city(lab)
    numbers = [p["nik"] for p in random.Random(3).choices(known.persons, k=_WARM + asked)]
    ours: list[float] = []
    least: list[float] = []
    with serving(known.centre, reference=True):
        desk = open_desk(known.centre)
        for nik in numbers:
            taken, answer = desk.ask(VERIFY, nik)
            if not answer["candidates"]:
                raise BenchFailed("a person of the city was not found by NIK")
            ours.append(taken)
            least.append(desk.ask(REFERENCE, nik)[0])
    value, peer = p95(ours[_WARM:]), p95(least[_WARM:])
    ratio = round(value / peer, 2)
    return [
        Figure(
            name="lookup",
            value=value,
            unit="ms (p95)",
            peer="two commits, one key",
            peer_value=peer,
            ratio=ratio,
            bar=BAR,
            holds=ratio <= BAR,
        )
    ]
