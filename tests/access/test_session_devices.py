"""One session a device, screens that lock, and what ends a session."""

from datetime import timedelta

import pytest

from gateway.access import factors, locks, logins, sessions
from gateway.access.model import Role
from gateway.errors import Conflict, Forbidden, NotFound, Refused
from gateway.settings import Settings
from tests.access.conftest import NOW, give_phone, officer

SETTINGS = Settings()
PIN = "274913"
IDLE = NOW + timedelta(minutes=30)


def opened(session, who, device, now=NOW):
    token = sessions.open_session(session, who, now, device).token
    return token, sessions.current(session, token, SETTINGS, now)


@pytest.fixture
def desk(session, rina):
    """Rina's session on a registered workstation, with a PIN."""
    head = officer(session, "kepala", Role.UPT_COORDINATOR)
    locks.register(session, head, "loket-1", "Loket 1", NOW)
    factors.set_pin(session, rina.id, PIN)
    token, _ = opened(session, rina, "loket-1")
    return token


def test_session_a_second_login_on_a_device_ends_the_first(session, rina):
    other = officer(session, "budi", Role.COUNTER_OFFICER)
    first, _ = opened(session, rina, "tablet")
    second, _ = opened(session, other, "tablet")
    assert sessions.current(session, first, SETTINGS, NOW) is None
    assert sessions.current(session, second, SETTINGS, NOW).officer == other


def test_session_two_devices_live_side_by_side_and_one_ends_the_other(session, rina):
    first, _ = opened(session, rina, "tablet")
    second, here = opened(session, rina, "kantor")
    shown = logins.devices(session, here, SETTINGS, NOW)
    assert sorted(each.here for each in shown) == [False, True]
    logins.end(session, here, next(each.id for each in shown if not each.here))
    assert sessions.current(session, first, SETTINGS, NOW) is None
    assert sessions.current(session, second, SETTINGS, NOW) is not None


def test_session_all_others_end_at_once(session, rina):
    tokens = [opened(session, rina, f"d{n}")[0] for n in range(3)]
    here = sessions.current(session, tokens[0], SETTINGS, NOW)
    logins.end(session, here, None)
    alive = [sessions.current(session, t, SETTINGS, NOW) is not None for t in tokens]
    assert alive == [True, False, False]


def test_session_nobody_ends_anothers(session, rina):
    _, theirs = opened(session, officer(session, "budi", Role.COUNTER_OFFICER), "x")
    _, mine = opened(session, rina, "y")
    with pytest.raises(NotFound):
        logins.end(session, mine, theirs.id)


def test_session_another_role_ends_all_sessions(session, rina):
    token, _ = opened(session, rina, "tablet")
    sessions.change_roles(session, "rina", (Role.FIELD_VERIFIER,))
    assert sessions.current(session, token, SETTINGS, NOW) is None
    with pytest.raises(Refused):
        sessions.change_roles(session, "rina", (Role.AUDITOR, Role.KEY_ADMIN))


def test_session_that_idles_on_a_workstation_is_locked_and_opens_with_the_pin(session, desk, vault):
    found = sessions.current(session, desk, SETTINGS, IDLE)
    assert found.locked
    token, left = locks.unlock(session, found, PIN, vault, IDLE)
    assert left == 0
    assert token != desk
    assert sessions.current(session, desk, SETTINGS, IDLE) is None
    again = sessions.current(session, token, SETTINGS, IDLE)
    assert not again.locked
    assert (again.id, again.csrf) == (found.id, found.csrf)


def test_session_opens_with_the_phone_too_but_not_twice_with_one_code(session, desk, rina, vault):
    phone = give_phone(session, rina.id, vault)
    found = sessions.current(session, desk, SETTINGS, IDLE)
    token, _ = locks.unlock(session, found, phone.code(IDLE), vault, IDLE)
    locks.lock(session, sessions.current(session, token, SETTINGS, IDLE), IDLE)
    again = sessions.current(session, token, SETTINGS, IDLE)
    assert locks.unlock(session, again, phone.code(IDLE), vault, IDLE) == (None, 2)


def test_session_ends_after_three_wrong_tries(session, desk, vault):
    found = sessions.current(session, desk, SETTINGS, IDLE)
    said = [locks.unlock(session, found, "000000", vault, IDLE)[1] for _ in range(3)]
    assert said == [2, 1, 0]
    assert sessions.current(session, desk, SETTINGS, IDLE) is None
    assert locks.unlock(session, found, PIN, vault, IDLE)[0] is None


def test_session_on_a_workstation_still_ends_after_its_hours(session, desk):
    assert sessions.current(session, desk, SETTINGS, NOW + timedelta(hours=8)) is None


def test_session_that_nothing_could_unlock_ends_instead(session, desk, rina):
    factors.remove(session, rina.id)
    assert sessions.current(session, desk, SETTINGS, IDLE) is None


def test_session_locks_by_hand_only_where_it_can_be_unlocked(session, desk, rina):
    found = sessions.current(session, desk, SETTINGS, NOW)
    locks.lock(session, found, NOW)
    assert sessions.current(session, desk, SETTINGS, NOW).locked
    _, elsewhere = opened(session, rina, "tablet")
    with pytest.raises(Conflict) as refused:
        locks.lock(session, elsewhere, NOW)
    assert refused.value.code == "lock.device"
    factors.remove(session, rina.id)
    with pytest.raises(Conflict) as refused:
        locks.lock(session, found, NOW)
    assert refused.value.code == "lock.factor"


def test_a_workstation_is_registered_by_those_who_may(session, rina):
    with pytest.raises(Forbidden):
        locks.register(session, rina, "tablet", "Tablet", NOW)
    head = officer(session, "kepala", Role.UPT_COORDINATOR)
    with pytest.raises(Refused):
        locks.register(session, head, "tablet", " ", NOW)
