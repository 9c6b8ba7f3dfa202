"""Rule R3: who may silence a key, who may let it speak again, and what nobody is believed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keys import dsse, keyset
from keys.canonical import canonical, read_json
from keys.errors import BadSignature, BadStatement, TrustError
from keys.keyset import KeyEntry, Recovery, Revocation
from keys.signers import Ed25519Signer
from keys.succession import Standing
from keys.suspension import (
    PAYLOAD_TYPE,
    Action,
    Judged,
    Suspension,
    judge,
    parse_suspension,
    seal_suspension,
)

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def made(name: str, owner: str = "baz") -> Ed25519Signer:
    return Ed25519Signer.from_seed(owner, name.encode().ljust(32, b"."))


KEY, SIDE, LATER, PAPER, SECOND_PAPER, STRANGER = map(
    made, ("key", "side", "later", "paper", "paper two", "stranger")
)
CENTRE = made("centre", "gateway")
SUSPEND, RESUME = Action.SUSPEND, Action.RESUME


def entry(signer: Ed25519Signer, at: datetime = NOW - 60 * DAY) -> KeyEntry:
    return keyset.entry_of("baz", signer.public, instance="conn", not_before=at)


START = keyset.parse_statement(
    keyset.build(
        "titian.test",
        "baz",
        [entry(KEY), entry(SIDE), entry(LATER, NOW + DAY)],
        issued=NOW - 60 * DAY,
        recovery=Recovery(2, {each.kid: each.public for each in (PAPER, SECOND_PAPER)}),
    )
)
SAID = Suspension("titian.test", "baz", KEY.kid, SUSPEND, NOW, "key_suspected")


def judged(
    action: Action, *signers: Ed25519Signer, current: keyset.Keyset = START, **change: Any
) -> Judged:
    """The judgement on a statement; `change` is of what it says, `suspended` of what stands."""
    standing = Standing(current, bytes(32), frozenset(change.pop("suspended", ())))
    envelope = dsse.parse(seal_suspension(replace(SAID, action=action, **change), signers))
    return judge(envelope, standing, {CENTRE.kid: CENTRE.public}, NOW)


ALLOWED: dict[str, tuple[Callable[[], Judged], int]] = {
    "its own key silences itself": (lambda: judged(SUSPEND, KEY), 0),
    "another key of the agency": (lambda: judged(SUSPEND, SIDE), 0),
    "the recovery keys": (lambda: judged(SUSPEND, PAPER, SECOND_PAPER), 0),
    "one person": (lambda: judged(SUSPEND, CENTRE), 1),
    "a suspended key's agency by another key": (
        lambda: judged(SUSPEND, SIDE, suspended={KEY.kid}), 0,
    ),
    "resumed by the recovery keys": (lambda: judged(RESUME, PAPER, SECOND_PAPER), 0),
    "resumed by two persons": (lambda: judged(RESUME, CENTRE), 2),
    "resumed by two persons beside the key": (lambda: judged(RESUME, CENTRE, KEY), 2),
    "three days old": (lambda: judged(SUSPEND, KEY, issued=NOW - 3 * DAY), 0),
    "five minutes ahead": (lambda: judged(SUSPEND, KEY, issued=NOW + timedelta(minutes=5)), 0),
    "no recovery key at all": (
        lambda: judged(SUSPEND, KEY, current=replace(START, recovery=None)), 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ALLOWED)
def test_who_may_say_it(name: str) -> None:
    act, persons = ALLOWED[name]
    found = act()
    assert found.persons == persons
    assert found.said.kid == KEY.kid


REVOKED = replace(START, revoked=(Revocation(KEY.kid, NOW, "key_compromise", 1),))
REFUSED: dict[str, tuple[Callable[[], Judged], type[TrustError], str]] = {
    "another gateway": (
        lambda: judged(SUSPEND, KEY, aud="other"), BadStatement, "suspension.key",
    ),
    "another agency": (
        lambda: judged(SUSPEND, KEY, agency="bpjs"), BadStatement, "suspension.key",
    ),
    "an unknown key": (
        lambda: judged(SUSPEND, KEY, kid=STRANGER.kid), BadStatement, "suspension.key",
    ),
    "a key of recovery": (
        lambda: judged(SUSPEND, KEY, kid=PAPER.kid), BadStatement, "suspension.key",
    ),
    "too old": (
        lambda: judged(SUSPEND, KEY, issued=NOW - 3 * DAY - SECOND), BadStatement,
        "suspension.time",
    ),
    "from the future": (
        lambda: judged(SUSPEND, KEY, issued=NOW + timedelta(minutes=5) + SECOND), BadStatement,
        "suspension.time",
    ),
    "a stranger": (lambda: judged(SUSPEND, STRANGER), BadSignature, "sig.unknown_key"),
    "one recovery key of two": (
        lambda: judged(SUSPEND, PAPER), BadSignature, "suspension.signer",
    ),
    "a key that does not speak yet": (
        lambda: judged(SUSPEND, LATER), BadSignature, "suspension.signer",
    ),
    "a suspended key of another": (
        lambda: judged(SUSPEND, SIDE, suspended={SIDE.kid}), BadSignature, "suspension.signer",
    ),
    "a revoked key": (
        lambda: judged(SUSPEND, KEY, current=REVOKED), BadSignature, "suspension.signer",
    ),
    "resumed by a key of the connector": (
        lambda: judged(RESUME, SIDE), BadSignature, "suspension.signer",
    ),
    "resumed by itself": (lambda: judged(RESUME, KEY), BadSignature, "suspension.signer"),
    "resumed by one recovery key of two": (
        lambda: judged(RESUME, PAPER), BadSignature, "suspension.signer",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_who_may_not(name: str) -> None:
    act, kind, code = REFUSED[name]
    with pytest.raises(kind) as refused:
        act()
    assert refused.value.code == code


def test_a_wrong_signature_beside_a_good_one_is_refused() -> None:
    good = dsse.parse(seal_suspension(SAID, [KEY]))
    other = dsse.parse(seal_suspension(replace(SAID, reason="other"), [CENTRE]))
    both = replace(good, signatures=(*good.signatures, *other.signatures))
    with pytest.raises(BadSignature) as refused:
        judge(both, Standing(START, bytes(32)), {CENTRE.kid: CENTRE.public}, NOW)
    assert refused.value.code == "sig.invalid"


@pytest.mark.parametrize("action", Action)
def test_what_is_sealed_reads_back(action: Action) -> None:
    said = replace(SAID, action=action)
    assert parse_suspension(dsse.parse(seal_suspension(said, [KEY]))) == said


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"v": 2}, "suspension.version"),
        ({"v": 0}, "suspension.version"),
        ({"action": "destroy"}, "suspension.version"),
        ({"agency": "B A Z"}, "statement.field"),
        ({"reason": "For a reason"}, "statement.field"),
        ({"issued": "yesterday"}, "statement.field"),
        ({"kid": 7}, "statement.field"),
        ({"extra": 1}, "statement.fields"),
    ],
    ids=range(8),
)
def test_a_malformed_statement_is_refused(change: dict[str, Any], code: str) -> None:
    payload = read_json(dsse.parse(seal_suspension(SAID, [KEY])).payload)
    data = dsse.seal(PAYLOAD_TYPE, canonical(payload | change), [KEY])
    with pytest.raises(BadStatement) as refused:
        parse_suspension(dsse.parse(data))
    assert refused.value.code == code


@pytest.mark.parametrize("kind", [keyset.PAYLOAD_TYPE, "a", "z"])
def test_another_type_is_no_suspension(kind: str) -> None:
    payload = dsse.parse(seal_suspension(SAID, [KEY])).payload
    with pytest.raises(BadStatement) as refused:
        parse_suspension(dsse.parse(dsse.seal(kind, payload, [KEY])))
    assert refused.value.code == "suspension.type"


def test_more_recovery_keys_than_it_takes_are_enough() -> None:
    assert START.recovery is not None
    one = replace(START, recovery=replace(START.recovery, threshold=1))
    assert judged(RESUME, PAPER, SECOND_PAPER, current=one).persons == 0
