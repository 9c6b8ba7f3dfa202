"""The versions of records that a batch brought, as they stand, to be held against its lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.index import sealing, store_assertions
from gateway.index.sealing import Place
from keys.errors import VaultError
from keys.vault import Vault


@dataclass(frozen=True, slots=True)
class Kept:
    """One version of a record: the line it came from (from 0), and what it says, opened."""

    line: int
    source_id: str
    v: int
    content: bytes
    withdrawn: bool
    values: Mapping[str, Any]


def kept_of(session: Session, batch_id: UUID, vault: Vault) -> list[Kept]:
    """All versions of one batch, by line; one whose ciphertext is not its own lacks what it hid."""
    found = []
    for row in store_assertions.of_batch(session, batch_id):
        agency, record_type, source_id, line, v, content, withdrawn, clear, sealed, period = row
        place = Place(agency, record_type, source_id, v, period)
        try:
            hidden = sealing.opened(vault, place, sealed)
        except VaultError:
            hidden = {}
        values = {**clear, **hidden}
        found.append(Kept(line, source_id, v, bytes(content), withdrawn, values))
    return found
