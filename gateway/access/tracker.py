"""The tracker: every question and every answer about persons, as rows and as leaves of the log.

A row holds what was asked and shown, sealed; the log holds a salted commitment to it and nothing
personal, so that a row may be erased one day while the tree stays whole.

Source: design/trust.md 3.1, 4.3.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from gateway.access import store
from gateway.access.model import Action, Asked, Look, Officer, Purpose, QueryId, Role
from gateway.errors import NotFound, TooMany
from gateway.ledger import service as ledger
from gateway.settings import Settings
from gateway.storage import ids
from keys.commitment import commit
from keys.vault import Vault

_LIVES = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: an officer in a role, or an enrolled system."""

    role: str
    unit: str
    officer_id: UUID | None = None
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What an answer showed: persons, and the accept leaves (32 bytes) of the batches used."""

    persons: tuple[UUID, ...]
    batches: tuple[bytes, ...]
    detail: Mapping[str, object]


def ask(
    session: Session,
    asker: Asker,
    question: tuple[Action, Purpose, Mapping[str, str]],
    vault: Vault,
    now: datetime,
) -> Asked:
    """Write the question into the tracker and the log; the caller commits before answering."""
    action, purpose, terms = question
    query_id = ids.new()
    detail, commitment = _seal(vault, _scope("query", now), query_id, {"terms": dict(terms)})
    leaf = ledger.append(
        session,
        {
            "t": "query",
            "qid": ids.show(query_id),
            "agency": asker.unit,
            "role": asker.role,
            "purpose": purpose.value,
            "officer": _pseudonym(vault, asker, now),
            "commit": commitment,
        },
    )
    row = {
        "id": query_id,
        "officer_id": asker.officer_id,
        "system": asker.system,
        "role": asker.role,
        "action": action.value,
        "purpose": purpose.value,
        "detail": detail,
        "leaf": leaf,
        "at": now,
    }
    store.add_query(session, row)
    return Asked(QueryId(query_id), action, purpose, Role(asker.role), terms, leaf)


def recall(
    session: Session, query_id: UUID, officer: Officer, vault: Vault, now: datetime
) -> Asked:
    """A committed question of this officer, no older than 15 minutes.

    Raises:
        NotFound: there is none, it is somebody else's, or it is too old to be answered.
    """
    row = store.find_query(session, query_id, officer.id, now - _LIVES)
    if row is None:
        raise expired()
    terms = opened(vault, "query", row)["detail"]["terms"]
    return Asked(
        QueryId(row.id), Action(row.action), Purpose(row.purpose), Role(row.role), terms, row.leaf
    )


def expired() -> NotFound:
    """What was asked is too old to be answered, or was asked about something else."""
    return NotFound(
        "query.expired", "Pencarian ini sudah kedaluwarsa. Cari lagi dari halaman loket."
    )


def opened(vault: Vault, kind: str, row: Row[Any]) -> dict[str, Any]:
    """The `detail` and the hexadecimal `salt` of a row of query or result.

    Raises:
        VaultError: its key was destroyed.
    """
    plain: dict[str, Any] = json.loads(vault.open(_scope(kind, row.at), row.id.bytes, row.detail))
    return plain


def answer(session: Session, asked: Asked, shown: Shown, vault: Vault, now: datetime) -> bytes:
    """Write what is about to be shown; the caller commits before rendering. Returns the leaf."""
    result_id = ids.new()
    persons = [ids.show(p) for p in shown.persons]
    body = {"persons": persons, **shown.detail}
    detail, commitment = _seal(vault, _scope("result", now), result_id, body)
    leaf = ledger.append(
        session,
        {
            "t": "result",
            "qid": ids.show(asked.id),
            "n": len(persons),
            "query": asked.leaf.hex(),
            "batches": [b.hex() for b in shown.batches[:40]],
            "commit": commitment,
        },
    )
    row = {
        "id": result_id,
        "query_id": asked.id,
        "shown": len(persons),
        "detail": detail,
        "leaf": leaf,
        "at": now,
        "persons": sorted(set(shown.persons)),
        "batches": list(shown.batches),
    }
    store.add_result(session, row)
    return leaf


def check_rate(
    session: Session, key: tuple[Officer, Action], settings: Settings, now: datetime
) -> None:
    """Count one more search, profile or reveal, and refuse more than one person needs.

    Raises:
        TooMany: the hour's or the day's limit is reached.
    """
    officer, action = key
    hour = now.replace(minute=0, second=0, microsecond=0)
    counts = store.count_look(session, officer.id, action.value, hour)
    if counts[0] > settings.searches_per_hour or counts[1] > settings.searches_per_day:
        raise TooMany(
            "search.too_many",
            "Batas pencarian Anda sudah tercapai. Tunggu, atau hubungi koordinator.",
            retry_after=600,
        )


def looks(session: Session, limit: int = 200, officer_id: UUID | None = None) -> list[Look]:
    """The newest looks, of all or of one officer, newest first, without what was searched for."""
    rows = store.newest_queries(session, limit, officer_id)
    return [
        Look(r.id, r.at, r.name or r.system or "–", r.role, r.action, r.purpose, r.shown)
        for r in rows
    ]


def _scope(kind: str, at: datetime) -> str:
    """The vault's scope: a month each, so that one key never seals too many values."""
    return f"{kind}|{at.astimezone(UTC):%Y-%m}"


def _seal(vault: Vault, scope: str, row: UUID, detail: Mapping[str, object]) -> tuple[bytes, str]:
    """The sealed detail with its salt, and the commitment that stands in the log."""
    made = commit(detail)
    sealed = json.dumps({"detail": detail, "salt": made.salt.hex()}).encode()
    return vault.seal(scope, row.bytes, sealed), made.sha256.hex()


def _pseudonym(vault: Vault, asker: Asker, now: datetime) -> str:
    """One officer's name in the log for one year; nobody outside can turn it back."""
    who = asker.officer_id.bytes if asker.officer_id else (asker.system or "").encode()
    return vault.hmac(f"officer/{now.year}", [who])[0].hex()
