"""The recovery key on paper: 24 words, made and read where no connector runs.

The words are BIP-39's English list; its checksum finds a wrong word, and the four first letters of
each say which it is. Nothing here writes a file: what is not on the paper is gone.

Source: trust.md 1.5 step 2; BIP-39 (words and checksum only, not its derivation of seeds).
"""

import io
import secrets
from dataclasses import dataclass, field
from functools import cache

import segno
from mnemonic import Mnemonic

from connectors.errors import FixSettings
from keys import recovery
from keys.errors import BadKey
from keys.recovery import public_text
from keys.signers import PublicKey, Signer

WORDS = 24
_SHORTEST = 4


@dataclass(frozen=True, slots=True)
class Recovery:
    """A new recovery key: the words for the paper, never shown by ``repr``, and the signer."""

    words: tuple[str, ...] = field(repr=False)
    signer: Signer


def new(agency: str) -> Recovery:
    """A recovery key nobody has seen yet.

    Raises:
        BadKey: the agency's code is no code (``key.owner``).
    """
    secret = secrets.token_bytes(recovery.SECRET_SIZE)
    words = tuple(_list().to_mnemonic(secret).split())
    return Recovery(words, recovery.signer_of(agency, secret))


def from_words(text: str, agency: str) -> Signer:
    """The signer of 24 words as typed; capitals do not matter, four letters of a word suffice.

    Raises:
        FixSettings: another number of words (``recovery.count``), a word that is not on the list
            (``recovery.word``, with its place), or the words do not belong together
            (``recovery.checksum``). The words themselves stand in no error.
    """
    typed = text.lower().split()
    if len(typed) != WORDS:
        raise FixSettings("recovery.count", count=len(typed))
    words = " ".join(_word(place, each) for place, each in enumerate(typed, 1))
    if not _list().check(words):
        raise FixSettings("recovery.checksum")
    return recovery.signer_of(agency, bytes(_list().to_entropy(words)))


def parse_public(text: str, agency: str) -> PublicKey:
    """The public half, as typed or scanned, of this agency's recovery key.

    Raises:
        FixSettings: not a recovery key (``recovery.public``), or another agency's
            (``recovery.agency``).
    """
    try:
        owner, key = recovery.parse_public(text)
    except BadKey as err:
        raise FixSettings("recovery.public") from err
    if owner != agency:
        raise FixSettings("recovery.agency", agency=agency, owner=owner)
    return key


def qr_text(public: PublicKey, agency: str) -> str:
    """The public half as a QR code of block characters, for a terminal or a printer."""
    out = io.StringIO()
    _qr(public, agency).terminal(out, compact=True)
    return out.getvalue()


def qr_svg(public: PublicKey, agency: str) -> str:
    """The public half as a QR code in SVG."""
    return _qr(public, agency).svg_inline(scale=4)


def _qr(public: PublicKey, agency: str) -> segno.QRCode:
    # Capitals: the alphanumeric mode of QR makes a coarser picture, which is scanned more easily.
    return segno.make_qr(public_text(public, agency).upper())


def _word(place: int, typed: str) -> str:
    """The word of the list that was typed whole, or of which the first letters were."""
    words = _list().wordlist
    found = [word for word in words if word == typed]
    if not found and len(typed) >= _SHORTEST:
        found = [word for word in words if word.startswith(typed)]
    if len(found) != 1:
        raise FixSettings("recovery.word", place=place)
    return found[0]


@cache
def _list() -> Mnemonic:
    return Mnemonic("english")
