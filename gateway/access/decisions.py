"""A person stands behind a text: its hash and the time in the log, who he is committed to there.

Source: design/trust.md 1.8 (wave 1), 3.1.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from gateway.access import store_logins
from gateway.access.model import Officer
from gateway.ledger import service as ledger
from keys.canonical import canonical, read_json, to_moment
from keys.vault import Vault


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A confirmed statement: its SHA-256 (32 bytes), when, and the leaf (32 bytes) in the log."""

    sha256: bytes
    at: datetime
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Statement:
    """What is about to be done, in the very words that are hashed.

    Attributes:
        kind: the act, as a code of the log ("approve_key").
        role: the role in which the officer acts.
        body: what it says; no personal data but the officer's own reason.
        subject: whom or what it is about, as a code, so that it is found again.
    """

    kind: str
    role: str
    body: Mapping[str, Any]
    subject: str = ""

    @property
    def text(self) -> bytes:
        """Its canonical JSON (RFC 8785), which the screen shows."""
        return canonical({"kind": self.kind, "role": self.role, **self.body})

    @property
    def sha256(self) -> bytes:
        """32 bytes."""
        return hashlib.sha256(self.text).digest()


@dataclass(frozen=True, slots=True)
class Decided:
    """A confirmed statement as a page shows it again."""

    at: datetime
    officer: str
    kind: str
    role: str
    reason: str
    sha256: bytes
    leaf: bytes


def about(session: Session, subject: str) -> list[Decided]:
    """What was confirmed about a subject, oldest first."""
    return [
        Decided(
            row.at,
            row.name,
            row.kind,
            row.role,
            str(read_json(row.statement).get("reason", "")),
            hashlib.sha256(row.statement).digest(),
            row.leaf,
        )
        for row in store_logins.confirmations(session, subject)
    ]


def record(
    session: Session, officer: Officer, statement: Statement, vault: Vault, now: datetime
) -> Confirmation:
    """Write into the log that the officer, who has just proved who he is, decided this."""
    statement_sha256 = statement.sha256.hex()
    leaf = ledger.append_committed(
        session,
        {
            "t": "decision",
            "kind": "confirm",
            "role": statement.role,
            "officer": vault.hmac(f"officer/{now.year}", [officer.id.bytes])[0].hex(),
            "statement": statement_sha256,
        },
        {
            "statement": statement_sha256,
            "officer": str(officer.id),
            "role": statement.role,
            "at": to_moment(now),
        },
    )
    store_logins.add_confirmation(
        session,
        {
            "leaf": leaf,
            "officer_id": officer.id,
            "kind": statement.kind,
            "role": statement.role,
            "subject": statement.subject,
            "statement": statement.text,
            "at": now,
        },
    )
    return Confirmation(statement.sha256, now, leaf)
