"""What the officer sees: sentences in two languages, tables, a progress bar on a terminal."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import files

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.table import Table

from connectors.runner import Tally
from schemas.quality import FINDINGS

_KEPT = 3


@cache
def texts() -> Mapping[str, Mapping[str, str]]:
    """Every text of the screen in both languages."""
    text = files("connectors").joinpath("texts.json").read_text(encoding="utf-8")
    table: Mapping[str, Mapping[str, str]] = json.loads(text)
    return table


@cache
def mapping_findings() -> Mapping[str, Mapping[str, str]]:
    """Findings that only a mapping can make; those of a record stand in `schemas.quality`."""
    text = files("connectors").joinpath("findings.json").read_text(encoding="utf-8")
    table: Mapping[str, Mapping[str, str]] = json.loads(text)
    return table


def say(key: str, lang: str, **facts: object) -> str:
    """A text of the screen with its particulars."""
    text = texts()[key][lang]
    return text.format(**facts) if facts else text


def meaning(code: str, lang: str) -> str:
    """What a finding says and how to mend it at the source."""
    own = mapping_findings().get(code)
    if own is not None:
        return own[lang]
    found = FINDINGS.get(code)
    if found is None:
        return code
    if lang == "id":
        return f"{found.sentence_id} {found.remedy_id}"
    return f"{found.sentence_en} {found.remedy_en}"


def masked(value: object, name: str = "") -> object:
    """A value as a sample may show it: names by initials, numbers by their first digits."""
    if isinstance(value, Mapping):
        return {key: masked(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner, name) for inner in value]
    if not isinstance(value, str) or name not in _MASKS:
        return value
    return _MASKS[name](value)


def _digits(value: str) -> str:
    return value[:4] + "•" * max(0, len(value) - 4)


def _initials(value: str) -> str:
    return " ".join(word[:1] + "•" * min(_KEPT, len(word) - 1) for word in value.split())


def _year(value: str) -> str:
    return value[:4] + "-••-••"


_MASKS: Mapping[str, Callable[[str], str]] = {
    **dict.fromkeys(("nik", "nik_raw", "no_kk", "phone", "nisn", "card_no"), _digits),
    **dict.fromkeys(("name_source", "mother_name", "recipient", "aliases"), _initials),
    **dict.fromkeys(("street", "note", "birth_place"), _initials),
    "birth_date": _year,
}


@contextmanager
def progress_bar(console: Console) -> Iterator[Callable[[str, int, int | None], None]]:
    """Reports rows read; draws only on a terminal."""
    if not console.is_terminal:
        yield lambda _block, _read, _total: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}"),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def report(block: str, read: int, total: int | None) -> None:
            if block not in tasks:
                tasks[block] = bars.add_task(block, total=total)
            bars.update(tasks[block], completed=read, total=total)

        yield report


def tally_table(tallies: Sequence[Mapping[str, object]], lang: str) -> Table:
    """One line for each block."""
    names = ("block", "type", "read", "sent", "unchanged", "deleted", "refused")
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(
            say(f"head.{name}", lang), justify="left" if name in names[:2] else "right"
        )
    for tally in tallies:
        cells = [tally["block"], tally.get("record_type", ""), *(tally[name] for name in names[2:])]
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells))
    return table


def findings_table(tally: Tally, lang: str, rows: int) -> Table:
    """The findings of a reading by code, with the officer's own row keys."""
    table = Table(title=tally.block, title_justify="left", box=None, pad_edge=False)
    for name in ("code", "count", "meaning", "keys"):
        table.add_column(say(f"head.{name}", lang), justify="right" if name == "count" else "left")
    for code, count in sorted(tally.findings.items(), key=lambda item: (-item[1], item[0])):
        keys = tally.examples.get(code, [])[:rows]
        table.add_row(code, f"{count:,}", meaning(code, lang), ", ".join(keys))
    return table
