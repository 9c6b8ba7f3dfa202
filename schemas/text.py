"""Hygiene of text: what no name, address or note may hold, and one Unicode form for the rest."""

import re
import unicodedata

from marshmallow import ValidationError

MAX_TEXT = 4000

_SURROGATE = re.compile("[\ud800-\udfff]")
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
_HYGIENE = (
    (_SURROGATE, "text.surrogate"),
    (_CONTROL, "text.control"),
    (_BIDI, "text.bidi"),
    (_INVISIBLE, "text.invisible"),
)


def clean(value: str, longest: int = MAX_TEXT) -> str:
    """The text in Unicode form NFC.

    Raises:
        ValidationError: with a code `text.*` for what may not stand in a text: surrogates, control
            characters, marks that turn the direction of writing, invisible characters, nothing
            at all, or more than `longest` characters.
    """
    if value.isascii() and value.isprintable():
        if len(value) > longest:
            raise ValidationError("text.length")
        if not value or value.isspace():
            raise ValidationError("text.empty")
        return value
    return _clean_slowly(value, longest)


def _clean_slowly(value: str, longest: int) -> str:
    if len(value) > 4 * longest:  # bounds the work; a code point has at most four parts in NFC text
        raise ValidationError("text.length")
    for pattern, code in _HYGIENE:
        if pattern.search(value):
            raise ValidationError(code)
    normal = unicodedata.normalize("NFC", value)
    if len(normal) > longest:
        raise ValidationError("text.length")
    if not normal.strip():
        raise ValidationError("text.empty")
    return normal
