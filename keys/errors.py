"""What can be wrong with a key, a signature or a proof: one family, each error named for the fact.

Every error carries a stable ``code`` for programs and a plain sentence for people. Neither ever
holds key bytes or personal data.
"""


class TrustError(Exception):
    """Root of the family.

    Attributes:
        code: stable, dotted, lower case, e.g. ``sig.invalid``.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code, sentence)
        self.code = code
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


class BadJson(TrustError):
    """Bytes that are not strict JSON, or a value that has no canonical form."""


class BadKey(TrustError):
    """A public key that must not be used: wrong size, low order, not canonical, off the curve."""


class BadSignature(TrustError):
    """A signature that does not hold, is missing, or comes from an unknown key."""


class BadEnvelope(TrustError):
    """A DSSE envelope that is not well formed."""


class BadStatement(TrustError):
    """A signed statement whose fields break its rules."""


class BadTicket(TrustError):
    """An enrolment ticket that cannot be read, is damaged, or has run out."""


class BadFrame(TrustError):
    """The bytes of a batch that break the framing, the limits or the signed figures."""


class BadProof(TrustError):
    """A Merkle proof that does not lead to the root."""


class BadNote(TrustError):
    """A signed note or checkpoint that is malformed or not signed by the key asked for."""


class NotAnExtension(TrustError):
    """A checkpoint that does not extend the last one signed: it would fork the log."""


class KeyFileError(TrustError):
    """A key file that is missing, open to others, foreign, damaged, or locked."""


class VaultError(TrustError):
    """A value that the vault cannot open, or a vault file that it cannot use."""
