"""Code lists: mapped by label and never by number; what only its owner may keep never travels."""

from importlib.resources import files

import pytest

from schemas.codes import lists
from schemas.errors import LineRefused, ProfileBroken
from schemas.line import LineParser
from schemas.records.registry import RECORD_TYPES
from tests.schemas.examples import line

OWNER_ONLY = {"03", "06", "10", "14", "15", "16", "17", "18", "19"}
NAMES = sorted(
    path.name.removesuffix(".csv")
    for path in files("schemas.codes").iterdir()
    if path.name.endswith(".csv")
)


@pytest.mark.parametrize("name", NAMES)
def test_every_code_is_labelled_in_both_languages_and_found_by_its_label(name):
    listed = lists.load(name)
    assert listed.codes
    for code, row in listed.rows.items():
        assert row.label_id.strip()
        assert row.label_en.strip()
        assert listed.find(row.label_id) == listed.find(row.label_id.upper()) == code


def test_the_26_kinds_and_those_that_never_leave_their_owner():
    pmks = lists.load("pmks")
    assert pmks.codes == tuple(f"{n:02d}" for n in range(1, 27))
    assert pmks.flagged("owner_only") == OWNER_ONLY
    assert len(lists.load("psks").codes) == 12


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("WRSE", "23"),
        ("Wanita Rawan Sosial Ekonomi", "23"),
        ("Lansia terlantar", "08"),
        ("LANJUT USIA TELANTAR", "08"),
        ("Penyandang Cacat", "09"),
        ("PACA", "05"),
        ("Keluarga Fakir Miskin", "24"),
        ("Anak Jalanan (Anjal)", "04"),
        ("tuna wisma", "11"),
        ("ODHA", "16"),
        ("24", None),
        (24, None),
        ("rumah tidak layak huni", None),  # a need here, none of the 26
        ("", None),
        (None, None),
    ],
)
def test_older_names_of_pmks_cross_over(written, code):
    assert lists.load("pmks").find(written) == code


@pytest.mark.parametrize(
    ("name", "written", "code"),
    [
        ("education", "Tidak/Belum Sekolah", "1"),
        ("education", "Tamat SD", "3"),
        ("education", "3", None),
        ("marital", "Menikah", "2"),
        ("sex", "perempuan", "P"),
        ("health_cover", "Jamkesda", "PBI_APBD"),
        ("disability", "tuna daksa", "FISIK"),
    ],
)
def test_labels_map_and_numbers_do_not(name, written, code):
    assert lists.load(name).find(written) == code


@pytest.mark.parametrize("code", sorted(OWNER_ONLY))
@pytest.mark.parametrize("strict", [False, True])
def test_a_kind_that_only_its_owner_may_keep_is_refused_on_the_wire(code, strict):
    with pytest.raises(LineRefused) as refused:
        LineParser(RECORD_TYPES["person"], strict=strict).parse(line("person", pmks=["24", code]))
    assert (refused.value.code, refused.value.field) == ("pmks.owner_only", "pmks")


def test_the_other_seventeen_travel():
    others = [code for code in lists.load("pmks").codes if code not in OWNER_ONLY]
    assert len(others) == 17
    parsed = LineParser(RECORD_TYPES["person"]).parse(line("person", pmks=others))
    assert parsed.values["pmks"] == others


def test_a_list_that_is_not_there_is_said_so():
    with pytest.raises(ProfileBroken):
        lists.load("tidak_ada")
