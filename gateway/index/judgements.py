"""What people decided about two records; it binds as long as both still say what was compared.

A judgement is remembered for good. It binds while neither record has changed in what was compared;
should the old values come back, so does the judgement. So the partition stays a pure function of
the live records, the judgements and the model.

Source: design/domain.md 6.3, linkage.md 6 (7).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.index import store_history, store_judgements, store_links
from gateway.index.model import PersonFeatures
from gateway.index.store_judgements import Row
from gateway.index.verdict import Verdict
from keys.vault import Vault

__all__ = ["Judged", "Row", "about", "binding", "count_since", "find", "judge", "second", "undo"]


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgement to be written, by whom, and the leaf (32 bytes) of its `decision` in the log.

    Attributes:
        a: a record, and `b` the other one; equal where one record is judged alone.
        of_two: it binds only when a second person stands behind it.
    """

    id: UUID
    kind: str
    verdict: Verdict
    a: int
    b: int
    officer_id: UUID
    leaf: bytes
    of_two: bool = False


def judge(session: Session, judged: Judged, vault: Vault, now: datetime) -> bool:
    """Write a judgement and note its records for linking; False: a record is gone."""
    a, b = sorted((judged.a, judged.b))
    said = _said(session, (a, b), vault)
    if not {a, b} <= said.keys():
        return False
    made = {
        "id": judged.id,
        "at": now,
        "kind": judged.kind,
        "verdict": judged.verdict.value,
        "a": a,
        "b": b,
        "sealed": vault.seal(_scope(now), judged.id.bytes, said[a] + said[b]),
        "officer_id": judged.officer_id,
        "leaf": judged.leaf,
        "of_two": judged.of_two,
    }
    store_judgements.add(session, made)
    _note(session, judged.id, [a, b])
    return True


def second(session: Session, row: Row, officer_id: UUID, leaf: bytes) -> None:
    """A second person stands behind a judgement: it binds from now on."""
    store_judgements.second(session, row.id, officer_id, leaf)
    _note(session, row.id, [row.a, row.b])


def undo(session: Session, row: Row, leaf: bytes, now: datetime) -> None:
    """A judgement counts no more; linking its records anew restores what was."""
    store_judgements.undo(session, row.id, now, leaf)
    _note(session, row.id, [row.a, row.b])


def find(session: Session, judgement_id: UUID, *, lock: bool = False) -> Row | None:
    """One judgement, whatever has become of it."""
    return store_judgements.get(session, judgement_id, lock=lock)


def about(session: Session, record_ids: Sequence[int]) -> list[Row]:
    """All that was ever judged about these records, the newest first."""
    return store_judgements.about(session, record_ids)


def count_since(session: Session, officer_id: UUID, verdict: Verdict, since: datetime) -> int:
    """How many judgements of this verdict an officer has made since; those undone count too."""
    return store_judgements.count_since(session, officer_id, verdict.value, since)


def binding(
    session: Session, record_ids: Sequence[int], vault: Vault, *, both: bool = True
) -> list[Row]:
    """Judgements that bind, with both ends (or one) among these records, the oldest first."""
    rows = store_judgements.standing(session, record_ids, both=both)
    if not rows:
        return []
    said = _said(session, {r for row in rows for r in (row.a, row.b)}, vault)
    return [row for row in rows if _holds(row, said, vault)]


def _note(session: Session, judgement_id: UUID, record_ids: Sequence[int]) -> None:
    """Persons are linked anew under the judgement's id; what stirred is looked at in any case."""
    persons = store_links.get_keys(session, record_ids)
    store_history.touch(session, judgement_id, sorted(persons))
    store_links.stir(session, record_ids)


def _holds(row: Row, said: Mapping[int, bytes], vault: Vault) -> bool:
    if not {row.a, row.b} <= said.keys():
        return False
    return vault.open(_scope(row.at), row.id.bytes, row.sealed) == said[row.a] + said[row.b]


def _said(session: Session, record_ids: Iterable[int], vault: Vault) -> dict[int, bytes]:
    """A digest (32 bytes) of what each live record says: of a person, what the engine compares."""
    ids = sorted(set(record_ids))
    known = store_links.get_known(session, vault, ids)
    digests = {r: digest(k.features) for r, k in known.items()}
    others = [r for r in ids if r not in digests]
    return {**store_judgements.contents(session, others), **digests} if others else digests


def digest(features: PersonFeatures) -> bytes:
    """32 bytes that change with any value that the engine compares."""
    text = json.dumps(asdict(features), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).digest()


def _scope(at: datetime) -> str:
    return f"judgement|{at.year}"
