"""A report as a workbook for the people who type the data: one sheet of rows to mend."""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from connectors.reports.findings import Report
from keys.privatefile import write_private

_WIDTHS = (22, 34, 20, 90)


def write(report: Report, path: Path) -> None:
    """Writes the report, 0600."""
    book = Workbook(write_only=True)
    lines = ((line.block, line.own, line.code, line.meaning) for line in report.lines)
    _sheet(book, "Perbaiki", report.finding_heads, lines)
    _sheet(book, "Ringkasan", report.heads, report.counts)
    content = BytesIO()
    book.save(content)
    write_private(path, content.getvalue())


def _sheet(
    book: Workbook, title: str, heads: Iterable[str], rows: Iterable[Iterable[object]]
) -> None:
    sheet: Any = book.create_sheet(title)
    for letter, width in zip("ABCD", _WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    sheet.append(list(heads))
    for row in rows:
        sheet.append([_text(sheet, value) for value in row])


def _text(sheet: Any, value: object) -> object:
    """A text stays one: a key of 16 digits keeps its last, and `=1+1` is no formula."""
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, value=value)
    cell.data_type = "s"
    cell.number_format = "@"
    return cell
