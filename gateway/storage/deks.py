"""The wrapped data keys in PostgreSQL: one row a scope, on the disk before anything is sealed.

A new key is added on a connection of its own and committed at once, whatever becomes of the
transaction that wanted it: so no value is ever stored whose key is not. Connections are opened as
they are needed and not kept, since a process meets each scope once.

Source: trust.md 1.1, 1.9.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    LargeBinary,
    Row,
    Select,
    Table,
    Text,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.errors import Conflict
from gateway.settings import Settings
from gateway.storage import bulk, engine
from gateway.storage.base import metadata
from keys.deks import Wrapped
from keys.vault import Vault

_GATE = 0x7469_7469_616E_0002
"""Advisory lock: shared by who adds a data key, exclusive for who rotates or retires a KEK."""

dek = Table(
    "dek",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("scope", Text, nullable=False, unique=True),
    Column("wrapped", LargeBinary),
    Column("kek_version", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("destroyed_at", DateTime(timezone=True)),
)
"""`wrapped` is null once the key was destroyed; its scope never gets another."""


class PgDeks:
    """The `DekStore` of the running centre."""

    def __init__(self, settings: Settings) -> None:
        """Nothing connects yet."""
        self._sessions = engine.sessions(engine.apart(settings))

    def find(self, scope: str) -> Wrapped | None:
        """The key of the scope; None where nothing was ever sealed."""
        with self._sessions() as session:
            return _find(session, scope)

    def add(self, scope: str, make: Callable[[], Wrapped]) -> Wrapped:
        """The key of the scope, committed: the one another process made first, or a new one."""
        with self._sessions() as session:
            session.execute(text("select pg_advisory_xact_lock_shared(:gate)"), {"gate": _GATE})
            found = _find(session, scope)
            if found is None:
                _put(session, make())
                found = _wrapped(session.execute(_of(scope)).one())
            session.commit()
        return found


def open_vault(settings: Settings) -> Vault:
    """The vault of these settings, with its data keys in their database.

    Raises:
        KeyFileError: the file is missing, foreign, or open to others.
        VaultError: the file is not a vault.
    """
    return Vault.load(settings.vault_file, PgDeks(settings))


def alone(session: Session) -> None:
    """Wait until nobody adds a data key; so it stays until the transaction ends."""
    session.execute(text("select pg_advisory_xact_lock(:gate)"), {"gate": _GATE})


@contextmanager
def only_one(settings: Settings, what: str) -> Iterator[None]:
    """Nobody else does `what` meanwhile, on this machine or another.

    Raises:
        Conflict: somebody does (`vault.busy`).
    """
    apart = engine.apart(settings).execution_options(isolation_level="AUTOCOMMIT")
    with apart.connect() as connection:
        query = text("select pg_try_advisory_lock(hashtext(:what))")
        if not connection.scalar(query, {"what": f"vault {what}"}):
            raise Conflict("vault.busy", f"Somebody else runs `titian vault {what}` just now.")
        yield


def rewrap(session: Session, vault: Vault) -> int:
    """Wrap every data key anew under the newest KEK; how many there were. Called `alone`.

    Raises:
        VaultError: one of them cannot be unwrapped; then none is changed.
    """
    newest = vault.versions("kek")[0]
    old = session.execute(
        select(*_COLUMNS).where(dek.c.kek_version != newest, dek.c.wrapped.is_not(None))
    )
    fresh = [vault.rewrap(_wrapped(row)) for row in old]
    query = (
        "update dek d set wrapped = n.wrapped, kek_version = %s"
        " from unnest(%s::bytea[], %s::bytea[]) n(id, wrapped) where d.id = n.id"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (newest, [w.id for w in fresh], [w.key for w in fresh]))
    return len(fresh)


def check_retired(session: Session, below: int) -> None:
    """Return if no data key needs a KEK older than `below`. Called `alone`.

    Raises:
        Conflict: some do (`vault.in_use`).
    """
    used = count(session, below)
    if used:
        raise Conflict(
            "vault.in_use",
            f"{used} data keys are still wrapped by an older KEK; nothing was dropped."
            " Run `titian vault rotate kek` first.",
        )


def count(session: Session, below: int) -> int:
    """How many data keys that were not destroyed are wrapped by a KEK older than `below`."""
    older = dek.c.wrapped.is_not(None) & (dek.c.kek_version < below)
    return session.scalar(select(func.count()).select_from(dek).where(older)) or 0


def summary(session: Session) -> list[Row[Any]]:
    """Per KEK version: how many data keys are `live`, how many `destroyed`, `oldest`, `newest`."""
    destroyed = dek.c.wrapped.is_(None)
    return list(
        session.execute(
            select(
                dek.c.kek_version,
                func.count().filter(~destroyed).label("live"),
                func.count().filter(destroyed).label("destroyed"),
                func.min(dek.c.created_at).label("oldest"),
                func.max(dek.c.created_at).label("newest"),
            )
            .group_by(dek.c.kek_version)
            .order_by(dek.c.kek_version)
        )
    )


def _find(session: Session, scope: str) -> Wrapped | None:
    row = session.execute(_of(scope)).one_or_none()
    return None if row is None else _wrapped(row)


def _of(scope: str) -> Select[Any]:
    return select(*_COLUMNS).where(dek.c.scope == scope)


def _put(session: Session, made: Wrapped) -> None:
    session.execute(
        insert(dek)
        .values(id=made.id, scope=made.scope, wrapped=made.key, kek_version=made.kek_version)
        .on_conflict_do_nothing(index_elements=[dek.c.scope])
    )


def _wrapped(row: Any) -> Wrapped:
    return Wrapped(row.id, row.scope, row.wrapped, row.kek_version)


_COLUMNS = (dek.c.id, dek.c.scope, dek.c.wrapped, dek.c.kek_version)
