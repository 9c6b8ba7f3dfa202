"""What can be done to the log: append an entry, give entries their places, sign a checkpoint.

An entry is appended in the transaction of the fact it tells of, so the one exists exactly if the
other does. A cycle of the integrator then takes two transactions:

1. `sequence` gives committed entries their indexes and writes the tiles; commit;
2. `publish` signs a checkpoint of what is committed and stores it; commit.

The signer remembers on disk what it signed and refuses anything that does not extend it. In one
transaction a crash between signing and commit would leave it ahead of a tree that was rolled back,
and entries committed meanwhile could then take other indexes: a log that can never be signed again.
With two, whatever was signed is committed before; after a crash the same tree, or one that extends
it, is signed again. A checkpoint is shown only from the database, after the second commit.

Source: trust.md 3.2; C2SP tlog-tiles, tlog-checkpoint.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy.orm import Session

from gateway.errors import TooLarge, Unavailable
from gateway.ledger import store, store_openings, tiles
from gateway.ledger.model import CYCLE, LogBehind, LogState, check, limit_of
from keys import merkle
from keys.canonical import canonical
from keys.checkpoint import Checkpoint
from keys.commitment import commit
from keys.vault import LogSigner


def append(session: Session, entry: Mapping[str, object]) -> bytes:
    """Append an entry in the caller's transaction; returns its leaf hash (32 bytes).

    Raises:
        Refused: the entry is not of an allowed shape, or longer than the log takes.
    """
    return append_many(session, [entry])[0]


def append_many(session: Session, entries: Iterable[Mapping[str, object]]) -> list[bytes]:
    """Append entries in order; returns their leaf hashes.

    Raises:
        Refused: one of them is not of an allowed shape, or longer than the log takes.
    """
    rows = [(data, merkle.leaf_hash(data)) for data in map(_encode, entries)]
    if rows:
        store.add_pending(session, rows)
    return [leaf for _, leaf in rows]


def append_committed(
    session: Session, entry: Mapping[str, object], detail: Mapping[str, object]
) -> bytes:
    """Append an entry that commits to `detail`, and keep what opens it; returns its leaf hash.

    The detail may say who acted, but nothing of a citizen: it is kept as it is.

    Raises:
        Refused: the entry is not of an allowed shape, or longer than the log takes.
    """
    made = commit(detail)
    leaf = append(session, {**entry, "commit": made.sha256.hex()})
    store_openings.add(session, leaf, canonical(dict(detail)), made.salt)
    return leaf


def integrate(session: Session, signer: LogSigner, *, limit: int = CYCLE) -> LogState | None:
    """One whole cycle: sequence, **commit**, publish; the caller commits the checkpoint.

    It is the one service that commits, since a checkpoint may only be signed over what no rollback
    can undo. Returns the new state, or None if there was nothing to sign.

    Raises:
        LogBehind: more was signed than is stored.
        NotAnExtension: what is stored does not extend what was signed.
    """
    sequence(session, limit=limit)
    session.commit()
    return publish(session, signer)


def sequence(session: Session, *, limit: int = CYCLE) -> int:
    """Give up to `limit` waiting entries their indexes and write the tiles; returns how many.

    Entries are taken in the order of their ids. Ids may commit out of order; whatever is committed
    now is taken, and no index ever changes.
    """
    store.lock(session)
    size = store.size(session)
    leaves = store.take_pending(session, size, limit)
    if leaves:
        partial = store.get_tiles(session, tiles.edge(size))
        store.put_tiles(session, tiles.grow(size, leaves, partial))
    return len(leaves)


def publish(session: Session, signer: LogSigner) -> LogState | None:
    """Sign what is sequenced and store the checkpoint; None if that is stored already.

    Raises:
        LogBehind: more was signed than is stored.
        NotAnExtension: what is stored does not extend what was signed.
        Unavailable: the current transaction itself gave the last index (`log.uncommitted`).
    """
    store.lock(session)
    size = store.size(session)
    head = store.get_head(session)
    if head is not None and head.state.size == size:
        return None
    last = signer.head()
    if last is not None and last.size > size:
        raise LogBehind(
            "log.behind",
            f"The log signed {last.size} entries but holds {size}: it was restored from a backup.",
            signed=last.size,
            stored=size,
        )
    if size == 0:
        return None
    if store.is_uncommitted(session, size - 1):
        raise Unavailable("log.uncommitted", "Only committed entries can be signed.")
    root, proof = _extend(session, 0 if last is None else last.size, size)
    origin = signer.vkey.split("+", 1)[0]
    note = signer.sign(Checkpoint(origin, size, root), proof)
    return store.add_head(session, size, root, note).state


def _encode(entry: Mapping[str, object]) -> bytes:
    check(entry)
    data = canonical(dict(entry))
    if len(data) > limit_of(entry):
        raise TooLarge("log.entry_size", "The log entry is longer than the log takes.")
    return data


def _extend(session: Session, old: int, new: int) -> tuple[bytes, list[bytes]]:
    """The root of the first `new` leaves, and the proof that they extend the first `old`."""
    whole = [merkle.range_nodes(0, new)]
    groups = merkle.consistency_nodes(old, new) if 0 < old < new else []
    stored = store.get_tiles(session, tiles.tiles_of([*whole, *groups]))
    get_hash = tiles.reader(stored)
    return merkle.root_at(new, get_hash), merkle.fold_path(groups, get_hash)
