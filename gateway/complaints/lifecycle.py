"""The two state machines as data: what may follow what, who may do it, what it asks for.

`lifecycle.json` holds states, labels, limits and moves; `parse` refuses a file that could strand a
case. The machines know no database: a guard or an effect is a name here, a function elsewhere.

Source: design/domain.md §2 (states, moves, deadlines).
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from gateway.access.model import Role

SYSTEM, CITIZEN = "system", "citizen"
ACTORS = frozenset((*(role.value for role in Role), SYSTEM, CITIZEN))
"""Fourteen roles, and the two who hold none."""


class LifecycleBroken(ValueError):
    """The file would strand a case, or names what nobody knows."""


class Kind(StrEnum):
    """Whose machine: the person's visit, or one thing asked for."""

    COMPLAINT = "complaint"
    NEED = "need"


class Clock(StrEnum):
    """What the deadline does in a state."""

    NONE = "none"
    RUNS = "runs"
    PAUSED = "paused"
    NEEDS = "needs"
    """The clocks of the needs run instead."""
    WAITS = "waits"
    """No deadline; the person is contacted now and then."""
    OBJECTION = "objection"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Span:
    """A length: working days, or minutes of the clock (of an emergency)."""

    days: int | None = None
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """How long a case may stay in a state, and who is told when it stays longer."""

    normal: Span
    emergency: Span
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class State:
    """One state; `public` is the citizen's word for it, `final` that nothing can follow."""

    code: str
    label: Mapping[str, str]
    clock: Clock
    public: str | None
    limit: Limit | None
    closed: bool
    final: bool


@dataclass(frozen=True, slots=True)
class Move:
    """One arrow. Its `id` is that of the design; `guards` and `effects` are names.

    Attributes:
        asks: what the actor must give with it: `reason`, or a key of the act's data.
    """

    id: str
    event: str
    source: str
    target: str
    roles: tuple[str, ...]
    guards: tuple[str, ...]
    effects: tuple[str, ...]
    asks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Machine:
    """States by code, labels of events, moves by (source, event)."""

    kind: Kind
    initial: str
    states: Mapping[str, State]
    events: Mapping[str, Mapping[str, str]]
    moves: Mapping[tuple[str, str], Move]

    def move(self, source: str, event: str) -> Move | None:
        """The one arrow of an event out of a state; None where it is not possible there."""
        return self.moves.get((source, event))

    def moves_from(self, source: str) -> list[Move]:
        """All arrows out of a state, in the order of the file."""
        return [m for (at, _), m in self.moves.items() if at == source]


Lifecycle = Mapping[Kind, Machine]


@cache
def lifecycle() -> Lifecycle:
    """The machines of `lifecycle.json`; who carries out names checks them by `check_names`."""
    return parse(Path(__file__).with_name("lifecycle.json").read_text(encoding="utf-8"))


def parse(text: str) -> Lifecycle:
    """Both machines of a file.

    Raises:
        LifecycleBroken: two targets for one source and event, an unknown state, role or event, a
            state that cannot be reached, one that nothing leads out of although it is not final,
            or a move that nobody can make.
    """
    raw = json.loads(text)
    made = {kind: _machine(kind, raw[kind.value]) for kind in Kind}
    for machine in made.values():
        for fault in _faults(machine):
            raise LifecycleBroken(f"{machine.kind.value}: {fault}")
    return made


def check_names(machines: Lifecycle, guards: Collection[str], effects: Collection[str]) -> None:
    """Return if every guard and effect that a move names is a function.

    Raises:
        LifecycleBroken: one is not.
    """
    for machine in machines.values():
        for move in machine.moves.values():
            unknown = [*(set(move.guards) - set(guards)), *(set(move.effects) - set(effects))]
            if unknown:
                raise LifecycleBroken(f"{move.id} names what nobody knows: {unknown[0]}")


def _machine(kind: Kind, raw: Mapping[str, Any]) -> Machine:
    moves: dict[tuple[str, str], Move] = {}
    ids: set[str] = set()
    for row in raw["moves"]:
        move = _move(row)
        if (move.source, move.event) in moves:
            raise LifecycleBroken(f"two targets for {move.event} out of {move.source}")
        if move.id in ids:
            raise LifecycleBroken(f"{move.id} stands twice")
        ids.add(move.id)
        moves[move.source, move.event] = move
    states = {code: _state(code, row) for code, row in raw["states"].items()}
    return Machine(kind, raw["initial"], states, raw["events"], moves)


def _move(row: Mapping[str, Any]) -> Move:
    names = {key: tuple(row.get(key, ())) for key in ("roles", "guards", "effects", "asks")}
    return Move(row["id"], row["event"], row["source"], row["target"], **names)


def _state(code: str, row: Mapping[str, Any]) -> State:
    limit = row.get("limit")
    return State(
        code=code,
        label=row["label"],
        clock=Clock(row["clock"]),
        public=row.get("public"),
        limit=limit
        and Limit(Span(days=limit["days"]), Span(**limit["emergency"]), tuple(limit["to"])),
        closed=row.get("closed", False),
        final=row.get("final", False),
    )


def _faults(machine: Machine) -> Iterator[str]:
    for move in machine.moves.values():
        yield from _faults_of_move(machine, move)
    if machine.initial not in machine.states:
        yield "the first state is unknown"
    arrows = {(m.source, m.target) for m in machine.moves.values()}
    for code in machine.states.keys() - _reached({machine.initial}, arrows):
        yield f"{code} cannot be reached"
    left = {source for source, _ in arrows}
    for state in machine.states.values():
        if state.final == (state.code in left):
            yield f"{state.code} is a dead end, or not final"
    ends = {s.code for s in machine.states.values() if s.closed}
    for code in machine.states.keys() - _reached(ends, {(b, a) for a, b in arrows}):
        yield f"no way leads from {code} to an end"


def _faults_of_move(machine: Machine, move: Move) -> Iterator[str]:
    if {move.source, move.target} - machine.states.keys():
        yield f"{move.id} leads from or to an unknown state"
    if not move.roles:
        yield f"nobody can make {move.id}"
    if set(move.roles) - ACTORS:
        yield f"{move.id} names an unknown role"
    if move.event not in machine.events:
        yield f"the event of {move.id} has no label"


def _reached(start: set[str], arrows: set[tuple[str, str]]) -> set[str]:
    seen, edge = set(start), set(start)
    while edge:
        edge = {target for source, target in arrows if source in edge} - seen
        seen |= edge
    return seen
