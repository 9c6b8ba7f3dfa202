"""A witness's line under a checkpoint: that it saw it, and when.

The line stands for consistency with everything the witness saw before, so whoever signs one has
kept the checkpoint first.

Source: C2SP tlog-cosignature (``cosignature/v1``, note type 0x04); trust.md 3.4.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from keys.canonical import to_base64
from keys.checkpoint import Checkpoint, NoteKey, NoteSignature, parse_note
from keys.errors import BadNote, BadSignature
from keys.signers import Signer

_TIME = 8
_SIG = 64


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A witness's line as it was read; nothing in it is believed yet."""

    name: str
    hint: bytes
    time: datetime
    sig: bytes

    def verify(self, seen: Checkpoint, key: NoteKey) -> None:
        """Return if the witness of ``key`` saw the checkpoint at ``time``.

        Raises:
            BadSignature: another key's line (``sig.unknown_key``), or it does not hold.
        """
        if (self.name, self.hint) != (key.name, key.hint):
            raise BadSignature("sig.unknown_key", "The line is not one of this witness.")
        key.public.verify(self.sig, _message(seen, self.time))


def cosign(seen: Checkpoint, key: NoteKey, signer: Signer, now: datetime) -> str:
    """The signature line, without a newline; ``key`` is the public half of ``signer``."""
    time = now.astimezone(UTC).replace(microsecond=0)
    stamp = int(time.timestamp()).to_bytes(_TIME, "big")
    return f"— {key.name} {to_base64(key.hint + stamp + signer.sign(_message(seen, time)))}"


def parse_line(line: str) -> Cosignature:
    """The cosignature that one signature line spells.

    Raises:
        BadNote: not one line, or not of this form.
    """
    lines = parse_note(f"-\n\n{line}\n".encode()).signatures
    if len(lines) != 1:
        raise BadNote("note.signatures", "A cosignature is one line.")
    return read(lines[0])


def read(line: NoteSignature) -> Cosignature:
    """The cosignature of one signature line of a note.

    Raises:
        BadNote: its length or its time is none.
    """
    if len(line.sig) != _TIME + _SIG:
        raise BadNote("note.signatures", "A cosignature has 8 bytes of time and 64 of signature.")
    try:
        time = datetime.fromtimestamp(int.from_bytes(line.sig[:_TIME], "big"), UTC)
    except (ValueError, OverflowError, OSError) as err:
        raise BadNote("note.signatures", "A cosignature's time is none.") from err
    return Cosignature(line.name, line.hint, time, line.sig[_TIME:])


def _message(seen: Checkpoint, time: datetime) -> bytes:
    return f"cosignature/v1\ntime {int(time.timestamp())}\n{seen.body()}".encode()
