"""Which programmes a person may have, and why: a suggestion with reasons, never a refusal. Pure.

Source: design/domain.md §5.9 (eligible suggestion).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from gateway.programs import criteria
from gateway.programs.criteria import RESIDENCE, Answer, Facts, Verdict
from gateway.programs.model import Program, Truth, When


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A programme for a need: how much is left, where it stands, and whether he meets it."""

    truth: Truth
    when: When
    verdict: Verdict

    @property
    def rank(self) -> int:
        """Open and met, met but full, not known, next year, closed, not met."""
        if self.verdict.answer is Answer.FAILS:
            return 5
        if self.when is When.CLOSED:
            return 4
        if self.when is When.NEXT:
            return 3
        if self.verdict.answer is Answer.UNKNOWN:
            return 2
        return 0 if self.when is When.RUNNING else 1


def weigh(program: Program, facts: Facts) -> Verdict:
    """Whether a person meets a programme: alive, residence, and its own criteria."""
    rules = [criteria.judge({"field": "alive", "is": True}, facts)]
    if program.residency_rule in RESIDENCE:
        rule = {"field": RESIDENCE[program.residency_rule], "is": True}
        rules.append(criteria.judge(rule, facts))
    return criteria.both([*rules, criteria.judge(program.criteria, facts)])


def suggest(truths: Iterable[Truth], kind: str, facts: Facts, today: date) -> list[Suggestion]:
    """The programmes of a kind of need, the most useful first."""
    found = [
        Suggestion(truth, truth.when(today), weigh(truth.program, facts))
        for truth in truths
        if kind in truth.program.need_kinds
    ]
    return sorted(found, key=lambda s: (s.rank, s.truth.program.name, s.truth.program.code))
