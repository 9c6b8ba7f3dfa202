"""What can be done to the index: absorb a batch's records, and reconcile them with all others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.index import arrivals as rules
from gateway.index import (
    deriving,
    links,
    reindex,
    sealing,
    store_assertions,
    store_history,
    store_links,
)
from gateway.index.arrivals import (
    PERSON,
    Absorbed,
    Arrival,
    Decision,
    IndexTools,
    Origin,
    Verdict,
)
from gateway.index.deriving import Version
from gateway.index.links import Reconciled
from gateway.index.sealing import Place
from gateway.index.store_assertions import Head

_FULL_STATUSES = ("approved", "active")


def absorb(
    session: Session, origin: Origin, arrivals: Sequence[Arrival], tools: IndexTools
) -> Absorbed:
    """Take a batch's records (or a chunk of them) into the index; links follow by `reconcile`.

    The result is the same for every order of batches and any number of repetitions.
    """
    if origin.record_type == PERSON:
        store_assertions.share_gate(session)
    store_assertions.note_batch(session, origin)
    known = store_assertions.get_current(session, origin, [a.source_id for a in arrivals])
    decisions = rules.decide(known, arrivals)
    chunk = _write_versions(session, origin, decisions, tools)
    store_assertions.drop_derived(session, chunk.stale)
    deriving.derive(session, origin, chunk.live, tools)
    if origin.record_type == PERSON:
        store_assertions.add_touched(session, origin.batch_id, sorted(chunk.touched))
    elif chunk.touched:
        store_links.stir(session, chunk.touched)
    findings = [(d.arrival.i, "ID_TWICE") for d in decisions if d.twice]
    findings += _findings(session, origin, [new.arrival for new in chunk.live], tools)
    return _summary(decisions, sorted(findings))


def reconcile(
    session: Session, batch_id: UUID, tools: IndexTools, *, limit: int | None = None
) -> Reconciled:
    """Link the persons that a batch touched; see `links.reconcile`."""
    return links.reconcile(session, batch_id, tools, limit=limit)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """What a batch moved.

    Attributes:
        live: versions that are live now.
        stale: known records whose derived rows no longer hold.
        touched: records whose links must be found anew.
    """

    live: Sequence[Version]
    stale: Sequence[int]
    touched: frozenset[int]


def _write_versions(
    session: Session, origin: Origin, decisions: Sequence[Decision], tools: IndexTools
) -> _Chunk:
    """Write the new versions and move the heads."""
    moving = [d for d in decisions if not d.repeat and d.verdict is not Verdict.SUPERSEDED]
    effective = [d for d in moving if d.verdict is not Verdict.UNCHANGED]
    late = _not_in_history(session, decisions)
    new_ids = dict.fromkeys(d.arrival.source_id for d in moving if d.known is None)
    record_ids, assertion_ids = store_assertions.take_ids(
        session, len(new_ids), len(effective) + len(late)
    )
    new_ids = dict(zip(new_ids, record_ids, strict=True))
    owner = {d.arrival.source_id: _owner(d, new_ids) for d in (*moving, *late)}
    written = list(zip((*effective, *late), assertion_ids, strict=True))
    store_assertions.add_assertions(session, _assertion_rows(origin, written, owner, tools))
    again = [d.arrival for d in moving if d.verdict is Verdict.UNCHANGED]
    store_history.add_repetitions(session, origin, [(owner[a.source_id], a) for a in again])
    heads = _heads(origin, moving, {id(d): a for d, a in written}, owner)
    store_assertions.add_records(
        session, origin, [(s, h) for s, h in heads.items() if s in new_ids]
    )
    store_assertions.move_heads(session, [h for s, h in heads.items() if s not in new_ids])
    return _chunk(effective, heads)


def _owner(decision: Decision, new_ids: Mapping[str, int | None]) -> int:
    if decision.known is not None:
        return decision.known.record_id
    found = new_ids[decision.arrival.source_id]
    if found is None:
        raise LookupError("a record without an id")
    return found


def _not_in_history(session: Session, decisions: Sequence[Decision]) -> list[Decision]:
    """Superseded versions that were never heard of: history, not view."""
    late = [
        d
        for d in decisions
        if d.verdict is Verdict.SUPERSEDED and not d.repeat and d.known is not None
    ]
    pairs = [(d.known.record_id, d.arrival.v) for d in late if d.known is not None]
    have = store_assertions.known_versions(session, pairs)
    return [d for d, pair in zip(late, pairs, strict=True) if pair not in have]


def _heads(
    origin: Origin,
    moving: Iterable[Decision],
    assertion_of: Mapping[int, int],
    owner: Mapping[str, int],
) -> dict[str, Head]:
    """The newest version of each record that moved; a repetition keeps the live assertion."""
    heads: dict[str, Head] = {}
    for d in moving:
        a = d.arrival
        if d.verdict is Verdict.APPLIED:
            live: int | None = assertion_of[id(d)]
        elif d.verdict is Verdict.TOMBSTONED:
            live = None
        elif a.source_id in heads:
            live = heads[a.source_id].assertion_id
        else:
            live = None if d.known is None else d.known.assertion_id
        as_of = origin.as_of if a.as_of is None else a.as_of
        heads[a.source_id] = Head(owner[a.source_id], a.v, as_of, a.content, live)
    return heads


def _chunk(effective: Sequence[Decision], heads: Mapping[str, Head]) -> _Chunk:
    last = {d.arrival.source_id: d for d in effective}
    live = []
    for source_id, decision in last.items():
        head = heads[source_id]
        if head.assertion_id is not None:
            live.append(Version(head.record_id, head.assertion_id, decision.arrival))
    stale = [
        d.known.record_id
        for d in last.values()
        if d.known is not None and d.known.assertion_id is not None
    ]
    return _Chunk(live, stale, frozenset(v.record_id for v in live) | frozenset(stale))


def _assertion_rows(
    origin: Origin,
    written: Sequence[tuple[Decision, int]],
    owner: Mapping[str, int],
    tools: IndexTools,
) -> list[tuple[Any, ...]]:
    period = sealing.period_of(origin.batch_id)
    parts = [sealing.split(origin.record_type, d.arrival.values) for d, _ in written]
    secret = [i for i, (_, hidden) in enumerate(parts) if hidden]
    places = [
        Place(origin.agency, origin.record_type, a.source_id, a.v, period)
        for a in (written[i][0].arrival for i in secret)
    ]
    made = sealing.seal(tools.vault, places, [parts[i][1] for i in secret])
    sealed = dict(zip(secret, made, strict=True))
    return [
        (
            assertion_id,
            owner[a.source_id],
            a.v,
            origin.batch_id,
            a.i,
            a.leaf,
            origin.as_of if a.as_of is None else a.as_of,
            a.op == rules.DEL,
            a.content,
            parts[i][0],
            sealed.get(i),
            period,
        )
        for i, (a, assertion_id) in enumerate((d.arrival, x) for d, x in written)
    ]


def _findings(
    session: Session, origin: Origin, live: Sequence[Arrival], tools: IndexTools
) -> list[tuple[int, str]]:
    """Findings that need the other records: of the same source, or the programmes."""
    if origin.record_type == PERSON:
        return _shared_niks(session, origin, live, tools)
    if origin.record_type not in ("enrolment", "benefit"):
        return []
    coded = [(a, a.values["program_code"]) for a in live if "program_code" in a.values]
    if not coded:
        return []
    codes = [code for _, code in coded]
    known = store_assertions.known_programs(session, codes)
    found = [(a.i, "PROGRAMME_UNKNOWN") for a, code in coded if code not in known]
    if origin.record_type == "enrolment":
        full = store_assertions.overfull(session, codes)
        found += [
            (a.i, "QUOTA_EXCEEDED")
            for a, code in coded
            if code in full and a.values.get("status") in _FULL_STATUSES
        ]
    return found


def _shared_niks(
    session: Session, origin: Origin, live: Sequence[Arrival], tools: IndexTools
) -> list[tuple[int, str]]:
    keys, niks = reindex.index_keys(session, tools.vault), [a.values.get("nik") for a in live]
    blinds = [
        sealing.blind(tools.vault, "nik", niks, version) for version in {keys.current, keys.newest}
    ]
    given = [b for of_version in blinds for b in of_version if b is not None]
    carried = store_assertions.count_niks(session, origin.agency, given)
    counts = [sum(carried.get(b, 0) for b in each if b) for each in zip(*blinds, strict=True)]
    return [(a.i, "NIK_DUP_IN_SOURCE") for a, count in zip(live, counts, strict=True) if count > 1]


def _summary(decisions: Sequence[Decision], findings: list[tuple[int, str]]) -> Absorbed:
    counts = dict.fromkeys(Verdict, 0)
    for d in decisions:
        counts[d.verdict] += 1
    return Absorbed(
        applied=counts[Verdict.APPLIED],
        unchanged=counts[Verdict.UNCHANGED],
        superseded=counts[Verdict.SUPERSEDED],
        tombstoned=counts[Verdict.TOMBSTONED],
        findings=findings,
        verdicts=tuple(d.verdict for d in decisions),
    )
