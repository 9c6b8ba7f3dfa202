"""Places of the first city: two code systems, five kecamatan, four epochs, names that occur twice."""

from datetime import date

import pytest

from schemas.profile import Profile

WILAYAH = Profile.load("payakumbuh").wilayah
KECAMATAN = {
    "13.76.01": ("1376010", 17),
    "13.76.02": ("1376030", 9),
    "13.76.03": ("1376020", 9),
    "13.76.04": ("1376031", 6),
    "13.76.05": ("1376011", 6),
}
LOST = (
    "Padang Kaduduak,Tarok,Balai Baru,Bunian,Koto Baru,Labuah Baru,Kubu Gadang,Balai Kaliki,"
    "Balai Gadang,Balai Cacang,Muaro,Balai Gurun,Balai Jariang,Cubadak Aia,Pasir,Taruko"
).split(",")


def standing(day):
    """The units that certainly stood by then and were certainly still there."""
    return [
        unit
        for unit in WILAYAH.units
        if (unit.span.start_latest is None or unit.span.start_latest <= day)
        and (unit.span.end_earliest is None or unit.span.end_earliest >= day)
    ]


@pytest.mark.parametrize(
    ("day", "count"),
    [
        (date(2014, 1, 1), 76),
        (date(2015, 1, 1), 62),
        (date(2016, 10, 31), 48),
        (date(2018, 12, 31), 47),
        (date(2025, 11, 3), 47),
    ],
)
def test_the_four_epochs_have_as_many_units_as_the_lists_of_their_time(day, count):
    assert len(standing(day)) == count


def test_the_kecamatan_stand_in_another_order_in_each_code_system():
    assert {code: each.bps for code, each in WILAYAH.kecamatan.items()} == {
        code: bps for code, (bps, _) in KECAMATAN.items()
    }
    by_kemendagri = sorted(KECAMATAN)
    by_bps = sorted(KECAMATAN, key=lambda code: KECAMATAN[code][0])
    assert by_kemendagri != by_bps
    assert by_bps == ["13.76.01", "13.76.05", "13.76.03", "13.76.02", "13.76.04"]


@pytest.mark.parametrize("code", KECAMATAN)
def test_each_kecamatan_has_its_kelurahan(code):
    assert sum(unit.kecamatan == code for unit in WILAYAH.active) == KECAMATAN[code][1]


@pytest.mark.parametrize("unit", WILAYAH.active, ids=lambda unit: unit.name)
def test_a_kelurahan_of_today_is_found_by_either_code_and_by_its_name(unit):
    resolve = WILAYAH.resolve
    for place in (
        resolve(kemendagri=unit.kemendagri),
        resolve(kemendagri=unit.kemendagri.replace(".", "")),
        resolve(name=unit.name, kecamatan=unit.kecamatan),
        resolve(name=f"Kel. {unit.name.upper()}", kecamatan=WILAYAH.kecamatan[unit.kecamatan].name),
    ):
        assert (place.kelurahan, place.kecamatan, place.findings) == (
            unit.kemendagri,
            unit.kecamatan,
            (),
        )
    for bps in unit.bps:
        assert resolve(bps=bps).kelurahan == unit.kemendagri


def test_ten_digits_mean_another_place_in_the_other_system():
    """1376020005 is in Timur for BPS; as a Kemendagri code it would be in Utara."""
    bps = WILAYAH.resolve(bps="1376020005")
    kemendagri = WILAYAH.resolve(kemendagri="1376020005")
    assert (bps.kelurahan, bps.kecamatan) == ("13.76.03.1003", "13.76.03")
    assert (kemendagri.kelurahan, kemendagri.kecamatan) == (None, None)
    assert kemendagri.findings == ("KEL_UNKNOWN",)


def test_a_code_of_seven_digits_is_read_in_the_system_it_belongs_to():
    assert WILAYAH.resolve(bps="1376020").kecamatan == "13.76.03"
    assert WILAYAH.resolve(kemendagri="13.76.02").kecamatan == "13.76.02"
    assert WILAYAH.kecamatan_of("1376020") is None


MERGED = [u for u in WILAYAH.units if u.is_old and u.successor is not None]


@pytest.mark.parametrize("unit", MERGED, ids=lambda unit: unit.name)
def test_what_merged_leads_to_its_successor_and_is_flagged(unit):
    codes = [{"bps": code} for code in unit.bps]
    if unit.kemendagri:
        codes.append({"kemendagri": unit.kemendagri})
    for said in ({"name": unit.name, "kecamatan": unit.kecamatan}, *codes):
        place = WILAYAH.resolve(**said)
        if "bps" in said and said["bps"] in WILAYAH.unit(unit.successor).bps:
            continue  # the last merger kept its old BPS codes
        assert (place.kelurahan, place.findings) == (unit.successor, ("KEL_OLD",)), said


def test_33_of_the_49_old_units_have_a_known_successor():
    assert len([u for u in WILAYAH.units if u.is_old]) == 49
    assert len(MERGED) == 33


