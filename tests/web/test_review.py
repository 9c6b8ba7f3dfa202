"""The desk says that data are under verification, and since when the value shown is trusted."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from gateway.index import modelfile
from gateway.storage import ids
from tests.intake.factory import enrol, line, person, send, tools_of
from tests.intake.revoking import another_key, revoke, work


@pytest.fixture
def robbed(database):
    """Two persons of one agency: of `a` a thief said something else, `b` is of his making."""
    tools, agency = tools_of(database, modelfile.load()), enrol(database, "dinkes")
    thief = another_key(database, agency)
    send(database, tools, agency.seal([line("a", agency.version(), person(1))]))
    changed = [line("a", agency.version(), person(2)), line("b", agency.version(), person(3))]
    send(database, tools, agency.seal(changed, signer=thief))
    work(database, tools)
    since = datetime(2026, 11, 20, tzinfo=UTC)
    revoke(database, agency, thief.kid, 0, since)
    work(database, tools)


def person_of(database, source_id):
    with database.session() as session:
        return session.scalar(
            text(
                "select m.person_id from membership m join source_record r on r.id = m.record_id"
                " where r.source_id = :s"
            ),
            {"s": source_id},
        )


def test_the_profile_says_since_when_and_shows_the_trusted_value(browser, database, robbed):
    browser.log_in("petugas")
    browser.get("/loket")
    whom = {
        name: ids.show(found) for name in "ab" if (found := person_of(database, name)) is not None
    }
    asked = {"purpose": "pengaduan_baru", "person": whom["a"]}
    page = browser.post("/profil", **asked).get_data(as_text=True)
    assert "sejak 20 November 2026 sedang diverifikasi" in page
    assert "nilai terakhir yang terpercaya, keadaan 24 November 2026" in page
    assert person(1)["name_source"] in page
    assert person(2)["name_source"] not in page
    asked = {"purpose": "pengaduan_baru", "person": whom["b"]}
    page = browser.post("/profil", **asked).get_data(as_text=True)
    assert "Semua data orang ini sedang diverifikasi" in page
    assert person(3)["name_source"] not in page
