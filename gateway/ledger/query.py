"""What can be asked of the log: checkpoint, tiles, entries, proofs, and whether it all holds.

Answers are about what was signed: an entry that waits for its checkpoint is not found yet.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from gateway.errors import NotFound, Refused
from gateway.ledger import store, store_cosignatures, store_openings, tiles
from gateway.ledger.model import Head, Inclusion, LogDamaged, LogState
from keys import checkpoint as notes
from keys import merkle
from keys.bundle import LoggedEntry, Opened
from keys.merkle import TILE_WIDTH

_CHUNK = TILE_WIDTH * 16


def state(session: Session) -> LogState:
    """The size and root last signed; size 0 before the first checkpoint."""
    head = store.get_head(session)
    return LogState(0, merkle.EMPTY_ROOT, None) if head is None else head.state


def checkpoint(session: Session) -> bytes | None:
    """The newest signed note, with the lines of its witnesses; None before the first."""
    head = store.get_head(session)
    if head is None:
        return None
    return _cosigned(session, head)


def common_checkpoint(session: Session, now: datetime) -> bytes | None:
    """The newest note that was signed before this minute; None where there is none.

    Whoever asks within one minute is shown the same, so that the lines of many witnesses come
    together under one checkpoint, however fast the log grows.
    """
    head = store.head_before(session, now.replace(second=0, microsecond=0))
    return None if head is None else _cosigned(session, head)


def tile(session: Session, level: int, n: int, width: int | None = None) -> bytes:
    """`width` hashes of a tile, or all 256 of a full one; a partial tile may be asked for later.

    Raises:
        NotFound: the log has no such tile, or it is not that wide yet.
    """
    wanted = _signed_width(session, level, n, width)
    data = store.get_tiles(session, [(level, n)]).get((level, n), b"")
    if len(data) < wanted * tiles.HASH:
        raise _no_tile()
    return data[: wanted * tiles.HASH]


def entries(session: Session, n: int, width: int | None = None, first: int = 0) -> bytes:
    """The entries of level-0 tile `n` from its `first`, each behind its length (2 bytes).

    Raises:
        NotFound: the log has no such tile, or it is not that wide yet.
    """
    wanted = _signed_width(session, 0, n, width)
    found = store.get_entries(session, n * TILE_WIDTH + first, n * TILE_WIDTH + wanted)
    if len(found) < wanted - first:
        raise _no_tile()
    return tiles.bundle(iter(found))


def entry(session: Session, leaf: bytes) -> bytes:
    """The bytes of the entry of this leaf, waiting or not.

    Raises:
        NotFound: no such leaf (`log.unknown_leaf`).
    """
    found = store.get_entry(session, leaf)
    if found is None:
        raise NotFound("log.unknown_leaf", "The log holds no such entry.")
    return found


def index_of(session: Session, leaf: bytes) -> int | None:
    """The leaf's place in the log; None while it waits for one, or where there is no such leaf."""
    return store.find_leaf(session, leaf)


def inclusion(session: Session, leaf: bytes) -> Inclusion:
    """Where the leaf stands under the newest checkpoint, and the path that proves it.

    Raises:
        NotFound: no such leaf (`log.unknown_leaf`), or not in a checkpoint yet (`log.pending`).
    """
    head = store.get_head(session)
    index = store.find_leaf(session, leaf)
    if index is None and not store.is_pending(session, leaf):
        raise NotFound("log.unknown_leaf", "The log holds no such entry.")
    if index is None or head is None or index >= head.state.size:
        raise NotFound("log.pending", "The entry is not in a signed checkpoint yet; ask again.")
    size = head.state.size
    path = _path(session, merkle.inclusion_nodes(index, size))
    return Inclusion(index, size, tuple(path), head.note)


def proof(session: Session, leaf: bytes) -> str:
    """The C2SP tlog-proof text of the leaf under the newest checkpoint.

    Raises:
        NotFound: no such leaf (`log.unknown_leaf`), or not in a checkpoint yet (`log.pending`).
    """
    found = inclusion(session, leaf)
    return notes.format_proof(found.index, found.path, found.note)


def logged(session: Session, leaf: bytes) -> LoggedEntry:
    """The entry with its proof, to be taken away: under the checkpoint that most witnesses saw.

    Where no witness has seen one that holds it, under the newest that was signed.

    Raises:
        NotFound: no such leaf (`log.unknown_leaf`), or not in a checkpoint yet (`log.pending`).
    """
    found = inclusion(session, leaf)
    seen = store_cosignatures.most_seen(session, found.index)
    head = None if seen is None else store.find_head(session, seen)
    if head is not None:
        size = head.state.size
        path = _path(session, merkle.inclusion_nodes(found.index, size))
        found = Inclusion(found.index, size, tuple(path), _cosigned(session, head))
    return LoggedEntry(
        entry(session, leaf), notes.format_proof(found.index, found.path, found.note)
    )


