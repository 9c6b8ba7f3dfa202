"""The keyset in force of an agency as the pure rules read it, and what follows when one counts.

Source: trust.md 1.3 to 1.6.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from gateway.errors import NotFound
from gateway.jobs import Job
from gateway.ledger import service as ledger
from gateway.storage import outbox
from gateway.trust import store, store_departures, store_keys, store_revocations
from gateway.trust.model import AgencyState, Fate
from gateway.trust.store_revocations import Revocation
from keys import dsse
from keys.bundle import keyset_entry
from keys.keyset import Keyset, parse_statement
from keys.succession import Rule, Standing


def standing_of(session: Session, code: str) -> Standing:
    """The agency's keyset in force, its suspended keys and its last rotations.

    Raises:
        NotFound: it has none (`keyset.none`).
    """
    row = store.keyset_in_force(session, code)
    if row is None:
        raise NotFound("keyset.none", "The agency has no approved keyset.")
    return Standing(
        keyset=read(row),
        payload_sha256=row.payload_sha256,
        suspended=store_keys.suspended(session, code),
        rotated=store_keys.rotated(session, code),
    )


def read(row: Row[Any]) -> Keyset:
    """The keyset that a row holds."""
    return parse_statement(dsse.parse(row.envelope).payload)


def count(session: Session, row: Row[Any], now: datetime) -> bytes:
    """The statement counts from now on: its leaf. Keys, ends and revocations follow from it."""
    before = store.keyset_in_force(session, row.agency)
    said = read(row)
    leaf = ledger.append(session, keyset_entry(row.agency, row.version, row.envelope))
    store.set_keyset(session, row, leaf=leaf)
    store_keys.activate(session, row, said, now)
    if row.rule == Rule.REENROL:
        store_keys.end_others(session, row.agency, said.keys.keys(), now)
    if row.rule == Rule.LEAVE:
        _depart(session, row, Fate.of(said.reason), now)
    known = () if before is None else read(before).revoked
    for revoked in [each for each in said.revoked if each not in known]:
        number = store_revocations.add(
            session,
            Revocation(
                0,
                row.agency,
                revoked.kid,
                revoked.since,
                revoked.size_at_since,
                revoked.reason,
                now,
                leaf,
            ),
        )
        outbox.promise(session, Job.REEVALUATE, {"revocation": str(number)})
    return leaf


def _depart(session: Session, row: Row[Any], fate: Fate, now: datetime) -> None:
    store_keys.end_grants(session, row.agency, now)
    store_keys.set_agency(session, row.agency, state=AgencyState.LEFT.value)
    drawn = {"agency": row.agency, "keyset_sha256": row.payload_sha256}
    values = {**drawn, "fate": fate.value, "reason": Rule.LEAVE.value}
    number = store_departures.begin(session, values, now)
    if fate is Fate.WITHDRAW:
        outbox.promise(session, Job.REEVALUATE, {"departure": str(number)})


def changes_recovery(session: Session, row: Row[Any]) -> bool:
    """Whether a statement that waits names other recovery keys than the keyset in force."""
    before = store.keyset_in_force(session, row.agency)
    return before is None or read(before).recovery != read(row).recovery
