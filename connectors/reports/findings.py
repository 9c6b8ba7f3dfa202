"""The content of a report, whatever its form: counts, findings by the officer's own row keys."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.errors import FixSettings
from connectors.runner import Tally
from connectors.screen import masked, meaning, say

KINDS: Mapping[str, str] = {
    ".html": "connectors.reports.html:write",
    ".xlsx": "connectors.reports.xlsx:write",
}
"""By the ending of the file; loaded by name, so that no library is imported unasked."""


@dataclass(frozen=True, slots=True)
class Line:
    """One finding of one row."""

    block: str
    own: str
    code: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Report:
    """Texts in one language; `counts` are (head, cells), `sample` masked values by block."""

    title: str
    lead: str
    heads: tuple[str, ...]
    counts: tuple[tuple[object, ...], ...]
    finding_heads: tuple[str, ...]
    totals: tuple[tuple[str, str, int, str], ...]
    """(block, code, how many, meaning)."""
    lines: tuple[Line, ...]
    sample: tuple[tuple[str, Mapping[str, object]], ...]


def report_of(agency: str, tallies: Sequence[Tally], lang: str) -> Report:
    """The report of a preview; of each code the first hundred rows."""
    names = ("block", "type", "read", "sent", "unchanged", "deleted", "refused")
    figures = ("read", "sent", "unchanged", "deleted", "refused")
    return Report(
        title=say("report.title", lang, agency=agency),
        lead=say("report.lead", lang),
        heads=tuple(say(f"head.{name}", lang) for name in names),
        counts=tuple(
            (t.block, t.record_type, *(getattr(t, name) for name in figures)) for t in tallies
        ),
        finding_heads=tuple(
            say(f"head.{name}", lang) for name in ("block", "keys", "code", "meaning")
        ),
        totals=tuple(
            (t.block, code, count, meaning(code, lang))
            for t in tallies
            for code, count in sorted(t.findings.items(), key=lambda item: (-item[1], item[0]))
        ),
        lines=tuple(
            Line(t.block, own, code, meaning(code, lang))
            for t in tallies
            for code, keys in sorted(t.examples.items())
            for own in keys
        ),
        sample=tuple(
            (t.block, {name: masked(value, name) for name, value in values.items()})
            for t in tallies
            for _, values in t.sample[:3]
        ),
    )


def writer_of(path: Path) -> Callable[[Report, Path], None]:
    """What writes a report to a file of this ending, 0600: it names rows of the agency.

    Raises:
        FixSettings: the ending is not known, or its library is not installed.
    """
    if path.suffix.lower() not in KINDS:
        reason = f"it ends in one of {', '.join(KINDS)}"
        raise FixSettings("settings.value", key="--report", reason=reason)
    module, _, name = KINDS[path.suffix.lower()].partition(":")
    try:
        write: Callable[[Report, Path], None] = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as err:
        raise FixSettings("settings.driver", kind=path.suffix, package=err.name) from err
    return write
