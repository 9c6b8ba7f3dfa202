"""The house's own records: by the same door, at once, and all or nothing."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from gateway.errors import Refused, Unavailable
from gateway.index import census
from gateway.intake import own
from gateway.intake.own import Own
from gateway.trust import approvals, house
from gateway.trust import query as trust
from gateway.trust.model import AgencyDraft, Approver
from tests.intake.factory import NOW, person, tools_of


@pytest.fixture(scope="module")
def tools(database):
    draft = AgencyDraft("upt-kan", "UPT-KAN", house.RECORDS, "survei", "clerk")
    before = NOW - timedelta(hours=1)
    with database.session() as session:
        house.enrol(session, draft, database.settings, database.vault, before)
        groups = " ".join(str(trust.agency(session, "upt-kan").fingerprint).split()[-2:])
        for who, role in (("registrar", "key_admin"), ("delegate", "mayor_delegate")):
            approvals.approve(session, "upt-kan", Approver(who, role), groups, before)
        session.commit()
    return tools_of(database)


def publish(database, tools, *records, record_type="person"):
    with database.session() as session:
        leaf = own.publish(session, record_type, records, tools, NOW)
        session.commit()
    return leaf


def state(database):
    with database.session() as session:
        live = census.live_ids(session, "upt-kan", "person", 2**62)
        seqs = session.scalars(text("select seq from batch where agency = 'upt-kan' order by 1"))
        return live, list(seqs)


def test_own_records_are_live_when_the_decision_is(database, tools):
    first = publish(database, tools, Own("a", person(1)), Own("b", person(2)))
    second = publish(database, tools, Own("a", person(1, sex="P")))
    assert first != second
    assert state(database) == ({"a", "b"}, [1, 2])


@pytest.mark.parametrize(
    "records",
    [
        [],
        [Own(f"n{n}", person(n)) for n in range(11)],
        [Own("c", person(3)), Own("d", {"sex": "L"})],
    ],
    ids=["none", "eleven", "one without a name"],
)
def test_what_no_agency_could_publish_leaves_nothing_behind(database, tools, records):
    before = state(database)
    with pytest.raises(Refused):
        publish(database, tools, *records)
    assert state(database) == before


def test_what_the_house_has_no_grant_for_is_not_signed_in(database, tools):
    with pytest.raises(Unavailable):
        publish(database, tools, Own("x", {"program_code": "x"}), record_type="program")
