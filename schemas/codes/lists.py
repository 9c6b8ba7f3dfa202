"""The loader of the code lists beside it; codes are mapped by label, never by number."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from schemas.errors import ProfileBroken

_FOLD = re.compile(r"[^A-Z0-9/]+")


@dataclass(frozen=True, slots=True)
class Code:
    """One row of a list; `flags` are the columns that this list has beyond the usual ones."""

    code: str
    label_id: str
    label_en: str
    flags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CodeList:
    """A closed list; `codes` in the order of the file."""

    name: str
    rows: Mapping[str, Code]
    spellings: Mapping[str, str]

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(self.rows)

    def __contains__(self, code: object) -> bool:
        return code in self.rows

    def label(self, code: str) -> str:
        return self.rows[code].label_id

    def find(self, text: str | float | None) -> str | None:
        """The code for a label as agencies write it (older names and misspellings too), or None.

        A bare number finds nothing: the same labels carry other numbers in other software.
        """
        if text is None:
            return None
        folded = fold(str(text))
        return None if folded.isdigit() else self.spellings.get(folded)

    def flagged(self, flag: str) -> frozenset[str]:
        """The codes whose column `flag` says 1."""
        return frozenset(code for code, row in self.rows.items() if row.flags.get(flag) == "1")


def fold(text: str) -> str:
    """Capitals, digits and the stroke (`D I/II` is not `D III`); all else is dropped."""
    return _FOLD.sub("", text.upper())


@cache
def load(name: str) -> CodeList:
    """The list of that name.

    Raises:
        ProfileBroken: no such list, or one spelling stands for two codes.
    """
    path = files("schemas.codes") / f"{name}.csv"
    if not path.is_file():
        raise ProfileBroken("codes.unknown_list", f"there is no code list {name}")
    rows: dict[str, Code] = {}
    spellings: dict[str, str] = {}
    for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
        code, label_id, label_en = row.pop("code"), row.pop("label_id"), row.pop("label_en")
        written = (row.pop("spellings", None) or "").split("|")
        if code in rows:
            raise ProfileBroken("codes.twice", f"{name}: code {code} stands twice")
        rows[code] = Code(code, label_id, label_en, MappingProxyType(row))
        for spelling in {fold(label_id), fold(label_en), *(fold(text) for text in written)} - {""}:
            if spellings.setdefault(spelling, code) != code:
                raise ProfileBroken("codes.ambiguous", f"{name}: {spelling} stands for two codes")
    return CodeList(name, MappingProxyType(rows), MappingProxyType(spellings))
