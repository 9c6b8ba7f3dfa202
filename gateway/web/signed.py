"""How a view knows which agency calls: the body is read once, hashed, and the signature checked.

    with signed() as call:
        call.caller.must_be(agency)
        …

Authentication runs and commits in a transaction of its own; the view opens another for its work.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast
from urllib.parse import quote

from flask import request
from sqlalchemy.orm import Session
from werkzeug.exceptions import LengthRequired

from gateway.errors import Refused, TooLarge
from gateway.trust import requests
from gateway.trust.model import Caller, SignedRequest
from gateway.web.edge import edge

_IN_MEMORY = 1 << 20
_PIECE = 1 << 16
_WITH_BODY = frozenset({"PUT", "POST"})


@dataclass(frozen=True, slots=True)
class SignedCall:
    """An authenticated request: who calls, and the body from its beginning (empty for GET)."""

    caller: Caller
    body: BinaryIO


Also = Callable[[Session, Caller], None]


def _nothing(session: Session, caller: Caller) -> None:
    """Nothing more to do."""


@contextmanager
def signed(use: str = "http", *, also: Also = _nothing) -> Iterator[SignedCall]:
    """The current request, once its signature holds; `use` is what the key must be enrolled for.

    `also` is done in the transaction that remembers the request, and committed with it.

    Raises:
        LengthRequired: a body without Content-Length.
        TooLarge: a body larger than the setting allows.
        BadSignature: the request breaks the profile or its signature does not hold.
        Unauthorized: the key may not speak, or the request was replayed.
    """
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spooled:
        body = cast("BinaryIO", spooled)
        digest = _read_body(body) if request.method in _WITH_BODY else None
        body.seek(0)
        yield SignedCall(_authenticate(digest, use, also), body)


def _authenticate(digest: bytes | None, use: str, also: Also) -> Caller:
    ours = edge()
    sent = SignedRequest(
        method=request.method,
        path_and_query=_path_and_query(),
        headers={name: request.headers.getlist(name) for name in request.headers.keys()},  # noqa: SIM118 -- iterates pairs
        body_sha256=digest,
    )
    with ours.sessions.begin() as session:
        caller = requests.authenticate(session, sent, use, ours.settings, ours.clock())
        also(session, caller)
    return caller


def _path_and_query() -> str:
    path = quote(request.path, safe="/:@!$&'()*+,;=~-._")
    raw = request.query_string.decode("ascii", errors="replace")
    return f"{path}?{raw}" if raw else path


def _read_body(body: BinaryIO) -> bytes:
    limit = request.max_content_length = edge().settings.max_body
    length = request.content_length
    if length is None:
        raise LengthRequired
    if length > limit:
        raise TooLarge("http.too_large", f"A body has at most {limit} bytes.", limit=limit)
    hashed, read = hashlib.sha256(), 0
    while piece := request.stream.read(_PIECE):
        read += len(piece)
        if read > length:
            break
        hashed.update(piece)
        body.write(piece)
    if read != length:
        raise Refused("http.length", "The body has not the length that was stated.")
    return hashed.digest()
