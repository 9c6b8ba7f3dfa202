"""What a worker does with an accepted batch: record by record, with a signed result.

Accepting took the batch whole; here each record is taken or refused with a code. Above the batch's
own limit of bad records nothing of it is applied; neither is what would delete too much at once,
until the agency signs a `confirm`. Whatever comes of it is a signed result statement and a leaf.

Source: design/trust.md 2.6; design/decisions.md (Wire).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.index import census
from gateway.index import service as index
from gateway.index.arrivals import Arrival, Origin
from gateway.intake import results, snapshots, store
from gateway.intake.model import Batch, Disposition, Hold, IntakeTools, SnapshotState, State, Tally
from gateway.intake.snapshots import Snapshot
from gateway.jobs import Job
from gateway.storage import outbox
from schemas import quality
from schemas.batch import BatchKind
from schemas.errors import LineRefused
from schemas.fields import instant
from schemas.line import BatchParser, LineParser, Parsed, content_hash
from schemas.records.registry import schema_of

CHUNK = 1000
_WIB = timezone(timedelta(hours=7))
_DELETED = content_hash({}, "del")


@dataclass(frozen=True, slots=True)
class _Work:
    """One batch being applied."""

    session: Session
    batch: Batch
    tools: IntakeTools
    now: datetime
    tally: Tally

    @property
    def today(self) -> date:
        return self.tools.profile.business_date or self.now.astimezone(_WIB).date()


def apply(session: Session, batch_id: UUID, tools: IntakeTools, now: datetime) -> None:
    """Apply an accepted batch; a batch that is no longer merely accepted is left alone."""
    batch = store.get(session, batch_id, lock=True)
    if batch is None or batch.state is not State.ACCEPTED:
        return
    work = _Work(session, batch, tools, now, Tally())
    if batch.kind == BatchKind.CONFIRM.value:
        _confirm(work)
        return
    hold = _records(work, confirmed=False)
    _finish(work, hold)
    for ended in snapshots.lock_ended(session, batch):
        if snapshots.is_ready(session, batch, ended):
            _complete(work, ended, confirmed=False)


def set_aside(session: Session, batch_id: UUID, tools: IntakeTools, now: datetime) -> None:
    """Park a batch that cannot be applied; it stays as evidence, and a person decides."""
    batch = store.get(session, batch_id, lock=True)
    if batch is not None and batch.state is State.ACCEPTED:
        results.conclude(session, batch, (State.PARKED, None, Tally()), tools, now)


def _records(work: _Work, *, confirmed: bool) -> Hold | None:
    """Parse, check and absorb the lines; what holds the batch back, if anything does."""
    arrivals = _read(work)
    batch, tally = work.batch, work.tally
    if batch.count and tally.rejected / batch.count > batch.max_reject:
        return Hold.MAX_REJECT
    deleted = [a.source_id for a in arrivals if a.op == "del"]
    if not confirmed and _too_many(work, deleted):
        return Hold.MASS_DELETE
    _absorb(work, arrivals)
    if batch.kind == BatchKind.SNAPSHOT.value:
        number = snapshots.number_of(work.session, batch)
        if number is not None:
            snapshots.add_members(work.session, number, _all_ids(work, arrivals))
    return None


def _read(work: _Work) -> list[Arrival]:
    """The acceptable records; the others stand in the tally with code and field."""
    batch, session = work.batch, work.session
    parser = BatchParser(LineParser(schema_of(batch.schema)), batch.version)
    arrivals: list[Arrival] = []
    for start in range(0, batch.count, CHUNK):
        rows = store.lines(session, batch.id, start, start + CHUNK)
        place = batch.place
        aads = [place.aad(row.i) for row in rows]
        lines = work.tools.vault.open_many(place.scope, aads, [row.ct for row in rows])
        for row, line in zip(rows, lines, strict=True):
            parsed = _parse(work, parser, row.i, line)
            if parsed is not None:
                arrivals.append(_arrival(row.i, row.leaf, parsed))
    return arrivals


def _parse(work: _Work, parser: BatchParser, i: int, line: bytes) -> Parsed | None:
    try:
        parsed = parser.parse(line)
    except LineRefused as refused:
        work.tally.reject(i, refused.code, refused.field)
        return None
    if parsed.op == "put":
        found = quality.check(
            work.batch.record_type, parsed.values, profile=work.tools.profile, today=work.today
        )
        for code, where in found:
            work.tally.dispositions.append(Disposition(i, code, _level(code), where))
    return parsed


def _arrival(i: int, leaf: bytes, parsed: Parsed) -> Arrival:
    return Arrival(
        i=i,
        op=parsed.op,
        source_id=parsed.id,
        v=parsed.v,
        as_of=None if parsed.as_of is None else instant(parsed.as_of),
        content=parsed.content_hash(),
        values=parsed.values,
        leaf=leaf,
    )


def _absorb(work: _Work, arrivals: Sequence[Arrival]) -> None:
    batch, tally = work.batch, work.tally
    origin = Origin(batch.agency, batch.record_type, batch.id, batch.as_of)
    for start in range(0, len(arrivals), CHUNK):
        some = arrivals[start : start + CHUNK]
        done = index.absorb(work.session, origin, some, work.tools.index)
        tally.applied += done.applied
        tally.unchanged += done.unchanged
        tally.superseded += done.superseded
        tally.tombstoned += done.tombstoned
        tally.dispositions += [Disposition(i, code, _level(code)) for i, code in done.findings]


def _too_many(work: _Work, ids: Sequence[str]) -> bool:
    """Whether deleting these would take more than the city's limits allow at once."""
    limits = work.tools.profile.thresholds
    if len(ids) <= limits.mass_delete_count:
        return False
    batch = work.batch
    live = census.live_count(work.session, batch.agency, batch.record_type)
    gone = census.live_among(work.session, batch.agency, batch.record_type, list(ids))
    return gone > limits.mass_delete_count and gone > limits.mass_delete_share * live


