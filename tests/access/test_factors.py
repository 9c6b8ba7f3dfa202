"""The second factor, re-authentication, and what two persons can give back."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from gateway.access import factors, logins, resets, sessions, stepup
from gateway.access.decisions import Statement
from gateway.access.logins import Claim
from gateway.access.model import Duty, Role
from gateway.errors import Conflict, Forbidden, NotFound, Refused, Unauthorized
from gateway.ledger import query as ledger
from gateway.settings import Settings
from keys.canonical import read_json
from tests.access.conftest import NOW, PASSWORD, give_phone, officer

SETTINGS = Settings()
LATER = NOW + timedelta(minutes=10)
STATEMENT = Statement("approve_key", "key_admin", {"agency": "dinsos", "reason": "dicocokkan"})


def log_in(session, vault, name="rina", code="", now=NOW, device="tablet"):
    token = logins.log_in(session, Claim(name, PASSWORD, code), device, vault, now).token
    return sessions.current(session, token, SETTINGS, now)


@pytest.fixture
def phone(session, rina, vault):
    return give_phone(session, rina.id, vault)


def test_totp_the_phone_is_asked_for_once_it_counts(session, rina, vault):
    factors.begin(session, rina.id, vault)
    assert log_in(session, vault).officer == rina  # begun, not finished: the phone does not count
    secret = factors.waiting(session, rina.id, vault)
    assert secret is not None
    with pytest.raises(Refused):
        factors.finish(session, rina.id, "000000", vault, NOW)
    give_phone(session, rina.id, vault)
    assert factors.waiting(session, rina.id, vault) is None
    with pytest.raises(Unauthorized):
        log_in(session, vault)
    with pytest.raises(Conflict):
        factors.begin(session, rina.id, vault)
    with pytest.raises(Conflict):
        factors.finish(session, rina.id, "000000", vault, NOW)


def test_totp_a_code_is_good_once(session, phone, vault):
    log_in(session, vault, code=phone.code())
    with pytest.raises(Unauthorized):
        log_in(session, vault, code=phone.code())
    spaced = f"{phone.code(LATER)[:3]} {phone.code(LATER)[3:]}"
    log_in(session, vault, code=spaced, now=LATER)


def test_totp_an_older_code_is_refused_after_a_newer_one(session, phone, vault):
    log_in(session, vault, code=phone.code(NOW + timedelta(seconds=30)))
    with pytest.raises(Unauthorized):
        log_in(session, vault, code=phone.code())


def test_a_recovery_code_is_good_once(session, phone, vault):
    assert len(set(phone.recovery)) == 8
    typed = phone.recovery[3].upper().replace("-", " ")
    log_in(session, vault, code=typed)
    with pytest.raises(Unauthorized):
        log_in(session, vault, code=typed)
    log_in(session, vault, code=phone.recovery[4])


def test_neither_secret_nor_codes_stand_in_the_database(session, phone, rina):
    row = session.execute(text("select totp, pin from officer where username = 'rina'")).one()
    assert phone.secret not in bytes(row.totp)
    kept = session.scalars(text("select code_hash from recovery_code")).all()
    assert {len(bytes(each)) for each in kept} == {32}


def test_another_officers_recovery_code_opens_nothing(session, phone, vault):
    budi = officer(session, "budi", Role.COUNTER_OFFICER)
    give_phone(session, budi.id, vault)
    with pytest.raises(Unauthorized):
        log_in(session, vault, "budi", phone.recovery[0])


@pytest.mark.parametrize(
    ("role", "word", "duties"),
    [
        (Role.KEY_ADMIN, "roles", [None, Duty.FACTOR]),
        (Role.AUDITOR, "roles", [None, Duty.FACTOR]),
        (Role.COUNTER_OFFICER, "roles", [None, None]),
        (Role.COUNTER_OFFICER, "all", [None, Duty.FACTOR]),
        (Role.KEY_ADMIN, "off", [None, None]),
    ],
)
def test_who_must_have_a_second_factor_from_the_second_login_on(session, vault, role, word, duties):
    officer(session, "sari", role)
    settings = replace(SETTINGS, second_factor=word)
    found = []
    for _ in duties:
        token = logins.log_in(session, Claim("sari", PASSWORD), "d", vault, NOW).token
        found.append(sessions.current(session, token, settings, NOW).duty)
    assert found == duties


def test_a_misspelt_setting_does_not_turn_the_second_factor_off():
    with pytest.raises(ValueError, match="SECOND_FACTOR"):
        Settings.from_env({"TITIAN_SECOND_FACTOR": "of"})
    with pytest.raises(ValueError, match="for a demo"):
        Settings(second_factor="off", origin="https://titian.example")


def test_stepup_gives_the_session_a_new_token_and_lasts_five_minutes(session, phone, rina, vault):
    here = log_in(session, vault, code=phone.code())
    assert not stepup.is_fresh(here, NOW)
    with pytest.raises(Unauthorized) as refused:
        stepup.confirm(session, here, STATEMENT, vault, NOW)
    assert refused.value.code == "stepup.needed"
    claim = Claim("rina", PASSWORD, phone.code(LATER))
    token = stepup.prove(session, here, claim, vault, LATER)
    fresh = sessions.current(session, token, SETTINGS, LATER)
    assert fresh.id == here.id
    for minutes in (0, 4):
        stepup.confirm(session, fresh, STATEMENT, vault, LATER + timedelta(minutes=minutes))
    with pytest.raises(Unauthorized):
        stepup.confirm(session, fresh, STATEMENT, vault, LATER + timedelta(minutes=5))


def test_stepup_what_was_confirmed_stands_in_the_log_without_a_name(session, phone, vault):
    here = log_in(session, vault, code=phone.code())
    token = stepup.prove(session, here, Claim("rina", PASSWORD, phone.code(LATER)), vault, LATER)
    fresh = sessions.current(session, token, SETTINGS, LATER)
    made = stepup.confirm(session, fresh, STATEMENT, vault, LATER)
    entry = read_json(ledger.entry(session, made.leaf))
    assert entry["t"] == "decision"
    assert entry["kind"] == "confirm"
    assert entry["statement"] == made.sha256.hex() == STATEMENT.sha256.hex()
    assert "rina" not in str(entry)
    kept = session.scalar(
        text("select statement from confirmation where leaf = :leaf"), {"leaf": made.leaf}
    )
    assert bytes(kept) == STATEMENT.text


def test_stepup_by_anothers_password_is_refused(session, rina, vault):
    officer(session, "budi", Role.COUNTER_OFFICER)
    here = log_in(session, vault)
    for claim in (Claim("budi", PASSWORD), Claim("rina", "salah-salah-salah")):
        with pytest.raises(Unauthorized):
            stepup.prove(session, here, claim, vault, NOW)


def test_stepup_needs_the_second_factor_that_the_role_needs(session, vault):
    admin = officer(session, "sari", Role.KEY_ADMIN)
    here = log_in(session, vault, "sari")
    with pytest.raises(Forbidden) as refused:
        stepup.check_able(session, here, SETTINGS)
    assert refused.value.code == "stepup.no_factor"
    stepup.check_able(session, here, replace(SETTINGS, second_factor="off"))
    give_phone(session, admin.id, vault)
    stepup.check_able(session, here, SETTINGS)


def test_a_new_password_ends_the_other_sessions(session, rina, vault):
    other = log_in(session, vault, device="kantor")
    here = log_in(session, vault, device="tablet")
    for new in (PASSWORD, "pendek", "payakumbuh-2025"):
        with pytest.raises(Refused):
            logins.change_password(session, here, PASSWORD, new, "Payakumbuh")
    with pytest.raises(Unauthorized):
        logins.change_password(session, here, "salah-salah-salah", "kuda hijau lampu", "")
    logins.change_password(session, here, PASSWORD, "kuda hijau lampu", "Payakumbuh")
    assert [d.here for d in logins.devices(session, here, SETTINGS, NOW)] == [True]
    assert other.id != here.id
    sessions.authenticate(session, "rina", "kuda hijau lampu")


def test_two_other_persons_give_a_login_back(session, phone, rina, vault):
    one = officer(session, "satu", Role.OPERATOR)
    two = officer(session, "dua", Role.MAYOR_DELEGATE)
    before = log_in(session, vault, code=phone.code())
    assert resets.reset(session, "rina", one, vault, NOW) is None
    with pytest.raises(Conflict):
        resets.reset(session, "rina", one, vault, NOW)
    given = resets.reset(session, "rina", two, vault, NOW)
    assert logins.devices(session, before, SETTINGS, NOW) == []
    token = logins.log_in(session, Claim("rina", given), "d", vault, NOW).token
    here = sessions.current(session, token, SETTINGS, NOW)
    assert here.duty is Duty.PASSWORD
    logins.change_password(session, here, given, "kuda hijau lampu", "")
    assert sessions.current(session, token, SETTINGS, NOW).duty is None
    logged = session.scalar(text("select count(*) from confirmation where kind = 'reset_login'"))
    assert logged == 2


def test_nobody_resets_himself_nor_without_the_role(session, rina, vault):
    one = officer(session, "satu", Role.OPERATOR)
    budi = officer(session, "budi", Role.COUNTER_OFFICER)
    for name, by in (("satu", one), ("rina", budi)):
        with pytest.raises(Forbidden):
            resets.reset(session, name, by, vault, NOW)
    with pytest.raises(NotFound):
        resets.reset(session, "nobody", one, vault, NOW)


def test_a_first_word_is_forgotten_after_a_day(session, rina, vault):
    one = officer(session, "satu", Role.OPERATOR)
    two = officer(session, "dua", Role.KEY_ADMIN)
    resets.reset(session, "rina", one, vault, NOW)
    assert resets.reset(session, "rina", two, vault, NOW + timedelta(hours=24)) is None
