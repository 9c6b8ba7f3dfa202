"""What can go wrong at the centre, arranged by what the caller can do about it.

GatewayError
├── Refused        the input is wrong: mend it and send again        (400/422)
│   └── TooLarge                                                      (413)
├── Unauthorized   say who you are: sign, or log in                   (401)
├── Forbidden      you are known, and may not                         (403)
├── NotFound                                                          (404)
├── Conflict       the world has moved on: look, then decide          (409)
├── TooMany        wait, then again                                   (429)
└── Unavailable    our fault: nothing was lost, try again later       (503)

`code` is stable and dotted ("stream.gap"); the sentence is for people; `details` hold only public
values (numbers, codes, hashes), never a NIK, name, address or key.
"""


class GatewayError(Exception):
    """A typed refusal or failure of the centre."""

    def __init__(self, code: str, sentence: str, **details: str | int | None) -> None:
        """Keep the stable code, the sentence and the public details."""
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.details = details


class Refused(GatewayError):
    """The input is wrong; sending it again unchanged will not help."""


class TooLarge(Refused):
    """The input is larger than the stated limit."""


class Unauthorized(GatewayError):
    """The caller did not prove who he is."""


class Forbidden(GatewayError):
    """The caller is known and may not do this."""


class NotFound(GatewayError):
    """There is no such thing, or none that the caller may see."""


class Conflict(GatewayError):
    """The request was right when made, but the state has moved on."""


class TooMany(GatewayError):
    """A limit per time was reached; `retry_after` (seconds) says when to come back."""


class Unavailable(GatewayError):
    """The centre cannot do it now; nothing was lost."""
