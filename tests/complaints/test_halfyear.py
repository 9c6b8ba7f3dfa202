"""The demo's half year: made by moves alone, in the order of days, equal for an equal seed."""

import random
from datetime import date

from sqlalchemy import text

from demo import halfyear
from gateway.access.model import Role
from gateway.access.service import Door
from gateway.access.sessions import NewOfficer, add_officer, authenticate
from gateway.complaints import service
from gateway.complaints.lifecycle import Kind
from gateway.index import modelfile
from gateway.index.arrivals import IndexTools
from gateway.storage.engine import sessions
from tests.complaints.conftest import PROFILE
from tests.index_db import people
from tests.index_db.conftest import load
from tests.intake.factory import tools_of
from tests.programs.conftest import PROGRAM, index_tools, publish

__all__ = ["index_tools", "publish"]


def test_a_half_year_is_made_by_moves_that_the_lifecycle_knows(database, publish):
    for agency, kinds in (
        ("disdik", ["perlengkapan_sekolah", "tunggakan_sekolah", "beasiswa"]),
        ("dstk", ["rutilahu", "bantuan_sosial", "modal_usaha"]),
    ):
        code, bidang = f"{agency}-2025-01", "PENDIDIKAN" if agency == "disdik" else "SOSIAL_BUDAYA"
        publish({**PROGRAM, "program_code": code, "need_kinds": kinds, "bidang": bidang,
                 "period_start": "2025-01-02", "period_end": "2025-12-31"})  # fmt: skip
    tools = IndexTools(database.vault, PROFILE, modelfile.load())
    town = people.town(12)
    load(database, tools, people.batches(town, 100))
    for said in (s for s in town if s.agency == "dukcapil"):
        held = {"person": said.source_id, "list_code": "DTSEN", "listing_status": "active"}
        publish(held, agency="dukcapil", kind="listing", name=f"L-{said.source_id}")
    roles = (Role.COUNTER_OFFICER, Role.UPT_COORDINATOR, Role.FIELD_VERIFIER)
    with database.session() as session:
        for role in roles:
            name = role.value.replace("_", "-")
            new = NewOfficer(name, name, "upt-kan", (role,), "jembatan-kecil-1")
            add_officer(session, new)
        staff = halfyear.Staff(
            *(authenticate(session, r.value.replace("_", "-"), "jembatan-kecil-1") for r in roles)
        )
        session.commit()
    made = halfyear.Play(
        sessions=sessions(database.engine),
        vault=database.vault,
        profile=PROFILE,
        staff=staff,
        door=Door(tools, database.settings, date(2025, 11, 3)),
        intake=tools_of(database),
        rng=random.Random(7),
    )
    numbers = [s.values["nik"] for s in town if s.agency == "dukcapil"]
    found = halfyear.play(made, numbers)
    assert sum(found.values()) >= 10
    known = {m.id for each in service.machines().values() for m in each.moves.values()}
    with database.session() as session:
        running = session.scalars(text("select running from complaint order by running")).all()
        moves = session.scalars(text("select distinct move from complaint_event")).all()
        states = session.scalars(text("select distinct state from complaint")).all()
        days = session.scalars(text("select on_day from complaint_event")).all()
    assert running == list(range(1, len(running) + 1))
    assert set(moves) - {None} <= known
    assert set(states) <= service.machines()[Kind.COMPLAINT].states.keys()
    assert not any(PROFILE.is_holiday(day) for day in days)
    with database.session() as session:
        needs = set(session.scalars(text("select state from need")).all())
        promised = session.scalars(text("select program_code from reservation")).all()
    assert needs & {"approved", "in_delivery", "fulfilled"}
    assert {"disdik-2025-01", "dstk-2025-01"} == set(promised)
