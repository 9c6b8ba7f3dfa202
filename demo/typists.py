"""The people who type BAZ's register, after they were told what is wrong with it.

They have the person's own card before them, which says what the civil register says: NIK, birth
date, and the present name of the kelurahan. One row in five they leave for another day.
"""

import csv
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from connectors.memory import Memory
from demo.city.build import City
from schemas.profile import Profile

AGENCY, BLOCK = "baz", "mustahik"
_LEFT = 5
_NIK, _BORN, _KEC, _KEL = 0, 5, 13, 14
"""Columns of the civil register's file."""
_OF_NIK = ("NIK_TRUNCATED", "NIK_SENTINEL", "NIK_INVALID", "NIK_DOB_DIFF", "NIK_SEX_DIFF")
_OF_PLACE = ("KEL_OLD", "KEL_AMBIGUOUS", "KEL_UNKNOWN")

Told = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Card:
    """What a person's card says."""

    nik: str
    born: str
    kelurahan: str | None
    kecamatan: str | None


def told(memory: Path) -> Told:
    """(own key, code) of what the connector tells of the register, as `quality` shows it."""
    with closing(Memory.open(memory)) as opened:
        rows = opened.finding_rows()
    return frozenset((own, code) for block, own, code, _ in rows if block == BLOCK)


def mend(city: City, wrong: Told, profile: Profile) -> int:
    """Type anew what is wrong, from the person's card; how many rows were touched."""
    cards, touched = _cards(city, profile), 0
    with closing(sqlite3.connect(city.baz)) as database, database:
        for own in sorted({own for own, _ in wrong}, key=int):
            card = cards.get(own)
            if card is None or int(own) % _LEFT == 0:
                continue
            codes = {code for key, code in wrong if key == own}
            for column, value in _anew(card, codes).items():
                statement = f"update mustahik set {column} = ? where id = ?"  # noqa: S608  (our own columns)
                database.execute(statement, (value, int(own)))
            touched += 1
    return touched


def _anew(card: Card, codes: set[str]) -> dict[str, str | None]:
    typed: dict[str, str | None] = {}
    if codes & {*_OF_NIK, "DOB_DEFAULT"}:
        typed["tgl_lahir"] = card.born
    if codes & set(_OF_NIK):
        typed["nik"] = card.nik
    if codes & set(_OF_PLACE) and card.kelurahan is not None:
        typed |= {"kelurahan": card.kelurahan, "kecamatan": card.kecamatan}
    return typed


def _cards(city: City, profile: Profile) -> Mapping[str, Card]:
    """The card of each row of the register whose person the civil register knows."""
    with city.truth.open(encoding="utf-8", newline="") as file:
        truth = list(csv.DictReader(file))
    persons = {
        row["person_id"]: row["source_key"]
        for row in truth
        if (row["agency"], row["table"]) == ("dukcapil", "BIODATA")
    }
    register = _register(city, profile)
    return {
        row["source_key"]: register[persons[row["person_id"]]]
        for row in truth
        if (row["agency"], row["table"]) == (AGENCY, BLOCK)
        and persons.get(row["person_id"]) in register
    }


def _register(city: City, profile: Profile) -> Mapping[str, Card]:
    newest = max(city.folders["dukcapil"].glob("BIODATA_*.txt"))
    cards = {}
    for text in newest.read_text(encoding="utf-8").splitlines():
        cells = text.split("|")
        if len(cells) <= _KEL or not cells[_NIK].isdigit():
            continue
        code = f"{profile.city.kemendagri_code}.{cells[_KEC]}.{cells[_KEL]}"
        unit = profile.wilayah.unit(code)
        born = cells[_BORN].replace("-", "/")
        name = None if unit is None else unit.name
        within = None if unit is None else profile.wilayah.kecamatan[unit.kecamatan].name
        cards[cells[_NIK]] = Card(cells[_NIK], born, name, within)
    return cards
