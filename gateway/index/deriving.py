"""What is derived from a record's live version: features, blocking keys, and whom it speaks of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from gateway.index import features, keying, reindex, sealing, store_assertions
from gateway.index.arrivals import PERSON, Arrival, IndexTools, Origin
from gateway.index.keying import IndexKeys
from gateway.index.keystore_pg import PgKeyStore
from gateway.index.model import PersonFeatures
from gateway.index.sealing import Hidden, Slot


@dataclass(frozen=True, slots=True)
class Version:
    """A version that is live."""

    record_id: int
    assertion_id: int
    arrival: Arrival


def derive(session: Session, origin: Origin, live: Sequence[Version], tools: IndexTools) -> None:
    """Write what follows from versions that have become live; what stood there has been dropped."""
    if origin.record_type == PERSON:
        _write_features(session, origin, live, tools)
    else:
        rows = [row for new in live for row in _subjects(origin, new)]
        store_assertions.add_subjects(session, rows)


def _write_features(
    session: Session, origin: Origin, live: Sequence[Version], tools: IndexTools
) -> None:
    """Features, blind indexes and blocking keys of live person records."""
    if not live:
        return
    is_register = tools.register == origin.agency
    people = [
        features.read(
            features.record_key(origin.agency, new.arrival.source_id),
            origin.agency,
            new.arrival.values,
            is_register=is_register,
        )
        for new in live
    ]
    written = _write_keys(session, live, people, tools)
    store_assertions.add_features(session, _feature_rows(origin, live, people, written, tools))


@dataclass(frozen=True, slots=True)
class _Written:
    """The blocking keys that records carry, by record id, and the versions they are of."""

    versions: IndexKeys
    keys: Mapping[int, Sequence[int]]
    keys_next: Mapping[int, Sequence[int]]


def _write_keys(
    session: Session, live: Sequence[Version], people: Sequence[PersonFeatures], tools: IndexTools
) -> _Written:
    """Write the blocking keys, during a rotation those of both index keys."""
    versions, ids = reindex.index_keys(session, tools.vault), [new.record_id for new in live]
    rows = keying.block_keys(tools.vault, versions.current, ids, people)
    keys = keying.carried(ids, rows)
    PgKeyStore(session).put(rows)
    if versions.next is None:
        return _Written(versions, keys, {})
    rows = keying.block_keys(tools.vault, versions.next, ids, people)
    PgKeyStore(session).put(keying.beyond(rows, keys))
    return _Written(versions, keys, keying.carried(ids, rows))


def _feature_rows(
    origin: Origin,
    live: Sequence[Version],
    people: Sequence[PersonFeatures],
    written: _Written,
    tools: IndexTools,
) -> list[tuple[Any, ...]]:
    period = sealing.period_of(origin.batch_id)
    slots = [Slot(origin.agency, period, n.record_id, n.assertion_id) for n in live]
    hidden = sealing.hide(
        tools.vault, slots, [Hidden(p.nik, p.nik_stem, p.no_kk, p.phone) for p in people]
    )
    blinds = keying.blinded(tools.vault, written.versions.newest, people)
    return [
        (
            new.record_id,
            new.assertion_id,
            origin.agency,
            new.arrival.source_id,
            p.name,
            *features.searchable(p.name),
            p.birth_date,
            p.sex,
            p.kelurahan,
            p.address,
            p.registered,
            blinds.nik[i],
            blinds.no_kk[i],
            blinds.phone[i],
            period,
            hidden[i],
            written.keys[new.record_id],
            written.versions.current,
            written.keys_next.get(new.record_id),
        )
        for i, (new, p) in enumerate(zip(live, people, strict=True))
    ]


def _subjects(origin: Origin, new: Version) -> list[tuple[int, str, str, str, str]]:
    """Whom or what a record speaks of; each once in each role."""
    values, agency = new.arrival.values, origin.agency
    found: dict[tuple[str, str, str], None] = {}
    for kind in ("person", "household", "enrolment"):
        if kind in values:
            found[kind, values[kind], "of"] = None
    if "head_person" in values:
        found["person", values["head_person"], "head"] = None
    for member in values.get("members", ()):
        found["person", member["person"], "member"] = None
    if "complaint_need_id" in values:
        found["need", values["complaint_need_id"], "of"] = None
    if "program_code" in values:
        role = "is" if origin.record_type == "program" else "of"
        found["program", values["program_code"], role] = None
    return [(new.record_id, kind, source_id, role, agency) for kind, source_id, role in found]
