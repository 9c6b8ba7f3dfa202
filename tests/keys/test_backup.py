"""A backup opens under its own key alone, and says openly how many persons it takes."""

import json
from datetime import UTC, datetime

import pytest

from keys import backup
from keys.backup import MOST_SHARES, Backup
from keys.canonical import canonical
from keys.errors import VaultError
from keys.secretfile import Secrets

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
HELD = Secrets.fresh(NOW)
SEALED, KEY = backup.seal(HELD, 3, 2, NOW)


def code_of(error: pytest.ExceptionInfo[VaultError]) -> str:
    return error.value.code


def test_what_was_sealed_opens_after_a_way_through_a_file() -> None:
    read = Backup.read(SEALED.write())
    assert read == SEALED
    assert (read.made, read.shares, read.threshold) == (NOW, 3, 2)
    assert read.open(KEY).write() == HELD.write()


def test_the_file_shows_nothing_of_the_secrets() -> None:
    plain = HELD.write()
    for name, seed in json.loads(plain).items():
        if isinstance(seed, str):
            assert seed.encode() not in SEALED.write(), name
    assert KEY not in SEALED.write()


def test_every_backup_has_a_key_of_its_own() -> None:
    again, key = backup.seal(HELD, 3, 2, NOW)
    assert key != KEY
    assert len(key) == len(KEY) == 32
    assert again.sealed[:12] != SEALED.sealed[:12]
    with pytest.raises(VaultError) as refused:
        again.open(KEY)
    assert code_of(refused) == "backup.key"


@pytest.mark.parametrize(
    ("change"),
    [
        {"made": "2026-11-24T02:00:01Z"},
        {"shares": 4},
        {"threshold": 3},
    ],
    ids=["made", "shares", "threshold"],
)
def test_what_it_says_openly_cannot_be_altered(change: dict[str, object]) -> None:
    altered = Backup.read(canonical(json.loads(SEALED.write()) | change))
    with pytest.raises(VaultError) as refused:
        altered.open(KEY)
    assert code_of(refused) == "backup.key"


def test_every_byte_of_the_sealed_part_counts() -> None:
    for at in (0, 11, 12, len(SEALED.sealed) - 1):
        sealed = bytearray(SEALED.sealed)
        sealed[at] ^= 1
        with pytest.raises(VaultError) as refused:
            Backup(NOW, 3, 2, bytes(sealed)).open(KEY)
        assert code_of(refused) == "backup.key"


@pytest.mark.parametrize("size", [0, 15, 31])
def test_a_key_of_another_size_opens_nothing(size: int) -> None:
    with pytest.raises(VaultError) as refused:
        SEALED.open(KEY[:size])
    assert code_of(refused) == "backup.key"


@pytest.mark.parametrize(("shares", "threshold"), [(2, 2), (3, 3), (MOST_SHARES, 2), (16, 16)])
def test_as_many_persons_as_shares_may_be_asked_for(shares: int, threshold: int) -> None:
    made, key = backup.seal(HELD, shares, threshold, NOW)
    assert Backup.read(made.write()).open(key).write() == HELD.write()


@pytest.mark.parametrize(
    ("shares", "threshold"), [(1, 1), (2, 1), (2, 0), (2, 3), (MOST_SHARES + 1, 2), (0, 0)]
)
def test_one_person_never_opens_it_alone(shares: int, threshold: int) -> None:
    with pytest.raises(VaultError) as refused:
        backup.seal(HELD, shares, threshold, NOW)
    assert code_of(refused) == "backup.threshold"


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": 0},
        {"made": "today"},
        {"shares": 1},
        {"shares": 17},
        {"threshold": 1},
        {"threshold": 4},
        {"sealed": 7},
        {"sealed": "!"},
        {"sealed": "QUJD"},
        {"sealed": "A" * 36 + "AA=="},
        {"extra": 1},
    ],
    ids=range(12),
)
def test_another_file_is_no_backup(change: dict[str, object]) -> None:
    with pytest.raises(VaultError) as refused:
        Backup.read(json.dumps(json.loads(SEALED.write()) | change).encode())
    assert code_of(refused) == "backup.damaged"


def test_the_shortest_sealed_part_is_one_byte_with_its_nonce_and_tag() -> None:
    fields = json.loads(SEALED.write())
    whole = Backup.read(json.dumps(fields | {"sealed": "A" * 38 + "A="}).encode())
    assert len(whole.sealed) == 29
    with pytest.raises(VaultError):
        Backup.read(json.dumps(fields | {"sealed": "A" * 37 + "A=="}).encode())
