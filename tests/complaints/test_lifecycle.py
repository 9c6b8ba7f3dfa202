"""The lifecycle as data: what the loader refuses, and that the file is the design's fixture."""

import json
from pathlib import Path

import pytest

from gateway.access.model import Role
from gateway.complaints import lifecycle, service
from gateway.complaints.lifecycle import Kind, LifecycleBroken

TEXT = Path(lifecycle.__file__).with_name("lifecycle.json").read_text(encoding="utf-8")


def changed(edit) -> str:
    raw = json.loads(TEXT)
    edit(raw)
    return json.dumps(raw)


def moves(raw, kind="complaint"):
    return raw[kind]["moves"]


def test_the_file_loads_and_every_name_is_a_function():
    machines = service.machines()
    complaint, need = machines[Kind.COMPLAINT], machines[Kind.NEED]
    assert (len(complaint.states), len(complaint.moves)) == (18, 50)
    assert (len(need.states), len(need.moves)) == (14, 40)


def test_every_role_that_works_on_a_case_has_a_move():
    used = {r for m in service.machines().values() for move in m.moves.values() for r in move.roles}
    readers = {"auditor", "steering", "key_admin", "operator", "agency_it"}
    assert used == {*(r.value for r in Role), "system", "citizen"} - readers


def _two_targets(raw):
    moves(raw).append({**moves(raw)[1], "id": "C99", "target": "void"})


def _twice(raw):
    moves(raw)[2]["id"] = moves(raw)[1]["id"]


def _unreachable(raw):
    raw["need"]["states"]["lost"] = {**raw["need"]["states"]["unmet"]}


def _dead_end(raw):
    raw["need"]["states"]["unmet"]["final"] = False


def _no_way_out(raw):
    """Two states that lead to each other only."""
    states, rows = raw["need"]["states"], moves(raw, "need")
    for code in ("here", "there"):
        states[code] = {**states["returned"]}
    rows.append({**rows[0], "id": "N90", "event": "recall", "source": "proposed", "target": "here"})
    rows.append({**rows[0], "id": "N91", "source": "here", "target": "there"})
    rows.append({**rows[0], "id": "N92", "source": "there", "target": "here"})


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (_two_targets, "two targets for match_listed out of registered"),
        (_twice, "C02 stands twice"),
        (_unreachable, "lost cannot be reached"),
        (_dead_end, "unmet is a dead end, or not final"),
        (_no_way_out, "to an end"),
        (lambda raw: moves(raw)[0].update(roles=[]), "nobody can make C01"),
        (lambda raw: moves(raw)[0].update(roles=["janitor"]), "C01 names an unknown role"),
        (lambda raw: moves(raw)[0].update(target="gone"), "C01 leads from or to an unknown state"),
        (lambda raw: moves(raw)[0].update(event="sing"), "the event of C01 has no label"),
        (lambda raw: raw["need"].update(initial="gone"), "the first state is unknown"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_a_file_that_would_strand_a_case_is_refused(edit, said):
    with pytest.raises(LifecycleBroken, match=said):
        lifecycle.parse(changed(edit))


@pytest.mark.parametrize("key", ["guards", "effects"])
def test_a_name_that_nobody_knows_is_refused(key):
    machines = lifecycle.parse(changed(lambda raw: moves(raw)[0].update({key: ["wish"]})))
    with pytest.raises(LifecycleBroken, match="C01 names what nobody knows: wish"):
        lifecycle.check_names(machines, service.GUARDS, service.EFFECTS)


def test_every_guard_and_effect_is_used_by_a_move():
    every = [m for each in service.machines().values() for m in each.moves.values()]
    assert {g for m in every for g in m.guards} == set(service.GUARDS)
    assert {e for m in every for e in m.effects} == set(service.EFFECTS)


def test_every_state_and_event_speaks_both_languages():
    for machine in service.machines().values():
        labels = [*(s.label for s in machine.states.values()), *machine.events.values()]
        assert all(set(label) == {"id", "en"} for label in labels)
