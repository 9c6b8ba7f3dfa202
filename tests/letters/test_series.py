"""Letters on a real database: no gap, no double, the same years later, and sealed."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text

from gateway.errors import NotFound
from gateway.letters import query, service
from gateway.letters.model import Copy, Kind, Office, Paper
from gateway.letters.service import Draft, Wish
from gateway.storage import ids
from keys.errors import VaultError
from schemas.profile import Profile
from tests.letters.test_press import DATA, words

PROFILE = Profile.load("payakumbuh")
WISH = Wish(Paper.F4, Copy.CITIZEN, "https://titian.example")


@pytest.fixture
def office(database):
    today, now = date(2025, 11, 3), datetime(2025, 11, 3, 3, tzinfo=UTC)
    return Office(ids.new(), database.vault, PROFILE, today, now)


def issue(database, office, kind=Kind.REFERRAL, *, keep=True):
    with database.session() as session:
        draft = Draft(kind, ids.new(), None, DATA)
        made = service.issue(session, draft, "3 November 2025", office)
        if keep:
            session.commit()
        return made


def print_(database, letter, office, wish=WISH):
    with database.session() as session:
        made = service.print_letter(session, letter.id, wish, office)
        session.commit()
        return made


def test_numbers_have_no_gap_though_many_ask_and_some_give_back(database, office):
    years = replace(office, today=date(2031, 5, 1))
    with ThreadPoolExecutor(8) as pool:
        done = pool.map(lambda n: issue(database, years, keep=n % 3 > 0), range(30))
    kept = [letter.running for n, letter in enumerate(done) if n % 3 > 0]
    assert sorted(kept) == list(range(1, 21))


def test_each_kind_and_year_has_a_series_of_its_own(database, office):
    years = replace(office, today=date(2032, 1, 2))
    assert issue(database, years).number == "460/1/UPT-KAN/I/2032"
    assert issue(database, years).number == "460/2/UPT-KAN/I/2032"
    assert issue(database, years, Kind.REJECTION).number == "460/1/UPT-KAN.TL/I/2032"
    assert issue(database, replace(office, today=date(2033, 1, 2))).running == 1


def test_a_copy_says_what_the_original_said_whatever_the_city_says_by_then(database, office):
    letter = issue(database, office)
    first = words(print_(database, letter, office))
    head = replace(PROFILE.letterhead, lines=("KOTA BARU",), address="Jl. Lain")
    later = replace(office, profile=replace(PROFILE, letterhead=head))
    second = words(print_(database, letter, later))
    assert second.replace(" SALINAN – CETAK ULANG KE-1", "") == first
    assert "CETAK ULANG KE-2" in words(print_(database, letter, later))


def test_the_qr_names_the_letter_and_nobody(database, office):
    letter = issue(database, office)
    with database.session() as session:
        found = query.by_code(session, letter.code)
        assert query.by_code(session, "a" * 16) is None
    assert found is not None
    assert (found.number, dict(found.data)) == (letter.number, {})
    assert len(letter.code) == 16


def test_what_a_letter_says_stands_sealed(database, office):
    issue(database, office)
    with database.session() as session:
        seen = "".join(session.scalars(text("select t::text from letter t")))
    assert "Rosmaini" not in seen
    assert b"Rosmaini".hex() not in seen


def test_a_letter_that_was_swapped_does_not_open(database, office):
    one, _ = issue(database, office), issue(database, office)
    swap = "update letter a set sealed = b.sealed from letter b where a.id <> b.id"
    with database.session() as session:
        assert session.execute(text(swap)).rowcount >= 2
        with pytest.raises(VaultError):
            query.find(session, one.id, database.vault)
        session.rollback()


def test_an_unknown_letter_is_not_printed(database, office):
    with database.session() as session, pytest.raises(NotFound):
        service.print_letter(session, ids.new(), WISH, office)
