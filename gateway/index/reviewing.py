"""What is under review: newer versions that are not believed, and how they differ from what is."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from gateway.index import sealing, store_reviews
from gateway.index.sealing import Place
from gateway.index.store_reviews import Word
from gateway.index.view import Difference
from keys.vault import Vault


def differences(
    session: Session, persons: Sequence[UUID], leaves: Sequence[bytes], vault: Vault
) -> dict[UUID, Difference]:
    """How each person reads now, beside what the batches of these accept leaves said of him."""
    alive = store_reviews.alive(session, persons)
    fields: dict[UUID, set[str]] = {person: set() for person in persons}
    for person, suspect, live in store_reviews.beside(session, persons, leaves):
        said, says = _values(suspect, vault), _values(live, vault)
        fields[person] |= {n for n in {*said, *says} if said.get(n) != says.get(n)}
    return {p: Difference(p in alive, tuple(sorted(fields[p]))) for p in persons}


def _values(word: Word | None, vault: Vault) -> Mapping[str, Any]:
    if word is None:
        return {}
    place = Place(word.agency, word.record_type, word.source_id, word.v, word.period)
    return {**word.clear, **sealing.opened(vault, place, word.sealed)}
