"""The ticket that lets an agency in, and the proof that the keys which come hold it.

A ticket is a small JSON file that an IT officer is given on paper or by letter. The connector
checks the gateway's keys against it, makes its own keys, and answers the gateway's challenge with a
statement that all of these keys sign, but for the recovery key, which lies offline. The ticket's
secret itself never travels: the statement carries an HMAC under ``ticket_key(secret)``, and that
key is all the gateway keeps.

Source: trust.md 1.5 (steps 1 to 3); RFC 2104 (HMAC).
"""

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from keys.canonical import canonical, to_base64, to_moment
from keys.checkpoint import parse_vkey
from keys.dsse import Envelope, seal
from keys.errors import BadKey, BadNote, BadSignature, BadStatement, BadTicket
from keys.keyset import Keyset
from keys.signers import AGENCY, PublicKey, Signer
from keys.statement import Fields

PAYLOAD_TYPE = "application/vnd.titian.enrol.v1+json"
TICKET_LIFE = timedelta(hours=72)
SECRET_BYTES = 16
_TICKET = (
    *("titian_ticket", "gateway", "aud", "log_origin", "log_vkey", "receipt", "ticket_id"),
    *("secret", "agency", "expires"),
)
_RECEIPT = ("kid", "alg", "pub")
_PROOF = ("v", "aud", "ticket_id", "nonce", "secret_hmac", "keyset_sha256")
_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]{1,255}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Ticket:
    """What an agency needs to enrol: once, before ``expires``.

    Attributes:
        gateway: origin of the gateway, ``https://host``.
        aud: the gateway's name in signed statements.
        log_origin: the log's name.
        log_vkey: the log's key, a C2SP vkey.
        receipt_kid: name of the key that signs receipts.
        receipt: that key.
        ticket_id: names the ticket to the gateway.
        secret: 16 bytes; never shown.
        agency: the agency's code.
        expires: aware UTC.
    """

    gateway: str
    aud: str
    log_origin: str
    log_vkey: str
    receipt_kid: str
    receipt: PublicKey
    ticket_id: str
    secret: bytes = field(repr=False)
    agency: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the gateway expects in the proof; ``key`` is ``ticket_key`` of the ticket's secret."""

    aud: str
    ticket_id: str
    nonce: str
    key: bytes = field(repr=False)


def format_ticket(ticket: Ticket) -> str:
    """The ticket's text, one field a line."""
    value = {
        "titian_ticket": 1,
        "agency": ticket.agency,
        "gateway": ticket.gateway,
        "aud": ticket.aud,
        "log_origin": ticket.log_origin,
        "log_vkey": ticket.log_vkey,
        "receipt": {
            "kid": ticket.receipt_kid,
            "alg": ticket.receipt.alg,
            "pub": to_base64(ticket.receipt.raw),
        },
        "ticket_id": ticket.ticket_id,
        "secret": to_base64(ticket.secret),
        "expires": to_moment(ticket.expires),
    }
    return json.dumps(value, indent=2) + "\n"


def parse_ticket(text: str, *, now: datetime) -> Ticket:
    """The ticket that the text spells.

    Raises:
        BadTicket: with a sentence for the IT officer: not a ticket (``ticket.unreadable``), of a
            later version (``ticket.version``), a field changed or cut (``ticket.field``), keys that
            do not hold together (``ticket.keys``), or run out (``ticket.expired``).
    """
    try:
        fields = Fields.read(text.strip().encode("utf-8"), _TICKET)
    except (BadStatement, UnicodeError) as err:
        raise BadTicket(
            "ticket.unreadable", "This file is not an enrolment ticket, or part of it is missing."
        ) from err
    if fields.values["titian_ticket"] != 1:
        raise BadTicket(
            "ticket.version", "This ticket was made by a newer gateway; update the connector first."
        )
    try:
        ticket = _ticket(fields)
    except BadStatement as err:
        raise BadTicket("ticket.field", f"The ticket has been changed or cut: {err}") from err
    except (BadKey, BadNote) as err:
        raise BadTicket("ticket.keys", f"The ticket's keys are not sound: {err}") from err
    if now >= ticket.expires:
        raise BadTicket("ticket.expired", "The ticket has run out; ask the gateway for a new one.")
    return ticket


