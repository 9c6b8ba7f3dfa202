"""How the application of a batch ends: its state, what was found, and a statement we sign.

Source: design/trust.md 2.6.
"""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from gateway.intake import store
from gateway.intake.model import Batch, Hold, IntakeTools, State, Tally
from gateway.intake.store import Outcome
from gateway.ledger import service as ledger
from keys import dsse, merkle
from keys.canonical import canonical, digest
from schemas.receipt import MAX_REJECTED_SHOWN, RESULT_TYPE

UNREADABLE = "?"
"""No record has this id: some record stands in the snapshot, and nobody can say which."""

Ending = tuple[State, Hold | None, Tally]


def conclude(
    session: Session, batch: Batch, ending: Ending, tools: IntakeTools, now: datetime
) -> None:
    """Write state, dispositions and the signed result, and append its leaf to the log."""
    state, hold, tally = ending
    found = sorted(tally.dispositions, key=lambda d: (d.i, d.code, d.field or ""))
    root = merkle.root([merkle.leaf_hash(canonical(dict(d.show()))) for d in found]).hex()
    counts = {
        "applied": tally.applied,
        "unchanged": tally.unchanged,
        "superseded": tally.superseded,
    }
    where = {
        "agency": batch.agency,
        "stream": batch.stream,
        "epoch": batch.epoch,
        "seq": batch.seq,
        "payload_sha256": batch.payload_sha256.hex(),
    }
    rejected = [{"i": d.i, "code": d.code} for d in found if d.level == "E"]
    statement = {
        "v": 1,
        "aud": tools.settings.aud,
        "batch": where,
        "state": state.value,
        **counts,
        "rejected_count": tally.rejected,
        "rejected": rejected[:MAX_REJECTED_SHOWN],
        "dispositions_root": root,
        "held": state is State.HELD,
        "index_version": 1,
    }
    result = dsse.seal(RESULT_TYPE, canonical(statement), [tools.vault.signer("receipt")])
    ledger.append(
        session,
        {
            "t": "applied",
            **where,
            **counts,
            "tombstoned": tally.tombstoned,
            "rejected": tally.rejected,
            "state": state.value,
            "dispositions_root": root,
            "result_sha256": digest(statement).hex(),
        },
    )
    counted = {**counts, "tombstoned": tally.tombstoned, "rejected": tally.rejected}
    store.put_dispositions(session, batch.id, found)
    store.put_outcome(session, batch.id, Outcome(state, hold, counted, result, now))


def refused_ids(
    session: Session, batch: Batch, tools: IntakeTools, refused: Sequence[int]
) -> list[str]:
    """The ids of refused lines; `UNREADABLE` for one whose id cannot be read."""
    ids = []
    for i in refused:
        for row in store.lines(session, batch.id, i, i + 1):
            place = batch.place
            line = tools.vault.open(place.scope, place.aad(i), row.ct)
            try:
                found = json.loads(line).get("_id")
            except (ValueError, AttributeError, RecursionError):
                found = None
            ids.append(found if isinstance(found, str) and "\0" not in found else UNREADABLE)
    return ids
