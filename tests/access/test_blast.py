"""Which answers used what a revoked key signed, and what they would say today."""

import json
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from gateway.access import blast, service, sessions, store_blast
from gateway.access.blast import Changed
from gateway.access.model import Officer, Purpose, Role
from gateway.access.service import Door
from gateway.access.sessions import NewOfficer
from gateway.app import create_app
from gateway.cli import cli
from gateway.errors import Forbidden, NotFound
from gateway.index import modelfile
from gateway.index import query as index
from gateway.index.store import membership, source_record
from gateway.intake.model import IntakeTools
from gateway.storage import ids
from keys.signers import Signer
from tests.conftest import Database
from tests.intake.factory import NOW, Agency, enrol, line, person, send, tools_of
from tests.intake.revoking import another_key, revoke, work
from tests.web.conftest import Browser


@pytest.fixture
def tools(fresh_database: Database) -> IntakeTools:
    return tools_of(fresh_database, modelfile.load())


def officer(database: Database, username: str, *roles: Role) -> Officer:
    new = NewOfficer(username, "Nama", "upt-kan", roles, "kata-sandi-yang-panjang")
    with database.session() as session:
        made = sessions.add_officer(session, new)
        session.commit()
    return Officer(made, username, "Nama", "upt-kan", roles)


def look(database: Database, tools: IntakeTools, who: Officer, whom: UUID) -> Any:
    """Ask for a profile and open it, as the desk does."""
    door = Door(tools.index, database.settings, date(2026, 11, 24))
    with database.session() as session:
        purpose = Purpose.NEW_COMPLAINT
        asked = service.ask_profile(session, who, (whom, purpose), door, NOW)
        session.commit()
        _, view = service.open_profile(session, who, asked.id, door, NOW)
        session.commit()
    return view


def person_of(database: Database, source_id: str) -> UUID:
    query = (
        select(membership.c.person_id)
        .join(source_record, source_record.c.id == membership.c.record_id)
        .where(source_record.c.source_id == source_id)
    )
    with database.session() as session:
        found: UUID = session.scalars(query).one()
    return found


def publish(
    database: Database, tools: IntakeTools, agency: Agency, said: dict[str, int], signer: Signer
) -> None:
    lines = [line(name, agency.version(), person(n)) for name, n in said.items()]
    send(database, tools, agency.seal(lines, signer=signer))
    work(database, tools)


@pytest.fixture
def robbed(fresh_database: Database, tools: IntakeTools) -> tuple[int, Officer]:
    """Three persons; of two the thief said something; all three, and one before, were looked at."""
    agency = enrol(fresh_database)
    thief = another_key(fresh_database, agency)
    who = officer(fresh_database, "loket", Role.COUNTER_OFFICER)
    publish(fresh_database, tools, agency, {"a": 1, "b": 2}, agency.signer)
    look(fresh_database, tools, who, person_of(fresh_database, "a"))
    changed = line("a", agency.version(), person(1, address_ktp={"street": "Jl. Palsu"}))
    forged = line("c", agency.version(), person(3))
    send(fresh_database, tools, agency.seal([changed, forged], signer=thief))
    work(fresh_database, tools)
    for source_id in ("a", "b", "c"):
        look(fresh_database, tools, who, person_of(fresh_database, source_id))
    number = revoke(fresh_database, agency, thief.kid, 0)
    work(fresh_database, tools)
    return number, who


def test_every_answer_that_used_a_suspect_batch_is_told(fresh_database, tools, robbed):
    number, who = robbed
    with fresh_database.session() as session:
        found = blast.radius(session, number, tools.vault)
    assert [len(one.persons) for one in found] == [1, 1]
    a, c = (one.persons[0] for one in found)
    assert (a.person_id, a.exists, a.fields) == (
        person_of(fresh_database, "a"),
        True,
        ("address_ktp",),
    )
    assert (c.person_id, c.exists) == (person_of(fresh_database, "c"), False)
    assert {"nik", "name_source", "birth_date"} <= set(c.fields)
    assert {(one.who, one.role, one.purpose, one.ticket) for one in found} == {
        (who.name, "counter_officer", "pengaduan_baru", None)
    }
    assert {one.record_types for one in found} == {("person",)}


def test_the_desk_says_what_is_under_review(fresh_database, tools, robbed):
    _, who = robbed
    view = look(fresh_database, tools, who, person_of(fresh_database, "a"))
    assert [(r.record_type, r.since, r.trusted) for r in view.reviews] == [("person", NOW, NOW)]
    assert view.golden["address_ktp"].value == person(1)["address_ktp"]
    view = look(fresh_database, tools, who, person_of(fresh_database, "b"))
    assert view.reviews == ()
    with fresh_database.session() as session, pytest.raises(NotFound) as caught:
        index.profile(session, person_of(fresh_database, "c"), tools.index)
    assert caught.value.code == "person.under_review"


