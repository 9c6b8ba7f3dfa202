"""The press: hostile names letter by letter, equal bytes, marks of reprints, paper, sealed forms."""

import base64
import io
import json
import shutil
from datetime import UTC, datetime

import pypdf
import pytest

from gateway.errors import Unavailable
from gateway.letters import numbers, press
from gateway.letters.model import Kind
from schemas.profile import Profile
from tests.shared import shared

AT = datetime(2025, 11, 3, 3, tzinfo=UTC)
LINK = "https://titian.example/s/abcdefghijklmnop"
MARKS = {"paper": "a4", "copy": 0, "for": "pemohon", "link": LINK}
HOUSE = {
    "lines": ["PEMERINTAH KOTA", "UPT"],
    "unit": "UPT",
    "address": "Jl. Satu",
    "place": "Kota",
    "legal_basis": ["Perwako 59/2013"],
    "signatory": "Koordinator",
}
PERSON = {
    "name": "Rosmaini",
    "nik": "1376014105900002",
    "nik_masked": "•••• •••• •••• 0002",
    "birth_date": "1 Mei 1990",
    "address": "Jl. Sudirman 3",
}
DATA = {
    "house": HOUSE,
    "person": PERSON,
    "number": "460/7/UPT-KAN/XI/2025",
    "ticket": "PKN-2025-000319-7",
    "made_on": "3 November 2025",
    "bidang": "Pendidikan",
    "agency": "Dinas Pendidikan",
    "needs": [{"label": "Tunggakan sekolah", "subject": "Anak"}],
    "check": ["Tercatat pada DTSEN."],
    "answer_by": "17 November 2025",
    "surveyed_on": "1 November 2025",
    "rule_set": "Keputusan 262",
    "reason": "Berkecukupan",
    "criteria": [{"text": "Lantai tanah", "result": "tidak terpenuhi"}],
    "object_by": "3 Desember 2025",
    "received_on": "3 November 2025",
    "next": "Tunggu kabar.",
    "questions": ["Lantai tanah?"],
    "pmks": ["08 Lanjut usia terlantar"],
    "day": "3 November 2025",
    "groups": [{"label": "Lewat batas", "count": 0, "rows": []}],
}


def read(pdf: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf))


def words(pdf: bytes) -> str:
    return " ".join(" ".join(p.extract_text() for p in read(pdf).pages).split())


def named(name: str, template: str = "rujukan-1") -> bytes:
    return press.typeset(template, {**DATA, "person": {**PERSON, "name": name}}, MARKS, AT)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(("paper", "size"), [("a4", (210, 297)), ("f4", (215, 330))])
def test_each_form_is_one_accessible_page_on_either_paper(kind, paper, size):
    pdf = press.typeset(press.newest()[kind], DATA, {**MARKS, "paper": paper}, AT)
    (page,) = read(pdf).pages
    assert [round(float(n) / 72 * 25.4) for n in page.mediabox[2:]] == list(size)
    assert b"pdfuaid:part" in pdf
    for font in page["/Resources"]["/Font"].values():
        descriptor = font["/DescendantFonts"][0]["/FontDescriptor"]
        assert {"/FontFile2", "/FontFile3"} & descriptor.keys()


@pytest.mark.parametrize(
    "name",
    [
        '#panic("x")',
        "*tebal* _miring_ `kode` $x^2$ = judul",
        "<script>alert(1)</script>",
        '\\ #import "/etc/passwd": * // komentar',
        '] #read("/etc/passwd") [',
        "'satu' \"dua\" -- tiga --- ... @label ~",
        "Ébène Ōtani Ƶ ﬁ",
    ],
)
def test_a_hostile_name_is_typeset_letter_by_letter(name):
    assert name in words(named(name))


def hostile_names() -> set[str]:
    found = set()
    for text in shared("data/vectors/own/hostile-records.jsonl").read_text().splitlines():
        try:
            record = json.loads(base64.b64decode(json.loads(text)["line_b64"]))
        except (ValueError, RecursionError):
            continue
        name = record.get("nama") if isinstance(record, dict) else None
        if isinstance(name, str) and name.isprintable() and name.strip():
            found.add(name[:120])
    return found


def test_every_hostile_record_of_the_vectors_can_be_printed():
    printed = 0
    for name in sorted(hostile_names()):
        pdf = named(name)
        if b"pdfuaid:part" in pdf:  # else a letter of it is in no font of ours
            printed += 1
            assert name.split()[0][:20] in words(pdf)
    assert printed > 0


def test_a_name_cannot_turn_round_the_figures_that_follow_it():
    assert "PKN-2025-000319-7" in words(named("Ali \u202e\u2067 Baba\x00"))


def test_letters_that_no_font_has_are_printed_all_the_same():
    pdf = named("\ua9c1 Siti")
    assert b"pdfuaid:part" not in pdf
    assert "Siti" in words(pdf)


def test_equal_data_give_equal_bytes():
    assert named("Rosmaini") == named("Rosmaini")


def test_the_citizens_copy_shows_the_last_digits_only():
    assert PERSON["nik"] not in words(named("Rosmaini"))
    agency = press.typeset("rujukan-1", DATA, {**MARKS, "for": "instansi"}, AT)
    assert PERSON["nik"] in words(agency)


def test_a_reprint_is_marked_and_the_original_is_not():
    assert "CETAK ULANG" not in words(named("Rosmaini"))
    again = press.typeset("rujukan-1", DATA, {**MARKS, "copy": 2}, AT)
    assert "SALINAN – CETAK ULANG KE-2" in words(again)


def test_a_template_that_was_altered_prints_nothing(tmp_path, monkeypatch):
    folder = tmp_path / "templates"
    shutil.copytree(press._FOLDER, folder)
    monkeypatch.setattr(press, "_FOLDER", folder)
    press.seal.cache_clear()
    try:
        press.check_seal("rujukan-1")
        with (folder / "rujukan-1.typ").open("a") as out:
            out.write("lain")
        press.seal.cache_clear()
        with pytest.raises(Unavailable, match="Templat"):
            press.typeset("rujukan-1", DATA, MARKS, AT)
        with pytest.raises(Unavailable):
            press.check_seal("rujukan-99")
    finally:
        press.seal.cache_clear()


def test_every_released_template_is_as_it_was_released():
    for template in press._table()["sealed"]:
        press.check_seal(template)


def test_numbers_follow_the_patterns_of_the_city():
    patterns = Profile.load("payakumbuh").letterhead.numbers
    assert numbers.printed(patterns, "rujukan", 7, AT.date()) == "460/7/UPT-KAN/XI/2025"
    assert len({p.format(number=1, roman_month="I", year=1) for p in patterns.values()}) == len(
        patterns
    )
