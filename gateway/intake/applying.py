"""What a worker does with an accepted batch: record by record, with a signed result.

Accepting took the batch whole; here each record is taken or refused with a code. Above the batch's
own limit of bad records nothing of it is applied; neither is what would delete too much at once,
until the agency signs a `confirm`. Whatever comes of it is a signed result statement and a leaf.

Source: design/trust.md 2.6; design/decisions.md (Wire).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gateway.index import census
from gateway.index import service as index
from gateway.index.arrivals import Arrival, Origin
from gateway.intake import judging, poison, results, snapshots, store, store_reevaluation
from gateway.intake.model import Batch, Disposition, Hold, IntakeTools, SnapshotState, State, Tally
from gateway.intake.poison import Span
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
        """The business date: the city's fixed one, or the calendar's at its place."""
        city = self.tools.profile.city
        return city.business_date or self.now.astimezone(ZoneInfo(city.timezone)).date()


def apply(session: Session, batch_id: UUID, tools: IntakeTools, now: datetime) -> None:
    """Apply an accepted batch; a batch that is no longer merely accepted is left alone.

    The end of a snapshot takes its effect when the last batch before it has been applied, be that
    now or later: so its row is locked after the snapshot's, as by all others.
    """
    batch = _locked(session, batch_id)
    if batch is None or batch.state is not State.ACCEPTED:
        return
    work = _Work(session, batch, tools, now, Tally())
    if batch.kind == BatchKind.ATTEST.value:
        judging.judge(session, batch.agency)
        _finish(work, None)
    elif batch.kind == BatchKind.CONFIRM.value:
        _confirm(work)
    elif batch.kind != BatchKind.SNAPSHOT_END.value:
        _finish(work, _records(work, confirmed=False))
    _complete_what_ended(work)


def _locked(session: Session, batch_id: UUID) -> Batch | None:
    """The batch, and nobody changes meanwhile which batches of its agency are believed."""
    batch = store.get(session, batch_id)
    if batch is None:
        return None
    if batch.kind == BatchKind.ATTEST.value:
        store_reevaluation.close(session, batch.agency)
    else:
        store_reevaluation.share(session, batch.agency)
    return store.get(session, batch_id, lock=batch.kind != BatchKind.SNAPSHOT_END.value)


def set_aside(session: Session, batch_id: UUID, tools: IntakeTools, now: datetime) -> None:
    """Park a batch that cannot be applied; it stays as evidence, and a person decides."""
    batch = _locked(session, batch_id)
    if batch is not None and batch.state is State.ACCEPTED:
        results.conclude(session, batch, (State.PARKED, None, Tally()), tools, now)
        _complete_what_ended(_Work(session, batch, tools, now, Tally()))


def catch_up(session: Session, end_id: UUID, since: Snapshot, tools: IntakeTools) -> None:
    """What a completed snapshot would have deleted, had it stood then as it stands now.

    A record may be live again because what withdrew it is not believed any more; if it is older
    than the snapshot and not in it, it has gone all the same.
    """
    end = store.get(session, end_id)
    if end is None:
        return
    left = store_reevaluation.members_left(session, since.n)
    if results.UNREADABLE in left:
        return
    live = census.live_ids(session, end.agency, since.record_type, since.begin_version)
    missing = sorted(live - left)
    work = _Work(session, end, tools, end.accepted_at, Tally())
    _absorb(work, [_gone(source_id, end.version) for source_id in missing])
    if missing:
        _promise_links(work)


def rehearse(
    session: Session, batch_id: UUID, span: Span, tools: IntakeTools, now: datetime
) -> None:
    """Absorb a span of a batch's lines, to see whether that does harm; the caller rolls back."""
    batch = store.get(session, batch_id)
    if batch is not None and batch.state is State.ACCEPTED:
        work = _Work(session, batch, tools, now, Tally())
        _absorb(work, list(_arrivals(work, span)))


def count_of(session: Session, batch_id: UUID) -> int:
    """How many lines a batch has."""
    batch = store.get(session, batch_id)
    return 0 if batch is None else batch.count


def _records(work: _Work, *, confirmed: bool) -> Hold | None:
    """Parse, check and absorb the lines; what holds the batch back, if anything does."""
    batch, tally = work.batch, work.tally
    arrivals = list(_arrivals(work, Span(0, batch.count)))
    if tally.rejected > batch.max_reject * batch.count:
        return Hold.MAX_REJECT
    deleted = [a.source_id for a in arrivals if a.op == "del"]
    if not confirmed and _too_many(work, deleted):
        return Hold.MASS_DELETE
    _absorb(work, arrivals)
    if batch.kind == BatchKind.SNAPSHOT.value:
        number = snapshots.number_of(work.session, batch)
        if number is not None:
            held = [a.source_id for a in arrivals if a.op == "put"]
            snapshots.add_members(work.session, number, held)
            snapshots.add_members(work.session, number, _refused_ids(work), refused=True)
    return None


