"""The locked screen: asks for PIN or code, and carries what was sent until it is unlocked.

What was typed goes along sealed, in a field of the page, so that it cannot be read off a screen
that nobody sits at; passwords and codes are not kept. It opens for the same session only.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from flask import render_template, request

from gateway.access.sessions import Current
from gateway.web.edge import edge
from keys.errors import VaultError

_SCOPE = "kept"
_SECRETS = frozenset({"csrf", "password", "code", "pin", "old", "new"})


@dataclass(frozen=True, slots=True)
class Kept:
    """A request that waits behind a locked screen; `fields` is None where it was no form."""

    path: str
    fields: tuple[tuple[str, str], ...] | None


def screen(found: Current, kept: str | None = None, left: int | None = None) -> Any:
    """The page that asks to unlock; `left` tries are left after a wrong one."""
    carried = _seal(found, _of_request()) if kept is None else kept
    page = render_template(
        "locked.html", who=found.officer.name, kept=carried, left=left, token=found.csrf
    )
    return page, 401


def opened(found: Current, sealed: str) -> Kept:
    """What waited behind the screen; the main page where that cannot be read."""
    try:
        raw = base64.urlsafe_b64decode(sealed.encode())
        made = json.loads(edge().vault.open(_SCOPE, found.id.bytes, raw))
    except (VaultError, ValueError, binascii.Error):
        return Kept("/", None)
    fields = made["fields"]
    return Kept(made["path"], None if fields is None else tuple((n, v) for n, v in fields))


def _of_request() -> Kept:
    path = request.full_path.rstrip("?")
    if request.method != "POST":
        return Kept(path, None)
    fields = request.form.items(multi=True)
    return Kept(path, tuple((name, value) for name, value in fields if name not in _SECRETS))


def _seal(found: Current, kept: Kept) -> str:
    plain = json.dumps({"path": kept.path, "fields": kept.fields}).encode()
    return base64.urlsafe_b64encode(edge().vault.seal(_SCOPE, found.id.bytes, plain)).decode()
