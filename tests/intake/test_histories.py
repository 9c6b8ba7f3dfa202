"""Over many random histories the live view is what a naive reading of the whole history gives."""

import random
from typing import Any

import pytest
from sqlalchemy import text

from gateway.index import sealing, store_links
from gateway.index.sealing import Place
from gateway.intake.model import IntakeTools
from tests.conftest import Database
from tests.intake.factory import person, tools_of
from tests.intake.histories import VARIANTS, World, believed, expected, play

SEEDS = 200
_LIVE = text(
    "select r.id, r.source_id, a.id as assertion_id, a.v, a.clear, a.sealed, a.period,"
    " b.epoch * 4294967296 + b.seq as version from source_record r"
    " join assertion a on a.id = r.assertion_id join batch b on b.id = a.batch_id"
    " where r.agency = :agency order by r.id"
)
_FEATURES = text(
    "select record_id, assertion_id, (select count(*) from block_key k"
    " where k.record_id = f.record_id) as keys, cardinality(keys) as carried"
    " from person_feature f where agency = :agency order by record_id"
)


@pytest.fixture(scope="module")
def tools(database: Database) -> IntakeTools:
    return tools_of(database)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_live_view_is_that_of_a_naive_reading(database, tools, seed):
    world = play(database, tools, random.Random(seed))
    assert shown(world) == expected(world)


def shown(world: World) -> dict[str, int]:
    """The variant of each live record; its values, sealed ones too, and all derived rows agree."""
    with world.database.session() as session:
        rows = session.execute(_LIVE, {"agency": world.agency.code}).all()
        derived = session.execute(_FEATURES, {"agency": world.agency.code}).all()
        known = store_links.get_known(session, world.tools.vault, [row.id for row in rows])
    assert [(d.record_id, d.assertion_id) for d in derived] == [
        (r.id, r.assertion_id) for r in rows
    ]
    assert all(d.keys == d.carried > 0 for d in derived)
    trusted = {b.version for b in world.sent if believed(world, b)}
    assert {row.version for row in rows} <= trusted  # I9
    found = {row.source_id: values(world, row) for row in rows}
    assert all(known[r.id].features.nik == found[r.source_id]["nik"] for r in rows)
    variants = {person(n)["nik"]: n for n in range(VARIANTS)}
    return {name: variants[said["nik"]] for name, said in found.items()}


def values(world: World, row: Any) -> dict[str, Any]:
    place = Place(world.agency.code, "person", row.source_id, row.v, row.period)
    said = {**row.clear, **sealing.opened(world.tools.vault, place, row.sealed)}
    assert said in [person(n) for n in range(VARIANTS)]
    return said
