"""A ciphertext of the desk that is moved to another row does not open there."""

import pytest
from sqlalchemy import text

from gateway.complaints import query, rekeying, sealing, store
from keys.errors import VaultError
from tests.complaints.conftest import PROFILE

SWAPS = {
    "complaint": "update complaint a set sealed = b.sealed from complaint b where a.id <> b.id",
    "need": "update need a set sealed = b.sealed from need b where a.id <> b.id",
    "tables": "update need a set sealed = b.sealed from complaint b where a.ticket_id = b.id",
    "complaint_event": "update complaint_event a set sealed = b.sealed from complaint_event b"
    " where a.id <> b.id",
}


@pytest.mark.parametrize("name", SWAPS)
def test_what_was_swapped_does_not_open(office, name):
    one, _ = office.register().case, office.register().case
    with office.database.session() as session:
        assert session.execute(text(SWAPS[name])).rowcount >= 2
        read = store.history if name == "complaint_event" else store.get
        with pytest.raises(VaultError):
            read(session, one.ticket.id, office.database.vault)
        session.rollback()


def test_a_ticket_is_found_again_after_the_key_of_the_index_was_replaced(office, monkeypatch):
    monkeypatch.setattr(rekeying, "_CHUNK", 2)
    vault = office.database.vault
    case = [office.register().case for _ in range(3)][1]

    def found():
        with office.database.session() as session:
            keys = sealing.identity_keys(vault, case.ticket.body, PROFILE)
            return [c.ticket.id for c in query.open_of(session, None, keys, vault)]

    def rekey():
        after = None
        while True:
            with office.database.session() as session:
                after = rekeying.rekey(session, vault, PROFILE, after)
                session.commit()
            if after is None:
                return

    vault.add_version("bix", office.moment)
    rekey()
    vault.drop_below("bix", vault.bix_versions[0])
    assert found() == [case.ticket.id]
    rekey()
    with office.database.session() as session:
        kept = session.scalars(text("select cardinality(found_by) from complaint")).all()
    assert set(kept) == {len(sealing.keys_of(vault, case.ticket.body, PROFILE))}
    assert found() == [case.ticket.id]