def _arrivals(work: _Work, span: Span) -> Iterator[Arrival]:
    """The acceptable records of a span; the others stand in the tally with code and field."""
    batch, session = work.batch, work.session
    parser = BatchParser(LineParser(schema_of(batch.schema)), batch.version)
    place = batch.place
    poisonous = poison.found(session, batch.id)
    for start in range(span.lo, span.hi, CHUNK):
        rows = store.lines(session, batch.id, start, min(start + CHUNK, span.hi))
        aads = [place.aad(row.i) for row in rows]
        lines = work.tools.vault.open_many(place.scope, aads, [row.ct for row in rows])
        for row, line in zip(rows, lines, strict=True):
            if row.i in poisonous:
                work.tally.reject(row.i, poison.POISON, None)
                continue
            parsed = _parse(work, parser, row.i, line)
            if parsed is not None:
                yield _arrival(row.i, row.leaf, parsed)


def _parse(work: _Work, parser: BatchParser, i: int, line: bytes) -> Parsed | None:
    """The record of a line if it is acceptable; what was found about it goes into the tally."""
    try:
        parsed = parser.parse(line)
    except LineRefused as refused:
        work.tally.reject(i, refused.code, refused.field)
        return None
    if parsed.op == "del":
        return parsed
    found = quality.check(
        work.batch.record_type, parsed.values, profile=work.tools.profile, today=work.today
    )
    for code, where in found:
        if _level(code) == "E":
            work.tally.reject(i, code, where)
            return None
    work.tally.dispositions += [Disposition(i, code, _level(code), where) for code, where in found]
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
    origin = Origin(batch.agency, batch.record_type, batch.id, batch.as_of, batch.leaf)
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


def _complete_what_ended(work: _Work) -> None:
    """Whoever applies the last batch before a snapshot's end completes the snapshot.

    The state of the worker's own batch is written; the snapshot's lock puts the last ones in line.
    """
    session, batch = work.session, work.batch
    for ended in snapshots.lock_ended(session, batch):
        if snapshots.is_ready(session, batch, ended):
            place = (batch.agency, batch.stream, ended.epoch, ended.end_seq)
            end = store.find(session, place, lock=True)
            if end is not None and end.state is State.ACCEPTED:
                _complete(replace(work, batch=end, tally=Tally()), ended, confirmed=False)


def _complete(work: _Work, of: Snapshot, *, confirmed: bool) -> None:
    """What a whole snapshot does not hold has gone: delete it, or hold it until confirmed.

    `work` is that of the batch which ended the snapshot; the deletions are its records.
    """
    session, end = work.session, work.batch
    if not snapshots.is_whole(session, end, of):
        snapshots.put_state(session, of, SnapshotState.HELD)
        _finish(work, Hold.SNAPSHOT)
        return
    held = snapshots.members(session, of)
    if results.UNREADABLE in held:
        snapshots.put_state(session, of, SnapshotState.HELD)
        _finish(work, Hold.SNAPSHOT)
        return
    live = census.live_ids(session, end.agency, of.record_type, of.begin_version)
    missing = sorted(live - held)
    if not confirmed and _too_many(work, missing):
        snapshots.put_state(session, of, SnapshotState.HELD)
        _finish(work, Hold.MASS_DELETE)
        return
    _absorb(work, [_gone(source_id, end.version) for source_id in missing])
    snapshots.put_state(session, of, SnapshotState.DONE)
    _finish(work, None)


def _gone(source_id: str, version: int) -> Arrival:
    return Arrival(-1, "del", source_id, version, None, _DELETED, {}, b"")


def _confirm(work: _Work) -> None:
    """The agency confirms a held deletion: it is applied now."""
    session, batch = work.session, work.batch
    named = batch.confirms or b""
    held = store.find_held(session, batch.agency, batch.stream, named, lock=True)
    if held is not None:
        other = replace(work, batch=held, tally=Tally())
        if held.kind == BatchKind.SNAPSHOT_END.value:
            of = snapshots.get_held(session, held)
            if of is not None:
                _complete(other, of, confirmed=True)
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
    if tally.applied + tally.tombstoned:
        _promise_links(work)


def _promise_links(work: _Work) -> None:
    """Persons are linked; what is said of them may contradict other words."""
    job = Job.RECONCILE if work.batch.record_type == "person" else Job.EXAMINE
    outbox.promise(work.session, job, {"batch": str(work.batch.id)})


def _refused_ids(work: _Work) -> list[str]:
    """The ids of refused lines: they still say that their records exist at the source."""
    refused = [d.i for d in work.tally.dispositions if d.level == "E"]
    return results.refused_ids(work.session, work.batch, work.tools, refused)


def _level(code: str) -> str:
    found = quality.FINDINGS.get(code)
    return "W" if found is None else str(found.level)
