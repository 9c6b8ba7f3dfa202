"""`mutations`: of 10,000 seeded changes of log, proofs and evidence, how many were seen.

Edit, delete, insert, truncate, reorder, substitute and fork, on evidence files of every kind, on
inclusion and consistency proofs, and on the log's tables in PostgreSQL. Beside it the good files of
1,000 other worlds, none of which may be doubted. The mutations are those of the suite's sample.
"""

from bench.figure import Figure
from bench.lab import Lab, house
from tests.conftest import Database
from tests.keys import mutations
from tests.ledger import tampering
from tests.ledger.logging_room import Log

_SEEDS = 100


def run(lab: Lab) -> list[Figure]:
    """The share that was seen, and how many good files were doubted."""
    evidence, proofs, tables = (lab.size(n, n // 100) for n in (6_000, 2_000, 2_000))
    missed: list[str] = []
    for seed in range(_SEEDS):
        missed += mutations.missed_in_evidence(seed, -(-evidence // _SEEDS))
        missed += mutations.missed_in_proofs(seed, -(-proofs // _SEEDS))
    with house(lab, "mutations") as centre:
        log = tampering.grown(Log(Database(centre.settings, centre.engine, centre.vault)))
        missed += tampering.missed_in_tables(log, 1, tables)
    done = (-(-evidence // _SEEDS) + -(-proofs // _SEEDS)) * _SEEDS + tables
    doubted = mutations.doubted(range(1_000, 1_000 + lab.size(63, 1)))
    share = 100 * (1 - len(missed) / done)
    return [
        Figure("mutations", share, f"% of {done:,} seen", bar=100, holds=not missed),
        Figure("false_alarms", len(doubted), "good files", bar=0, holds=not doubted),
    ]
