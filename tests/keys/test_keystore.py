"""The key file of an agency: sealed, closed to others, whole or refused."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keys import privatefile
from keys.errors import BadKey, KeyFileError
from keys.keystore import DEFAULT_COST, Cost, KeyStore
from keys.privatefile import write_private

CHEAP = Cost(memory_kib=64, iterations=1)
WORDS = "jembatan bambu"
posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes are a matter of POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dinsos.keys"


@pytest.fixture
def kid(path: Path) -> str:
    return KeyStore(path, WORDS, CHEAP).generate("dinsos")


def edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    value = json.loads(path.read_bytes())
    change(value)
    write_private(path, json.dumps(value).encode())


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(KeyFileError) as refused:
        act()
    assert WORDS not in str(refused.value)
    return refused.value.code


def test_a_key_survives_closing_and_opening(path: Path) -> None:
    store = KeyStore(path, WORDS, CHEAP)
    assert store.kids() == ()
    one, two = store.generate("dinsos"), store.generate("dinsos", {"http"})
    again = KeyStore(path, WORDS)
    assert set(again.kids()) == {one, two}
    assert again.uses(two) == ("http",)
    signer = again.signer(one)
    assert signer.kid == one
    again.public(one).verify(signer.sign(b"content"), b"content")


def test_the_file_holds_no_seed_and_the_store_shows_none(path: Path, kid: str) -> None:
    seed = KeyStore(path, WORDS).signer(kid)._private.private_bytes_raw()  # type: ignore[attr-defined]
    assert seed not in path.read_bytes()
    assert seed.hex() not in repr(KeyStore(path, WORDS))


def test_the_default_cost_is_that_of_the_design() -> None:
    assert Cost(memory_kib=65_536, iterations=3, lanes=1) == DEFAULT_COST


def test_a_key_can_be_destroyed(path: Path, kid: str) -> None:
    store = KeyStore(path, WORDS)
    other = store.generate("dinsos")
    store.destroy(kid)
    assert KeyStore(path, WORDS).kids() == (other,)
    assert code_of(lambda: store.signer(kid)) == "keyfile.no_key"


def test_a_wrong_passphrase_is_refused(path: Path, kid: str) -> None:
    assert code_of(lambda: KeyStore(path, "another")) == "keyfile.passphrase"
    assert code_of(lambda: KeyStore(path, "")) == "keyfile.passphrase"


def test_without_a_passphrase_the_store_lists_and_signs_nothing(path: Path, kid: str) -> None:
    store = KeyStore(path, None)
    assert store.kids() == (kid,)
    assert store.public(kid)
    assert code_of(lambda: store.signer(kid)) == "keyfile.locked"
    assert code_of(lambda: store.generate("dinsos")) == "keyfile.locked"
    assert code_of(lambda: store.destroy(kid)) == "keyfile.locked"
    assert KeyStore(path.with_name("none"), None).kids() == ()


def test_a_use_that_does_not_exist_is_refused(path: Path) -> None:
    for uses in ((), ("keyset",), ("witness", "http"), ("aaa", "witness"), ("http", "zzz")):
        with pytest.raises(BadKey):
            KeyStore(path, WORDS, CHEAP).generate("dinsos", uses)
    assert not path.exists()


@pytest.mark.parametrize("keep", [0, 1, 50, 200])
def test_a_truncated_file_is_refused(path: Path, kid: str, keep: int) -> None:
    write_private(path, path.read_bytes()[:keep])
    assert code_of(lambda: KeyStore(path, WORDS)) == "keyfile.damaged"


DAMAGE: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "version": (lambda v: v.update(v=2), "keyfile.version"),
    "older version": (lambda v: v.update(v=0), "keyfile.version"),
    "kdf": (lambda v: v["kdf"].update(name="scrypt"), "keyfile.version"),
    "kdf that is like it": (lambda v: v["kdf"].update(name="argon2i"), "keyfile.version"),
    "kdf field": (lambda v: v["kdf"].update(extra=1), "keyfile.damaged"),
    "salt": (lambda v: v["kdf"].update(salt="QUJD"), "keyfile.damaged"),
    "absurd memory": (lambda v: v["kdf"].update(memory_kib=1 << 30), "keyfile.damaged"),
    "more than a gibibyte": (
        lambda v: v["kdf"].update(memory_kib=(1 << 20) + 1),
        "keyfile.damaged",
    ),
    "absurd iterations": (lambda v: v["kdf"].update(iterations=1000), "keyfile.damaged"),
    "more than 16 iterations": (lambda v: v["kdf"].update(iterations=17), "keyfile.damaged"),
    "no iterations": (lambda v: v["kdf"].update(iterations=0), "keyfile.damaged"),
    "no lanes": (lambda v: v["kdf"].update(lanes=0), "keyfile.damaged"),
    "too little memory": (lambda v: v["kdf"].update(memory_kib=7), "keyfile.damaged"),
    "lanes the kdf refuses": (lambda v: v["kdf"].update(lanes=1 << 26), "keyfile.damaged"),
    "other cost": (lambda v: v["kdf"].update(iterations=2), "keyfile.passphrase"),
    "check": (lambda v: v.update(check="QUJD"), "keyfile.passphrase"),
    "check spelling": (lambda v: v.update(check="!"), "keyfile.damaged"),
    "key": (lambda v: v.update(keys={"a": 1}), "keyfile.damaged"),
    "low-order key": (
        lambda v: next(iter(v["keys"].values())).update(
            pub="AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
        ),
        "keyfile.damaged",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_refused(path: Path, kid: str, name: str) -> None:
    change, code = DAMAGE[name]
    edit(path, change)
    assert code_of(lambda: KeyStore(path, WORDS)) == code


def test_a_file_may_cost_sixteen_iterations(path: Path) -> None:
    kid = KeyStore(path, WORDS, Cost(memory_kib=8, iterations=16)).generate("dinsos", ["witness"])
    assert KeyStore(path, WORDS).uses(kid) == ("witness",)


def test_keys_cannot_be_exchanged_or_given_other_uses(path: Path, kid: str) -> None:
    other = KeyStore(path, WORDS).generate("dinsos")
    whole = path.read_bytes()

    def swap(value: dict[str, Any]) -> None:
        one, two = value["keys"][kid], value["keys"][other]
        one["sealed"], two["sealed"] = two["sealed"], one["sealed"]

    for change in (
        swap,
        lambda v: v["keys"][kid].update(uses=["http"]),
        lambda v: v["keys"][kid].update(sealed="QUJD"),
    ):
        edit(path, change)
        assert code_of(lambda: KeyStore(path, WORDS).signer(kid)) == "keyfile.damaged"
        write_private(path, whole)


def test_a_sealed_seed_that_is_not_the_keys_is_refused(path: Path) -> None:
    store = KeyStore(path, WORDS, CHEAP)
    kid = store.generate("dinsos")
    held = store._held[kid]
    wrong = store._cipher.encrypt(bytes(12), bytes(32), held.bound())  # type: ignore[union-attr]
    short = store._cipher.encrypt(bytes(12), bytes(31), held.bound())  # type: ignore[union-attr]
    for sealed in (wrong, short):
        object.__setattr__(held, "sealed", bytes(12) + sealed)
        assert code_of(lambda: store.signer(kid)) == "keyfile.damaged"


@posix
def test_the_file_is_closed_to_others_and_one_that_is_not_is_refused(path: Path, kid: str) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for mode in (0o640, 0o604, 0o660, 0o700 | 0o001):
        path.chmod(mode)
        assert code_of(lambda: KeyStore(path, WORDS)) == "keyfile.mode"


@posix
def test_a_foreign_owner_is_refused(path: Path, kid: str, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: foreign)
    assert code_of(lambda: KeyStore(path, WORDS)) == "keyfile.owner"


def test_where_there_are_no_modes_they_are_not_asked_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privatefile, "_POSIX", False)
    kid = KeyStore(path, WORDS, CHEAP).generate("dinsos")
    path.chmod(0o644)
    assert KeyStore(path, WORDS).kids() == (kid,)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert code_of(lambda: KeyStore(tmp_path, WORDS)) == "keyfile.kind"
    assert code_of(lambda: privatefile.read_private(tmp_path / "none")) == "keyfile.missing"
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert code_of(lambda: privatefile.read_private(loop)) == "keyfile.kind"
    large = tmp_path / "large"
    write_private(large, bytes(privatefile.MAX_BYTES + 1))
    assert code_of(lambda: privatefile.read_private(large)) == "keyfile.damaged"


def test_a_write_that_fails_leaves_the_old_file_and_no_rest(
    path: Path, kid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    before = path.read_bytes()
    store = KeyStore(path, WORDS)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.generate("dinsos")
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
    assert store.kids() == (kid,)
