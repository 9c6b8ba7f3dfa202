"""A private file is written whole or not at all, on the disk, and read only if it is ours alone."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from keys.errors import KeyFileError
from keys.privatefile import read_private, write_private

POSIX = pytest.mark.skipif(os.name != "posix", reason="owners, modes and pipes of POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secret"


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(KeyFileError) as refused:
        act()
    return refused.value.code


def test_what_is_written_is_read_and_replaces_what_there_was(path: Path) -> None:
    for data in (b"one", b"", bytes(range(256)), b"line\r\nline\n"):
        write_private(path, data)
        assert read_private(path) == data
        assert [each.name for each in path.parent.iterdir()] == ["secret"]


@POSIX
def test_it_is_ours_alone_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        write_private(path, b"data")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_mebibyte_is_read_and_nothing_larger(path: Path) -> None:
    write_private(path, bytes(1 << 20))
    assert len(read_private(path)) == 1 << 20
    for size in ((1 << 20) + 1, 3 << 20):
        write_private(path, bytes(size))
        assert code_of(lambda: read_private(path)) == "keyfile.damaged"


@POSIX
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o777])
def test_a_file_open_to_anybody_else_is_refused(path: Path, mode: int) -> None:
    write_private(path, b"data")
    path.chmod(mode)
    assert code_of(lambda: read_private(path)) == "keyfile.mode"


@POSIX
@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_what_the_owner_may_is_his_affair(path: Path, mode: int) -> None:
    write_private(path, b"data")
    path.chmod(mode)
    assert read_private(path) == b"data"


@POSIX
@pytest.mark.parametrize("who", [-1, 1])
def test_a_file_of_somebody_else_is_refused(
    path: Path, who: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_private(path, b"data")
    us = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: us + who)
    assert code_of(lambda: read_private(path)) == "keyfile.owner"


@POSIX
@pytest.mark.timeout(20)
def test_a_pipe_is_refused_without_waiting_for_its_other_end(path: Path) -> None:
    os.mkfifo(path, 0o600)
    assert code_of(lambda: read_private(path)) == "keyfile.kind"


def test_a_folder_and_nothing_at_all_are_refused(tmp_path: Path) -> None:
    assert code_of(lambda: read_private(tmp_path)) == "keyfile.kind"
    assert code_of(lambda: read_private(tmp_path / "none")) == "keyfile.missing"


@POSIX
def test_on_return_file_and_folder_are_on_the_disk(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[bool, bytes | None]] = []
    fsync = os.fsync

    def watched(handle: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        synced.append((is_folder, path.read_bytes() if path.exists() else None))
        fsync(handle)

    write_private(path, b"before")
    monkeypatch.setattr(os, "fsync", watched)
    write_private(path, b"after")
    assert synced == [(False, b"before"), (True, b"after")]


def test_a_write_that_fails_leaves_what_there_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_private(path, b"before")

    def full(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_private(path, b"after")
    assert [each.name for each in path.parent.iterdir()] == ["secret"]
    assert read_private(path) == b"before"