def _complete(work: _Work, of: Snapshot, *, confirmed: bool) -> None:
    """What a whole snapshot does not hold has gone: delete it, or hold it until confirmed."""
    session, batch = work.session, work.batch
    if not snapshots.is_whole(session, batch, of):
        snapshots.put_state(session, of, SnapshotState.HELD)
        return
    live = census.live_ids(session, batch.agency, of.record_type, of.begin_version)
    missing = sorted(live - snapshots.members(session, of))
    if not confirmed and _too_many(work, missing):
        snapshots.put_state(session, of, SnapshotState.HELD)
        end = store.find(session, (batch.agency, batch.stream, of.epoch, of.end_seq))
        if end is not None:
            store.set_state(session, end.id, State.HELD, Hold.MASS_DELETE)
        return
    version = of.epoch * 2**32 + of.end_seq
    _absorb(work, [_gone(source_id, version) for source_id in missing])
    snapshots.put_state(session, of, SnapshotState.DONE)
    if missing and of.record_type == "person":
        outbox.promise(session, Job.RECONCILE, {"batch": str(batch.id)})


def _gone(source_id: str, version: int) -> Arrival:
    return Arrival(-1, "del", source_id, version, None, _DELETED, {}, b"")


def _confirm(work: _Work) -> None:
    """The agency confirms a held deletion: it is applied now."""
    session, batch = work.session, work.batch
    named = batch.confirms or b""
    held = store.find_held(session, batch.agency, batch.stream, named, lock=True)
    if held is not None:
        other = replace(work, batch=held, tally=Tally())
        of = snapshots.get(session, held) if held.snapshot else None
        if of is not None and held.kind == BatchKind.SNAPSHOT_END.value:
            _complete(other, of, confirmed=True)
            _finish(other, None)
        else:
            _finish(other, _records(other, confirmed=True))
    _finish(work, None)


def _finish(work: _Work, hold: Hold | None) -> None:
    """State, dispositions, signed result, leaf, and the promise to reconcile."""
    tally, batch = work.tally, work.batch
    if hold is not None:
        tally.clear()
        state = State.HELD
    else:
        state = State.APPLIED_PARTIAL if tally.rejected else State.APPLIED
    results.conclude(work.session, batch, (state, hold, tally), work.tools, work.now)
    if batch.record_type == "person" and tally.applied + tally.tombstoned:
        outbox.promise(work.session, Job.RECONCILE, {"batch": str(batch.id)})


def _all_ids(work: _Work, arrivals: Sequence[Arrival]) -> list[str]:
    """The ids a part holds; a refused line still says that its record exists at the source."""
    return [a.source_id for a in arrivals if a.op == "put"] + results.refused_ids(
        work.session,
        work.batch,
        work.tools,
        [d.i for d in work.tally.dispositions if d.level == "E"],
    )


def _level(code: str) -> str:
    found = quality.FINDINGS.get(code)
    return "W" if found is None else str(found.level)
