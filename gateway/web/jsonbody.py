"""JSON bodies of callers whom nobody knows yet: small, and strict before anybody parses them."""

from flask import request

from keys.canonical import read_json

LARGEST = 192 * 1024
"""Bytes of a body; it is read into memory before anybody is known to have sent it."""


def check() -> None:
    """Return if the request has no body, or one that is small and strict JSON.

    Raises:
        BadJson: not UTF-8 JSON, a name twice, NaN, or nested too deep.
        RequestEntityTooLarge: larger than `LARGEST`.
    """
    request.max_content_length = LARGEST
    if request.method == "POST":
        read_json(request.get_data(), limit=LARGEST)
