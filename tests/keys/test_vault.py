"""The vault: values bound to their place, the blind index, and a log signer that cannot fork."""

import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap_with_padding,
    aes_key_wrap_with_padding,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keys import checkpoint, deks, merkle
from keys.canonical import canonical
from keys.checkpoint import Checkpoint
from keys.deks import NoDeks, Wrapped
from keys.errors import KeyFileError, NotAnExtension, VaultError
from keys.privatefile import write_private
from keys.vault import Hmac, Vault
from tests.keys.memory import MemoryDeks
from tests.shared import shared

SCOPE = "dinsos|person|2026-11"
AAD = b"assertion|nik|0193|dinsos"
ORIGIN = "titian.example/log/2026"
NOW = datetime(2026, 11, 24, 7, tzinfo=UTC)
LEAVES = [merkle.leaf_hash(bytes([i])) for i in range(20)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault.json"


@pytest.fixture
def store() -> MemoryDeks:
    return MemoryDeks()


@pytest.fixture
def vault(path: Path, store: MemoryDeks) -> Vault:
    return Vault.create(path, store, now=NOW)


def edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    value = json.loads(path.read_bytes())
    change(value)
    write_private(path, canonical(value))


def head(size: int, leaves: list[bytes] = LEAVES) -> Checkpoint:
    return Checkpoint(ORIGIN, size, merkle.root(leaves[:size]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(), st.binary(), st.text(max_size=30))
def test_what_is_sealed_opens_at_its_place_only(
    vault: Vault, plain: bytes, aad: bytes, scope: str
) -> None:
    sealed = vault.seal(scope, aad, plain)
    assert sealed[0] == 1
    assert len(sealed) == 1 + 8 + 12 + len(plain) + 16
    assert vault.open(scope, aad, sealed) == plain
    for place in ((scope, aad + b"."), (scope + ".", aad)):
        with pytest.raises(VaultError):
            vault.open(*place, sealed)


@pytest.mark.parametrize("at", [0, 1, 8, 9, 20, 21, -1])
def test_an_altered_ciphertext_fails(vault: Vault, at: int) -> None:
    sealed = bytearray(vault.seal(SCOPE, AAD, b"1376010101900001"))
    sealed[at] ^= 1
    with pytest.raises(VaultError) as refused:
        vault.open(SCOPE, AAD, bytes(sealed))
    assert refused.value.code == "vault.sealed"


@pytest.mark.parametrize("length", [0, 5, 9, 15, 21, 30])
def test_a_ciphertext_cut_short_fails(vault: Vault, length: int) -> None:
    sealed = vault.seal(SCOPE, AAD, b"1376010101900001")
    with pytest.raises(VaultError):
        vault.open(SCOPE, AAD, sealed[:length])


def test_many_are_sealed_and_opened_in_order(vault: Vault) -> None:
    aads = [b"%d" % i for i in range(100)]
    plains = [b"value %d" % i for i in range(100)]
    sealed = vault.seal_many(SCOPE, aads, plains)
    assert len({each[9:21] for each in sealed}) == 100
    assert vault.open_many(SCOPE, aads, sealed) == plains
    assert vault.seal_many(SCOPE, [], []) == []
    assert vault.open_many(SCOPE, [], []) == []
    with pytest.raises(VaultError):
        vault.open_many(SCOPE, aads[::-1], sealed)


def test_another_process_opens_what_was_sealed(path: Path, store: MemoryDeks, vault: Vault) -> None:
    again = Vault.load(path, store)
    assert again.open(SCOPE, AAD, vault.seal(SCOPE, AAD, b"x")) == b"x"
    assert again.hmac("nik", [b"1"]) == vault.hmac("nik", [b"1"])
    assert again.signer("receipt").kid == vault.signer("receipt").kid


def test_an_older_vault_file_with_a_session_key_still_loads(path: Path, vault: Vault) -> None:
    assert "session" not in json.loads(path.read_bytes())
    edit(path, lambda v: (v.update(session=v["log"]), v.pop("made")))
    assert Vault.load(path).hmac("nik", [b"1"]) == vault.hmac("nik", [b"1"])


def test_a_kek_is_rotated_without_sealing_anything_anew(
    path: Path, store: MemoryDeks, vault: Vault
) -> None:
    sealed = vault.seal(SCOPE, AAD, b"old")
    running = Vault.load(path, store)  # a process that started before
    assert vault.add_version("kek", NOW) == 2
    store.rows[SCOPE] = vault.rewrap(store.rows[SCOPE])
    vault.drop_below("kek", 2)
    assert store.rows[SCOPE].kek_version == 2
    for each in (vault, running, Vault.load(path, store)):
        assert each.open(SCOPE, AAD, sealed) == b"old"
        assert each.seal("other", AAD, b"new")[:9] == vault.seal("other", AAD, b"x")[:9]
    assert store.rows["other"].kek_version == 2
    assert set(json.loads(path.read_bytes())["made"]) == {
        *("log", "receipt", "house", "bix 1", "kek 2"),
    }


def test_a_new_scope_is_wrapped_by_the_newest_kek_though_the_process_is_older(
    path: Path, store: MemoryDeks, vault: Vault
) -> None:
    running = Vault.load(path, store)
    vault.add_version("kek", NOW)
    running.seal(SCOPE, AAD, b"x")
    assert store.rows[SCOPE].kek_version == 2


def test_a_data_key_under_a_dropped_kek_is_refused(
    path: Path, store: MemoryDeks, vault: Vault
) -> None:
    sealed = vault.seal(SCOPE, AAD, b"x")
    vault.add_version("kek", NOW)
    vault.drop_below("kek", 2)
    with pytest.raises(VaultError) as refused:
        Vault.load(path, store).open(SCOPE, AAD, sealed)
    assert refused.value.code == "vault.kek"
    with pytest.raises(VaultError):
        vault.drop_below("kek", 3)


def test_a_wrapped_key_moved_to_another_row_is_refused(
    path: Path, store: MemoryDeks, vault: Vault
) -> None:
    sealed = [vault.seal(scope, AAD, b"x") for scope in ("a", "b")]
    a, b = store.rows["a"], store.rows["b"]
    moves = (
        replace(a, key=b.key),
        replace(a, id=b.id, key=b.key),
        replace(a, id=b.id),
        replace(a, kek_version=9),
        replace(a, key=None),
        replace(a, key=b"short"),
    )
    for moved in moves:
        store.rows["a"] = moved
        for each in sealed:
            with pytest.raises(VaultError):
                Vault.load(path, store).open("a", AAD, each)
        with pytest.raises(VaultError):
            Vault.load(path, store).seal("a", AAD, b"new")


def test_a_vault_without_data_keys_signs_and_indexes_but_does_not_seal(
    path: Path, vault: Vault
) -> None:
    bare = Vault.load(path)
    assert bare.hmac("nik", [b"1"]) == vault.hmac("nik", [b"1"])
    for act in (lambda: bare.seal(SCOPE, AAD, b"x"), lambda: bare.open(SCOPE, AAD, bytes(40))):
        with pytest.raises(VaultError) as refused:
            act()
        assert refused.value.code == "vault.no_store"
    with pytest.raises(VaultError):
        NoDeks().add(SCOPE, lambda: Wrapped(bytes(8), SCOPE, None, 1))


def test_a_wrapped_key_is_bound_to_its_row_by_16_bytes_and_told_by_its_kind_alone() -> None:
    made = deks.generate(SCOPE, 1, bytes(32))
    assert made.key is not None
    assert len(made.key) == 8 + 32 + 16  # RFC 5649: eight bytes more than what is wrapped
    assert deks.unwrap(deks.rewrap(made, {1: bytes(32), 2: b"2" * 32}), {2: b"2" * 32}) == (
        deks.unwrap(made, {1: bytes(32)})
    )
    with pytest.raises(VaultError, match=r"\(person\)") as refused:
        NoDeks().find("person|dinsos|2026-11")
    assert refused.value.code == "vault.no_store"


def test_every_blind_index_version_can_be_asked_for(path: Path, vault: Vault) -> None:
    running, old = Vault.load(path), vault.hmac("nik", [b"1"])
    vault.add_version("bix", NOW)
    assert running.bix_versions == (2, 1)
    assert running.hmac("nik", [b"1"], version=1) == old != running.hmac("nik", [b"1"])
    assert running.hmac("nik", [b"1"]) == vault.hmac("nik", [b"1"], version=2)
    with pytest.raises(VaultError):
        running.hmac("nik", [b"1"], version=3)
    vault.drop_below("bix", 2)
    assert running.bix_versions == (2,)


def test_a_vault_file_that_is_gone_for_a_moment_stops_no_process(path: Path, vault: Vault) -> None:
    path.rename(path.with_name("away"))
    assert vault.bix_versions == (1,)


def test_the_blind_index_is_short_keyed_and_separate_by_label(vault: Vault) -> None:
    one, two = vault.hmac("nik", [b"1376010101900001", b"1376010101900002"])
    assert len(one) == 16
    assert one != two
    assert vault.hmac("no_kk", [b"1376010101900001"]) != [one]
    assert vault.hmac("nik", [b"1376010101900001"]) == [one]
    assert vault.hmac("nik", []) == []


def test_the_signers_sign_for_their_owners(vault: Vault) -> None:
    assert vault.signer("receipt").kid.startswith("gateway:")
    assert vault.signer("house").kid.startswith("upt-kan:")
    signer = vault.signer("house")
    signer.public.verify(signer.sign(b"x"), b"x")


def test_a_vault_shows_nothing_of_its_secrets(path: Path, vault: Vault) -> None:
    secrets = json.loads(path.read_bytes())
    for secret in (secrets["log"], secrets["kek"]["1"]):
        assert secret not in repr(vault) + repr(vault.secrets)


def test_a_vault_is_never_made_over_another(path: Path, vault: Vault) -> None:
    with pytest.raises(VaultError):
        Vault.create(path)
    path.unlink()  # the head file is still there: the log may not begin anew
    with pytest.raises(VaultError):
        Vault.create(path)


DAMAGE: dict[str, Callable[[dict[str, Any]], None]] = {
    "version": lambda v: v.update(v=2),
    "field": lambda v: v.pop("receipt"),
    "unknown": lambda v: v.update(other="x"),
    "made": lambda v: v.update(made={"kek 1": "gestern"}),
    "seed": lambda v: v.update(log="QUJD"),
    "no kek": lambda v: v.update(kek={}),
    "kek name": lambda v: v.update(kek={"a": v["log"]}),
    "kek size": lambda v: v.update(kek={"1": "QUJD"}),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_vault_is_refused(path: Path, vault: Vault, name: str) -> None:
    edit(path, DAMAGE[name])
    with pytest.raises(VaultError):
        Vault.load(path)


def test_a_vault_open_to_others_is_refused(path: Path, vault: Vault) -> None:
    path.chmod(0o644)
    with pytest.raises(KeyFileError):
        Vault.load(path)


def test_the_log_signer_signs_each_extension(vault: Vault) -> None:
    signer = vault.log_signer(ORIGIN)
    assert signer.head() is None
    old = 0
    for new in (0, 1, 1, 2, 7, 8, 20):
        proof = [] if old in {0, new} else merkle.consistency(LEAVES, old, new)
        note = signer.sign(head(new), proof)
        assert checkpoint.verify(note, signer.vkey) == head(new) == signer.head()
        old = new


def test_the_log_signer_refuses_every_fork_also_after_a_restart(path: Path, vault: Vault) -> None:
    vault.log_signer(ORIGIN).sign(head(8), [])
    signer = Vault.load(path).log_signer(ORIGIN)
    others = [merkle.leaf_hash(bytes([99 + i])) for i in range(20)]
    for new, proof in (
        (head(7), []),
        (head(0), []),
        (head(8, others), []),
        (head(12), []),
        (head(12, others), merkle.consistency(others, 8, 12)),
        (head(12, LEAVES[:7] + others), merkle.consistency(LEAVES[:7] + others, 8, 12)),
    ):
        with pytest.raises(NotAnExtension):
            signer.sign(new, proof)
    assert signer.head() == head(8)
    signer.sign(head(12), merkle.consistency(LEAVES, 8, 12))


def test_nothing_can_be_proved_to_extend_nothing(vault: Vault) -> None:
    signer = vault.log_signer(ORIGIN)
    signer.sign(head(0), [])
    with pytest.raises(NotAnExtension):
        signer.sign(head(3), [bytes(32)])


def test_each_log_has_its_own_head(vault: Vault) -> None:
    vault.log_signer(ORIGIN).sign(head(8), [])
    next_year = vault.log_signer("titian.example/log/2027")
    assert next_year.head() is None
    next_year.sign(Checkpoint("titian.example/log/2027", 1, LEAVES[0]), [])
    assert vault.log_signer(ORIGIN).head() == head(8)


def test_the_head_is_on_the_disk_before_the_signature_leaves(
    path: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    signer = vault.log_signer(ORIGIN)
    signer.sign(head(3), [])
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            signer.sign(head(5), merkle.consistency(LEAVES, 3, 5))
    assert Vault.load(path).log_signer(ORIGIN).head() == head(3)


def test_a_lost_or_damaged_head_file_stops_the_log(path: Path, vault: Vault) -> None:
    signer = vault.log_signer(ORIGIN)
    file = path.with_name("vault.json.head")
    for damage in (b"[]", b"{", canonical({ORIGIN: {"size": 1}})):
        write_private(file, damage)
        with pytest.raises(VaultError):
            signer.head()
        with pytest.raises(VaultError):
            signer.sign(head(1), [])
    file.unlink()
    with pytest.raises(KeyFileError):
        signer.sign(head(1), [])


def test_opening_many_is_quick(vault: Vault) -> None:
    aads = [AAD] * 20_000
    sealed = vault.seal_many(SCOPE, aads, [bytes(100)] * 20_000)
    began = time.perf_counter()
    vault.open_many(SCOPE, aads, sealed)
    assert 20_000 / (time.perf_counter() - began) > 50_000  # 600 000/s here


# What the vault stands on, against Wycheproof.


def _cases(name: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    groups = json.loads(shared(f"data/vectors/wycheproof/{name}_test.json").read_text())
    return [(group, case) for group in groups["testGroups"] for case in group["tests"]]


def test_wycheproof_aes_gcm_agrees() -> None:
    judged = 0
    for group, case in _cases("aes_gcm"):
        if not 64 <= group["ivSize"] <= 1024 or group["tagSize"] != 128:
            continue  # a limit of the library; the vault uses 96 bits alone
        judged += 1
        part = {name: bytes.fromhex(case[name]) for name in ("key", "iv", "ct", "tag", "aad")}
        try:
            plain = AESGCM(part["key"]).decrypt(part["iv"], part["ct"] + part["tag"], part["aad"])
        except InvalidTag:
            assert case["result"] != "valid", case["tcId"]
        else:
            assert case["result"] == "valid", case["tcId"]
            assert plain.hex() == case["msg"]
    assert judged == 283


def test_wycheproof_aes_kwp_agrees() -> None:
    judged = 0
    for _, case in _cases("aes_kwp"):
        judged += 1
        part = {name: bytes.fromhex(case[name]) for name in ("key", "msg", "ct")}
        try:
            plain = aes_key_unwrap_with_padding(part["key"], part["ct"])
        except (InvalidUnwrap, ValueError):
            assert case["result"] != "valid", case["tcId"]
        else:
            assert (plain == part["msg"]) == (case["result"] != "invalid"), case["tcId"]
            assert aes_key_wrap_with_padding(part["key"], plain) == part["ct"]
    assert judged == 254


def test_wycheproof_hmac_agrees_with_ours() -> None:
    for group, case in _cases("hmac_sha256"):
        key, message = bytes.fromhex(case["key"]), bytes.fromhex(case["msg"])
        code = Hmac(key).digests([message])[0]
        assert code == hmac.digest(key, message, "sha256")
        same = code[: group["tagSize"] // 8].hex() == case["tag"]
        assert same == (case["result"] == "valid"), case["tcId"]


def test_wycheproof_hkdf_agrees() -> None:
    for _, case in _cases("hkdf_sha256"):
        part = {name: bytes.fromhex(case[name]) for name in ("ikm", "salt", "info", "okm")}
        try:
            made = HKDF(hashes.SHA256(), case["size"], part["salt"], part["info"]).derive(
                part["ikm"]
            )
        except ValueError:
            assert case["result"] != "valid", case["tcId"]
        else:
            assert (made == part["okm"]) == (case["result"] == "valid"), case["tcId"]


@given(st.binary(max_size=200), st.lists(st.binary(max_size=200), max_size=5))
def test_our_hmac_is_that_of_the_standard_library(key: bytes, values: list[bytes]) -> None:
    expected = [hmac.new(key, value, hashlib.sha256).digest() for value in values]
    assert Hmac(key).digests(values) == expected
