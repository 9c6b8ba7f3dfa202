"""Criteria as data, judged in three values: meets, does not, not known; each with its reason. Pure.

A predicate is `{"all": […]}`, `{"any": […]}`, `{"not": …}` or one rule `{"field": F, OP: value}`
with OP one of `min`, `max` (numbers), `is`, `any`, `none` (words). What is not known is never
taken for a no, and a rule that cannot be read is not known: nobody is refused by a machine.

Source: design/domain.md §5.9 (eligible suggestion), §3.3 (criteria); Kleene's strong logic.
"""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from gateway.programs.model import Program

Facts = Mapping[str, Any]
"""What is known of a person by field: a number, a word, or a tuple of words; absent: not known."""


class Answer(StrEnum):
    """Whether a person meets a rule."""

    MEETS = "meets"
    FAILS = "fails"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule and what it found; `text` by language."""

    answer: Answer
    field: str
    text: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The whole answer, and the reason of each rule that was looked at."""

    answer: Answer
    reasons: tuple[Reason, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The fields that nobody knows."""
        return tuple(r.field for r in self.reasons if r.answer is Answer.UNKNOWN and r.field)


RESIDENCE = {"KTP_CITY": "ktp_here", "DOMICILE_CITY": "lives_here"}
"""By which fact a programme's rule of residence is judged."""
_BOTH = ("id", "en")
_RANK = {Answer.FAILS: 0, Answer.UNKNOWN: 1, Answer.MEETS: 2}
_OPPOSITE = {
    Answer.MEETS: Answer.FAILS,
    Answer.FAILS: Answer.MEETS,
    Answer.UNKNOWN: Answer.UNKNOWN,
}


def judge(criteria: Mapping[str, Any] | None, facts: Facts) -> Verdict:
    """What the criteria say of a person; no criteria are met by everybody."""
    return Verdict(Answer.MEETS) if criteria is None else _judge(criteria, facts)


def describe(program: Program) -> tuple[Mapping[str, str], ...]:
    """The criteria in plain words by language, one sentence a rule; alternatives are joined."""
    found = list(_describe(program.criteria)) if program.criteria else []
    residence = RESIDENCE.get(program.residency_rule)
    if residence is not None:
        known = _words()["field"][residence]
        found.insert(0, {lang: known[lang] for lang in _BOTH})
    return tuple(found)


def both(verdicts: Iterable[Verdict]) -> Verdict:
    """All of them: fails if one does, else is not known if one is not."""
    given = list(verdicts)
    worst = min((v.answer for v in given), key=_RANK.__getitem__, default=Answer.MEETS)
    return Verdict(worst, tuple(r for v in given for r in v.reasons))


def either(verdicts: Iterable[Verdict]) -> Verdict:
    """One of them: met if one is, else not known if one is not."""
    given = list(verdicts)
    best = max((v.answer for v in given), key=_RANK.__getitem__, default=Answer.FAILS)
    return Verdict(best, tuple(r for v in given for r in v.reasons))


def _judge(predicate: Any, facts: Facts) -> Verdict:
    match predicate:
        case {"all": list(parts)} if len(predicate) == 1:
            return both(_judge(part, facts) for part in parts)
        case {"any": list(parts)} if len(predicate) == 1 and parts:
            return either(_judge(part, facts) for part in parts)
        case {"not": part} if len(predicate) == 1:
            inner = _judge(part, facts)
            turned = (Reason(_OPPOSITE[r.answer], r.field, r.text) for r in inner.reasons)
            return Verdict(_OPPOSITE[inner.answer], tuple(turned))
        case {"field": str(field), **rest} if len(rest) == 1:
            op, wanted = next(iter(rest.items()))
            return _rule(field, str(op), wanted, facts)
    return _unreadable()


def _rule(field: str, op: str, wanted: Any, facts: Facts) -> Verdict:
    known = _words()["field"].get(field)
    test = _TESTS.get((known or {}).get("kind", ""), {}).get(op)
    if known is None or test is None or not _fits(op, wanted):
        return _unreadable()
    said = {lang: _phrase(op, lang, value=_show(wanted, lang)) for lang in _BOTH}
    if field not in facts:
        text = {
            lang: _phrase("unknown", lang, field=known[lang], wanted=said[lang]) for lang in said
        }
        return _verdict(Answer.UNKNOWN, field, text)
    found = facts[field]
    text = {
        lang: _phrase("known", lang, field=known[lang], found=_show(found, lang), wanted=said[lang])
        for lang in said
    }
    return _verdict(Answer.MEETS if test(found, wanted) else Answer.FAILS, field, text)


def _describe(predicate: Any) -> Iterator[Mapping[str, str]]:
    match predicate:
        case {"all": list(parts)}:
            for part in parts:
                yield from _describe(part)
        case {"any": list(parts)}:
            each = [dict(text) for part in parts for text in _describe(part)]
            yield {lang: f" {_phrase('or', lang)} ".join(t[lang] for t in each) for lang in _BOTH}
        case {"not": part}:
            for text in _describe(part):
                yield {lang: f"{_phrase('not', lang)} {text[lang]}" for lang in _BOTH}
        case {"field": str(field), **rest} if len(rest) == 1 and field in _words()["field"]:
            op, wanted = next(iter(rest.items()))
            known = _words()["field"][field]
            if op in _TESTS[known["kind"]] and _fits(str(op), wanted):
                yield {
                    lang: f"{known[lang]}: {_phrase(str(op), lang, value=_show(wanted, lang))}"
                    for lang in _BOTH
                }
                return
            yield {lang: _phrase("unreadable", lang) for lang in _BOTH}
        case _:
            yield {lang: _phrase("unreadable", lang) for lang in _BOTH}


def _among(found: Any, wanted: Any) -> bool:
    held = found if isinstance(found, tuple) else (found,)
    return any(value in held for value in wanted)


_NUMBERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "min": lambda found, wanted: found >= wanted,
    "max": lambda found, wanted: found <= wanted,
    "is": lambda found, wanted: found == wanted,
}
_WORDS: Mapping[str, Callable[[Any, Any], bool]] = {
    "is": lambda found, wanted: _among(found, [wanted]),
    "any": _among,
    "none": lambda found, wanted: not _among(found, wanted),
}
_TESTS = {"number": _NUMBERS, "word": _WORDS, "words": _WORDS}


def _fits(op: str, wanted: Any) -> bool:
    """Whether the value is of the sort that an operator takes."""
    if op in ("min", "max"):
        return type(wanted) is int
    if op == "is":
        return isinstance(wanted, (str, int, bool))
    return isinstance(wanted, list) and all(isinstance(w, (str, int)) for w in wanted)


def _verdict(answer: Answer, field: str, text: Mapping[str, str]) -> Verdict:
    return Verdict(answer, (Reason(answer, field, text),))


def _unreadable() -> Verdict:
    text = {lang: _phrase("unreadable", lang) for lang in _BOTH}
    return _verdict(Answer.UNKNOWN, "", text)


def _show(value: Any, lang: str) -> str:
    if isinstance(value, bool):
        return _phrase("yes" if value else "no", lang)
    if isinstance(value, (list, tuple)):
        return ", ".join(str(v) for v in value) or _phrase("nothing", lang)
    return str(value)


def _phrase(name: str, lang: str, **values: str) -> str:
    made: str = _words()["phrase"][name][lang].format(**values)
    return made


@cache
def _words() -> Mapping[str, Any]:
    text = Path(__file__).with_name("criteria.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
