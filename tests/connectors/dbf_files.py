"""Writes .dbf files for the tests: dBASE III+, character fields, and what else a test asks for."""

import struct
from collections.abc import Sequence


def dbf_file(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    kinds: str = "",
    language: int = 0x03,
    deleted: Sequence[int] = (),
    encoding: str = "cp1252",
) -> bytes:
    """The bytes of a file; `kinds` has a letter a column (C), `deleted` are row numbers from 0."""
    kinds = kinds or "C" * len(columns)
    widths = [{"C": 40, "N": 18, "D": 8, "L": 1, "I": 4, "M": 10}[kind] for kind in kinds]
    first, width = 32 + 32 * len(columns) + 1, 1 + sum(widths)
    head = struct.pack("<BBBBIHH17xB2x", 3, 125, 11, 2, len(rows), first, width, language)
    fields = b"".join(
        struct.pack("<11sc4xBB14x", name.encode("ascii"), kind.encode(), size, 0)
        for name, kind, size in zip(columns, kinds, widths, strict=True)
    )
    body = b""
    for number, row in enumerate(rows):
        body += b"*" if number in deleted else b" "
        for cell, kind, size in zip(row, kinds, widths, strict=True):
            if kind == "I":
                body += struct.pack("<i", cell)
                continue
            text = "" if cell is None else str(cell)
            raw = text.encode(encoding)
            body += raw.rjust(size) if kind == "N" else raw.ljust(size)
    return head + fields + b"\r" + body + b"\x1a"
