"""Who signed a request: the HTTP profile, the key's state, and a nonce that counts once.

A view calls this in a short transaction of its own and commits it, so that the nonce is remembered
whatever becomes of the request, and nobody waits for a long one.

Source: trust.md 2.2 and 2.4.
"""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from gateway.errors import TooMany, Unauthorized
from gateway.settings import Settings
from gateway.trust import query, store_requests
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
        store_requests.forget_nonces(session, now - NONCE_MEMORY)
    if not store_requests.add_nonce(session, verified.kid, verified.nonce, now):
        raise Unauthorized("http.replayed", "A request with this nonce was seen before.")
    agency = verified.kid.partition(":")[0]
    return Caller(agency, verified.kid, verified.log_seen, found[verified.kid])


def admit_batch(
    session: Session, agency: str, size: int, settings: Settings, now: datetime
) -> None:
    """Count one more batch of the agency, of `size` bytes, in this minute and this day (UTC).

    Raises:
        TooMany: it has sent as many as a minute takes (`rate.batches`), or as much as a day takes
            (`rate.bytes`).
    """
    batches, sent = store_requests.count_call(session, agency, now, size)
    if batches > settings.batches_per_minute:
        raise TooMany(
            "rate.batches",
            "Too many batches this minute.",
            retry_after=_left(now, now.replace(second=0, microsecond=0) + _MINUTE),
        )
    if sent > settings.bytes_per_day:
        tomorrow = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        raise TooMany(
            "rate.bytes",
            f"An agency sends at most {settings.bytes_per_day} bytes a day. Nothing is lost: the "
            "connector keeps what waits and goes on tomorrow. Is the whole table sent every time?",
            retry_after=_left(now, tomorrow),
        )


def _left(now: datetime, until: datetime) -> int:
    return int((until - now).total_seconds()) + 1
