"""Many decisions under one confirmation: each stands or falls by itself, and none is half made.

1. every ticket is locked, ids ascending, so that two batches never wait for each other in a ring;
2. the acts go in the order of their programmes, whose rows `handle` locks for the same reason;
3. each act in a savepoint: what one refuses is undone, what the others did stays.

Source: design/domain.md §2.4 (N07: batch allowed), scenario 16.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from gateway.complaints.model import Act, Desk, NeedId
from gateway.complaints.service import Target, find, handle
from gateway.errors import GatewayError


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one act: `problem` is None where it was done."""

    target: Target
    number: str
    problem: GatewayError | None


def decide(session: Session, acts: Sequence[tuple[Target, Act]], desk: Desk) -> list[Outcome]:
    """Make each move that is possible; the caller commits what was made.

    Raises:
        NotFound: one of the tickets does not exist for this actor; then none is moved.
    """
    tickets = sorted({target.ticket_id for target, _ in acts})
    cases = {i: find(session, i, desk, lock=True) for i in tickets}  # 1

    def program(target: Target) -> str:
        need_id = target.need_id
        need = None if need_id is None else cases[target.ticket_id].need(NeedId(need_id))
        return "" if need is None else need.program_code or ""

    done = []
    for target, act in sorted(acts, key=lambda each: (program(each[0]), each[0].ticket_id)):  # 2
        problem: GatewayError | None = None
        try:
            with session.begin_nested():  # 3
                handle(session, target, act, desk)
        except GatewayError as refused:
            problem = refused
        done.append(Outcome(target, cases[target.ticket_id].ticket.number, problem))
    return done
