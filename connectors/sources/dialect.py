"""How a delimited text file is written, found by looking at its first bytes; pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

DELIMITERS = "|;\t,"
_LINES = 20
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Dialect:
    """`encodings` are to be tried in turn; `columns` are the cells of the first line."""

    encodings: tuple[str, ...]
    delimiter: str
    quote: str | None
    columns: tuple[str, ...]


def sniff(head: bytes) -> Dialect | None:
    """The dialect of a file that begins with these bytes; None where no delimiter repeats itself.

    Text that is no UTF-8 is taken for Windows-1252, what Excel of this country saves.
    """
    plain = head.removeprefix(_BOM)
    whole = plain[: plain.rfind(b"\n") + 1] or plain
    encodings: tuple[str, ...] = ("utf-8",)
    try:
        text = whole.decode("utf-8")
    except UnicodeDecodeError:
        text, encodings = whole.decode("cp1252", errors="replace"), ("utf-8", "cp1252")
    lines = [line for line in text.splitlines() if line.strip()][:_LINES]
    delimiter = _delimiter(lines)
    if delimiter is None:
        return None
    quote = '"' if any(_is_quoted(line, delimiter) for line in lines) else None
    columns = tuple(cell.strip().strip('"') for cell in lines[0].split(delimiter))
    return Dialect(encodings, delimiter, quote, columns)


def _delimiter(lines: Sequence[str]) -> str | None:
    """The sign that stands equally often in most lines; of several, the one that cuts finest."""
    best: tuple[float, int, str] | None = None
    for sign in DELIMITERS:
        counts = Counter(line.count(sign) for line in lines)
        count, times = max(counts.items(), key=lambda item: (item[0] > 0, item[1]), default=(0, 0))
        if count and (found := (times / len(lines), count, sign)) > (best or (0.0, 0, "")):
            best = found
    return best[2] if best is not None else None


def _is_quoted(line: str, delimiter: str) -> bool:
    return any(cell[:1] == '"' and cell[-1:] == '"' for cell in line.split(delimiter))
