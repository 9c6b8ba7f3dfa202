"""Role × action × state, whole: who may make which move where, and who sees which ticket.

`complaint_fsm.json` is the design's fixture, written before the code and kept apart from it.
"""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path

import pytest

from gateway.access.model import Role
from gateway.complaints import acting, service, visibility
from gateway.complaints.clock import Due, Now
from gateway.complaints.lifecycle import ACTORS, Kind
from gateway.complaints.model import Actor, Body, Case, Channel, Need, NeedId, Ticket, TicketId
from gateway.errors import Forbidden, NotFound
from gateway.storage import ids

FIXTURE = json.loads(Path(__file__).with_name("complaint_fsm.json").read_text(encoding="utf-8"))
NOW = Now(date(2025, 11, 3), datetime(2025, 11, 3, 3, tzinfo=UTC))
ME, OTHER = ids.new(), ids.new()
HOUSE = {"counter_officer", "upt_coordinator", "field_verifier", "data_steward"}


@pytest.mark.parametrize("kind", list(Kind))
def test_the_matrix_of_moves_is_the_designs(kind):
    """Each of about 28,000 cells: the target where the move may be made, else nothing."""
    designed = {
        (row["source"], row["event"], role): row["target"]
        for row in FIXTURE[kind.value]["transitions"]
        for role in row["roles"]
    }
    machine = service.machines()[kind]
    for state, event, role in product(machine.states, machine.events, ACTORS):
        move = machine.move(state, event)
        may = move is not None and service.role_for(Actor((role,)), move) is not None
        assert (move.target if may else None) == designed.get((state, event, role)), (
            f"{role} × {event} × {state}"
        )


@pytest.mark.parametrize("kind", list(Kind))
def test_states_and_ids_are_the_designs(kind):
    machine, designed = service.machines()[kind], FIXTURE[kind.value]
    assert list(machine.states) == list(designed["states"])
    assert [m.id for m in machine.moves.values()] == [t["id"] for t in designed["transitions"]]


def case(*, restricted=False, owner=OTHER, agency="disdik", state="referred"):
    ticket = Ticket(
        id=TicketId(ids.new()),
        number="PKN-2025-000001-9",
        state="in_service",
        since=NOW,
        due=Due(),
        case_due=NOW.today,
        received_on=NOW.today,
        entered_on=NOW.today,
        channel=Channel.COUNTER,
        person_id=None,
        owner_id=owner,
        kelurahan=None,
        emergency=False,
        restricted=restricted,
        historical=False,
        asked_from=None,
        master_id=None,
        escalated_at=None,
        body=Body({}),
    )
    need = Need(
        id=NeedId(ids.new()),
        ticket_id=ticket.id,
        n=1,
        kind="beasiswa",
        state=state,
        since=NOW,
        due=Due(),
        counter="pendidikan",
        agency=agency,
        program_code=None,
        person_id=None,
        queue_on=None,
        target_fy=None,
        amount_idr=None,
        returned=0,
        contact_on=None,
        escalated_at=None,
    )
    return Case(ticket, (need,))


SEEN = {
    "an ordinary ticket": (case(), HOUSE | {"system", "citizen"}),
    "one's own": (case(owner=ME), HOUSE | {"pokja_member", "system", "citizen"}),
    "restricted": (case(restricted=True), {"upt_coordinator", "system", "citizen"}),
    "restricted, one's own": (
        case(restricted=True, owner=ME),
        HOUSE | {"pokja_member", "system", "citizen"},
    ),
    "waits for the mayor": (
        case(state="awaiting_mayor"),
        HOUSE | {"mayor_delegate", "system", "citizen"},
    ),
    "referred to one's agency": (
        case(agency="dinkes"),
        HOUSE | {"agency_reviewer", "benefit_officer", "partner_reviewer", "system", "citizen"},
    ),
    "proposed for one's agency": (
        case(agency="dinkes", state="proposed"),
        HOUSE | {"system", "citizen"},
    ),
    "restricted, at one's agency": (
        case(agency="dinkes", restricted=True),
        {
            *("upt_coordinator", "agency_reviewer", "benefit_officer", "partner_reviewer"),
            *("system", "citizen"),
        },
    ),
}


@pytest.mark.parametrize(("name", "role"), list(product(SEEN, sorted(ACTORS))))
def test_who_sees_a_ticket(name, role):
    found, expected = SEEN[name]
    house = role in HOUSE | {"mayor_delegate"}
    actor = Actor((role,), "upt-kan" if house else "dinkes", ME)
    assert visibility.sees(actor, found) == (role in expected)


@pytest.mark.parametrize("role", sorted(ACTORS))
def test_an_agency_sees_its_own_needs_alone(role):
    both = case(agency="dinkes")
    both = replace(both, needs=(*both.needs, *case(agency="disdik").needs))
    seen = visibility.needs_seen(Actor((role,), "dinkes", ME), both)
    agency = role in {"agency_reviewer", "benefit_officer", "partner_reviewer"}
    assert len(seen) == (1 if agency else 2)


ACTS = {
    "note": (lambda s, c, d: acting.note(s, c.ticket.id, "sudah", d), HOUSE),
    "assign": (lambda s, c, d: acting.assign(s, c.ticket.id, d), HOUSE),
    "pass_on": (
        lambda s, c, d: acting.pass_on(s, (c.ticket.id, c.needs[0].id), "sosial", d),
        HOUSE,
    ),
    "emergency": (
        lambda s, c, d: acting.flag_emergency(s, c.ticket.id, "di rumah sakit", d),
        {"counter_officer", "upt_coordinator"},
    ),
    "new_pin": (
        lambda s, c, d: acting.new_pin(s, c.ticket.id, d),
        {"counter_officer", "upt_coordinator"},
    ),
    "extend": (
        lambda s, c, d: acting.extend(s, (c.ticket.id, c.needs[0].id), (2, "menunggu"), d),
        {"upt_coordinator"},
    ),
}


@pytest.mark.parametrize("name", ACTS)
def test_who_may_do_what_beside_moves(office, name):
    act, allowed = ACTS[name]
    made = office.refer(office.register().case)
    for role in Role:
        desk = office.desk(role.value, "disdik")
        with office.database.session() as session:
            if role.value in allowed:
                act(session, made, desk)
            else:
                with pytest.raises((Forbidden, NotFound)):
                    act(session, made, desk)
            session.rollback()
