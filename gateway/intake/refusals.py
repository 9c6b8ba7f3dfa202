"""What the ground floor found wrong with a batch, said as a refusal that tells what to do next."""

from gateway.errors import GatewayError, Refused, TooLarge, Unauthorized
from keys.errors import BadFrame, BadSignature, TrustError
from schemas.errors import SchemaError

_TOO_LARGE = frozenset({"frame.body_size", "frame.limit", "frame.envelope_size"})
_REMEDY = {
    "frame.body_size": "Split the records over more batches.",
    "frame.limit": "Split the records over more batches.",
    "frame.envelope_size": "Use fewer signatures, or update the connector.",
    "frame.short": "It was cut off on its way: send the same bytes again.",
    "frame.magic": "Send the body as the connector sealed it.",
    "frame.trailing": "Send the body as the connector sealed it.",
    "sig.invalid": "It was altered after signing, or signed by another key: seal it again.",
    "sig.unknown_key": "Enrol the key first, or sign with one that is enrolled.",
}
_REMEDY_OF = {
    "frame": "The body is not what was signed: seal the batch again and send it whole.",
    "envelope": "Send the envelope as the connector sealed it; update an old connector.",
    "json": "Send the envelope as the connector sealed it; update an old connector.",
    "sig": "Seal the batch again with a key that is enrolled.",
}


def refusal(err: TrustError | SchemaError) -> GatewayError:
    """The refusal of a batch for what `keys` or `schemas` found: its code, and what to do."""
    remedy = _REMEDY.get(err.code) or _REMEDY_OF.get(err.code.split(".", 1)[0], "")
    sentence = f"{err} {remedy}".strip()
    if isinstance(err, SchemaError):
        return Refused(
            err.code,
            f"The signed payload is not as its schema asks: {err}. Mend it, and seal it again.",
            field=getattr(err, "field", None),
        )
    if isinstance(err, BadSignature):
        return Unauthorized(err.code, sentence)
    if isinstance(err, BadFrame) and err.code in _TOO_LARGE:
        return TooLarge(err.code, sentence)
    return Refused(err.code, sentence)
