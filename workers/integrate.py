"""The duty of the log's integrator: give committed entries their places, sign, publish."""

from typing import Any

from gateway.ledger import service as ledger
from gateway.ledger.model import CYCLE


def integrate(tools: Any) -> int:
    """Integrate everything that waits; returns the size of the log, or 0 if nothing waited."""
    signer = tools.vault.log_signer(tools.settings.log_origin)
    size = 0
    with tools.sessions() as session:
        while True:
            state = ledger.integrate(session, signer)
            session.commit()
            if state is None:
                return size
            grown, size = state.size - size, state.size
            if grown < CYCLE:
                return size


def heartbeat(tools: Any, moment: str) -> None:
    """A leaf that says when the log was alive: no other says a time that its reader can judge."""
    with tools.sessions() as session:
        ledger.append(session, {"t": "heartbeat", "at": moment})
        session.commit()
