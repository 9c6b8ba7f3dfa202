"""A report as one HTML file: no script, nothing fetched, readable on paper."""

from collections.abc import Iterable
from html import escape
from pathlib import Path

from connectors.reports.findings import Report
from keys.privatefile import write_private

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:1rem 0;width:100%}"
    "th,td{border:1px solid #bbb;padding:.3rem .6rem;text-align:left;vertical-align:top}"
    "th{background:#f2f2f2}td.n{text-align:right}"
)


def write(report: Report, path: Path) -> None:
    """Writes the report, 0600."""
    write_private(path, page(report).encode("utf-8"))


def page(report: Report) -> str:
    """The whole page; every text of the source is escaped."""
    totals = [(block, count, code, meaning) for block, code, count, meaning in report.totals]
    lines = [(line.block, line.own, line.code, line.meaning) for line in report.lines]
    samples = [
        (block, ", ".join(f"{name} = {value}" for name, value in values.items()))
        for block, values in report.sample
    ]
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{escape(report.title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(report.title)}</h1>"
        f"<p>{escape(report.lead)}</p>"
        + _table(report.heads, report.counts)
        + (_table((), totals) if totals else "")
        + (_table(report.finding_heads, lines) if lines else "")
        + (_table((), samples) if samples else "")
        + "</body></html>\n"
    )


def _table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return (
        f"<table>{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{body}</tbody></table>"
    )


def _cell(value: object) -> str:
    kind = ' class="n"' if isinstance(value, int) else ""
    return f"<td{kind}>{escape(str(value))}</td>"
