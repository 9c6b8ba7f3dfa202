"""What can be asked of letters: those of a ticket, one by its id, one by what its QR names."""

from uuid import UUID

from sqlalchemy.orm import Session

from gateway.errors import NotFound
from gateway.letters import store
from gateway.letters.model import Letter
from keys.vault import Vault


def of_ticket(session: Session, ticket_id: UUID) -> list[Letter]:
    """The letters of a ticket, oldest first, without what they were made of."""
    return store.of_ticket(session, ticket_id)


def find(session: Session, letter_id: UUID, vault: Vault) -> Letter:
    """A letter with what it was made of.

    Raises:
        NotFound: there is none (`letter.unknown`).
    """
    found = store.get(session, letter_id, vault)
    if found is None:
        raise NotFound("letter.unknown", "Surat itu tidak ada. Kembali ke tiketnya.")
    return found


def by_code(session: Session, code: str) -> Letter | None:
    """The letter that a QR names, or None: then it is not ours."""
    return store.of_code(session, code)