def ticket_key(secret: bytes) -> bytes:
    """What the gateway keeps instead of the secret, 32 bytes."""
    return hashlib.sha256(b"titian-ticket/1\0" + secret).digest()


def seal_enrolment(
    ticket: Ticket, nonce: str, keyset_sha256: bytes, signers: Sequence[Signer]
) -> bytes:
    """The signed answer to the gateway's challenge, by every key of the keyset.

    Args:
        ticket: the agency's ticket.
        nonce: the gateway's challenge.
        keyset_sha256: SHA-256 of the keyset's payload bytes.
        signers: all keys of the keyset but those of recovery.
    """
    proof = {
        "v": 1,
        "aud": ticket.aud,
        "ticket_id": ticket.ticket_id,
        "nonce": nonce,
        "keyset_sha256": keyset_sha256.hex(),
    }
    code = _code(ticket_key(ticket.secret), proof)
    return seal(PAYLOAD_TYPE, canonical({**proof, "secret_hmac": code}), signers)


def ticket_of(envelope: Envelope) -> str:
    """The ticket_id that an unchecked proof names, to look the challenge up.

    Raises:
        BadStatement: not an enrolment proof.
    """
    return _read(envelope).text("ticket_id", _ID)


def check_enrolment(
    envelope: Envelope, challenge: Challenge, keyset: Keyset, keyset_sha256: bytes
) -> None:
    """Return if the proof answers this challenge, for this keyset, signed by its keys in use.

    A recovery key lies offline and cannot answer in time; it has signed the keyset itself.

    Raises:
        BadStatement: another challenge, gateway, ticket or keyset (``enrol.challenge``).
        BadSignature: the secret is not the ticket's (``enrol.secret``), a key has not signed
            (``enrol.possession``), or a signature is wrong.
    """
    fields = _read(envelope)
    recovery = keyset.recovery.keys.keys() if keyset.recovery else set()
    provers = {kid: key for kid, key in keyset.provers().items() if kid not in recovery}
    if envelope.verify(provers) != provers.keys():
        raise BadSignature("enrol.possession", "A key of the keyset has not signed the enrolment.")
    given = (fields.text("aud"), fields.text("ticket_id"), fields.text("nonce"))
    if (
        given != (challenge.aud, challenge.ticket_id, challenge.nonce)
        or fields.sha256("keyset_sha256") != keyset_sha256
    ):
        raise BadStatement("enrol.challenge", "The enrolment answers another challenge or keyset.")
    proof = {name: fields.values[name] for name in _PROOF if name != "secret_hmac"}
    if not hmac.compare_digest(fields.sha256("secret_hmac").hex(), _code(challenge.key, proof)):
        raise BadSignature("enrol.secret", "The enrolment was not made with this ticket.")


def _read(envelope: Envelope) -> Fields:
    if envelope.payload_type != PAYLOAD_TYPE:
        raise BadStatement("enrol.type", "The statement is not an enrolment.")
    fields = Fields.read(envelope.payload, _PROOF)
    if fields.integer("v") != 1:
        raise BadStatement("enrol.version", "The enrolment's version is not known.")
    return fields


def _ticket(fields: Fields) -> Ticket:
    receipt = Fields.of(fields.values["receipt"], _RECEIPT)
    ticket = Ticket(
        gateway=fields.text("gateway", _URL),
        aud=fields.text("aud"),
        log_origin=fields.text("log_origin"),
        log_vkey=fields.text("log_vkey"),
        receipt_kid=receipt.text("kid"),
        receipt=PublicKey.parse(receipt.text("alg"), receipt.base64("pub", 32)),
        ticket_id=fields.text("ticket_id", _ID),
        secret=fields.base64("secret", SECRET_BYTES),
        agency=fields.text("agency", AGENCY),
        expires=fields.moment("expires"),
    )
    if parse_vkey(ticket.log_vkey).name != ticket.log_origin:
        raise BadNote("note.origin", "the log's key carries another name than the log.")
    if ticket.receipt.kid(ticket.receipt_kid.partition(":")[0]) != ticket.receipt_kid:
        raise BadKey("key.kid", "the receipt key's name does not belong to the key.")
    return ticket


def _code(key: bytes, proof: dict[str, Any]) -> str:
    return hmac.new(key, canonical(proof), hashlib.sha256).hexdigest()