def opened(session: Session, leaf: bytes) -> Opened:
    """The same, with the detail that the entry commits to, where that is kept beside the log.

    Raises:
        NotFound: as `logged`.
    """
    found = store_openings.find(session, leaf)
    return Opened(logged(session, leaf), *(found or (None, None)))


def consistency(session: Session, m: int, n: int) -> list[bytes]:
    """The proof that the first `n` entries extend the first `m`.

    Raises:
        Refused: not 0 < m <= n (`log.range`).
        NotFound: fewer than `n` entries are signed (`log.range`).
    """
    if not 0 < m <= n:
        raise Refused("log.range", "A consistency proof needs 0 < from <= to.")
    if n > state(session).size:
        raise NotFound("log.range", "The log has not signed so many entries.")
    return _path(session, merkle.consistency_nodes(m, n))


def verify(session: Session, vkey: str) -> LogState:
    """Recompute leaves, tiles and root from the entries, and check the checkpoint's signature.

    Raises:
        LogDamaged: an entry is missing or is not what its leaf says (`log.entry`), a tile differs
            (`log.tile`), or the root is not the one that was signed (`log.root`).
        BadNote: the stored note is not a checkpoint of this log.
        BadSignature: the log's key did not sign it.
    """
    head = store.get_head(session)
    if head is None:
        return state(session)
    signed = notes.verify(head.note, vkey)
    root = _recompute(session, signed.size)
    if (signed.size, root) != (head.state.size, head.state.root) or root != signed.root:
        raise LogDamaged("log.root", "The entries do not give the root that was signed.")
    return LogState(signed.size, root, head.state.signed_at)


def indexes(session: Session, leaves: Collection[bytes]) -> dict[bytes, int]:
    """Where these leaves stand in the log, signed or not; those that still wait are left out."""
    return store.find_leaves(session, leaves)


def pending(session: Session) -> int:
    """How many entries wait for their index."""
    return store.count_pending(session)


def cosigned_size(session: Session, moment: datetime) -> int:
    """The largest size that a witness cosigned at or before the moment; 0 if none did."""
    return store_cosignatures.size_at(session, moment)


def _cosigned(session: Session, head: Head) -> bytes:
    lines = store_cosignatures.of_size(session, head.state.size)
    return head.note + "".join(f"{made.line}\n" for made in lines).encode("utf-8")


def _recompute(session: Session, size: int) -> bytes:
    edge: dict[tuple[int, int], bytes] = {}
    done = 0
    for rows in store.read_all(session, size, _CHUNK):
        for at, (index, entry, leaf) in enumerate(rows, done):
            if index != at or merkle.leaf_hash(entry) != leaf:
                raise LogDamaged("log.entry", f"Entry {at} is not what was logged.", index=at)
        grown = tiles.grow(done, [leaf for _, _, leaf in rows], edge)
        stored = store.get_tiles(session, [(t.level, t.n) for t in grown])
        for t in grown:
            if not stored.get((t.level, t.n), b"").startswith(t.data):
                raise LogDamaged("log.tile", f"Tile {t.level}/{t.n} differs.", level=t.level, n=t.n)
        edge |= {(t.level, t.n): t.data for t in grown if t.width < TILE_WIDTH}
        done += len(rows)
    if done != size:
        raise LogDamaged("log.entry", f"The log signed {size} entries but holds {done}.")
    whole = store.get_tiles(session, tiles.tiles_of([merkle.range_nodes(0, size)]))
    return merkle.root_at(size, tiles.reader(whole))


def _path(session: Session, groups: list[list[merkle.Node]]) -> list[bytes]:
    stored = store.get_tiles(session, tiles.tiles_of(groups))
    return merkle.fold_path(groups, tiles.reader(stored))


def _signed_width(session: Session, level: int, n: int, width: int | None) -> int:
    """How many hashes are wanted of a tile, if the checkpoint covers so many."""
    wanted = TILE_WIDTH if width is None else width
    signed = state(session).size >> (merkle.TILE_HEIGHT * level)
    if not 0 < wanted <= TILE_WIDTH or n * TILE_WIDTH + wanted > signed:
        raise _no_tile()
    return wanted


def _no_tile() -> NotFound:
    return NotFound("log.tile", "The log has no such tile, or it is not that wide yet.")
