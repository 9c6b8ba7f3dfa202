"""A statement that the recovery key must sign travels on a stick: written here, signed there, read.

The file is the statement's DSSE envelope itself, so what the offline computer shows is what counts.
Where two papers must sign, each adds its signature to the one file, in any order.
"""

from collections.abc import Sequence
from pathlib import Path

from connectors.errors import FixSettings, Wait
from connectors.memory import Memory
from connectors.recovery import parse_public
from keys import dsse
from keys.errors import TrustError
from keys.keyset import Keyset, Recovery, parse_statement
from keys.privatefile import read_private, write_private
from keys.signers import Signer
from keys.suspension import PAYLOAD_TYPE as SUSPENSION
from keys.suspension import Suspension, parse_suspension

FACT = "recovery"
REPLACED = "recovery_replaced"
"""The reason of a statement that an older recovery key must sign, too, which it does not name."""


def name(memory: Memory, agency: str, public: str) -> None:
    """The next first keyset names this recovery key; one drawn up already is drawn up anew."""
    with memory.change():
        memory.put_fact(FACT, {"agency": agency, "public": public})
        memory.drop_fact("keyset")


def recovery_of(memory: Memory) -> Recovery | None:
    """The recovery key that was taken before the enrolment, or None."""
    kept = memory.fact(FACT)
    if kept is None:
        return None
    key = parse_public(kept["public"], kept["agency"])
    return Recovery(1, {key.kid(kept["agency"]): key})


def countersigned(envelope: bytes, path: Path | None, *others: Recovery) -> bytes:
    """The envelope once its recovery keys have signed it; written to `path` until then.

    A keyset names its own recovery key; `others` are those it does not name. A statement for which
    nobody need sign comes back as it is. The file stays until `put_away`, so no crash loses it.

    Raises:
        Wait: `recovery.unsigned`, or `recovery.unsigned_both` where two papers must sign; what has
            signed the file so far stays in it.
    """
    ours = dsse.parse(envelope)
    own = None if ours.payload_type == SUSPENSION else parse_statement(ours.payload).recovery
    needed = [each for each in (own, *others) if each is not None]
    if _signed(ours, needed) == len(needed):
        return envelope
    signed = 0
    if path is not None:
        brought = _brought(path, ours)
        signed = 0 if brought is None else _signed(dsse.parse(brought), needed)
        if brought is not None and signed == len(needed):
            return brought
        if signed == 0:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(path, envelope)
    if len(needed) > 1:
        raise Wait("recovery.unsigned_both", path=path, signed=signed)
    raise Wait("recovery.unsigned", path=path)


def put_away(path: Path) -> None:
    """The statement is kept elsewhere, or was sent: the file has served."""
    path.unlink(missing_ok=True)


def read_statement(path: Path) -> Keyset | Suspension:
    """The statement in a file that was carried here: a keyset, or that a key speaks again.

    Raises:
        FixSettings: `recovery.file`.
    """
    try:
        envelope = dsse.parse(path.read_bytes())
        if envelope.payload_type == SUSPENSION:
            return parse_suspension(envelope)
        return parse_statement(envelope.payload)
    except (OSError, TrustError) as err:
        raise FixSettings("recovery.file", path=path) from err


def with_signature(data: bytes, signer: Signer) -> bytes:
    """The envelope with one signature more.

    Raises:
        FixSettings: `recovery.other` where it is not a recovery key of the keyset. A statement
            that names none (no keyset), or not all that sign it (`REPLACED`), is judged by whoever
            knows them: the connector, the gateway.
    """
    envelope = dsse.parse(data)
    if envelope.payload_type == SUSPENSION:
        return dsse.add_signature(envelope, signer)
    said = parse_statement(envelope.payload)
    if said.reason != REPLACED and not is_named(said, signer.kid):
        raise FixSettings("recovery.other")
    return dsse.add_signature(envelope, signer)


def is_named(said: Keyset, kid: str) -> bool:
    """Whether it is a recovery key of this keyset."""
    return said.recovery is not None and kid in said.recovery.keys


def _brought(path: Path, ours: dsse.Envelope) -> bytes | None:
    """The file, if it holds our statement."""
    if not path.exists():
        return None
    data = read_private(path) if path.stat().st_mode & 0o077 == 0 else path.read_bytes()
    try:
        return data if dsse.parse(data).payload == ours.payload else None
    except TrustError:
        return None


def _signed(envelope: dsse.Envelope, needed: Sequence[Recovery]) -> int:
    """How many of the recovery keys have signed, each as often as it takes."""
    return sum(_has_signed(envelope, each) for each in needed)


def _has_signed(envelope: dsse.Envelope, recovery: Recovery) -> bool:
    try:
        return len(envelope.verify(recovery.keys)) >= recovery.threshold
    except TrustError:
        return False
