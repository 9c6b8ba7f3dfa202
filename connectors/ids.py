"""Names of records: the source's own key, or its keyed hash where the key says who the person is.

The secret never leaves this machine and lies beside the key file, so that the ids survive the loss
of the state; the map back stands in the connector's memory alone.
"""

import hmac
import json
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

from connectors.config import Publish
from connectors.errors import FixSettings
from keys.errors import KeyFileError
from keys.privatefile import read_private, write_private

_ENCODE = json.JSONEncoder(ensure_ascii=False).encode
_PLAIN = re.compile(r"[A-Za-z0-9._:-]{1,64}")
SECRET_BYTES = 32
ID_BYTES = 16


def make_id(block: Publish, values: Sequence[str | int], secret: bytes) -> str | None:
    """The `_id` of a key under a block's rule, or None where it may not be sent as it is.

    A derived key is made of the row's own fields, some of which may be empty; all the others need
    every part. A number behind them tells rows apart whose fields are all the same.
    """
    if not (any(values) if block.derived else all(values)):
        return None
    if block.hmac:
        named = _ENCODE([block.id_space, *values]).encode("utf-8")
        keyed = hmac.digest(secret, named, "sha256")
        return block.id_prefix + keyed[:ID_BYTES].hex()
    plain = block.id_prefix + ":".join(map(str, values))
    return plain if _PLAIN.fullmatch(plain) else None


def load_secret(path: Path) -> bytes:
    """The connector's secret for ids; made at the first call, 0600.

    Raises:
        FixSettings: it cannot be read or written, or is not one.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(path, secrets.token_hex(SECRET_BYTES).encode("ascii"))
        secret = bytes.fromhex(read_private(path).decode("ascii").strip())
    except KeyFileError as err:
        raise FixSettings("settings.key", reason=str(err)) from err
    except ValueError as err:
        raise FixSettings("settings.key", reason=f"{path.name} is damaged.") from err
    except OSError as err:
        raise FixSettings("settings.key", reason=f"{path.name}: {err.strerror}.") from err
    if len(secret) != SECRET_BYTES:
        raise FixSettings("settings.key", reason=f"{path.name} is damaged.")
    return secret
