"""From a ticket to an active key: make it, prove it, wait for two persons, believe the log.

Every step can be repeated: what was made before is used again, so a lost answer costs nothing.
"""

import json
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors import keybook
from connectors.client import Client, Problem
from connectors.config import Config
from connectors.countersigning import countersigned, put_away, recovery_of
from connectors.errors import CallCentre, FixSettings, Wait
from connectors.evidence import Anchors, check_proof
from connectors.keybook import Book
from connectors.memory import Memory
from connectors.speaker import signer_of, signing_kids, witness_kids
from keys import dsse, keyset
from keys.canonical import from_base64, to_base64
from keys.checkpoint import witness_key
from keys.enrolment import Ticket, parse_ticket, seal_enrolment
from keys.errors import BadTicket, TrustError
from keys.keyset import KeyEntry
from keys.keystore import WITNESS, KeyStore
from keys.privatefile import read_private, write_private
from keys.signers import PublicKey, Signer

KEYSET_TYPE = "application/vnd.titian.keyset.v1+json"
NEEDED = 2


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an enrolment is: the fingerprint is what is read out on the phone."""

    state: str
    fingerprint: str
    approvals: int


def read_ticket(text: str, agency: str, now: datetime) -> Ticket:
    """The ticket, if it is ours and still good.

    Raises:
        FixSettings: `enrol.ticket`.
    """
    try:
        ticket = parse_ticket(text, now=now)
    except BadTicket as err:
        raise FixSettings("enrol.ticket", reason=str(err)) from err
    if ticket.agency != agency:
        raise FixSettings("enrol.ticket", reason="It was made out for another agency.")
    return ticket


def open_keys(config: Config, passphrase: str | None) -> KeyStore:
    """The agency's key file.

    Raises:
        FixSettings: `settings.key`.
    """
    try:
        config.places.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        return KeyStore(config.places.key_file, passphrase)
    except TrustError as err:
        raise FixSettings("settings.key", reason=str(err)) from err
    except OSError as err:
        raise FixSettings("settings.key", reason=f"{err.strerror}.") from err


def enrol(
    ticket: Ticket, store: KeyStore, client: Client, memory: Memory, now: datetime
) -> Standing:
    """Sends the agency's keyset, or asks how it stands where it was sent before.

    Raises:
        Wait: `recovery.unsigned` while its recovery key has not signed it.
        CallCentre: the gateway refused, or its log proof does not hold.
    """
    prepare(ticket, store, client, memory, now)
    signer = signer_of(store, memory.fact("keyset")["kid"])
    signers = [signer, *(signer_of(store, kid) for kid in witness_kids(store))]
    kept = memory.fact("enrolment") or {}
    try:
        if kept.get("ticket_id") != ticket.ticket_id:
            _post(ticket, signers, client, memory)
        answer = client.enrolment(ticket.ticket_id)
    except Problem as problem:
        raise problem.error() from problem
    return _standing(answer, signer.public, ticket, memory)


def name_keeper(memory: Memory, code: str | None) -> None:
    """Remembers the body that keeps the key for this agency, before the keyset is made."""
    if code is not None:
        memory.put_fact("kept_by", code)


def prepare(ticket: Ticket, store: KeyStore, client: Client, memory: Memory, now: datetime) -> None:
    """Makes the agency's key and its keyset, unless both are there already.

    The keyset says who keeps the key: a body of that code for the agency, else this machine's name.

    Where the agency had keys before, the new keyset continues their chain.

    Raises:
        ConnectorError: the gateway cannot be asked, or knows no such ticket.
    """
    kid = _own_kid(store, memory) or store.generate(ticket.agency)
    kept = memory.fact("keyset")
    if kept is not None and (kept["kid"], kept["aud"]) == (kid, ticket.aud):
        return
    if not witness_kids(store):
        store.generate(ticket.agency, {WITNESS})
    signer, witness = signer_of(store, kid), signer_of(store, witness_kids(store)[0])
    machine = _clean(socket.gethostname().split(".")[0][:40] or "connector")
    instance = memory.fact("kept_by") or machine
    entry = keyset.entry_of(ticket.agency, signer.public, instance=instance, not_before=now)
    plain = _plain(ticket, entry, client, memory, now)
    watching = {witness.kid: witness_key(ticket.agency, witness.public)}
    payload = keyset.encode(replace(keyset.parse_statement(plain), witness=watching))
    envelope = dsse.seal(KEYSET_TYPE, payload, [signer, witness])
    _keep_envelope(memory, {"kid": kid, "aud": ticket.aud}, envelope)


def _plain(ticket: Ticket, entry: KeyEntry, client: Client, memory: Memory, now: datetime) -> bytes:
    """The statement with its one signing key, as the first or after the one in force."""
    try:
        before = client.challenge(ticket.ticket_id)[1]
    except Problem as problem:
        raise problem.error() from problem
    recovery = recovery_of(memory)
    if before is None:
        return keyset.build(ticket.aud, ticket.agency, [entry], issued=now, recovery=recovery)
    try:
        envelope = dsse.parse(before)
        said = keyset.parse_statement(envelope.payload)
    except TrustError as err:
        raise CallCentre("trust.keyset", reason=str(err)) from err
    sha256 = envelope.payload_sha256
    return keyset.build_again(said, sha256, [entry], issued=now, recovery=recovery)


def countersign(memory: Memory, path: Path) -> None:
    """Lets the recovery key of the first keyset sign it, by the file at `path`.

    Raises:
        Wait: `recovery.unsigned` until it has; the file is there to be carried away.
    """
    kept = memory.fact("keyset")
    _keep_envelope(memory, kept, countersigned(from_base64(kept["envelope"]), path))
    put_away(path)


def _keep_envelope(memory: Memory, kept: Mapping[str, str], envelope: bytes) -> None:
    memory.put_fact("keyset", {**kept, "envelope": to_base64(envelope)})


def _own_kid(store: KeyStore, memory: Memory) -> str | None:
    """The key that enrols, or was enrolled: the one the memory names, else any that signs."""
    kids = signing_kids(store)
    named = (memory.fact("keyset") or {}).get("kid")
    return named if named in kids else next(iter(kids), None)


def _post(ticket: Ticket, signers: Sequence[Signer], client: Client, memory: Memory) -> None:
    envelope = countersigned(from_base64(memory.fact("keyset")["envelope"]), None)
    nonce, _ = client.challenge(ticket.ticket_id)
    sent = dsse.parse(envelope)
    named = {signature.keyid for signature in sent.signatures}
    provers = [each for each in signers if each.kid in named]
    proof = seal_enrolment(ticket, nonce, sent.payload_sha256, provers)
    client.enrol(to_base64(envelope), to_base64(proof))
    memory.put_fact("enrolment", {"ticket_id": ticket.ticket_id, "state": "pending"})


def _standing(
    answer: Mapping[str, Any], public: PublicKey, ticket: Ticket, memory: Memory
) -> Standing:
    state, approvals = str(answer.get("state")), int(answer.get("approvals", 0))
    if state == "active":
        leaf, proof = answer.get("keyset_leaf"), answer.get("proof")
        if not isinstance(leaf, str) or not isinstance(proof, str):
            # Approved, but not yet in a signed checkpoint: not active to us.
            return Standing("pending", public.fingerprint(), approvals)
        book = _logged(answer, memory)
        if leaf != book.leaf.hex():
            raise CallCentre("trust.proof", reason="The leaf is not that of our keyset.")
        check_proof(proof, book.leaf, anchors_of(ticket))
        with memory.change():
            keybook.keep(memory, book)
            memory.put_fact("keyset_proof", {"leaf": leaf, "proof": proof})
    elif state != "pending":
        raise CallCentre("gateway.refused", title=state[:40], code="enrol.state")
    return Standing(state, public.fingerprint(), approvals)


def _logged(answer: Mapping[str, Any], memory: Memory) -> Book:
    """Our keyset as the log has it: the centre may have signed the same payload as well."""
    try:
        told = keybook.read(from_base64(str(answer["envelope"])))
    except (KeyError, TrustError) as err:
        raise Wait("gateway.answer", reason="keyset") from err
    ours = keybook.load(memory)
    if ours is None or told.payload_sha256 != ours.payload_sha256:
        raise CallCentre("trust.proof", reason="It is not our keyset.")
    return told


def standing_now(config: Config, memory: Memory) -> Standing:
    """Where an active agency is, by the key that its memory says speaks."""
    kid = memory.fact("keyset")["kid"]
    fingerprint = open_keys(config, None).public(kid).fingerprint()
    return Standing(state_of(config, memory), fingerprint, NEEDED)


def anchors_of(ticket: Ticket) -> Anchors:
    return Anchors(ticket.aud, ticket.log_vkey, {ticket.receipt_kid: ticket.receipt})


def keep_anchors(config: Config, ticket: Ticket) -> None:
    """Writes what an active enrolment rests on, without the ticket's secret, beside the key.

    There it survives the loss of the state.
    """
    value = {
        "gateway": ticket.gateway,
        "aud": ticket.aud,
        "log_vkey": ticket.log_vkey,
        "receipt": {
            "kid": ticket.receipt_kid,
            "alg": ticket.receipt.alg,
            "pub": to_base64(ticket.receipt.raw),
        },
    }
    config.places.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(config.places.anchors, json.dumps(value, indent=2).encode("utf-8"))


def load_anchors(config: Config) -> tuple[str, Anchors]:
    """(gateway URL, anchors) of the enrolment.

    Raises:
        FixSettings: `enrol.needed` before the enrolment, `settings.key` for a damaged file.
    """
    if not config.places.anchors.exists():
        raise FixSettings("enrol.needed", agency=config.agency)
    try:
        value = json.loads(read_private(config.places.anchors))
        receipt = value["receipt"]
        public = PublicKey.parse(receipt["alg"], from_base64(receipt["pub"]))
        anchors = Anchors(value["aud"], value["log_vkey"], {receipt["kid"]: public})
        return config.gateway_url or str(value["gateway"]), anchors
    except (TrustError, ValueError, KeyError, TypeError) as err:
        raise FixSettings("settings.key", reason="anchors.json is damaged.") from err


def state_of(config: Config, memory: Memory) -> str:
    """`active` once the keyset's log proof was checked, `pending` before, `-` before the ticket."""
    if config.places.anchors.exists():
        return "active"
    return "-" if memory.fact("enrolment") is None else "pending"


def require_active(config: Config, memory: Memory) -> None:
    """Nothing is published before the keyset's log proof was checked.

    Raises:
        FixSettings: `enrol.needed`.
        Wait: `enrol.pending`.
    """
    state = state_of(config, memory)
    if state == "pending":
        raise Wait("enrol.pending", approvals="?")
    if state != "active":
        raise FixSettings("enrol.needed", agency=config.agency)


def _clean(name: str) -> str:
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower())
    return kept.strip("-") or "connector"
