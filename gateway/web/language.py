"""The language of the request: the cookie, else Bahasa Indonesia."""

from flask import request

from gateway.web.words import DEFAULT, Words, words


def words_of_request() -> Words:
    """The phrases in the reader's language."""
    return words(request.cookies.get("titian-bahasa", DEFAULT))
