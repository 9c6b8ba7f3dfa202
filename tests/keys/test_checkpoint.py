"""Notes, checkpoints and log proofs are those of C2SP, byte for byte."""

import base64
import json
import re
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import checkpoint, merkle
from keys.checkpoint import Checkpoint, NoteKey, NoteSigner
from keys.errors import BadKey, BadNote, BadProof, BadSignature, TrustError
from keys.signers import PublicKey
from tests.shared import shared

ORIGIN = "titian.example/log/2026"
LOG = NoteSigner(ORIGIN, bytes([7]) * 32)
HEAD = Checkpoint(ORIGIN, 5, bytes(range(32)))
NOTE = LOG.sign(HEAD)


def _notes() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared("data/vectors/checkpoint/notes.json").read_text())
    return found


def test_the_published_notes_verify() -> None:
    notes = _notes()
    golang, c2sp = notes["golang_note"], notes["c2sp_note"]
    whole = golang["text"] + "\n" + golang["sig_peter"] + golang["sig_enoch"]
    parsed = checkpoint.parse_note(whole.encode())
    parsed.verify(checkpoint.parse_vkey(golang["vkey"]))
    parsed.verify(checkpoint.parse_vkey(golang["other_vkey"]))
    checkpoint.parse_note(c2sp["note"].encode()).verify(checkpoint.parse_vkey(c2sp["vkey"]))


def test_the_published_signing_key_makes_the_published_bytes() -> None:
    golang = _notes()["golang_note"]
    seed = base64.b64decode(golang["skey"].split("+", 4)[4])[1:]
    signer = NoteSigner("PeterNeumann", seed)
    assert signer.vkey == golang["vkey"]
    sig = signer.key.hint + signer._signer.sign(golang["text"].encode())
    assert golang["sig_peter"] == f"— PeterNeumann {base64.b64encode(sig).decode()}\n"


def test_published_bad_keys_are_refused() -> None:
    for vkey in _notes()["golang_note"]["bad_vkeys"]:
        with pytest.raises(BadNote):
            checkpoint.parse_vkey(vkey)


def _rekor_keys(case: dict[str, Any]) -> list[NoteKey]:
    """The Ed25519 log keys that the case trusts, in our writing."""
    keys = []
    for log in case["trusted_logs"]:
        public = load_der_public_key(base64.b64decode(log["key"]["rawBytes"]))
        if isinstance(public, Ed25519PublicKey):
            name = re.sub("^https?://", "", log["baseUrl"])
            keys.append(NoteKey(name, 1, PublicKey("ed25519", public.public_bytes_raw())))
    return keys


def test_rekor_checkpoints_with_their_log_keys() -> None:
    path = shared("data/vectors/checkpoint/sigstore-rekor2-checkpoints.json")
    cases = [c for c in json.loads(path.read_text())["cases"] if c["trusted_logs"]]
    judged = 0
    for case in cases:
        if not case["checkpoint"]:
            continue
        judged += 1
        assert _rekor_holds(case) != case["want_fail"], case["case"]
    assert judged == 11


def test_checkpoints_with_more_than_three_lines_are_not_read() -> None:
    path = shared("data/vectors/checkpoint/sigstore-rekor2-checkpoints.json")
    cases = [c for c in json.loads(path.read_text())["cases"] if not c["trusted_logs"]]
    notes = [case["checkpoint"] for case in cases if case["checkpoint"]]
    assert len(notes) == 3
    for note in notes:
        with pytest.raises(BadNote):
            checkpoint.parse_checkpoint(checkpoint.parse_note(note.encode()).text)


def _rekor_holds(case: dict[str, Any]) -> bool:
    leaf = merkle.leaf_hash(base64.b64decode(case["canonicalizedBody"]))
    hashes = [base64.b64decode(each) for each in case["hashes"] or []]
    for key in _rekor_keys(case):
        try:
            head = checkpoint.verify(case["checkpoint"].encode(), key.vkey())
            merkle.verify_inclusion(leaf, int(case["logIndex"] or 0), head.size, hashes, head.root)
        except TrustError:
            continue
        return True
    return False


def test_a_checkpoint_is_three_lines_and_a_signature() -> None:
    text, line = NOTE.decode().split("\n\n")
    root = base64.b64encode(HEAD.root).decode()
    assert text == f"{ORIGIN}\n5\n{root}"
    assert re.fullmatch(rf"— {ORIGIN} [A-Za-z0-9+/]+=*\n", line)
    assert checkpoint.verify(NOTE, LOG.vkey) == HEAD


@given(st.integers(0, 2**50), st.binary(min_size=32, max_size=32))
def test_what_is_signed_reads_back(size: int, root: bytes) -> None:
    head = Checkpoint(ORIGIN, size, root)
    assert checkpoint.verify(LOG.sign(head), LOG.vkey) == head


NAMES = st.from_regex(r"[a-z0-9./-]{1,40}", fullmatch=True)


