"""Officers and sessions: who is let in, for how long, and what stops a guesser."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from gateway.access import sessions, tracker
from gateway.access.model import FORBIDDEN_PAIRS, Action, Purpose, Role, decide, policy
from gateway.access.sessions import NewOfficer
from gateway.errors import Conflict, Forbidden, Refused, TooMany, Unauthorized
from gateway.settings import Settings

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PASSWORD = "jembatan-kecil-1"
NEW = NewOfficer("Rina", "Rina Petugas", "upt-kan", (Role.COUNTER_OFFICER,), PASSWORD)


def test_an_officer_logs_in_under_any_case_of_his_name(session, rina):
    assert sessions.authenticate(session, " RINA ", PASSWORD) == rina


def test_a_wrong_password_and_an_unknown_name_read_alike(session, rina):
    said = []
    for name, word in (("rina", "wrong"), ("nobody", PASSWORD)):
        with pytest.raises(Unauthorized) as refused:
            sessions.authenticate(session, name, word)
        said.append((refused.value.code, refused.value.sentence))
    assert said[0] == said[1]


def test_the_password_is_kept_as_argon2id(session, dear_passwords, rina):
    kept = session.scalar(text("select password from officer where username = 'rina'"))
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=1$")


def test_a_short_password_is_refused(session):
    with pytest.raises(Refused):
        sessions.add_officer(session, replace(NEW, password="short"))


def test_a_taken_name_is_a_conflict(session, rina):
    with pytest.raises(Conflict):
        sessions.add_officer(session, replace(NEW, username="RINA"))


@pytest.mark.parametrize("pair", FORBIDDEN_PAIRS, ids=lambda p: f"{p[0]}+{p[1]}")
def test_forbidden_pairs_are_refused(session, pair):
    with pytest.raises(Refused) as refused:
        sessions.add_officer(session, replace(NEW, roles=pair))
    assert refused.value.code == "roles.forbidden_pair"


def test_a_session_lives_until_it_idles_out(session, rina):
    token = sessions.open_session(session, rina, NOW).token
    settings = Settings()
    assert sessions.current(session, token, settings, NOW + timedelta(minutes=14)) is not None
    later = NOW + timedelta(minutes=14 + 16)
    assert sessions.current(session, token, settings, later) is None


def test_a_session_ends_after_its_hours_however_busy(session, rina):
    token = sessions.open_session(session, rina, NOW).token
    at = NOW
    for _ in range(8 * 6):
        at += timedelta(minutes=10)
        found = sessions.current(session, token, Settings(), at)
    assert found is None


def test_only_a_hash_of_the_token_is_stored(session, rina):
    token = sessions.open_session(session, rina, NOW).token
    rows = session.execute(text("select token_hash, csrf from login_session")).all()
    assert all(token.encode() not in bytes(r.token_hash) and token != r.csrf for r in rows)


def test_leaving_and_disabling_end_a_session(session, rina):
    for end in (
        lambda t: sessions.close_session(session, t),
        lambda _: sessions.disable(session, "rina"),
    ):
        token = sessions.open_session(session, rina, NOW).token
        end(token)
        assert sessions.current(session, token, Settings(), NOW) is None


def test_five_failures_close_the_door_for_a_quarter_of_an_hour(session, rina):
    for n in range(5):
        sessions.begin_try(session, "rina", "10.0.0.1", NOW + n * timedelta(seconds=8))
    with pytest.raises(TooMany) as caught:
        sessions.begin_try(session, "RINA ", "10.0.0.1", NOW + timedelta(seconds=40))
    assert caught.value.details == {"retry_after": 860, "wait": "14:20"}
    assert "14:20" in caught.value.sentence
    sessions.begin_try(session, "rina", "10.0.0.1", NOW + timedelta(minutes=16))


def test_from_the_third_failure_on_each_doubles_the_wait(session, rina):
    at = NOW
    for waits in (0, 0, 2, 4):
        sessions.begin_try(session, "rina", "10.0.0.1", at)
        if waits:
            with pytest.raises(TooMany) as caught:
                sessions.begin_try(session, "rina", "10.0.0.1", at)
            assert caught.value.details["retry_after"] == waits
        at += timedelta(seconds=waits)


def test_a_stranger_does_not_lock_the_owner_out_at_once(session, rina):
    for n in range(5):
        sessions.begin_try(session, "rina", "10.0.0.1", NOW + n * timedelta(seconds=8))
    sessions.begin_try(session, "rina", "10.0.0.2", NOW)


def test_one_account_and_one_address_have_limits_of_their_own(session, rina):
    for n in range(20):
        sessions.begin_try(session, "rina", f"10.0.1.{n}", NOW)
    with pytest.raises(TooMany):
        sessions.begin_try(session, "rina", "10.0.2.1", NOW)
    for n in range(50):
        sessions.begin_try(session, f"other{n}", "10.0.3.1", NOW)
    with pytest.raises(TooMany):
        sessions.begin_try(session, "more", "10.0.3.1", NOW)


def test_a_right_password_takes_the_try_back(session, rina):
    for _ in range(9):
        sessions.succeeded(session, sessions.begin_try(session, "rina", "10.0.0.9", NOW))


@pytest.mark.parametrize("username", ["", "a", "dua kata", "Ü", "-x", "a" * 41])
def test_a_user_name_that_is_none_is_refused(session, username):
    with pytest.raises(Refused):
        sessions.add_officer(session, replace(NEW, username=username))


def test_blanks_are_no_password(session):
    with pytest.raises(Refused):
        sessions.add_officer(session, replace(NEW, password=" " * 12))


def test_what_the_policy_does_not_name_is_denied(rina):
    for role in Role:
        officer = replace(rina, roles=(role,))
        for action in Action:
            for purpose in Purpose:
                allowed = purpose in policy().get((role, action), frozenset())
                if allowed:
                    assert decide(officer, action, purpose) is role
                else:
                    with pytest.raises(Forbidden):
                        decide(officer, action, purpose)


def test_an_officer_has_a_limit_for_each_kind_of_look(session, rina):
    settings = replace(Settings(), searches_per_hour=3, searches_per_day=4)
    for _ in range(3):
        tracker.check_rate(session, (rina, Action.SEARCH), settings, NOW)
    with pytest.raises(TooMany):
        tracker.check_rate(session, (rina, Action.SEARCH), settings, NOW)
    tracker.check_rate(session, (rina, Action.REVEAL), settings, NOW)
    later = NOW + timedelta(hours=1)
    with pytest.raises(TooMany):
        tracker.check_rate(session, (rina, Action.SEARCH), settings, later)
    tracker.check_rate(session, (rina, Action.SEARCH), settings, NOW + timedelta(hours=25))


def test_one_subscriber_s_many_addresses_are_one(session, rina):
    for n in range(5):
        at = NOW + n * timedelta(seconds=8)
        sessions.begin_try(session, "rina", f"2001:db8:1:2::{n:x}", at)
    at = NOW + timedelta(minutes=5)
    with pytest.raises(TooMany):
        sessions.begin_try(session, "rina", "2001:db8:1:2:ffff::1", at)
    sessions.begin_try(session, "rina", "2001:db8:1:3::1", at)
