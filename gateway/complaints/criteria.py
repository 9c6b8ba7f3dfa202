"""Whether a household is poor by a rule set, and why, in words. Pure; the sets are data.

Three ways out: poor; of a PMKS category though not poor; neither. The outcome is a proposal: a
named person decides, and may decide otherwise with a reason.

Source: design/domain.md §1.3 (D14), §2.2 (C15–C17), §3.2.
"""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from gateway.errors import Refused
from schemas.codes import lists


class Verdict(StrEnum):
    """What a rule set makes of the answers; each names the coordinator's move that follows it."""

    POOR = "accept_poor"
    PMKS = "accept_pmks_not_poor"
    NEITHER = "reject_criteria"


@dataclass(frozen=True, slots=True)
class Question:
    """One sign of poverty, as it is asked: yes speaks for poor."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One version of the rules, in force from a day on until another one (inclusive)."""

    code: str
    title: str
    valid_from: date
    valid_to: date | None
    least: int
    at_once: tuple[str, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """One question and its answer; yes counts for poor, and `alone` that it is enough by itself."""

    code: str
    text: str
    answer: bool
    alone: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a set makes of answers: `met` signs of `least` that were needed, and each reason."""

    rule_set: RuleSet
    verdict: Verdict
    met: int
    reasons: tuple[Reason, ...]
    pmks: tuple[str, ...]


@cache
def rule_sets() -> Mapping[str, RuleSet]:
    """All sets by code, oldest first."""
    text = Path(__file__).with_name("criteria.toml").read_text(encoding="utf-8")
    return {row["code"]: _read(row) for row in tomllib.loads(text)["set"]}


def in_force(day: date) -> RuleSet:
    """The set by which a visit on that day is judged.

    Raises:
        Refused: none was in force yet (`survey.no_rules`).
    """
    for each in rule_sets().values():
        if each.valid_from <= day and (each.valid_to is None or day <= each.valid_to):
            return each
    raise Refused("survey.no_rules", "Pada tanggal itu belum ada kriteria yang berlaku.")


def pmks_codes() -> Mapping[str, str]:
    """The categories that a survey may note, by code: none that may never leave its owner."""
    every = lists.load("pmks")
    kept = every.flagged("owner_only")
    return {code: every.label(code) for code in every.codes if code not in kept}


def judge(rules: RuleSet, answers: Mapping[str, bool], pmks: Collection[str] = ()) -> Outcome:
    """What a set makes of whole answers.

    Args:
        rules: the set.
        answers: yes or no to each of its questions.
        pmks: categories that were evidenced.

    Raises:
        Refused: a question has no answer (`survey.unanswered`), or a category is none
            (`survey.pmks`).
    """
    if any(q.code not in answers for q in rules.questions):
        raise Refused("survey.unanswered", "Jawab setiap pertanyaan dengan ya atau tidak.")
    if not set(pmks) <= pmks_codes().keys():
        raise Refused("survey.pmks", "Kategori PMKS itu tidak ada pada formulir survei.")
    reasons = tuple(
        Reason(q.code, q.text, answers[q.code], q.code in rules.at_once) for q in rules.questions
    )
    met = sum(r.answer for r in reasons)
    poor = met >= rules.least or any(r.answer and r.alone for r in reasons)
    verdict = Verdict.POOR if poor else Verdict.PMKS if pmks else Verdict.NEITHER
    return Outcome(rules, verdict, met, reasons, tuple(sorted(pmks)))


def _read(row: Mapping[str, Any]) -> RuleSet:
    questions = tuple(Question(q["code"], q["text"]) for q in row["question"])
    return RuleSet(
        code=str(row["code"]),
        title=str(row["title"]),
        valid_from=row["from"],
        valid_to=row.get("to"),
        least=row["least"],
        at_once=tuple(row["at_once"]),
        questions=questions,
    )
