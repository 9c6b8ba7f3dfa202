"""`titian vault` and `titian keys` as the operator types them."""

import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from gateway.cli import cli
from gateway.index import query as index
from gateway.index import reindex
from gateway.index.arrivals import IndexTools
from gateway.index.view import Search
from keys.errors import VaultError
from keys.vault import Vault
from schemas.profile import Profile
from tests.conftest import Database
from tests.index_db import people
from tests.index_db.conftest import load
from tests.intake.factory import enrol, tools_of
from tests.shared import ROOT

Titian = Callable[..., Result]
NOW = datetime(2026, 11, 24, 7, tzinfo=UTC)
AAD = b"row"


@pytest.fixture
def titian(fresh_database: Database) -> Titian:
    def run(*arguments: str, typed: str = "") -> Result:
        env = fresh_database.settings.environ()
        return CliRunner().invoke(cli, arguments, input=typed, env=env)

    return run


@pytest.fixture
def tools(fresh_database: Database) -> IndexTools:
    made = tools_of(fresh_database).index
    return IndexTools(fresh_database.vault, Profile.load("payakumbuh"), made.model)


def code(result: Result) -> str:
    return getattr(result.exception, "code", "")


def logged(database: Database) -> list[tuple[str, int]]:
    """What the log says was done to the vault."""
    with database.session() as session:
        entries = session.scalars(text("select entry from log_pending order by id")).all()
    said = [json.loads(bytes(entry)) for entry in entries]
    return [(one["act"], one["version"]) for one in said if one["t"] == "vault"]


def shares_of(output: str) -> list[str]:
    """The words of each printed share."""
    pages = output.split("=" * 84)[1:]
    return [" ".join(re.findall(r"\b\d{1,2} ([a-z]+)", page.split("apart.")[1])) for page in pages]


def test_a_kek_is_rotated_and_retired(fresh_database: Database, titian: Titian) -> None:
    sealed = fresh_database.vault.seal("scope", AAD, b"x")
    assert titian("vault", "retire", "kek").exit_code == 0  # nothing to do, nothing done
    done = titian("vault", "rotate", "kek")
    assert "KEK 2 wraps all data keys (1 wrapped anew)" in done.output
    assert fresh_database.vault.versions("kek") == (2, 1)
    assert titian("vault", "retire", "kek").exit_code == 0
    assert fresh_database.vault.versions("kek") == (2,)
    assert fresh_database.vault.open("scope", AAD, sealed) == b"x"
    assert logged(fresh_database) == [("kek.retired", 1), ("kek.rotated", 2), ("kek.retired", 2)]


def test_an_interrupted_kek_rotation_is_finished_not_begun_again(
    fresh_database: Database, titian: Titian
) -> None:
    fresh_database.vault.seal("scope", AAD, b"x")
    titian("vault", "rotate", "kek")
    fresh_database.vault.add_version("kek", NOW)  # as after a kill before the commit
    refused = titian("vault", "retire", "kek")
    assert code(refused) == "vault.in_use"
    done = titian("vault", "rotate", "kek")
    assert "finished now" in done.output
    assert fresh_database.vault.versions("kek") == (3, 2, 1)