@given(NAMES, st.integers(0, 10**18 - 1), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_has_one_text_and_a_text_one_checkpoint(
    origin: str, size: int, root: bytes
) -> None:
    head = Checkpoint(origin, size, root)
    assert checkpoint.parse_checkpoint(head.body()) == head


@given(st.integers(0, len(HEAD.body())), st.integers(0, 3), st.text(max_size=3))
def test_an_edited_checkpoint_is_another_one_or_none(at: int, gone: int, more: str) -> None:
    text = HEAD.body()[:at] + more + HEAD.body()[at + gone :]
    try:
        found = checkpoint.parse_checkpoint(text)
    except BadNote:
        return
    assert found.body() == text
    assert (found == HEAD) == (text == HEAD.body())


@settings(max_examples=300)
@given(st.integers(0, len(NOTE) * 8 - 1))
def test_no_flipped_bit_of_a_note_is_believed(at: int) -> None:
    flipped = bytearray(NOTE)
    flipped[at // 8] ^= 1 << at % 8
    with pytest.raises(TrustError):
        checkpoint.verify(bytes(flipped), LOG.vkey)


def test_another_key_of_the_same_name_is_refused() -> None:
    other = NoteSigner(ORIGIN, bytes([8]) * 32)
    with pytest.raises(BadSignature) as refused:
        checkpoint.verify(NOTE, other.vkey)
    assert refused.value.code == "sig.unknown_key"


def test_an_altered_text_is_refused() -> None:
    with pytest.raises(BadSignature) as refused:
        checkpoint.verify(NOTE.replace(b"\n5\n", b"\n6\n"), LOG.vkey)
    assert refused.value.code == "sig.invalid"


def test_a_key_never_speaks_for_another_log() -> None:
    with pytest.raises(BadNote):
        LOG.sign(Checkpoint("other.example/log", 1, bytes(32)))
    with pytest.raises(BadNote):
        LOG.sign(Checkpoint(ORIGIN, 1, b"short"))
    foreign = NoteSigner("foreign", bytes([7]) * 32)
    body = HEAD.body()
    line = base64.b64encode(foreign.key.hint + foreign._signer.sign(body.encode())).decode()
    with pytest.raises(BadNote) as refused:
        checkpoint.verify(f"{body}\n— foreign {line}\n".encode(), foreign.vkey)
    assert refused.value.code == "note.origin"


def test_lines_of_unknown_keys_are_passed_over() -> None:
    witness = NOTE + "— witness.example ".encode() + base64.b64encode(bytes(76)) + b"\n"
    assert checkpoint.verify(witness, LOG.vkey) == HEAD


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\xff\n\n",
        b"text\n",
        NOTE[:-1],
        NOTE + b"\n",
        NOTE.replace(b"\n\n", b"\n"),
        NOTE.replace("—".encode(), b"-"),
        NOTE.replace(b"\n5", b"\r\n5"),
        HEAD.body().encode() + "\n— name !!!\n".encode(),
        HEAD.body().encode() + "\n— name QUJD\n".encode(),
        HEAD.body().encode() + "\n— na+me QUJDREVG\n".encode(),
        HEAD.body().encode() + b"\n" + NOTE.split(b"\n\n")[1] * 101,
        b"a" * 70_000,
        NOTE + NOTE.split(b"\n\n")[1][:-1],
        HEAD.body().encode() + "\n— name QUJDRA==\n".encode(),
    ],
    ids=range(15),
)
def test_a_malformed_note_is_refused(note: bytes) -> None:
    with pytest.raises(BadNote):
        checkpoint.parse_note(note)


@pytest.mark.parametrize(
    "text",
    [
        "origin\n1\n",
        "origin\n1\nQUJD\n",
        "origin\n01\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "origin\n-1\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "origin\n1\n" + base64.b64encode(bytes(32)).decode(),
        "origin\n1\n" + base64.b64encode(bytes(32)).decode() + "\nextension\n",
        "\n1\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "origin\n1\nnot base64\n",
        "origin\n1\n" + base64.b64encode(bytes(32)).decode() + "\n\nextension\n",
        "origin\n1\n" + base64.b64encode(bytes(31)).decode() + "\n",
        "origin\n1\n" + base64.b64encode(bytes(33)).decode() + "\n",
        "origin\n1000000000000000000\n" + base64.b64encode(bytes(32)).decode() + "\n",
    ],
    ids=range(12),
)
def test_another_text_is_no_checkpoint(text: str) -> None:
    with pytest.raises(BadNote):
        checkpoint.parse_checkpoint(text)


