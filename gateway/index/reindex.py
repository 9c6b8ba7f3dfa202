"""Rotating the index key while searches and writers go on, in steps that may stop anywhere.

1. `begin`: from now on writers make the keys of both versions; look-ups go by the current one.
2. `write_next`, chunk by chunk: each record gets the next version's keys beside its own.
3. `switch`: every record has both, so look-ups go by the next version from now on.
4. `drop_old`, chunk by chunk: the old keys go.
5. `finish`: no row holds the old version; it may leave the vault.

At any moment two records share a version, so what is linked does not depend on the rotation. A
search asks for every version that the vault holds. Each step looks in the database how far it
got, so whoever is killed begins again and goes on. The caller commits after each call.

Source: trust.md 1.9.
"""

from sqlalchemy.orm import Session

from gateway.errors import Conflict
from gateway.index import keying, store_assertions, store_links, store_reindex
from gateway.index.keying import IndexKeys
from gateway.index.keystore_pg import PgKeyStore
from keys.vault import Vault

CHUNK = 1000


def index_keys(session: Session, vault: Vault) -> IndexKeys:
    """The versions that rows carry; before the first rotation the vault's oldest."""
    return store_reindex.get_index_keys(session) or IndexKeys(vault.bix_versions[-1])


def begin(session: Session, vault: Vault) -> IndexKeys:
    """Have writers make keys of the vault's newest version too; the versions from now on.

    Nothing changes while an earlier rotation is not finished, or where there is nothing newer.
    """
    store_assertions.close_gate(session)
    keys = index_keys(session, vault)
    newest = vault.bix_versions[0]
    if keys.next is None and newest > keys.current and not left_to_drop(session, keys):
        keys = IndexKeys(keys.current, newest)
    store_reindex.put_index_keys(session, keys)
    return keys


def write_next(session: Session, vault: Vault, keys: IndexKeys, after: int) -> int | None:
    """Write the next version for a chunk of records above `after`; the last of them, or None."""
    if keys.next is None:
        return None
    store_assertions.share_gate(session)
    rows = store_reindex.lock_without_next(session, keys.current, after, CHUNK)
    if not rows:
        return None
    known = store_links.read_known(vault, rows)
    ids, people = [k.record_id for k in known], [k.features for k in known]
    made = keying.block_keys(vault, keys.next, ids, people)
    blinds = keying.blinded(vault, keys.next, people)
    carried = keying.carried(ids, made)
    store_reindex.put_next(
        session, ids, [carried[i] for i in ids], (blinds.nik, blinds.no_kk, blinds.phone)
    )
    own = {row[0]: row[store_reindex.COLUMN_COUNT] for row in rows}
    PgKeyStore(session).put(keying.beyond(made, own))
    return ids[-1]


def left_to_write(session: Session, keys: IndexKeys) -> int:
    """How many records lack the next version."""
    return 0 if keys.next is None else store_reindex.count_without_next(session, keys.current)


def switch(session: Session, vault: Vault, keys: IndexKeys) -> IndexKeys:
    """Look up by the next version from now on.

    Raises:
        Conflict: some records lack it (`index.rotating`); nothing was changed.
    """
    if keys.next is None:
        return keys
    store_assertions.close_gate(session)
    left = left_to_write(session, keys)
    if left:
        raise Conflict(
            "index.rotating",
            f"{left} records lack the new index key; nothing was changed. Run the rotation again.",
        )
    _rename_hot(session, vault, keys.current, keys.next)
    switched = IndexKeys(keys.next)
    store_reindex.put_index_keys(session, switched)
    return switched


def drop_old(session: Session, keys: IndexKeys, after: int) -> int | None:
    """Take the old version from a chunk of records above `after`; the last of them, or None."""
    store_assertions.share_gate(session)
    done = store_reindex.drop_old(session, keys.current, after, CHUNK)
    return done[-1] if done else None


def left_to_drop(session: Session, keys: IndexKeys) -> int:
    """How many records carry an older version."""
    return store_reindex.count_below(session, keys.current)


def finish(session: Session, keys: IndexKeys) -> int:
    """The oldest version that rows need: older ones may leave the vault.

    Raises:
        Conflict: a row still holds an older one (`index.rotating`); nothing was changed.
    """
    store_assertions.close_gate(session)
    left = left_to_drop(session, keys)
    if left or keys.next is not None:
        raise Conflict(
            "index.rotating",
            f"{left} records still hold an older index key; it was kept. Run the rotation again.",
        )
    return keys.current


def _rename_hot(session: Session, vault: Vault, old: int, new: int) -> None:
    """What was noted of hot keys holds for the same keys under the next version."""
    carriers = store_reindex.get_hot_carriers(session)
    known = store_links.get_known(session, vault, {record_id for _, record_id in carriers})
    names = keying.translation(vault, old, new, [k.features for k in known.values()])
    store_reindex.rename_hot(session, {key: names[key] for key, _ in carriers})
