"""The profile says beside each record who kept the key that signed it, where it was another body."""

import pytest

from gateway.index import modelfile
from gateway.storage import ids
from tests.intake.factory import enrol, line, person, send, tools_of
from tests.intake.revoking import another_key, work
from tests.web.test_review import person_of


@pytest.fixture(scope="module", autouse=True)
def published(app, database):
    tools = tools_of(database, modelfile.load())
    kept = enrol(database, "baz", instance="upt-kan")
    own = enrol(database, "dinkes")
    for agency, name in ((kept, "kept"), (own, "own")):
        send(database, tools, agency.seal([line(name, agency.version(), person(len(name)))]))
    signer = another_key(database, kept, instance="baz-pc")
    later = [line("later", kept.version(), person(9))]
    send(database, tools, kept.seal(later, signer=signer))
    work(database, tools)


@pytest.mark.parametrize(("record", "kept"), [("kept", True), ("own", False), ("later", False)])
def test_a_record_shows_who_keeps_its_key(browser, database, record, kept):
    browser.log_in("petugas")
    browser.get("/loket")
    whom = ids.show(person_of(database, record))
    page = browser.post("/profil", person=whom, purpose="pengaduan_baru").get_data(as_text=True)
    assert ("kuncinya dipegang UPT-KAN" in page) is kept