def test_vkeys_are_strict_and_refuse_unsound_keys() -> None:
    name, digits, text = LOG.vkey.split("+", 2)
    for wrong in ("", "a+b", f"{name}+00000000+{text}", f"{name}+{digits}+!", f"+{digits}+{text}"):
        with pytest.raises(BadNote):
            checkpoint.parse_vkey(wrong)
    with pytest.raises(BadNote):
        checkpoint.parse_vkey(LOG.vkey, kind=checkpoint.TYPE_COSIGNATURE)
    typed = b"\x01" + b"\x01" + bytes(31)
    digits = checkpoint._hint(name, typed).hex()
    with pytest.raises(BadKey):
        checkpoint.parse_vkey(f"{name}+{digits}+{base64.b64encode(typed).decode()}")


def test_a_signature_has_at_least_a_byte_after_its_hint() -> None:
    note = HEAD.body().encode() + "\n— name QUJDREU=\n".encode()
    assert checkpoint.parse_note(note).signatures[0].sig == b"E"


def test_a_witness_key_is_of_the_type_that_c2sp_gave_cosignatures() -> None:
    key = checkpoint.witness_key("dinsos", LOG.key.public)
    name, digits, text = key.vkey().split("+", 2)
    assert (name, base64.b64decode(text)) == ("dinsos.witness", b"\x04" + LOG.key.public.raw)
    assert checkpoint.parse_vkey(key.vkey(), kind=4) == key
    assert base64.b64decode(LOG.vkey.split("+", 2)[2])[0] == 1
    for wrong in (b"\x04", b"\x04" + bytes(31), b"\x04" + LOG.key.public.raw + b"\0"):
        made = f"{name}+{checkpoint._hint(name, wrong).hex()}+{base64.b64encode(wrong).decode()}"
        with pytest.raises(BadNote):
            checkpoint.parse_vkey(made, kind=4)
    assert digits == key.hint.hex()


def test_no_tree_has_less_than_no_leaves() -> None:
    assert checkpoint.verify(LOG.sign(Checkpoint(ORIGIN, 0, bytes(32))), LOG.vkey).size == 0
    for root in (bytes(31), bytes(33)):
        with pytest.raises(BadNote):
            LOG.sign(Checkpoint(ORIGIN, 1, root))
    with pytest.raises(BadNote):
        LOG.sign(Checkpoint(ORIGIN, -1, bytes(32)))


def test_a_note_has_64_kib_at_most_and_a_proof_128() -> None:
    tail = b"\n\n" + NOTE.split(b"\n\n")[1]
    text = b"a" * (64 * 1024 - len(tail))
    assert len(checkpoint.parse_note(text + tail).text) == len(text) + 1
    with pytest.raises(BadNote) as refused:
        checkpoint.parse_note(b"a" + text + tail)
    assert refused.value.code == "note.size"
    start = "c2sp.org/tlog-proof@v1\nindex 1\n\n"
    whole = start + "a" * (128 * 1024 - len(start))
    assert checkpoint.parse_proof(whole).index == 1
    with pytest.raises(BadProof):
        checkpoint.parse_proof(whole + "a")


def test_a_path_has_at_most_64_hashes() -> None:
    for count, fits in ((64, True), (65, False)):
        text = checkpoint.format_proof(3, [bytes(32)] * count, NOTE)
        if fits:
            assert len(checkpoint.parse_proof(text).path) == count
        else:
            with pytest.raises(BadProof):
                checkpoint.parse_proof(text)


def test_a_note_signer_shows_only_its_public_half() -> None:
    assert bytes([7] * 32).hex() not in repr(LOG)
    assert LOG.vkey in repr(LOG)


@given(st.integers(0, 2**40), st.lists(st.binary(min_size=32, max_size=32), max_size=40))
def test_a_log_proof_reads_back(index: int, path: list[bytes]) -> None:
    text = checkpoint.format_proof(index, path, NOTE)
    proof = checkpoint.parse_proof(text)
    assert (proof.index, list(proof.path), proof.note) == (index, path, NOTE)


def test_a_log_proof_is_the_text_of_c2sp() -> None:
    text = checkpoint.format_proof(3, [bytes(32)], NOTE)
    assert text == (
        f"c2sp.org/tlog-proof@v1\nindex 3\n{base64.b64encode(bytes(32)).decode()}\n\n{NOTE.decode()}"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1\nindex 1\n",
        "c2sp.org/tlog-proof@v2\nindex 1\n\nnote",
        "c2sp.org/tlog-proof@v1\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 01\n\nnote",
        "c2sp.org/tlog-proof@v1\nextra QUJD\nindex 1\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 1\n!\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 1\n" + "QUJD\n" * 70 + "\nnote",
        "c2sp.org/tlog-proof@v1\nindex 1\n\n" + "a" * 200_000,
        "c2sp.org/tlog-proof@v1\naaaaa 1\n\nnote",
        "c2sp.org/tlog-proof@v1\nzzzzz 1\n\nnote",
    ],
    ids=range(11),
)
def test_another_text_is_no_log_proof(text: str) -> None:
    with pytest.raises(BadProof):
        checkpoint.parse_proof(text)
