"""What of a ticket is sealed, and under which data key: one a month, bound to the row.

Moved to another row or column, a value does not open.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from gateway.complaints.model import Body
from keys.canonical import canonical
from keys.vault import Vault
from schemas.profile import Profile

_PERSON, _PHONE = "ticket|person", "ticket|phone"


def scope(made_at: datetime) -> str:
    """The data key of all that was first written in a month."""
    return f"ticket|{made_at:%Y-%m}"


def aad(table: str, row: UUID) -> bytes:
    """What binds a value to its row."""
    return table.encode() + b"|" + row.bytes


def seal(vault: Vault, place: tuple[str, UUID, datetime], value: Mapping[str, Any]) -> bytes:
    """The ciphertext of a row; `place` is table, id and when the row was made."""
    table, row, made_at = place
    return vault.seal(scope(made_at), aad(table, row), orjson.dumps(dict(value)))


def opened(vault: Vault, place: tuple[str, UUID, datetime], sealed: bytes) -> dict[str, Any]:
    """What `seal` sealed there.

    Raises:
        VaultError: it was sealed elsewhere, or altered.
    """
    table, row, made_at = place
    found: dict[str, Any] = orjson.loads(vault.open(scope(made_at), aad(table, row), sealed))
    return found


def body_of(found: Mapping[str, Any]) -> Body:
    """A ticket's sealed part."""
    return Body(**found)


def identity_keys(vault: Vault, body: Body, profile: Profile) -> list[bytes]:
    """Blind indexes (16 bytes each) by which an open ticket of the same person is found again."""
    return _blind(vault, _PERSON, _identities(body, profile))


def keys_of(vault: Vault, body: Body, profile: Profile) -> list[bytes]:
    """All blind indexes by which a ticket is found: those of the person, and of the phone."""
    phones = [body.phone.encode()] if body.phone else []
    return [*identity_keys(vault, body, profile), *_blind(vault, _PHONE, phones)]


def _blind(vault: Vault, label: str, values: Sequence[bytes]) -> list[bytes]:
    return [key for v in vault.bix_versions for key in vault.hmac(label, values, version=v)]


def _identities(body: Body, profile: Profile) -> list[bytes]:
    person = body.person
    found = []
    if person.get("nik"):
        found.append(b"nik|" + person["nik"].encode())
    if person.get("name") and person.get("birth_date") and person.get("kelurahan"):
        name = profile.wilayah.fold(person["name"])
        told = {"name": name, "born": person["birth_date"], "place": person["kelurahan"]}
        found.append(canonical(told))
    return found