def test_only_who_may_read_the_trail_reads_it(fresh_database, tools, robbed):
    number, who = robbed
    auditor = officer(fresh_database, "pemeriksa", Role.AUDITOR)
    with fresh_database.session() as session:
        assert len(blast.read(session, auditor, number, tools.vault)) == 2
        with pytest.raises(Forbidden):
            blast.read(session, who, number, tools.vault)


def test_the_page_says_what_it_comes_to_and_shows_no_value(fresh_database, tools, robbed):
    number, _ = robbed
    officer(fresh_database, "pemeriksa", Role.AUDITOR)
    app = create_app(replace(fresh_database.settings, second_factor="off"))
    try:
        reader, clerk = Browser(app), Browser(app)
        reader.log_in("pemeriksa", "kata-sandi-yang-panjang")
        clerk.log_in("loket", "kata-sandi-yang-panjang")
        path = f"/jejak/pencabutan/{number}"
        assert f'href="{path}"' in reader.get("/jejak").get_data(as_text=True)
        shown = reader.get(path).get_data(as_text=True)
        gone, changed = (ids.show(person_of(fresh_database, n)) for n in ("c", "a"))
        assert f'<code>{gone}</code> <span class="tag bad">tidak dikenal lagi' in shown
        assert (
            f'<code>{changed}</code> <span class="tag wait">kini lain</span> address_ktp' in shown
        )
        assert person(3)["nik"] not in shown
        assert person(3)["name_source"] not in shown
        assert clerk.get(path).status_code == 403
        assert reader.get("/jejak/pencabutan/999").status_code == 404
    finally:
        app.extensions["titian"].sessions.kw["bind"].dispose()


def test_the_report_is_kept_sealed_and_once(fresh_database, tools, robbed):
    number, _ = robbed
    with fresh_database.session() as session:
        blast.record(session, number, tools.vault, NOW)
        row = session.execute(select(store_blast.reeval_report)).one()
        plain = tools.vault.open("reeval|2026-11", str(number).encode(), row.detail)
    assert len(json.loads(plain)["detail"]["answers"]) == 2


def test_the_operator_reads_both_from_a_shell(fresh_database, tools, robbed):
    number, _ = robbed
    said = run(fresh_database, "blast-radius", "--revocation", str(number), "--json")
    told = json.loads(said)
    assert told["finished"] is True
    assert [p["exists"] for one in told["answers"] for p in one["persons"]] == [True, False]
    plain = run(fresh_database, "blast-radius", "--revocation", str(number))
    assert told["summary"] == {"answers": 2, "officers": 1, "gone": 1, "changed": 1, "same": 0}
    head = plain.splitlines()
    assert head[0].startswith(f"revocation {number} of ")
    assert head[1].startswith("2 answers to 1 askers used the 1 batches set aside")
    assert "1 are no longer known, 1 read otherwise now, 0 read as before" in head[2]
    assert "differs now: address_ktp" in plain
    assert "no field" not in plain
    assert ids.show(person_of(fresh_database, "c")) in plain
    assert person(3)["nik"] not in said + plain
    assert person(3)["name_source"] not in said + plain
    shown = run(fresh_database, "show")
    assert "1 batches in quarantine, 2 of 2 records judged, 0 links left" in shown
    assert json.loads(run(fresh_database, "show", "--revocation", str(number), "--json"))


def run(database: Database, *arguments: str) -> str:
    done = CliRunner().invoke(cli, ["reeval", *arguments], env=database.settings.environ())
    assert done.exit_code == 0, done.output
    return done.output


def affected(who: str, *persons: Changed) -> blast.Affected:
    return blast.Affected(
        UUID(int=9), NOW, who, "counter_officer", "search", "x", None, ("person",), persons
    )


def test_the_summary_counts_each_person_once():
    one, two, three = (UUID(int=n) for n in (1, 2, 3))
    found = [
        affected("satu", Changed(one, True, ()), Changed(two, True, ("nik",))),
        affected("dua", Changed(two, True, ("nik",)), Changed(three, False, ("nik",))),
        affected("satu"),
    ]
    assert blast.summary(found) == blast.Summary(3, 2, gone=1, changed=1, same=1)
    assert blast.summary([]) == blast.Summary(0, 0, 0, 0, 0)
