"""The locked screen, and the login after a session ended: both carry what was sent.

What was typed goes along sealed, in a field of the page, so that it cannot be read off a screen
that nobody sits at; passwords and codes are not kept. Behind a locked screen it opens for the same
session only, behind a login for the same officer only.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

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
    carried = _seal(found.id, _of_request()) if kept is None else kept
    page = render_template(
        "locked.html", who=found.officer.name, kept=carried, left=left, token=found.csrf
    )
    return page, 401


def kept_for(officer_id: UUID) -> str:
    """What this request sent, sealed for an officer whose session has ended."""
    return _seal(officer_id, _of_request())


def opened(owner: UUID, sealed: str) -> Kept:
    """What waited for a session or an officer; the main page where that cannot be read."""
    try:
        raw = base64.urlsafe_b64decode(sealed.encode())
        made = json.loads(edge().vault.open(_SCOPE, owner.bytes, raw))
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


def _seal(owner: UUID, kept: Kept) -> str:
    plain = json.dumps({"path": kept.path, "fields": kept.fields}).encode()
    return base64.urlsafe_b64encode(edge().vault.seal(_SCOPE, owner.bytes, plain)).decode()