def test_a_bix_is_rotated_by_one_command_also_after_a_kill(
    fresh_database: Database,
    titian: Titian,
    tools: IndexTools,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = people.town(40)
    load(fresh_database, tools, people.batches(said, 50))
    nik = next(s.values["nik"] for s in said if "nik" in s.values)
    monkeypatch.setattr(reindex, "CHUNK", 20)

    def finds() -> bool:
        with fresh_database.session() as session:
            return bool(index.find(session, Search(nik=nik), tools))

    with monkeypatch.context() as killed:
        killed.setattr(reindex, "drop_old", lambda *_: 1 / 0)
        assert isinstance(titian("vault", "rotate", "bix").exception, ZeroDivisionError)
    assert fresh_database.vault.bix_versions == (2, 1)
    assert finds()
    done = titian("vault", "rotate", "bix")
    assert done.exit_code == 0, done.output
    assert "it goes on" in done.output
    assert fresh_database.vault.bix_versions == (2,)
    assert finds()
    assert logged(fresh_database) == [("bix.rotated", 2)]
    assert "BIX 3" in titian("vault", "rotate", "bix").output
    assert finds()


def test_a_rotation_killed_in_the_middle_goes_on(
    fresh_database: Database, titian: Titian, tools: IndexTools
) -> None:
    said = people.town(40)
    load(fresh_database, tools, people.batches(said, 50))
    niks = [s.values["nik"] for s in said if "nik" in s.values]

    def finds_all() -> bool:
        with fresh_database.session() as session:
            return all(index.find(session, Search(nik=nik), tools) for nik in niks)

    def waiting() -> int:
        with fresh_database.session() as session:
            return session.scalar(
                text("select count(*) from person_feature where keys_next is null")
            )

    with fresh_database.session() as holding:
        holding.execute(text("select 1 from person_feature order by record_id limit 3 for update"))
        command = [sys.executable, "-m", "gateway", "vault", "rotate", "bix"]
        environ = os.environ | fresh_database.settings.environ()
        with subprocess.Popen(
            command, env=environ, cwd=ROOT, stdout=subprocess.DEVNULL
        ) as rotating:
            while waiting() > 3:
                assert rotating.poll() is None
            assert finds_all()
            assert code(titian("vault", "rotate", "bix")) == "vault.busy"
            rotating.kill()
        assert waiting() == 3
        assert finds_all()
    done = titian("vault", "rotate", "bix")
    assert done.exit_code == 0, done.output
    assert fresh_database.vault.bix_versions == (2,)
    assert finds_all()


def test_any_two_of_three_shares_open_the_backup(
    fresh_database: Database, titian: Titian, tmp_path
) -> None:
    file = tmp_path / "vault.backup"
    made = titian("vault", "backup", "--out", str(file))
    assert made.exit_code == 0, made.output
    shares = shares_of(made.output)
    assert [len(s.split()) for s in shares] == [33, 33, 33]
    before = sorted(tmp_path.iterdir())
    for first, second in ((0, 1), (1, 2), (2, 0)):
        typed = f"{shares[first]}\n{shares[second]}\n"
        done = titian("vault", "drill", str(file), typed=typed)
        assert "holds every key of today's vault" in done.output, done.output
    assert sorted(tmp_path.iterdir()) == before
    where = tmp_path / "new" / "vault.json"
    typed = f"{shares[0]}\n{shares[2]}\n"
    done = titian("vault", "restore", str(file), "--path", str(where), typed=typed)
    assert done.exit_code == 0, done.output
    assert where.read_bytes() == fresh_database.settings.vault_file.read_bytes()
    assert where.stat().st_mode & 0o777 == 0o600
    assert not where.with_name("vault.json.head").exists()
    assert ".head file is missing" in done.output


def test_wrong_shares_open_nothing_and_are_not_repeated(
    fresh_database: Database, titian: Titian, tmp_path
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    first = shares_of(titian("vault", "backup", "--out", str(one)).output)
    second = shares_of(titian("vault", "backup", "--out", str(two)).output)
    mistyped = " ".join(["zero", *first[1].split()[1:]])
    for typed, expected in (
        ((second[0], second[1]), "backup.key"),
        ((first[0], first[0]), "backup.share"),
        ((first[0], second[0]), "backup.share"),
        ((first[0], mistyped), "backup.share"),
        ((first[0], "ahmad budi"), "backup.share"),
    ):
        done = titian("vault", "drill", str(one), typed="\n".join(typed) + "\n")
        assert code(done) == expected, done.output
        said = done.output + str(done.exception)
        assert first[0].split()[5] not in said
        assert "ahmad" not in said
    again = titian("vault", "restore", str(one), typed=f"{first[0]}\n{first[1]}\n")
    assert code(again) == "vault.exists"
    assert code(titian("vault", "backup", "--out", str(one))) == "backup.exists"
    few = titian(
        "vault", "backup", "--shares", "3", "--threshold", "1", "--out", str(tmp_path / "x")
    )
    assert code(few) == "backup.threshold"


def test_a_drill_says_that_a_backup_is_older_than_the_vault(
    fresh_database: Database, titian: Titian, tmp_path
) -> None:
    file = tmp_path / "backup"
    shares = shares_of(titian("vault", "backup", "--out", str(file)).output)
    titian("vault", "rotate", "kek")
    done = titian("vault", "drill", str(file), typed=f"{shares[0]}\n{shares[1]}\n")
    assert code(done) == "backup.old"
    assert "kek 2" in str(done.exception)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda b: b[:-1],
        lambda b: b.replace(b'"threshold":2', b'"threshold":1'),
        lambda b: b.replace(b'"v":1', b'"v":2'),
        lambda b: b.replace(b'"sealed":"', b'"sealed":"!'),
        lambda b: b"{}",
    ],
)
def test_a_damaged_backup_is_said_before_shares_are_asked(titian: Titian, tmp_path, spoil) -> None:
    file = tmp_path / "backup"
    titian("vault", "backup", "--out", str(file))
    file.write_bytes(spoil(file.read_bytes()))
    done = titian("vault", "drill", str(file))
    assert isinstance(done.exception, VaultError)
    assert done.exception.code == "backup.damaged"


