"""`accept_single`: batches of one record a second, from several agencies at once.

A stream is one line, so what one agency can send is bound by the time of one acceptance; a gateway
serves many. Two client processes put the batches of ten agencies each.
"""

from collections.abc import Iterator
from pathlib import Path

from bench import agency, clients
from bench.figure import Figure
from bench.lab import House, Lab, house, serving
from bench.people import line, people

CLIENTS, AGENCIES = 2, 10
BAR = 300


def run(lab: Lab) -> list[Figure]:
    """Measure it."""
    batches = lab.size(200, 5)
    with house(lab, "accept_single") as centre:
        files = [
            [_prepare(centre, f"bench-{c}-{a}", batches) for a in range(AGENCIES)]
            for c in range(CLIENTS)
        ]
        with serving(centre):
            seconds = clients.together(
                clients.put_all, [(centre.settings.origin, paths) for paths in files]
            )
    rate = CLIENTS * AGENCIES * batches / seconds
    return [
        Figure(
            name="accept_single",
            value=round(rate, 1),
            unit="batches/s",
            bar=BAR,
            holds=rate >= BAR,
        )
    ]


def _prepare(centre: House, code: str, batches: int) -> Path:
    def chunks() -> Iterator[list[bytes]]:
        for n, values in enumerate(people(batches, seed=7)):
            yield [line(f"p.{n:07d}", agency.version(n + 1), values)]

    who = agency.enrol(centre, code)
    return agency.keep(centre.folder / f"{code}.puts", who, list(agency.sealed(who, chunks())))
