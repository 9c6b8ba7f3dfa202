"""A recovery key: from the secret that stands on paper to the signer, and its public half as text.

The secret is 32 random bytes, written down as 24 words; the words belong to `connectors.recovery`.
The key's seed is derived from them, so that words that serve elsewhere never give the same key.

Source: trust.md 1.1 (A-rec), 1.5 step 2; RFC 5869 (HKDF).
"""

import base64
import binascii
import re

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keys.errors import BadKey
from keys.signers import ED25519, Ed25519Signer, PublicKey

SECRET_SIZE = 32
_INFO = b"titian-recovery/1"
_TEXT = re.compile(r"titian-recovery:([a-z0-9-]{1,40}:[a-z2-7]{26}):([a-z2-7]{52})")


def signer_of(agency: str, secret: bytes) -> Ed25519Signer:
    """The recovery key of a secret: seed = HKDF-SHA256(secret, no salt, `titian-recovery/1`).

    Raises:
        BadKey: the secret has not 32 bytes (``key.size``), or the agency's code is no code
            (``key.owner``).
    """
    if len(secret) != SECRET_SIZE:
        raise BadKey("key.size", "The secret of a recovery key has 32 bytes.")
    seed = HKDF(hashes.SHA256(), 32, salt=None, info=_INFO).derive(secret)
    return Ed25519Signer.from_seed(agency, seed)


def public_text(public: PublicKey, agency: str) -> str:
    """What is scanned or typed at the connector: ``titian-recovery:KID:KEY``.

    The key is 52 characters of lower-case base32. The last part of its name is made from it, so
    that is the checksum: a slip in either is found. The agency's code is for the reader to compare.

    Raises:
        BadKey: the agency's code is no code (``key.owner``).
    """
    key = base64.b32encode(public.raw).decode("ascii").rstrip("=").lower()
    return f"titian-recovery:{public.kid(agency)}:{key}"


def parse_public(text: str) -> tuple[str, PublicKey]:
    """The agency and the key that ``public_text`` spelled; blanks and capitals do not matter.

    Raises:
        BadKey: not such a text (``recovery.text``), or a slip of the pen (``recovery.typo``).
    """
    found = _TEXT.fullmatch("".join(text.split()).lower())
    if found is None:
        raise BadKey("recovery.text", "The text is not the public half of a recovery key.")
    kid, spelled = found.groups()
    agency = kid.partition(":")[0]
    typo = BadKey("recovery.typo", "A character of the recovery key is wrong; type it again.")
    try:
        key = PublicKey.parse(ED25519, base64.b32decode(spelled.upper() + "===="))
    except (BadKey, binascii.Error) as err:
        raise typo from err
    if public_text(key, agency) != f"titian-recovery:{kid}:{spelled}":
        raise typo
    return agency, key