def test_the_inventory_lists_every_key_and_no_secret(
    fresh_database: Database, titian: Titian
) -> None:
    fresh_database.vault.seal("scope", AAD, b"x")
    titian("vault", "rotate", "kek")
    done = titian("keys", "inventory", "--json")
    lines = json.loads(done.output)
    kinds = {line["kind"]: line for line in lines}
    assert set(kinds) == {"G-log", "G-rcpt", "house", "KEK", "BIX", "DEK"}
    assert [line["state"] for line in lines if line["kind"] == "KEK"] == ["active", "old"]
    assert kinds["DEK"]["count"] == 1
    assert kinds["DEK"]["name"] == "under KEK 2"
    assert kinds["G-rcpt"]["name"] == fresh_database.vault.signer("receipt").kid
    newest = next(line for line in lines if line["kind"] == "KEK")
    assert newest["expires"] > newest["created"]
    plain = titian("keys", "inventory").output
    assert "KEK" in plain
    raw = json.loads(fresh_database.settings.vault_file.read_bytes())
    for secret in (raw["log"], raw["house"], *raw["kek"].values(), *raw["bix"].values()):
        assert secret not in done.output + plain


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ("update key set sign_until = null", "active"),
        ("update key set suspended_at = now()", "suspended"),
        ("update agency set state = 'suspended'", "suspended"),
        ("update key set approved_at = null", "waiting"),
        ("update key set not_after = now() - interval '1 hour'", "expired"),
        (
            (
                "insert into revocation (agency, kid, since, size_at_since, reason, at, leaf)"
                " select agency, kid, now(), 0, 'lost', now(), raw from key"
            ),
            "revoked",
        ),
    ],
)
def test_the_inventory_says_the_state_of_an_agencys_key(
    fresh_database: Database, titian: Titian, change: str, state: str
) -> None:
    agency = enrol(fresh_database, now=datetime.now(UTC).replace(microsecond=0))
    with fresh_database.session() as session:
        # No act of today leads to some of these: time does, or did in an older database.
        session.execute(text("alter table key disable trigger key_edges"))
        session.execute(text(change))
        session.commit()
    lines = json.loads(titian("keys", "inventory", "--json").output)
    (one,) = (line for line in lines if line["kind"] == "A-sign")
    assert (one["state"], one["name"]) == (state, agency.signer.kid)
    assert one["fingerprint"] == agency.signer.public.fingerprint()


def test_a_new_vault_is_made_once(titian: Titian, tmp_path) -> None:
    path = tmp_path / "made" / "vault.json"
    assert titian("vault", "init", "--path", str(path)).exit_code == 0
    assert set(Vault.load(path).secrets.made) == {"log", "receipt", "house", "kek 1", "bix 1"}
    assert code(titian("vault", "init", "--path", str(path))) == "vault.exists"


def test_every_command_of_the_how_to_exists() -> None:
    text = (ROOT / "docs" / "how-to" / "change-office-holders.md").read_text(encoding="utf-8")
    commands = {
        tuple(itertools.takewhile(re.compile("[a-z]+").fullmatch, line.split()[1:]))
        for line in text.splitlines()
        if line.startswith("titian ")
    }
    assert len(commands) >= 7
    for command in commands:
        assert CliRunner().invoke(cli, [*command, "--help"]).exit_code == 0, command
