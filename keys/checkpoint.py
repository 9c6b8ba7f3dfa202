"""Signed notes, checkpoints and log proofs, in the texts of C2SP.

A note is text, an empty line, and signature lines of the form ``— name base64(hint ‖ signature)``.
A checkpoint is a note of exactly three lines: origin, size, root. The key's name must be the
origin, so that one key never speaks for two logs.

Source: C2SP signed-note, tlog-checkpoint, tlog-proof; trust.md 3.2.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from keys.canonical import from_base64, to_base64
from keys.errors import BadJson, BadNote, BadProof, BadSignature
from keys.signers import ED25519, Ed25519Signer, PublicKey

TYPE_ED25519 = 0x01
TYPE_COSIGNATURE = 0x04
MAX_NOTE = 64 * 1024
MAX_PROOF = 128 * 1024
MAX_LINES = 100
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,17}")
_NAME = re.compile(r"[^\s+\x00-\x1f]{1,200}")
_PROOF_HEAD = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log commits to: its name, how many leaves, and their root (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The three lines that are signed, each ended by a newline."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"


@dataclass(frozen=True, slots=True)
class NoteKey:
    """The public half of a note key, written as a vkey: ``name+hash+base64(type ‖ key)``."""

    name: str
    type: int
    public: PublicKey

    @property
    def hint(self) -> bytes:
        """The 4 bytes that begin each of the key's signatures."""
        return _hint(self.name, bytes([self.type]) + self.public.raw)

    def vkey(self) -> str:
        """The key's one-line text."""
        typed = bytes([self.type]) + self.public.raw
        return f"{self.name}+{self.hint.hex()}+{to_base64(typed)}"


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line of a note."""

    name: str
    hint: bytes
    sig: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note; nothing in it is believed yet."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def verify(self, key: NoteKey) -> None:
        """Return if the key signed the text; other keys' lines are passed over.

        Raises:
            BadSignature: a line of the key does not hold (``sig.invalid``), or it has none
                (``sig.unknown_key``).
        """
        lines = [s for s in self.signatures if s.name == key.name and s.hint == key.hint]
        if not lines:
            raise BadSignature("sig.unknown_key", "The note has no signature by the key.")
        for line in lines:
            key.public.verify(line.sig, self.text.encode("utf-8"))


def witness_key(agency: str, public: PublicKey) -> NoteKey:
    """The note key with which an agency cosigns checkpoints."""
    return NoteKey(f"{agency}.witness", TYPE_COSIGNATURE, public)


class NoteSigner:
    """Signs notes in the name of one log, with note type 0x01."""

    __slots__ = ("_signer", "key", "vkey")

    def __init__(self, name: str, seed: bytes) -> None:
        self._signer = Ed25519Signer("log", seed)
        self.key = NoteKey(_name(name), TYPE_ED25519, self._signer.public)
        self.vkey = self.key.vkey()

    def sign(self, checkpoint: Checkpoint) -> bytes:
        """The checkpoint as a signed note.

        Raises:
            BadNote: the checkpoint is of another log, or its root has not 32 bytes.
        """
        if checkpoint.origin != self.key.name or len(checkpoint.root) != 32 or checkpoint.size < 0:
            raise BadNote("note.origin", "The checkpoint is not one of this log.")
        body = checkpoint.body()
        line = to_base64(self.key.hint + self._signer.sign(body.encode("utf-8")))
        return f"{body}\n— {self.key.name} {line}\n".encode()

    def __repr__(self) -> str:
        return f"NoteSigner({self.vkey})"


@dataclass(frozen=True, slots=True)
class LogProof:
    """Where an entry stands in a log, the path to the root, and the note that signs the root."""

    index: int
    path: tuple[bytes, ...]
    note: bytes


def parse_vkey(vkey: str, *, kind: int = TYPE_ED25519) -> NoteKey:
    """The key of a vkey line.

    Raises:
        BadNote: not a vkey of that type, or its hash is not that of its key.
        BadKey: the key must not be used (low order, not canonical).
    """
    try:
        name, digits, text = vkey.split("+", 2)
        typed = from_base64(text)
    except (ValueError, BadJson) as err:
        raise BadNote("note.vkey", "The log key is not written as name+hash+key.") from err
    if len(typed) != 33 or typed[0] != kind or digits != _hint(_name(name), typed).hex():
        raise BadNote("note.vkey", "The log key does not match its own hash.")
    return NoteKey(name, kind, PublicKey.parse(ED25519, typed[1:]))


def parse_note(note: bytes) -> Note:
    """The text and the signature lines of a note.

    Raises:
        BadNote: too long, not UTF-8, control characters, or no well-formed signature lines.
    """
    if len(note) > MAX_NOTE:
        raise BadNote("note.size", "The note is too long.")
    try:
        whole = note.decode("utf-8")
    except UnicodeError as err:
        raise BadNote("note.text", "The note is not UTF-8.") from err
    if any(char < " " and char != "\n" for char in whole):
        raise BadNote("note.text", "The note holds control characters.")
    text, gap, tail = whole.rpartition("\n\n")
    lines = tail.split("\n")
    if not gap or lines.pop() != "" or not 1 <= len(lines) <= MAX_LINES:
        raise BadNote("note.signatures", "The note does not end in signature lines.")
    return Note(text + "\n", tuple(_signature_line(line) for line in lines))


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint that a note's text spells: three lines, no extension.

    Raises:
        BadNote: any other text.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not _DECIMAL.fullmatch(lines[1]):
        raise BadNote("note.checkpoint", "The note is not a checkpoint of three lines.")
    try:
        root = from_base64(lines[2])
    except BadJson as err:
        raise BadNote("note.checkpoint", "The checkpoint's root is not base64.") from err
    if len(root) != 32:
        raise BadNote("note.checkpoint", "The checkpoint's root has not 32 bytes.")
    return Checkpoint(_name(lines[0]), int(lines[1]), root)


def verify(note: bytes, vkey: str) -> Checkpoint:
    """The checkpoint of a note, signed by the log of ``vkey``.

    Raises:
        BadNote: not a checkpoint, or one of another log (``note.origin``).
        BadSignature: the log's key did not sign it.
    """
    key = parse_vkey(vkey)
    parsed = parse_note(note)
    parsed.verify(key)
    found = parse_checkpoint(parsed.text)
    if found.origin != key.name:
        raise BadNote("note.origin", "The checkpoint is one of another log.")
    return found


def format_proof(index: int, path: Sequence[bytes], note: bytes) -> str:
    """The C2SP tlog-proof text of an entry: index, path, and the note."""
    lines = [_PROOF_HEAD, f"index {index}", *map(to_base64, path)]
    return "\n".join(lines) + "\n\n" + note.decode("utf-8")


def parse_proof(text: str) -> LogProof:
    """The proof that a C2SP tlog-proof text spells; extra data is not taken.

    Raises:
        BadProof: another text.
    """
    head, gap, note = text.partition("\n\n")
    lines = head.split("\n")
    if len(text) > MAX_PROOF or not gap or lines[0] != _PROOF_HEAD or not 2 <= len(lines) <= 66:
        raise BadProof("proof.text", "The text is not a log proof.")
    word, _, number = lines[1].partition(" ")
    if word != "index" or not _DECIMAL.fullmatch(number):
        raise BadProof("proof.text", "The log proof has no index.")
    try:
        path = tuple(from_base64(line) for line in lines[2:])
    except BadJson as err:
        raise BadProof("proof.text", "A line of the log proof is not base64.") from err
    return LogProof(int(number), path, note.encode("utf-8"))


def _signature_line(line: str) -> NoteSignature:
    dash, _, rest = line.partition(" ")
    name, _, text = rest.partition(" ")
    try:
        raw = from_base64(text)
    except BadJson as err:
        raise BadNote("note.signatures", "A signature line of the note is not base64.") from err
    if dash != "—" or len(raw) < 5:
        raise BadNote("note.signatures", "A signature line of the note is malformed.")
    return NoteSignature(_name(name), raw[:4], raw[4:])


def _hint(name: str, typed: bytes) -> bytes:
    return hashlib.sha256(name.encode("utf-8") + b"\n" + typed).digest()[:4]


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise BadNote("note.name", "A key's name is empty or holds spaces, plus or controls.")
    return text
