"""Cosignatures: read back as made, and refused where anything in them is another's."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keys.canonical import to_base64
from keys.checkpoint import TYPE_COSIGNATURE, Checkpoint, NoteKey
from keys.cosignature import cosign, parse_line
from keys.errors import BadNote, BadSignature
from keys.signers import Ed25519Signer

NOW = datetime(2026, 11, 24, 3, 0, 7, 9, tzinfo=UTC)
SEEN = Checkpoint("titian.test/log", 7, b"\x01" * 32)
SIGNER = Ed25519Signer("baz", b"\x02" * 32)
KEY = NoteKey("baz/witness", TYPE_COSIGNATURE, SIGNER.public)


def test_a_line_is_read_back_and_holds():
    read = parse_line(cosign(SEEN, KEY, SIGNER, NOW))
    assert (read.name, read.time) == ("baz/witness", NOW.replace(microsecond=0))
    read.verify(SEEN, KEY)


@pytest.mark.parametrize(
    "seen",
    [replace(SEEN, size=8), replace(SEEN, root=b"\x03" * 32), replace(SEEN, origin="else.test")],
    ids=["size", "root", "origin"],
)
def test_it_stands_for_no_other_checkpoint(seen):
    with pytest.raises(BadSignature):
        parse_line(cosign(SEEN, KEY, SIGNER, NOW)).verify(seen, KEY)


def test_its_time_is_signed():
    read = parse_line(cosign(SEEN, KEY, SIGNER, NOW))
    with pytest.raises(BadSignature):
        replace(read, time=read.time + timedelta(seconds=1)).verify(SEEN, KEY)


def test_another_witness_is_not_believed_in_its_name():
    other = Ed25519Signer("baz", b"\x04" * 32)
    line = cosign(SEEN, KEY, other, NOW)
    with pytest.raises(BadSignature):
        parse_line(line).verify(SEEN, KEY)
    with pytest.raises(BadSignature, match="not one of this witness"):
        parse_line(line).verify(SEEN, replace(KEY, name="dinkes/witness"))


@pytest.mark.parametrize(
    "line", ["", "— baz/witness AAAA", "— baz/witness AAAAAAAA", "no line"], ids=range(4)
)
def test_what_is_no_cosignature_is_refused(line):
    with pytest.raises(BadNote):
        parse_line(line)


def test_two_lines_are_not_one():
    line = cosign(SEEN, KEY, SIGNER, NOW)
    with pytest.raises(BadNote):
        parse_line(f"{line}\n{line}")


def test_a_time_beyond_all_years_is_refused():
    far = parse_line(cosign(SEEN, KEY, SIGNER, NOW))
    huge = b"\xff" * 8 + far.sig
    with pytest.raises(BadNote):
        parse_line(f"— baz/witness {to_base64(KEY.hint + huge)}")
