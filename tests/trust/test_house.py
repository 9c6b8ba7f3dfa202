"""The house as an agency, what agencies may be asked, and whose keys another body keeps."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from gateway.errors import Conflict, Forbidden
from gateway.trust import house, keylist, query
from gateway.trust.model import AgencyDraft, AgencyState
from keys import dsse, keyset
from tests.trust.enrolling import CLERK, NOW, REGISTRAR, SECOND
from tests.trust.test_keylife import Owner, refused

ASK = "live_check"


@pytest.fixture
def owner(database) -> Owner:
    return Owner(database).active()


def test_the_house_comes_in_by_a_ticket_and_waits_for_two_persons(fresh_database):
    vault, settings = fresh_database.vault, fresh_database.settings
    draft = AgencyDraft("upt-kan", "UPT-KAN", house.RECORDS, "PERWAKO-1", CLERK)
    with fresh_database.session() as session:
        made = house.enrol(session, draft, settings, vault, NOW)
        session.commit()
        refused(Conflict, "agency.exists", house.enrol, session, draft, settings, vault, NOW)
    assert (made.state, made.approvals) == (AgencyState.PENDING, 0)
    said = keyset.parse_statement(dsse.parse(made.envelope).payload)
    (entry,) = said.keys.values()
    assert (entry.kid, entry.instance) == (vault.signer("house").kid, house.INSTANCE)
    assert made.fingerprint == vault.signer("house").public.fingerprint()


def test_an_agency_may_be_asked_by_a_grant_that_counts_now(owner, database):
    def asked(now) -> str:
        with database.session() as session:
            return query.basis_of(session, owner.code, ASK, now)

    refused(Forbidden, "grant.missing", asked, owner.now)
    with database.session() as session:
        session.execute(
            text("update grant_ set action = :ask where agency = :a and record_type = 'person'"),
            {"ask": ASK, "a": owner.code},
        )
        session.commit()
    later = owner.now + timedelta(minutes=1)
    assert asked(later) == "PKS-1"
    refused(Forbidden, "grant.missing", asked, owner.now - timedelta(days=1))
    with database.session() as session:
        assert query.holders(session, ASK, later) == [owner.code]
        assert query.holders(session, "refer", later) == []


def test_a_key_that_another_body_keeps_is_named_with_its_keeper(database):
    kept = Owner(database).invited()
    entry = keyset.entry_of(kept.code, kept.signer.public, instance="upt-kan", not_before=kept.now)
    envelope = kept.keyset(entry)
    kept.send(envelope, kept.proof(envelope, kept.challenge()))
    kept.approve(REGISTRAR, "key_admin")
    kept.approve(SECOND, "mayor_delegate")
    with database.session() as session:
        found = keylist.kept_for_others(session, ["upt-kan", "other"])
        assert found == {(kept.code, kept.signer.kid): "upt-kan"}
        assert keylist.kept_for_others(session, ["conn"]).get((kept.code, kept.signer.kid)) is None
