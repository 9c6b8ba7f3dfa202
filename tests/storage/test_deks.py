"""Data keys in the database: one a scope whoever comes first, and the KEK's rotation over them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from gateway.errors import Conflict
from gateway.storage import deks
from gateway.storage.deks import PgDeks
from keys.errors import VaultError
from keys.vault import Vault
from tests.conftest import Database

NOW = datetime(2026, 11, 24, 7, tzinfo=UTC)
AAD = b"row"


def again(database: Database) -> Vault:
    """The vault as another process opens it."""
    return Vault.load(database.settings.vault_file, PgDeks(database.settings))


def rows(database: Database) -> list[tuple]:
    with database.session() as session:
        return session.execute(text("select scope, kek_version, wrapped from dek order by 1")).all()


def rotate(database: Database) -> int:
    with database.session() as session:
        deks.alone(session)
        database.vault.add_version("kek", NOW)
        done = deks.rewrap(session, database.vault)
        session.commit()
    return done


def retire(database: Database, version: int) -> None:
    with database.session() as session:
        deks.alone(session)
        deks.check_retired(session, version)
        database.vault.drop_below("kek", version)
        session.commit()


def test_many_processes_agree_on_the_key_of_a_new_scope(fresh_database: Database) -> None:
    vaults = [again(fresh_database) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(lambda vault: vault.seal("scope", AAD, b"x"), vaults))
    assert len(rows(fresh_database)) == 1
    for vault in (*vaults, again(fresh_database)):
        assert vault.open_many("scope", [AAD] * 8, sealed) == [b"x"] * 8


def test_a_key_outlives_the_transaction_that_wanted_it(fresh_database: Database) -> None:
    with fresh_database.session() as session:
        session.execute(text("select 1"))
        sealed = fresh_database.vault.seal("scope", AAD, b"x")
        session.rollback()
    assert again(fresh_database).open("scope", AAD, sealed) == b"x"


def test_a_scope_in_which_nothing_was_sealed_gets_no_key_by_opening(
    fresh_database: Database,
) -> None:
    with pytest.raises(VaultError):
        fresh_database.vault.open("scope", AAD, bytes(40))
    assert rows(fresh_database) == []


def test_rotating_the_kek_wraps_every_key_anew_and_seals_nothing_anew(
    fresh_database: Database,
) -> None:
    scopes = [f"scope {n}" for n in range(300)]
    sealed = [fresh_database.vault.seal(scope, AAD, scope.encode()) for scope in scopes[:30]]
    running = again(fresh_database)
    before = rows(fresh_database)
    assert rotate(fresh_database) == 30
    after = rows(fresh_database)
    assert {row.kek_version for row in after} == {2}
    assert not {row.wrapped for row in before} & {row.wrapped for row in after}
    retire(fresh_database, 2)
    for vault in (running, again(fresh_database), fresh_database.vault):
        for scope, each in zip(scopes, sealed, strict=False):
            assert vault.open(scope, AAD, each) == scope.encode()
    assert running.seal("new", AAD, b"x")
    assert {row.kek_version for row in rows(fresh_database)} == {2}


def test_a_kek_in_use_is_not_retired(fresh_database: Database) -> None:
    sealed = fresh_database.vault.seal("scope", AAD, b"x")
    fresh_database.vault.add_version("kek", NOW)
    with pytest.raises(Conflict) as refused:
        retire(fresh_database, 2)
    assert refused.value.code == "vault.in_use"
    assert again(fresh_database).open("scope", AAD, sealed) == b"x"


def test_a_rotation_that_fails_half_way_changes_no_key(fresh_database: Database) -> None:
    for n in range(5):
        fresh_database.vault.seal(f"scope {n}", AAD, b"x")
    with fresh_database.session() as session:
        session.execute(text("update dek set wrapped = '\\x00' where scope = 'scope 3'"))
        session.commit()
    before = rows(fresh_database)
    with pytest.raises(VaultError):
        rotate(fresh_database)
    assert rows(fresh_database) == before


def test_scopes_made_during_rotations_are_never_left_behind(fresh_database: Database) -> None:
    vaults = [again(fresh_database) for _ in range(3)]

    def work(n: int) -> tuple[str, bytes]:
        scope = f"scope {n}"
        return scope, vaults[n % 3].seal(scope, AAD, b"x")

    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(work, n) for n in range(60)]
        for _ in range(4):
            rotate(fresh_database)
            retire(fresh_database, fresh_database.vault.versions("kek")[0])
        sealed = dict(job.result() for job in jobs)
    fresh = again(fresh_database)
    assert [fresh.open(scope, AAD, each) for scope, each in sealed.items()] == [b"x"] * 60


def test_a_destroyed_key_opens_nothing_and_is_not_replaced(fresh_database: Database) -> None:
    sealed = fresh_database.vault.seal("scope", AAD, b"x")
    with fresh_database.session() as session:
        session.execute(text("update dek set wrapped = null, destroyed_at = now()"))
        session.commit()
    other = again(fresh_database)
    for act in (
        lambda: other.open("scope", AAD, sealed),
        lambda: other.seal("scope", AAD, b"y"),
    ):
        with pytest.raises(VaultError) as refused:
            act()
        assert refused.value.code == "vault.destroyed"
    assert rotate(fresh_database) == 0
