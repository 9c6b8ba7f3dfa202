"""What a check of evidence found: each step valid, invalid, or without enough evidence.

Source: trust.md 3.7.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import ParamSpec, TypeVar

from keys.checkpoint import Checkpoint
from keys.errors import TrustError
from keys.policy import Policy

P = ParamSpec("P")
T = TypeVar("T")


class Verdict(StrEnum):
    """What a step came to."""

    VALID = "valid"
    INVALID = "invalid"
    NOT_ENOUGH = "not enough evidence"


@dataclass(frozen=True, slots=True)
class Finding:
    """One step of a check: what it looked at, how it came out, and the code of a refusal."""

    check: str
    step: str
    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All findings on one file."""

    check: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """Invalid if any step is; else lacking if any is; else valid."""
        found = {finding.verdict for finding in self.findings}
        for verdict in (Verdict.INVALID, Verdict.NOT_ENOUGH):
            if verdict in found:
                return verdict
        return Verdict.VALID


class Case:
    """The findings on one file as they come."""

    __slots__ = ("check", "findings", "heads", "policy")

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.check = "unknown"
        self.findings: list[Finding] = []
        self.heads: list[Checkpoint] = []

    def hold(self, step: str, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """What ``act`` returns, noted as valid; or None, noted as invalid with its code."""
        try:
            value = act(*args, **kwargs)
        except TrustError as err:
            self.note(step, Verdict.INVALID, err.code)
            return None
        self.note(step, Verdict.VALID)
        return value

    def note(self, step: str, verdict: Verdict, detail: str = "") -> None:
        """Note how a step came out; the same twice is one finding."""
        finding = Finding(self.check, step, verdict, detail)
        if finding not in self.findings:
            self.findings.append(finding)

    def lack(self, step: str) -> None:
        """Note that a step lacks what it would rest on."""
        self.note(step, Verdict.NOT_ENOUGH)
