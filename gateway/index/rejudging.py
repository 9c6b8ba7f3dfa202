"""Finding a record's live version anew, once batches have lost or won back their trust.

The live version is the newest one from a trusted batch. All versions are kept, so falling back and
coming back are the same step, a pure function of the history; repeating it changes nothing.

Source: design/trust.md 1.6 step 4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.index import deriving, sealing, store_assertions, store_history, store_links
from gateway.index.arrivals import PERSON, Arrival, IndexTools, Origin
from gateway.index.deriving import Version
from gateway.index.sealing import Place
from gateway.index.store_history import Echo, Spoken, Standing
from keys.vault import Vault

CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Rejudged:
    """How many records were looked at, how many now show something else, how many are left."""

    records: int
    changed: int
    left: int


def distrust(session: Session, since: Mapping[UUID, datetime]) -> dict[UUID, int]:
    """Versions from these batches count no more; `since` when each batch is in doubt.

    Returns how many records must be judged anew on account of each batch; none shows anything
    else before `rejudge`. The caller sees to it that no batch of the agency is being absorbed.
    """
    store_history.suspect(session, since)
    return store_history.queue(session, since)


def withdraw(session: Session, since: Mapping[UUID, datetime]) -> dict[UUID, int]:
    """As `distrust`, of batches that their agency takes back: nothing of them is under review."""
    noted = distrust(session, since)
    store_history.withdraw(session, since)
    return noted


def trust(session: Session, batch_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The opposite of `distrust`."""
    store_history.trust(session, batch_ids)
    return store_history.queue(session, batch_ids)


def waiting(session: Session, batch_ids: Sequence[UUID]) -> tuple[int, int]:
    """How many records of these batches wait to be judged, and how many to be linked."""
    unjudged = store_history.count_unjudged(session, batch_ids)
    return unjudged, store_history.count_touched(session, batch_ids)


def is_judged(session: Session, agency: str) -> bool:
    """Whether every record of the agency shows its trusted version."""
    return store_history.is_judged(session, agency)


def rejudge(session: Session, origin: Origin, tools: IndexTools, limit: int) -> Rejudged:
    """Judge at most `limit` of the records noted for a batch; `origin` says of which kind.

    Links of persons that changed follow by `reconcile` under the same batch id.
    """
    if origin.record_type == PERSON:
        store_assertions.share_gate(session)
    ids = store_history.next_unjudged(session, origin.batch_id, limit)
    changed = 0
    for start in range(0, len(ids), CHUNK):
        changed += _chunk(session, origin, ids[start : start + CHUNK], tools)
    store_history.drop_unjudged(session, ids)
    left = store_history.count_unjudged(session, [origin.batch_id])
    return Rejudged(len(ids), changed, left)


def _chunk(session: Session, origin: Origin, ids: Sequence[int], tools: IndexTools) -> int:
    """1. What each record should stand on. 2. Move it there. 3. What is derived from it."""
    rows = store_history.standings(session, ids)  # 1
    written = _write_echoes(session, origin, rows, tools.vault)
    live = {row.record_id: _live(row, written) for row in rows}
    heads = [store_history.head_of(row, live[row.record_id]) for row in rows]
    store_assertions.move_heads(session, heads)  # 2
    moved = [row for row in rows if row.assertion_id != live[row.record_id]]
    stale = [row.record_id for row in moved if row.assertion_id is not None]
    store_assertions.drop_derived(session, stale)  # 3
    fresh = [found for row in moved if (found := live[row.record_id]) is not None]
    _derive(session, origin, store_history.spoken(session, fresh), tools)
    if origin.record_type == PERSON:
        store_history.touch(session, origin.batch_id, [row.record_id for row in moved])
    else:
        store_links.stir(session, [row.record_id for row in moved])
    return len(moved)


def _live(row: Standing, written: Mapping[int, tuple[int, bool]]) -> int | None:
    """The assertion to show, None for a record that is withdrawn or of which none is trusted."""
    if row.best_v is None:
        return None
    word, withdrawn = written.get(row.record_id, (row.word, row.withdrawn))
    return None if withdrawn else word


def _write_echoes(
    session: Session, origin: Origin, rows: Sequence[Standing], vault: Vault
) -> dict[int, tuple[int, bool]]:
    """A trusted version that only repeated a suspect one speaks in full now, in its own name.

    Returns by record the new assertion, and whether it is a withdrawal.
    """
    wanted = [
        (row.record_id, row.best_v) for row in rows if row.best_v is not None and row.word is None
    ]
    if not wanted:
        return {}
    found = store_history.echoes(session, wanted)
    _, new_ids = store_assertions.take_ids(session, 0, len(found))
    made = [
        (
            *(assertion_id, e.record_id, e.v, e.batch_id, e.line_i, e.leaf, e.as_of),
            *(e.withdrawn, e.content, e.clear, _sealed_anew(e, origin, vault)),
            sealing.period_of(e.batch_id),
        )
        for e, assertion_id in zip(found, new_ids, strict=True)
    ]
    store_assertions.add_assertions(session, made)
    store_history.drop_repetitions(session, wanted)
    return {e.record_id: (i, e.withdrawn) for e, i in zip(found, new_ids, strict=True)}


def _sealed_anew(echo: Echo, origin: Origin, vault: Vault) -> bytes | None:
    """The sealed fields, bound to the repeating version instead of the one it repeats."""
    if echo.sealed is None:
        return None
    of = (origin.agency, origin.record_type, echo.source_id)
    values = sealing.opened(vault, Place(*of, echo.from_v, echo.from_period), echo.sealed)
    period = sealing.period_of(echo.batch_id)
    return sealing.seal(vault, [Place(*of, echo.v, period)], [values])[0]


def _derive(session: Session, origin: Origin, said: Sequence[Spoken], tools: IndexTools) -> None:
    """Features, keys and subjects of these versions; those of one data key together."""
    by_period: dict[int, list[Spoken]] = {}
    for one in said:
        by_period.setdefault(one.period, []).append(one)
    for some in by_period.values():
        of = Origin(origin.agency, origin.record_type, some[0].batch_id, origin.as_of)
        deriving.derive(session, of, _versions(origin, some, tools.vault), tools)


def _versions(origin: Origin, said: Sequence[Spoken], vault: Vault) -> list[Version]:
    places = [Place(origin.agency, origin.record_type, s.source_id, s.v, s.period) for s in said]
    hidden = sealing.opened_many(vault, places, [s.sealed for s in said])
    return [
        Version(
            s.record_id,
            s.assertion_id,
            Arrival(0, "put", s.source_id, s.v, s.as_of, s.content, {**s.clear, **more}, b""),
        )
        for s, more in zip(said, hidden, strict=True)
    ]
