"""What runs out: the list of warnings at each edge, and the metric that only this machine sees."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.app import create_app
from gateway.trust import expiry, keylist
from gateway.web.edge import install
from keys.signers import Ed25519Signer
from tests.keys.test_warnings import EDGES
from tests.trust.test_keylife import FIRST, Action, Owner
from tests.trust.test_leaving import left
from tests.trust.test_reenrolling import Returning


@pytest.fixture(scope="module")
def kept(database):
    return Owner(database).active()


@pytest.mark.parametrize(("time_left", "warned"), EDGES, ids=str)
def test_each_edge_of_the_list(database, kept, time_left, warned):
    end = kept.entry().not_after
    with database.session() as session:
        found = [e for e in keylist.expiring(session, end - time_left) if e.key.agency == kept.code]
    assert [each.warning for each in found] == ([] if warned is None else [warned])
    assert all(each.days == time_left.days for each in found)


def seconds(database, now) -> dict:
    with database.session() as session:
        origin = database.settings.log_origin
        return dict(expiry.seconds_left(session, database.vault, origin, now))


def test_the_key_without_successor_that_ends_first(database):
    owner = Owner(database).active()
    assert seconds(database, owner.now)[owner.code, "sign"] == timedelta(days=120).total_seconds()
    owner.now += timedelta(days=60)
    owner.submit(owner.rotation(Ed25519Signer.generate(owner.code)))
    assert seconds(database, owner.now)[owner.code, "sign"] == timedelta(days=120).total_seconds()
    later = owner.now + timedelta(days=121)
    assert seconds(database, later)[owner.code, "sign"] == -timedelta(days=1).total_seconds()


def test_silence_counts_as_ended_and_who_left_is_not_named(database):
    owner = Returning(database).active()
    owner.decided(Action.SUSPEND, FIRST)
    assert seconds(database, owner.now)[owner.code, "sign"] == 0
    gone = Returning(database).active()
    left(gone)
    assert (gone.code, "sign") not in seconds(database, gone.now)


def test_only_this_machine_sees_whose_keys_run_out(database, kept):
    made = create_app(database.settings)
    edge = made.extensions["titian"]
    install(made, replace(edge, clock=lambda: kept.now))
    client = made.test_client()
    try:
        here = client.get("/metrics").get_data(as_text=True)
        line = re.search(rf'key_expiry_seconds{{agency="{kept.code}",purpose="sign"}} (\S+)', here)
        assert float(line[1]) == timedelta(days=120).total_seconds()
        away = client.get("/metrics", environ_base={"REMOTE_ADDR": "192.0.2.7"})
        proxied = client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"})
        for answer in (away, proxied):
            text = answer.get_data(as_text=True)
            assert "titian_log_size" in text
            assert "key_expiry" not in text
            assert kept.code not in text
    finally:
        edge.sessions.kw["bind"].dispose()
