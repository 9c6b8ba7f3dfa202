"""The blast radius of a revoked key: which answers used what it signed, and what they say now.

Read it after the live view stands (`reevaluation.progress`); before that it tells less than there
is. Values are not told, only the names of fields: whoever must know opens the person at the desk.

Source: design/trust.md 1.6 step 5, 3.3.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from gateway.access import store_blast
from gateway.access.model import Action, Officer, decide
from gateway.index import query as index
from gateway.index.query import Difference
from gateway.intake import reevaluation
from gateway.ledger import service as ledger
from gateway.storage import ids
from gateway.trust import query as trust
from keys.canonical import to_moment
from keys.commitment import commit
from keys.vault import Vault


@dataclass(frozen=True, slots=True)
class Changed:
    """A person who was shown: is there still a record of him, and which fields say otherwise."""

    person_id: UUID
    exists: bool
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Affected:
    """An answer that used a suspect batch.

    Attributes:
        who: the officer's name, or the system's.
        ticket: the case for which it was asked, if it was for one.
        record_types: of the suspect batches that it used.
    """

    query_id: UUID
    at: datetime
    who: str
    role: str
    action: str
    purpose: str
    ticket: str | None
    record_types: tuple[str, ...]
    persons: tuple[Changed, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """The answers at a glance; each person counts once, by what is worst of him.

    Attributes:
        officers: how many different askers.
        gone: shown persons of whom no record is left.
        changed: those of whom a field says otherwise now.
        same: those who read as they did.
    """

    answers: int
    officers: int
    gone: int
    changed: int
    same: int


def summary(found: Sequence[Affected]) -> Summary:
    """What the answers come to."""
    shown = {p.person_id: p for one in found for p in one.persons}.values()
    gone = sum(not p.exists for p in shown)
    changed = sum(p.exists and bool(p.fields) for p in shown)
    askers = len({one.who for one in found})
    return Summary(len(found), askers, gone, changed, len(shown) - gone - changed)


def read(session: Session, officer: Officer, revocation: int, vault: Vault) -> list[Affected]:
    """The answers that used what a revoked key signed since T, oldest first; for the page.

    Raises:
        Forbidden: the officer may not read the trail.
    """
    decide(officer, Action.TRAIL, None)
    return radius(session, revocation, vault)


def radius(session: Session, revocation: int, vault: Vault) -> list[Affected]:
    """The same for the operator's shell."""
    suspect = reevaluation.suspect(session, revocation)
    rows = store_blast.affected(session, suspect)
    persons = sorted({p for row in rows for p in row.persons or ()})
    now = index.differences(session, persons, list(suspect), vault)
    return [_affected(row, suspect, now, vault) for row in rows]


def record(session: Session, revocation: int, vault: Vault, now: datetime) -> None:
    """Log that a re-evaluation stands: its figures, and a commitment to the affected answers.

    Recording it twice does nothing.

    Raises:
        NotFound: there is no such revocation, or its re-evaluation has not begun.
    """
    if store_blast.has_report(session, revocation):
        return
    revoked, done = (
        trust.revocation(session, revocation),
        reevaluation.progress(session, revocation),
    )
    rows = store_blast.affected(session, reevaluation.suspect(session, revocation))
    detail = {"answers": [ids.show(row.id) for row in rows]}
    made = commit(detail)
    leaf = ledger.append(
        session,
        {
            "t": "reeval",
            "agency": revoked.agency,
            "kid": revoked.kid,
            "since": to_moment(revoked.since),
            "size_at_since": revoked.size_at_since,
            "batches": done.batches,
            "records": done.records,
            "answers": len(rows),
            "commit": made.sha256.hex(),
        },
    )
    plain = json.dumps({"detail": detail, "salt": made.salt.hex()}).encode()
    scope = f"reeval|{now.astimezone(UTC):%Y-%m}"
    sealed = vault.seal(scope, str(revocation).encode(), plain)
    row = {"revocation": revocation, "detail": sealed, "leaf": leaf, "at": now}
    store_blast.add_report(session, row)


def _affected(
    row: Row[Any], suspect: dict[bytes, str], now: dict[UUID, Difference], vault: Vault
) -> Affected:
    scope = f"query|{row.asked_at.astimezone(UTC):%Y-%m}"
    terms = json.loads(vault.open(scope, row.query_id.bytes, row.detail))["detail"]["terms"]
    return Affected(
        query_id=row.query_id,
        at=row.at,
        who=row.name or row.system or "–",
        role=row.role,
        action=row.action,
        purpose=row.purpose,
        ticket=terms.get("ticket"),
        record_types=tuple(sorted({suspect[b] for b in row.batches if b in suspect})),
        persons=tuple(Changed(p, now[p].exists, now[p].fields) for p in sorted(row.persons or ())),
    )
