"""`histories`: of 1,000 random histories with revocations, how many end as the oracle says.

Batches by three keys, snapshots, tombstones, workers that stop half way, revocations with T and the
ways out of them; then every live record against a naive reading of the whole history. None of the
seeds is one of the suite's sample.
"""

import random

from bench.figure import Figure
from bench.lab import Lab, house
from gateway.intake.model import IntakeTools
from tests.conftest import Database
from tests.intake.factory import tools_of
from tests.intake.histories import expected, play, shown

_FIRST = 1_000


def run(lab: Lab) -> list[Figure]:
    """How many came out alike."""
    seeds = range(_FIRST, _FIRST + lab.size(1_000, 2))
    with house(lab, "histories") as centre:
        database = Database(centre.settings, centre.engine, centre.vault)
        tools = tools_of(database)
        alike = sum(_is_alike(database, tools, seed) for seed in seeds)
    unit = f"of {len(seeds):,} alike"
    return [Figure("histories", alike, unit, bar=len(seeds), holds=alike == len(seeds))]


def _is_alike(database: Database, tools: IntakeTools, seed: int) -> bool:
    world = play(database, tools, random.Random(seed))
    try:
        return shown(world) == expected(world)
    except AssertionError:
        return False
