"""A statement that the recovery key must sign travels on a stick: written here, signed there, read.

The file is the statement's DSSE envelope itself, so what the offline computer shows is what counts.
"""

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


def countersigned(envelope: bytes, path: Path | None, recovery: Recovery | None = None) -> bytes:
    """The envelope once its recovery key has signed it; written to `path` until then.

    `recovery` is needed where the statement is no keyset, which names its own. A keyset without a
    recovery key comes back as it is.

    Raises:
        Wait: `recovery.unsigned`.
    """
    ours = dsse.parse(envelope)
    recovery = recovery or parse_statement(ours.payload).recovery
    if recovery is None or _has_signed(ours, recovery):
        return envelope
    if path is not None and path.exists():
        brought = read_private(path) if path.stat().st_mode & 0o077 == 0 else path.read_bytes()
        if _is_signed(brought, ours, recovery):
            path.unlink()
            return brought
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(path, envelope)
    raise Wait("recovery.unsigned", path=path)


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
            that is no keyset names none: the gateway judges it.
    """
    envelope = dsse.parse(data)
    if envelope.payload_type == SUSPENSION:
        return dsse.add_signature(envelope, signer)
    recovery = parse_statement(envelope.payload).recovery
    if recovery is None or signer.kid not in recovery.keys:
        raise FixSettings("recovery.other")
    return dsse.add_signature(envelope, signer)


def _is_signed(brought: bytes, ours: dsse.Envelope, recovery: Recovery) -> bool:
    try:
        envelope = dsse.parse(brought)
    except TrustError:
        return False
    return envelope.payload == ours.payload and _has_signed(envelope, recovery)


def _has_signed(envelope: dsse.Envelope, recovery: Recovery) -> bool:
    try:
        return len(envelope.verify(recovery.keys)) >= recovery.threshold
    except TrustError:
        return False
