"""Evidence of what an agency sent: one line, or a whole batch without its lines.

Source: trust.md 2.7, 3.7.
"""

from uuid import UUID

from sqlalchemy.orm import Session

from gateway.errors import NotFound, Refused
from gateway.intake import store
from gateway.intake.model import Batch
from gateway.ledger import query as ledger
from gateway.trust import query as trust
from keys import merkle
from keys.bundle import BatchEvidence, LoggedEntry, Origin, RecordEvidence
from keys.errors import VaultError
from keys.vault import Vault


def batch(session: Session, place: tuple[str, str, int, int]) -> BatchEvidence:
    """Evidence for the batch at (agency, stream, epoch, seq): leaf hashes, nothing personal.

    Raises:
        NotFound: no such batch was accepted; or it is not in a checkpoint yet (`log.pending`).
    """
    found = store.find(session, place)
    if found is None:
        raise NotFound("batch.unknown", "No batch of that number was accepted.")
    return BatchEvidence(_leaves(session, found), _origin(session, found))


def record(session: Session, batch_id: UUID, i: int, vault: Vault) -> RecordEvidence:
    """Evidence for line `i` of a batch, in the clear.

    Raises:
        NotFound: the batch is not in a checkpoint yet (`log.pending`).
        Refused: the line was erased (`proof.erased`).
    """
    found = store.get(session, batch_id)
    rows = store.lines(session, batch_id, i, i + 1)
    if found is None or not rows:
        raise NotFound("batch.unknown", "No batch of that number was accepted.")
    line = _open(found, i, rows[0].ct, vault)
    path = merkle.inclusion(_leaves(session, found), i)
    return RecordEvidence(line, i, path, _origin(session, found))


def _open(found: Batch, i: int, ciphertext: bytes | None, vault: Vault) -> bytes:
    """The line without LF."""
    try:
        if ciphertext is not None:
            return vault.open(found.place.scope, found.place.aad(i), ciphertext).rstrip(b"\n")
    except VaultError:
        pass  # its key was destroyed
    raise Refused(
        "proof.erased",
        "Baris data ini sudah dihapus, sehingga isinya tidak dapat dibuktikan lagi. Bukti "
        "pengirimannya (tanpa isi) masih ada: titian prove batch.",
    )


def _leaves(session: Session, found: Batch) -> list[bytes]:
    return [row.leaf for row in store.lines(session, found.id, 0, found.count)]


def _origin(session: Session, found: Batch) -> Origin:
    place = (found.agency, found.stream, found.epoch, found.seq)
    sent = store.stored(session, place)
    if sent is None:
        raise NotFound("batch.unknown", "No batch of that number was accepted.")
    return Origin(
        envelope=sent.envelope,
        keysets=keysets(session, found.agency),
        accept=ledger.logged(session, store.leaf_of(session, found.id)),
    )


def keysets(session: Session, agency: str) -> list[LoggedEntry]:
    """The agency's keysets that count, version 1 first, each with its log proof.

    Raises:
        NotFound: one is not in a checkpoint yet (`log.pending`).
    """
    return [ledger.logged(session, leaf) for leaf in trust.keyset_leaves(session, agency)]
