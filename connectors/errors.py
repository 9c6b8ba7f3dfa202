"""What can go wrong on the agency's side, grouped by who can act; sentences in `sentences.json`.

ConnectorError
├── FixSource     (exit 3)  the agency's own data or database: the officer mends it there
├── FixSettings   (exit 4)  the TOML file, the key, the rights of a folder
├── Wait          (exit 5)  nothing is wrong for ever: the next run goes on
└── CallCentre    (exit 6)  evidence does not agree; a person must look, nothing more is sent
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


class ConnectorError(Exception):
    """One fact that stopped a run: a code and harmless particulars, never a record's value."""

    exit_code = 1

    def __init__(self, code: str, /, **facts: object) -> None:
        self.code = code
        self.facts = facts
        super().__init__(sentence(code, "en", facts))

    def sentence(self, lang: str) -> str:
        """What happened, what was kept, what to do: `lang` is "id" or "en"."""
        return sentence(self.code, lang, self.facts)


class FixSource(ConnectorError):
    """The data or database of the agency must be mended by the agency."""

    exit_code = 3


class FixSettings(ConnectorError):
    """The settings, keys or folders of this connector must be mended."""

    exit_code = 4


class Wait(ConnectorError):
    """A later run will go on by itself; `after` says in how many seconds at the earliest."""

    exit_code = 5

    def __init__(self, code: str, /, *, after: float | None = None, **facts: object) -> None:
        self.after = after
        super().__init__(code, **facts)


class CallCentre(ConnectorError):
    """Evidence does not agree: nothing is sent until a person has looked."""

    exit_code = 6


def sentence(code: str, lang: str, facts: Mapping[str, object]) -> str:
    """The sentence of a code with its particulars filled in."""
    return sentences()[code][lang].format_map(_Facts(facts))


@cache
def sentences() -> Mapping[str, Mapping[str, str]]:
    """Every code with its Indonesian and English sentence."""
    text = files("connectors").joinpath("sentences.json").read_text(encoding="utf-8")
    table: Mapping[str, Mapping[str, str]] = json.loads(text)
    return table


class _Facts(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return f"({key})"
