"""Cosignatures: read back as made, and refused where anything in them is another's."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keys.canonical import from_base64, to_base64
from keys.checkpoint import (
    TYPE_COSIGNATURE,
    Checkpoint,
    NoteKey,
    parse_checkpoint,
    parse_note,
)
from keys.cosignature import cosign, parse_line
from keys.errors import BadNote, BadSignature
from keys.signers import Ed25519Signer
from tests.shared import shared

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


def test_a_line_holds_the_hint_eight_bytes_of_seconds_and_the_signature():
    line = cosign(SEEN, KEY, SIGNER, NOW)
    dash, name, text = line.split(" ")
    raw = from_base64(text)
    assert (dash, name, raw[:4], len(raw)) == ("—", "baz/witness", KEY.hint, 76)
    assert int.from_bytes(raw[4:12], "big") == int(NOW.timestamp())
    said = f"cosignature/v1\ntime {int(NOW.timestamp())}\n{SEEN.body()}"
    SIGNER.public.verify(raw[12:], said.encode())


@pytest.mark.parametrize("name", ["aaa", "zzz"])
def test_a_witness_of_another_name_is_another_witness(name):
    with pytest.raises(BadSignature) as refused:
        parse_line(cosign(SEEN, KEY, SIGNER, NOW)).verify(SEEN, replace(KEY, name=name))
    assert refused.value.code == "sig.unknown_key"


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


@pytest.mark.parametrize("size", [71, 73, 100])
def test_time_and_signature_have_their_length(size):
    with pytest.raises(BadNote):
        parse_line(f"— baz/witness {to_base64(KEY.hint + bytes(size))}")


def test_two_lines_are_not_one():
    line = cosign(SEEN, KEY, SIGNER, NOW)
    with pytest.raises(BadNote):
        parse_line(f"{line}\n{line}")


C2SP = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""
"""The example of C2SP tlog-cosignature; it names no key."""


def test_the_published_example_reads_as_it_says() -> None:
    line = C2SP.splitlines()[-1]
    made = parse_line(line)
    assert (made.name, made.hint.hex()) == ("witness.example.com/w1", "8d66cf3f")
    assert int(made.time.timestamp()) == 1679315147
    seen = parse_checkpoint(parse_note(C2SP.encode()).text)
    signed = []

    class Recorder(Ed25519Signer):
        def sign(self, data: bytes) -> bytes:
            signed.append(data)
            return super().sign(data)

    cosign(seen, KEY, Recorder("baz", b"\x02" * 32), made.time)
    body = C2SP.partition("\n\n")[0] + "\n"
    assert signed == [f"cosignature/v1\ntime 1679315147\n{body}".encode()]


def test_lines_of_other_peoples_witnesses_are_read_and_never_believed_under_our_key() -> None:
    path = shared("data/vectors/checkpoint/sigstore-rekor2-checkpoints.json")
    read = 0
    for case in json.loads(path.read_text())["cases"]:
        note = case["checkpoint"] or ""
        for line in note.splitlines():
            if not line.startswith("— witness."):
                continue
            made = parse_line(line)
            assert made.time.year == 2025
            named = replace(KEY, name=made.name)
            with pytest.raises(BadSignature):
                made.verify(parse_checkpoint(parse_note(note.encode()).text), named)
            read += 1
    assert read == 5


def test_a_time_beyond_all_years_is_refused():
    far = parse_line(cosign(SEEN, KEY, SIGNER, NOW))
    huge = b"\xff" * 8 + far.sig
    with pytest.raises(BadNote):
        parse_line(f"— baz/witness {to_base64(KEY.hint + huge)}")
