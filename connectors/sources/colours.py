"""Which rows of a workbook's sheet are coloured: some offices say "paid" by a colour alone.

The reader of values (calamine) knows no styles, so this one looks at three parts of the zipped
workbook: which styles fill a cell, which part holds the sheet, and the style of each cell.
Source: ECMA-376-1 18.3.1.4 (cell), 18.8.10 (cellXfs), 18.8.20 (fill).
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.etree import ElementTree as ET

from connectors.errors import FixSource

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_NO_FILL = frozenset({"none", "gray125"})


def coloured_rows(path: Path, sheet: str) -> frozenset[int]:
    """Numbers (1-based) of the rows in which a cell that holds a value has a filled background.

    Raises:
        FixSource: `source.workbook`, the file is no workbook.
    """
    try:
        with zipfile.ZipFile(path) as book:
            filled = _filled_styles(book)
            with book.open(_part_of(book, sheet)) as part:
                return frozenset(_rows(part, filled))
    except (zipfile.BadZipFile, KeyError, StopIteration, ET.ParseError, OSError) as err:
        raise FixSource("source.workbook", file=path.name) from err


def _filled_styles(book: zipfile.ZipFile) -> frozenset[str]:
    styles = ET.fromstring(book.read("xl/styles.xml"))  # noqa: S314  (the agency's own)
    kinds = [
        (pattern.get("patternType", "none") if pattern is not None else "none")
        for fill in styles.iterfind(f"{_MAIN}fills/{_MAIN}fill")
        for pattern in (fill.find(f"{_MAIN}patternFill"),)
    ]
    filled = {str(n) for n, kind in enumerate(kinds) if kind not in _NO_FILL}
    formats = styles.iterfind(f"{_MAIN}cellXfs/{_MAIN}xf")
    return frozenset(str(n) for n, one in enumerate(formats) if one.get("fillId") in filled)


def _part_of(book: zipfile.ZipFile, sheet: str) -> str:
    sheets = ET.fromstring(book.read("xl/workbook.xml"))  # noqa: S314
    named = next(s for s in sheets.iter(f"{_MAIN}sheet") if s.get("name") == sheet)
    links = ET.fromstring(book.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    target = next(r.get("Target", "") for r in links if r.get("Id") == named.get(_RELATION))
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _rows(part: IO[bytes], filled: frozenset[str]) -> Iterator[int]:
    number = 0
    for _, row in ET.iterparse(part):  # noqa: S314
        if row.tag != f"{_MAIN}row":
            continue
        number = int(row.get("r", number + 1))
        if any(cell.get("s") in filled and len(cell) for cell in row):
            yield number
        row.clear()
