"""The words of every page, in Bahasa Indonesia and English: data, one entry a phrase."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

LANGUAGES = ("id", "en")
DEFAULT = "id"


class Words:
    """The phrases of one language; a missing phrase is an error, not a blank."""

    def __init__(self, language: str, phrases: Mapping[str, str]) -> None:
        """Keep one language's phrases."""
        self.language = language
        self._phrases = phrases

    def __call__(self, key: str, **values: object) -> str:
        """The phrase of `key`, with `{name}` filled from `values`.

        Raises:
            KeyError: no such phrase.
        """
        phrase = self._phrases[key]
        return phrase.format(**values) if values else phrase

    def get(self, key: str, default: str, values: Mapping[str, object] | None = None) -> str:
        """The phrase of `key` filled from `values`, or `default` for a code that has none."""
        phrase = self._phrases.get(key)
        return default if phrase is None else phrase.format(**(values or {}))


@cache
def words(language: str) -> Words:
    """The phrases of `language`, or of the default where we do not speak it."""
    chosen = language if language in LANGUAGES else DEFAULT
    return Words(chosen, {key: entry[chosen] for key, entry in catalogue().items()})


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """All phrases: key to language to text."""
    text = Path(__file__).with_name("words.toml").read_text(encoding="utf-8")
    flat: dict[str, Mapping[str, str]] = {}
    for section, entries in tomllib.loads(text).items():
        for name, entry in entries.items():
            flat[f"{section}.{name}"] = entry
    return flat
