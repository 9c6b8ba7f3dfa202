"""What a file of evidence says, for people to read beside the verdict; nothing here is believed.

Source: trust.md 3.7.
"""

from keys import bundle
from keys.errors import TrustError


def contents(data: bytes) -> list[tuple[str, str]]:
    """What the file says, as (what, text); nothing for a file that cannot be read."""
    try:
        held = bundle.parse(data)
    except TrustError:
        return []
    match held:
        case bundle.RecordEvidence():
            return [("record", _text(held.line))]
        case bundle.QueryEvidence():
            answers = [("result", each) for each in held.results]
            return [pair for each in (("query", held.query), *answers) for pair in _opened(*each)]
        case bundle.DecisionEvidence():
            said = [] if held.statement is None else [("statement", _text(held.statement))]
            return [*_opened("decision", held.decision), *said]
        case _:
            return []


def _opened(what: str, opened: bundle.Opened) -> list[tuple[str, str]]:
    detail = [] if opened.detail is None else [(f"{what} detail", _text(opened.detail))]
    return [(what, _text(opened.logged.entry)), *detail]


def _text(data: bytes) -> str:
    """UTF-8 without control characters: what is shown must not move a terminal's cursor."""
    shown = data.decode("utf-8", "replace")
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in shown)
