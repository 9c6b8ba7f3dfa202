"""An agency on its way in, as its connector and the persons of the centre would act."""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gateway.settings import Settings
from gateway.trust import query, service
from gateway.trust.model import (
    AgencyDraft,
    Anchors,
    ApprovalState,
    Approver,
    Gate,
    Pending,
    SignedRequest,
)
from keys import dsse, httpsig, keyset
from keys.enrolment import Ticket, seal_enrolment
from keys.keyset import KeyEntry
from keys.signers import Ed25519Signer
from tests.conftest import Database

NOW = datetime(2025, 11, 3, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
REGISTRAR, SECOND, CLERK = "registrar", "delegasi", "panitera"


def anchors(database: Database) -> Anchors:
    settings, receipt = database.settings, database.vault.signer("receipt")
    return Anchors(
        gateway_url=settings.origin,
        aud=settings.aud,
        log_origin=settings.log_origin,
        log_vkey=database.vault.log_signer(settings.log_origin).vkey,
        receipt_kid=receipt.kid,
        receipt_key=receipt.public,
    )


@dataclass
class Agency:
    """One agency with its own key; every step takes its own transaction unless it fails."""

    database: Database
    code: str = field(default_factory=lambda: "dinas-" + secrets.token_hex(3).replace("9", "a"))
    now: datetime = NOW
    ticket: Ticket = field(init=False)
    signer: Ed25519Signer = field(init=False)

    def __post_init__(self) -> None:
        self.signer = Ed25519Signer.generate(self.code)

    @property
    def settings(self) -> Settings:
        return self.database.settings

    @property
    def gate(self) -> Gate:
        return Gate(self.settings.aud, self.database.vault.signer("receipt"))

    def do(self, act, *arguments):
        with self.database.session() as session:
            answer = act(session, *arguments)
            session.commit()
            return answer

    def invited(self) -> "Agency":
        draft = AgencyDraft(self.code, "Dinas", ("person", "benefit"), "PKS-1", CLERK)
        self.ticket = self.do(service.create_agency, draft, anchors(self.database), self.now)
        return self

    def entry(self, signer: Ed25519Signer | None = None) -> KeyEntry:
        public = (signer or self.signer).public
        return keyset.entry_of(self.code, public, instance="conn", not_before=self.now)

    def keyset(self, *entries: KeyEntry, aud: str | None = None, by=None) -> bytes:
        payload = keyset.build(
            aud or self.settings.aud, self.code, entries or [self.entry()], issued=self.now
        )
        return dsse.seal(keyset.PAYLOAD_TYPE, payload, by or [self.signer])

    def challenge(self) -> str:
        return self.do(service.challenge, self.code, self.ticket.ticket_id, self.now)

    def proof(self, envelope: bytes, nonce: str, *, ticket: Ticket | None = None, by=None) -> bytes:
        hashed = dsse.parse(envelope).payload_sha256
        return seal_enrolment(ticket or self.ticket, nonce, hashed, by or [self.signer])

    def send(self, envelope: bytes, proof: bytes, now: datetime | None = None) -> Pending:
        return self.do(service.enrol, self.code, (envelope, proof), self.gate, now or self.now)

    def enrolled(self) -> "Agency":
        envelope = self.keyset()
        self.send(envelope, self.proof(envelope, self.challenge()))
        return self

    @property
    def end(self) -> str:
        """What the agency's officer reads out on the phone."""
        return " ".join(self.signer.public.fingerprint().split()[-2:])

    def approve(self, who: str, role: str, end: str | None = None, now=None) -> ApprovalState:
        return self.do(
            service.approve, self.code, Approver(who, role), end or self.end, now or self.now
        )

    def active(self) -> "Agency":
        self.invited().enrolled()
        self.approve(REGISTRAR, "key_admin")
        self.approve(SECOND, "mayor_delegate")
        return self

    def shown(self):
        with self.database.session() as session:
            return query.agency(session, self.code)

    def request(self, path: str = "/v1/x?a=1", *, signer=None, nonce=None, now=None):
        signed = httpsig.sign_headers(
            httpsig.Request("GET", self.settings.origin + path, {}, None),
            signer or self.signer,
            created=now or self.now,
            nonce=nonce or secrets.token_urlsafe(16),
        )
        return SignedRequest("GET", path, {k: [v] for k, v in signed.items()}, None)
