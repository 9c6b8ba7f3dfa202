"""The house's own records: signed with its key in the vault, accepted and applied at once.

They take the door that all records take: a batch of agency `upt-kan` with a leaf in the log. It is
applied in the transaction of the decision that made it, since it is small; links follow by job.

Source: architecture.md §3 (last paragraph); decisions.md (Own small batches).
"""

import base64
import io
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from gateway.errors import GatewayError, Refused, Unavailable
from gateway.intake import chain, service, store
from gateway.intake.model import IntakeTools, PutBatch, State
from keys import frame, merkle
from keys.canonical import to_moment
from schemas.line import version_of
from schemas.records.registry import RECORD_TYPES

MOST = 10


@dataclass(frozen=True, slots=True)
class Own:
    """One record of the house: its id in the house's own numbering, and its fields."""

    id: str
    values: Mapping[str, Any]


def publish(
    session: Session, record_type: str, records: Sequence[Own], tools: IntakeTools, now: datetime
) -> bytes:
    """Sign, accept and apply a batch of at most ten records; returns its leaf. The caller commits.

    Raises:
        Refused: more than ten, or a record that no agency could publish (`own.records`).
        Unavailable: the house's key is not enrolled yet (`own.key`).
    """
    if not 0 < len(records) <= MOST:
        raise Refused("own.records", "Paling banyak sepuluh rekaman sekaligus.")
    agency, stream = tools.profile.unit.code, RECORD_TYPES[record_type].stream.value
    head, _ = store.lock_head(session, chain.genesis(agency, stream), agency, stream)
    at = (agency, stream, head.epoch, head.seq + 1)
    lines = [_line(record, version_of(*at[2:])) for record in records]
    payload = {
        "v": 1,
        "aud": tools.settings.aud,
        "agency": agency,
        "stream": stream,
        "record_type": record_type,
        "schema": RECORD_TYPES[record_type].schema_name,
        "epoch": at[2],
        "seq": at[3],
        "prev": head.payload_sha256.hex(),
        "kind": "delta",
        "as_of": to_moment(now),
        "created": to_moment(now),
        "basis": "survei",
        "max_reject": 0,
        "log_seen": {"size": 0, "root": merkle.EMPTY_ROOT.hex()},
    }
    sealed = frame.seal_batch(payload, lines, [tools.vault.signer("house")])
    try:
        service.accept(session, PutBatch(*at, io.BytesIO(sealed.body)), tools, now)
    except GatewayError as err:
        raise Unavailable(
            "own.key",
            "Kunci UPT-KAN belum terdaftar atau tidak berlaku. Keputusan belum disimpan; hubungi "
            "pengelola kunci.",
        ) from err
    return _apply(session, at, tools, now)


def _apply(
    session: Session, at: tuple[str, str, int, int], tools: IntakeTools, now: datetime
) -> bytes:
    batch = store.find(session, at)
    assert batch is not None  # noqa: S101 -- just accepted
    service.apply(session, batch.id, tools, now)
    done = store.find(session, at)
    if done is None or done.state is not State.APPLIED or done.leaf is None:
        raise Refused("own.records", "Data survei tidak dapat dimasukkan. Periksa isiannya.")
    return done.leaf


def _line(record: Own, version: int) -> bytes:
    salt = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    head = {"_s": salt, "_op": "put", "_id": record.id, "_v": version}
    whole = json.dumps({**head, **record.values}, separators=(",", ":"), ensure_ascii=False)
    return whole.encode()
