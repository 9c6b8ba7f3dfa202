"""A ciphertext of the desk that is moved to another row does not open there."""

import pytest
from sqlalchemy import text

from gateway.complaints import store
from keys.errors import VaultError

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
