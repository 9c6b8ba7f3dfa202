"""What is derived from a record's live version: features, blocking keys, and whom it speaks of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from gateway.index import blocking, features, sealing, store_assertions
from gateway.index.arrivals import PERSON, Arrival, IndexTools, Origin
from gateway.index.blocking import KeyRows
from gateway.index.keystore_pg import PgKeyStore
from gateway.index.model import Batch, PersonFeatures
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
    keys = _keys(live, people, tools)
    store_assertions.add_features(session, _feature_rows(origin, live, people, keys, tools))
    PgKeyStore(session).put(keys)


def _keys(live: Sequence[Version], people: Sequence[PersonFeatures], tools: IndexTools) -> KeyRows:
    """The blocking keys, by record id, each once; those of identifiers are keyed by the vault."""

    def keyed(label: str, values: Sequence[bytes]) -> list[bytes]:
        return tools.vault.hmac(f"block:{label}", values)

    rows = blocking.keys(Batch.of(people), blocking.RULES, keyed)
    ids = np.array([new.record_id for new in live], dtype=np.int64)
    order = np.lexsort((rows.keys, rows.records))
    records, found = rows.records[order], rows.keys[order]
    again = np.zeros(len(order), dtype=bool)
    again[1:] = (records[1:] == records[:-1]) & (found[1:] == found[:-1])
    kept = order[~again]
    return KeyRows(ids[rows.records[kept]], rows.rules[kept], rows.keys[kept])


def _feature_rows(
    origin: Origin,
    live: Sequence[Version],
    people: Sequence[PersonFeatures],
    keys: KeyRows,
    tools: IndexTools,
) -> list[tuple[Any, ...]]:
    period = sealing.period_of(origin.batch_id)
    slots = [Slot(origin.agency, period, n.record_id, n.assertion_id) for n in live]
    hidden = sealing.hide(
        tools.vault, slots, [Hidden(p.nik, p.nik_stem, p.no_kk, p.phone) for p in people]
    )
    niks = sealing.blind(tools.vault, "nik", map(features.whole_nik, people))
    cards = sealing.blind(tools.vault, "no_kk", (p.no_kk for p in people))
    phones = sealing.blind(tools.vault, "phone", (p.phone for p in people))
    carried: dict[int, list[int]] = {new.record_id: [] for new in live}
    for record_id, key in zip(keys.records.tolist(), keys.keys.tolist(), strict=True):
        carried[record_id].append(key)
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
            niks[i],
            cards[i],
            phones[i],
            period,
            hidden[i],
            carried[new.record_id],
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
    if "program_code" in values:
        role = "is" if origin.record_type == "program" else "of"
        found["program", values["program_code"], role] = None
    return [(new.record_id, kind, source_id, role, agency) for kind, source_id, role in found]
