"""Every phrase is there in both languages, every phrase is used, and values read as people write."""

import re
from datetime import UTC, date, datetime

import pytest

from gateway.access.model import Action
from gateway.web import show
from gateway.web.words import LANGUAGES, catalogue, words
from tests.shared import ROOT

_STATIC = re.compile(r"""\bt\(\s*f?["']([a-z_]+\.[a-zA-Z_0-9 ]+)["']""")
_DYNAMIC = re.compile(r"""\bt(?:\.get)?\(\s*f?["']([a-z_]+\.[a-zA-Z_]*)(?:["']\s*~|\{)""")


def _sources() -> str:
    folder = ROOT / "gateway" / "web"
    files = [*folder.rglob("*.html"), *folder.rglob("*.py"), ROOT / "gateway" / "app.py"]
    return "\n".join(f.read_text(encoding="utf-8") for f in files)


def test_every_phrase_is_there_in_both_languages():
    for key, entry in catalogue().items():
        assert set(entry) == set(LANGUAGES), key
        holes = [set(re.findall(r"\{(\w+)\}", entry[lang])) for lang in LANGUAGES]
        assert holes[0] == holes[1], key


def test_every_phrase_used_exists_and_every_phrase_is_used():
    text = _sources()
    begun = set(_DYNAMIC.findall(text))
    used = {k for k in _STATIC.findall(text) if k not in begun}
    assert used <= catalogue().keys()
    left = {k for k in catalogue() if k not in used and not k.startswith(tuple(begun))}
    assert left == set()


def test_every_refusal_of_the_desk_is_said_in_both_languages():
    files = [*(ROOT / "gateway" / "complaints").glob("*.py"), ROOT / "gateway/web/counter.py"]
    text = "\n".join(f.read_text(encoding="utf-8") for f in files)
    raised = re.findall(r'(?:Refused|Conflict|Forbidden|NotFound|TooMany)\(\s*"([a-z_.]+)"', text)
    assert len(raised) > 30
    assert {f"refused.{code}" for code in raised} <= catalogue().keys()


def test_an_unknown_language_falls_back_to_indonesian():
    assert words("xx").language == "id"


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (show.day(date(2013, 12, 17)), "17 Desember 2013"),
        (show.day("1965-08-17", "en"), "17 August 1965"),
        (show.day("1965"), "1965"),
        (show.day(None), "–"),
        (show.moment(datetime(2025, 11, 3, 7, 5, tzinfo=UTC)), "3 November 2025, 14.05 WIB"),
        (show.number(1250000), "1.250.000"),
        (show.number(1250000, "en"), "1,250,000"),
        (show.rupiah(0), "Rp 0"),
        (show.rupiah(1250000), "Rp 1.250.000"),
        (show.masked("1376015410900002"), "1376 •••• •••• 0002"),
        (show.grouped("1376015410900002"), "1376 0154 1090 0002"),
        (show.age("1965-11-04", date(2025, 11, 3)), 59),
        (show.age("1965-11-03", date(2025, 11, 3)), 60),
        (show.age("1965", date(2025, 11, 3)), None),
    ],
)
def test_values_read_as_people_write_them(shown, expected):
    assert shown == expected


def test_every_way_to_look_has_its_word_in_the_trail():
    unlogged = {Action.TRAIL, Action.JUDGE}
    assert {f"trail.{action.value}" for action in set(Action) - unlogged} <= catalogue().keys()
