"""Keys made from the row's own fields, for sources that have none that last."""

import pytest

from tests.connectors.test_healing import _state_file

KEY = 'key_form = "derived"'


@pytest.fixture
def census(agency, gateway):
    """The table keyed by name and birth date, as a source that is typed anew each year."""
    text = agency.config.read_text().replace('key = ["id"]', f'key = ["nama", "tgl_lahir"]\n{KEY}')
    agency.config.write_text(text)
    agency.enrol(gateway)
    return agency


def test_a_yearly_reload_with_new_numbers_sends_nothing(census, gateway):
    assert census.run("publish", "--json").json["sent"] == 120
    before = set(gateway.records("baz", "person"))
    census.sql("UPDATE mustahik SET id = id + 5000")
    told = census.run("publish", "--json").json
    assert (told["sent"], told["deleted"], told["unchanged"]) == (0, 0, 120)
    assert set(gateway.records("baz", "person")) == before


def test_rows_that_are_the_same_in_all_of_the_key_are_told_apart_by_their_order(census, gateway):
    for number in (901, 902, 903):
        census.sql("INSERT INTO mustahik(id, nama, nik) VALUES(?, 'Sama', NULL)", number)
    told = census.run("publish", "--json").json
    assert (told["sent"], told["refused"]) == (123, 0)
    assert "ID_TWICE" not in told["findings"]
    assert census.run("publish", "--json").json["sent"] == 0
    census.sql("DELETE FROM mustahik WHERE id = 902")
    told = census.run("publish", "--json").json
    assert (told["sent"], told["deleted"]) == (0, 1)


def test_a_part_of_the_key_may_be_empty_but_not_all(census):
    census.sql("INSERT INTO mustahik(id, nama) VALUES(901, 'Tanpa Tanggal')")
    census.sql("INSERT INTO mustahik(id, nama) VALUES(902, NULL)")
    told = census.run("publish", "--json").json
    assert (told["sent"], told["refused"]) == (121, 1)
    assert told["findings"]["KEY_EMPTY"] == 1


def test_nothing_of_the_row_can_be_read_from_its_id(census, gateway):
    census.run("publish")
    for one in gateway.records("baz", "person"):
        assert len(one) == 32
        assert "Orang" not in one


def test_a_lost_state_gives_the_same_ids_again(census, gateway):
    census.run("publish")
    before = set(gateway.records("baz", "person"))
    _state_file(census).unlink()
    for extra in _state_file(census).parent.glob("memory.sqlite-*"):
        extra.unlink()
    assert census.run("publish").code == 0
    assert set(gateway.records("baz", "person")) == before


def test_a_fifth_of_the_pupils_vanishing_is_held_until_a_person_agrees(enrolled, gateway):
    """Scenario 37 at the agency's side: nothing leaves before somebody has looked."""
    enrolled.run("publish")
    enrolled.sql("DELETE FROM mustahik WHERE id <= 24")
    answer = enrolled.run("publish", lang="id")
    assert answer.code == 3
    assert "24 dari 120" in answer.err
    assert "--accept-vanished" in answer.err
    assert len(gateway.records("baz", "person")) == 120
    assert enrolled.run("publish", "--accept-vanished", "--json").json["deleted"] == 24
    assert len(gateway.records("baz", "person")) == 96


def test_a_corrected_row_loses_its_finding_without_anybody_closing_it(enrolled):
    """Scenario 38 at the agency's side."""

    def codes() -> set[str]:
        return {found["code"] for found in enrolled.run("status", "--json").json["findings"]}

    enrolled.sql("UPDATE mustahik SET nik = '1376011006800000' WHERE id = 7")
    enrolled.run("publish")
    assert "NIK_TRUNCATED" in codes()
    enrolled.sql("UPDATE mustahik SET nik = '1376011006800007' WHERE id = 7")
    enrolled.run("publish")
    assert "NIK_TRUNCATED" not in codes()
