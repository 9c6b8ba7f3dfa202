"""Who signed a request: the HTTP profile, the key's state, and a nonce that counts once.

A view calls this in a short transaction of its own and commits it, so that the nonce is remembered
whatever becomes of the request, and nobody waits for a long one.

Source: trust.md 2.2 and 2.4.
"""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from gateway.errors import TooMany, Unauthorized
from gateway.settings import Settings
from gateway.trust import query, store
from gateway.trust.model import NONCE_MEMORY, Caller, SignedRequest
from keys import httpsig
from keys.signers import PublicKey

_MINUTE = timedelta(minutes=1)
_FORGETS = "A"
"""One request in 64 tidies up, by the chance of its nonce; a worker's duty does it as well."""


def authenticate(
    session: Session, request: SignedRequest, use: str, settings: Settings, now: datetime
) -> Caller:
    """The agency that signed the request, by the configured origin and not the Host header.

    Raises:
        BadSignature: the request breaks the profile or its signature does not hold.
        Unauthorized: the key may not speak, or the nonce was seen before (`http.replayed`).
    """
    found: dict[str, PublicKey] = {}

    def key_of(kid: str) -> PublicKey:
        found[kid] = query.speaker(session, kid.partition(":")[0], kid, use, now)
        return found[kid]

    verified = httpsig.verify(
        httpsig.Request(
            request.method,
            settings.origin.rstrip("/") + request.path_and_query,
            request.headers,
            request.body_sha256,
        ),
        key_of,
        now=now,
    )
    if verified.nonce[0] == _FORGETS:
        store.forget_nonces(session, now - NONCE_MEMORY)
    if not store.add_nonce(session, verified.kid, verified.nonce, now):
        raise Unauthorized("http.replayed", "A request with this nonce was seen before.")
    agency = verified.kid.partition(":")[0]
    return Caller(agency, verified.kid, verified.log_seen, found[verified.kid])


def admit_batch(session: Session, agency: str, settings: Settings, now: datetime) -> None:
    """Count one more batch of the agency in this minute.

    Raises:
        TooMany: it has sent as many as a minute takes (`rate.batches`).
    """
    minute = now.replace(second=0, microsecond=0)
    if store.count_call(session, agency, minute) > settings.batches_per_minute:
        wait = int((minute + _MINUTE - now).total_seconds()) + 1
        raise TooMany("rate.batches", "Too many batches this minute.", retry_after=wait)