@pytest.mark.parametrize("name", LOST)
def test_the_sixteen_whose_successor_is_not_known_lead_to_their_kecamatan_only(name):
    place = WILAYAH.resolve(name=name, kecamatan="Payakumbuh Utara")
    assert (place.kelurahan, place.kecamatan) == (None, "13.76.02")
    assert place.findings == ("KEL_OLD",)
    [unit] = place.units
    assert WILAYAH.resolve(kemendagri=unit.kemendagri).kelurahan is None
    assert WILAYAH.resolve(bps=unit.bps[0]).kecamatan == "13.76.02"


@pytest.mark.parametrize(
    ("name", "within"),
    [
        ("Kubu Gadang", {"13.76.01": "13.76.01.1003", "13.76.02": None}),
        ("Koto Baru", {"13.76.03": "13.76.03.1011", "13.76.02": None}),
        ("Balai Jariang", {"13.76.03": "13.76.03.1001", "13.76.02": None}),
        ("Balai Jaring", {"13.76.03": "13.76.03.1001", "13.76.02": None}),
    ],
)
def test_a_name_of_two_kecamatan_is_ambiguous_until_the_kecamatan_is_said(name, within):
    place = WILAYAH.resolve(name=name)
    assert (place.kelurahan, place.kecamatan, place.findings) == (None, None, ("KEL_AMBIGUOUS",))
    for kecamatan, code in within.items():
        assert WILAYAH.resolve(name=name, kecamatan=kecamatan).kelurahan == code


@pytest.mark.parametrize(
    ("name", "kecamatan", "code"),
    [
        ("Padang Tangah Payobadar", None, "13.76.03.1003"),
        ("Padang Tangah", "Barat", "13.76.01.1033"),
        ("Koto Panjang", None, "13.76.03.1010"),
        ("Koto Panjang Padang", None, "13.76.04.1005"),
        ("Koto Panjang Dalam", None, "13.76.04.1006"),
        ("TANJUNG PAUH", None, "13.76.01.1022"),
        ("tanjuang pauah", None, "13.76.01.1022"),
        ("Ibuah", None, "13.76.01.1021"),
        ("kel ibuh", None, "13.76.01.1021"),
        ("Padang Datar Tanah Mati", None, "13.76.01.1034"),
        ("Sawah Padang Aur Kuning", None, "13.76.05.1010"),
        ("Parit Muko Air", "Kec. Lampasi Tigo Nagari", "13.76.04.1002"),
    ],
)
def test_spelling_does_not_matter_and_names_alike_stay_apart(name, kecamatan, code):
    assert WILAYAH.resolve(name=name, kecamatan=kecamatan).kelurahan == code


@pytest.mark.parametrize("name", ["Bulakan", "Jakarta", "Koto", "Padang", "?"])
def test_a_name_that_is_not_there_is_not_guessed(name):
    place = WILAYAH.resolve(name=name)
    assert (place.kelurahan, place.findings) == (None, ("KEL_UNKNOWN",))


def test_nothing_said_is_unknown_and_a_kecamatan_alone_is_no_fault():
    assert WILAYAH.resolve().findings == ("KEL_UNKNOWN",)
    place = WILAYAH.resolve(kecamatan="Latina")
    assert (place.kelurahan, place.kecamatan, place.findings) == (None, "13.76.04", ())


def test_a_name_in_the_wrong_kecamatan_is_unknown_there():
    place = WILAYAH.resolve(name="Ibuah", kecamatan="Payakumbuh Timur")
    assert (place.kelurahan, place.kecamatan) == (None, "13.76.03")
    assert place.findings == ("KEL_UNKNOWN",)


def test_an_unknown_code_leads_nowhere_even_if_its_beginning_is_known():
    place = WILAYAH.resolve(kemendagri="13.76.04.1999")
    assert (place.kelurahan, place.kecamatan) == (None, None)
    assert place.findings == ("KEL_UNKNOWN",)


def test_data_of_a_day_between_two_lists_may_mean_the_unit_before_or_after():
    place = WILAYAH.resolve(bps="1376010016", at=date(2014, 7, 1))  # Nunang
    assert place.kelurahan == "13.76.01.1018"
    assert place.findings == ("KEL_OLD",)
    assert [unit.name for unit in place.units] == ["Nunang", "Nunang Daya Bangun"]
    certain = WILAYAH.resolve(bps="1376010016", at=date(2011, 7, 1))
    assert [unit.name for unit in certain.units] == ["Nunang"]
    assert certain.kelurahan == "13.76.01.1018"


def test_the_name_of_today_in_data_of_its_uncertain_beginning_is_flagged():
    name = "Tanjuanggodang Sungaipinago"
    assert WILAYAH.resolve(name=name, at=date(2016, 6, 1)).findings == ("KEL_OLD",)
    assert WILAYAH.resolve(name=name, at=date(2017, 6, 1)).findings == ()
