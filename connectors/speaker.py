"""The agency's voice: one signer that is whichever of its keys speaks now.

Batches and requests hold the speaker and not a key, so a rotation within a running service changes
the key for all of them at once.
"""

from datetime import datetime

from connectors.errors import CallCentre, FixSettings
from connectors.keybook import Book
from keys.errors import TrustError
from keys.keystore import WITNESS, KeyStore
from keys.signers import PublicKey, Signer


class Speaker:
    """A `Signer` whose key may change under it."""

    __slots__ = ("_signer",)

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    @property
    def kid(self) -> str:
        """The name of the key that speaks now."""
        return self._signer.kid

    @property
    def public(self) -> PublicKey:
        """Its public half."""
        return self._signer.public

    @property
    def signer(self) -> Signer:
        """The key that speaks now."""
        return self._signer

    def sign(self, data: bytes) -> bytes:
        """Its signature over `data`."""
        return self._signer.sign(data)

    def speak_as(self, signer: Signer) -> None:
        """From now on, this key speaks."""
        self._signer = signer


def signer_of(store: KeyStore, kid: str) -> Signer:
    """The signer of a key in the file.

    Raises:
        FixSettings: `settings.key`.
    """
    try:
        return store.signer(kid)
    except TrustError as err:
        raise FixSettings("settings.key", reason=str(err)) from err


def signing_kids(store: KeyStore) -> list[str]:
    """The keys in the file that sign batches; others have other roles."""
    return [kid for kid in store.kids() if "batch" in store.uses(kid)]


def witness_kids(store: KeyStore) -> list[str]:
    """The keys in the file that cosign the log."""
    return [kid for kid in store.kids() if store.uses(kid) == (WITNESS,)]


def first_kid(store: KeyStore, agency: str) -> str:
    """Some key of the file that signs batches.

    Raises:
        FixSettings: `enrol.needed` where there is none.
    """
    kids = signing_kids(store)
    if not kids:
        raise FixSettings("enrol.needed", agency=agency)
    return kids[0]


def signer_now(store: KeyStore, book: Book, now: datetime) -> Signer:
    """The signer of the key that speaks now.

    Raises:
        CallCentre: `keys.silent` where no key of this connector may speak any more.
        FixSettings: `settings.key`.
    """
    entry = book.speaking(store, now)
    if entry is None:
        raise CallCentre("keys.silent", version=book.keyset.version)
    return signer_of(store, entry.kid)
