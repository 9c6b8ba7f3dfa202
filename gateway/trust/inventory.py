"""Every key of the federation as the centre knows it: who holds it, since when, until when, where.

Nothing here is secret: public keys by their kid and fingerprint, secret ones by their version.

Source: trust.md 1.1 (holders, algorithms, periods).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from gateway.storage import deks
from gateway.trust import store_inventory
from gateway.trust.model import AgencyState
from keys.signers import PublicKey
from keys.vault import Vault

_VAULT = "vault file"
_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One key, or the data keys that one KEK wraps.

    Attributes:
        kind: as trust.md 1.1 calls it: A-sign, G-log, G-rcpt, house, KEK, DEK, BIX.
        name: its kid, the log's vkey, or its version.
        fingerprint: what two people compare; None for a secret key.
        state: active, old, waiting, suspended, revoked or expired.
        created: None where nobody wrote it down.
        expires: when it is to be replaced; None where it has no period.
        count: how many keys the line stands for.
    """

    kind: str
    holder: str
    algorithm: str
    name: str
    fingerprint: str | None
    state: str
    created: datetime | None
    expires: datetime | None
    kept: str
    count: int = 1


def inventory(session: Session, vault: Vault, log_origin: str, now: datetime) -> list[KeyLine]:
    """Every key, the centre's first, then the agencies' by code."""
    return [
        *signers(vault, log_origin),
        *_versions(vault),
        *_data_keys(session, vault),
        *_agencies(session, now),
    ]


def signers(vault: Vault, log_origin: str) -> Iterator[KeyLine]:
    """The centre's own signing keys."""
    made = vault.secrets.made
    log = made.get("log")
    yield KeyLine(
        kind="G-log",
        holder="gateway",
        algorithm="ed25519",
        name=vault.log_signer(log_origin).vkey,
        fingerprint=None,
        state="active",
        created=log,
        expires=_after(log, _YEAR),
        kept=_VAULT,
    )
    for kind, name, period in (
        ("G-rcpt", "receipt", timedelta(days=90)),
        ("house", "house", timedelta(days=90)),
    ):
        signer = vault.signer("receipt" if name == "receipt" else "house")
        created = made.get(name)
        yield KeyLine(
            kind=kind,
            holder=signer.kid.partition(":")[0],
            algorithm=signer.public.alg,
            name=signer.kid,
            fingerprint=signer.public.fingerprint(),
            state="active",
            created=created,
            expires=_after(created, period),
            kept=_VAULT,
        )


def _versions(vault: Vault) -> Iterator[KeyLine]:
    held = vault.secrets
    for kind, label, algorithm, period in (
        ("kek", "KEK", "AES-256 (AES-KWP)", _YEAR),
        ("bix", "BIX", "HMAC-SHA-256/128", 2 * _YEAR),
    ):
        versions = held.kek if kind == "kek" else held.bix
        for version in sorted(versions, reverse=True):
            created = held.made.get(f"{kind} {version}")
            yield KeyLine(
                kind=label,
                holder="gateway",
                algorithm=algorithm,
                name=f"version {version}",
                fingerprint=None,
                state="active" if version == max(versions) else "old",
                created=created,
                expires=_after(created, period),
                kept=_VAULT,
            )


def _data_keys(session: Session, vault: Vault) -> Iterator[KeyLine]:
    newest = vault.versions("kek")[0]
    for row in deks.summary(session):
        state = "active" if row.kek_version == newest else "old"
        for count, said in ((row.live, state), (row.destroyed, "destroyed")):
            if count:
                yield KeyLine(
                    kind="DEK",
                    holder="gateway",
                    algorithm="AES-256-GCM",
                    name=f"under KEK {row.kek_version}",
                    fingerprint=None,
                    state=said,
                    created=row.oldest,
                    expires=None,
                    kept="database, wrapped",
                    count=count,
                )


def _agencies(session: Session, now: datetime) -> Iterator[KeyLine]:
    for row in store_inventory.every_key(session):
        public = PublicKey.parse(row.alg, row.raw)
        ends = row.sign_until or row.not_after
        if row.revoked is not None:
            state = "revoked"
        elif row.suspended_at is not None or row.state == AgencyState.SUSPENDED:
            state = "suspended"
        elif row.approved_at is None or now < row.not_before:
            state = "waiting"
        else:
            state = "active" if now < ends else "expired"
        yield KeyLine(
            kind="A-sign",
            holder=f"{row.agency} ({row.instance})",
            algorithm=row.alg,
            name=row.kid,
            fingerprint=public.fingerprint(),
            state=state,
            created=row.not_before,
            expires=ends,
            kept="connector",
        )


def _after(created: datetime | None, period: timedelta) -> datetime | None:
    return None if created is None else created + period
