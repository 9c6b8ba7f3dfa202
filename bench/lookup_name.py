"""`lookup_name`: a misspelt name among 100,000 persons, through the whole stack, logged."""

import random

from bench.desk import VERIFY, open_desk, p95
from bench.figure import Figure
from bench.lab import Lab, serving
from bench.people import misspelt
from bench.population import city

BAR = 300.0
_WARM = 10


def run(lab: Lab) -> list[Figure]:
    """p95, and how often the person was among the ten."""
    asked, rng = lab.size(200, 10), random.Random(5)
    known = city(lab)
    taken: list[float] = []
    met = 0
    with serving(known.centre):
        desk = open_desk(known.centre)
        for person in rng.choices(known.persons, k=_WARM + asked):
            milliseconds, answer = desk.ask(VERIFY, misspelt(rng, person["name_source"]))
            taken.append(milliseconds)
            met += person["name_source"] in {c["name"] for c in answer["candidates"]}
    value = p95(taken[_WARM:])
    return [
        Figure(
            name="lookup_name",
            value=value,
            unit="ms (p95)",
            bar=BAR,
            holds=value <= BAR,
        ),
        Figure(name="lookup_name_met", value=round(met / len(taken), 3), unit="of questions"),
    ]
