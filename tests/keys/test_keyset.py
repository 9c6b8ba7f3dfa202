"""Keysets: what rule R1 takes, what it refuses, and in which state a key is."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import checkpoint, dsse, keyset, succession
from keys.canonical import canonical, to_base64
from keys.checkpoint import NoteKey
from keys.errors import BadKey, BadSignature, BadStatement, TrustError
from keys.keyset import KeyEntry, Keyset, Recovery, Revocation, State
from keys.signers import Ed25519Signer

AUD = "titian.example"
NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
DAY = timedelta(days=1)
ONE = Ed25519Signer.from_seed("dinsos", bytes([1]) * 32)
TWO = Ed25519Signer.from_seed("dinsos", bytes([2]) * 32)
REC = Ed25519Signer.from_seed("dinsos", bytes([3]) * 32)
WIT = Ed25519Signer.from_seed("dinsos", bytes([4]) * 32)
LOW_ORDER = to_base64(b"\x01" + bytes(31))


def entry(signer: Ed25519Signer = ONE, **change: Any) -> KeyEntry:
    made = keyset.entry_of("dinsos", signer.public, instance="conn-a", not_before=NOW)
    return replace(made, **change)


def payload(**change: Any) -> bytes:
    plain = keyset.build(AUD, "dinsos", [entry()], issued=NOW)
    return canonical({**json.loads(plain), **change})


def key_json(**change: Any) -> dict[str, Any]:
    return {ONE.kid: {**json.loads(payload())["keys"][ONE.kid], **change}}


def sealed(data: bytes, *signers: Ed25519Signer) -> dsse.Envelope:
    return dsse.parse(dsse.seal(keyset.PAYLOAD_TYPE, data, signers or (ONE,)))


def accept(envelope: dsse.Envelope, **change: Any) -> Keyset:
    options: dict[str, Any] = {"known_keys": (), "now": NOW} | change
    return succession.accept_first(envelope, AUD, **options)


def test_a_first_keyset_is_accepted_and_reads_as_it_was_built() -> None:
    recovery = Recovery(1, {REC.kid: REC.public})
    entries = [entry(), entry(TWO, uses=frozenset({"http"}), sign_until=NOW + DAY)]
    data = keyset.build(AUD, "dinsos", entries, issued=NOW, recovery=recovery)
    found = accept(sealed(data, ONE, TWO, REC))
    assert (found.agency, found.version, found.prev, found.aud) == ("dinsos", 1, None, AUD)
    assert list(found.keys.values()) == sorted(entries, key=lambda each: each.kid)
    assert found.recovery == recovery
    assert found.publics("batch") == {ONE.kid: ONE.public}
    assert found.publics().keys() == {ONE.kid, TWO.kid}
    assert found.keys[ONE.kid].alg == "ed25519"


def test_witness_and_encryption_keys_are_read_and_the_witness_must_sign() -> None:
    vkey = NoteKey("dinsos.witness", checkpoint.TYPE_COSIGNATURE, WIT.public).vkey()
    enc = {"alg": "hpke-x25519", "pub": to_base64(bytes(32)), "not_after": "2027-01-01T00:00:00Z"}
    data = payload(witness={WIT.kid: {"vkey": vkey}}, enc={"dinsos:e1": enc})
    found = accept(sealed(data, ONE, WIT))
    assert found.witness[WIT.kid].public == WIT.public
    assert found.enc["dinsos:e1"] == enc
    with pytest.raises(BadStatement) as refused:
        accept(sealed(data, ONE))
    assert refused.value.code == "keyset.possession"


def test_every_key_must_sign_itself() -> None:
    data = keyset.build(AUD, "dinsos", [entry(), entry(TWO)], issued=NOW)
    with pytest.raises(BadStatement) as refused:
        accept(sealed(data, ONE))
    assert refused.value.code == "keyset.possession"
    with pytest.raises(BadSignature):
        accept(sealed(payload(), TWO))


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "other gateway": (lambda: payload(aud="other.example"), "keyset.aud"),
    "second version": (lambda: payload(version=2), "keyset.version"),
    "a previous one": (lambda: payload(prev="0" * 64), "keyset.version"),
    "something revoked": (
        lambda: payload(
            revoked=[
                {
                    "kid": "dinsos:x",
                    "since": "2026-01-01T00:00:00Z",
                    "reason": "key_compromise",
                    "size_at_since": 1,
                }
            ]
        ),
        "keyset.version",
    ),
    "no key": (lambda: payload(keys={}), "keyset.key"),
    "not yet issued": (lambda: payload(issued="2026-11-24T02:05:01Z"), "keyset.time"),
    "run out": (lambda: payload(expires="2026-11-24T02:00:00Z"), "keyset.time"),
    "key for too long": (
        lambda: payload(keys=key_json(not_after="2027-03-24T02:00:01Z")),
        "keyset.time",
    ),
    "key that ends before it begins": (
        lambda: payload(keys=key_json(not_after="2026-11-24T02:00:00Z")),
        "keyset.time",
    ),
    "key already over": (
        lambda: payload(
            keys=key_json(not_before="2026-10-01T00:00:00Z", not_after="2026-11-24T01:00:00Z")
        ),
        "keyset.time",
    ),
    "key twice": (
        lambda: payload(
            recovery={
                "threshold": 1,
                "kids": [WIT.kid],
                "pubs": {WIT.kid: to_base64(WIT.public.raw)},
            },
            witness={WIT.kid: {"vkey": NoteKey("w", 4, WIT.public).vkey()}},
        ),
        "keyset.key",
    ),
    "online key as recovery key": (
        lambda: payload(
            recovery={
                "threshold": 1,
                "kids": [ONE.kid],
                "pubs": {ONE.kid: to_base64(ONE.public.raw)},
            }
        ),
        "keyset.key",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_rule_r1_refuses(name: str) -> None:
    make, code = REFUSED[name]
    with pytest.raises(TrustError) as refused:
        accept(sealed(make()))
    assert refused.value.code == code


def test_another_type_is_no_keyset() -> None:
    envelope = dsse.parse(dsse.seal("application/other", payload(), [ONE]))
    with pytest.raises(BadStatement) as refused:
        accept(envelope)
    assert refused.value.code == "keyset.type"


def test_a_key_used_before_anywhere_is_refused() -> None:
    with pytest.raises(BadKey) as refused:
        accept(sealed(payload()), known_keys={ONE.public.raw})
    assert refused.value.code == "key.known"


def two_of_two() -> dict[str, Any]:
    keys = sorted([REC, WIT], key=lambda each: each.kid)
    return {
        "threshold": 1,
        "kids": [each.kid for each in keys],
        "pubs": {each.kid: to_base64(each.public.raw) for each in keys},
    }


def test_a_statement_on_the_wire() -> None:
    assert json.loads(keyset.build(AUD, "dinsos", [entry()], issued=NOW)) == {
        "v": 1,
        "aud": AUD,
        "agency": "dinsos",
        "version": 1,
        "prev": None,
        "issued": "2026-11-24T02:00:00Z",
        "expires": "2027-11-24T02:00:00Z",
        "keys": {
            ONE.kid: {
                "alg": "ed25519",
                "pub": to_base64(ONE.public.raw),
                "uses": ["batch", "http", "response"],
                "instance": "conn-a",
                "not_before": "2026-11-24T02:00:00Z",
                "not_after": "2027-03-24T02:00:00Z",
                "sign_until": None,
            }
        },
        "witness": {},
        "enc": {},
        "recovery": None,
        "policy": {"batch_sig": "ed25519", "min_record_salt": True},
        "revoked": [],
        "reason": "enrol",
    }


MOMENTS = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001 -- hypothesis adds the zone
    datetime(2090, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda when: when.replace(microsecond=0))
ENTRIES = st.builds(
    KeyEntry,
    kid=st.just(""),
    public=st.integers(1, 10**6).map(
        lambda number: Ed25519Signer.from_seed("dinsos", number.to_bytes(32, "big")).public
    ),
    uses=st.sets(st.sampled_from(sorted(keyset.USES)), min_size=1).map(frozenset),
    instance=st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True),
    not_before=MOMENTS,
    not_after=MOMENTS,
    sign_until=st.none() | MOMENTS,
).map(lambda entry: replace(entry, kid=entry.public.kid("dinsos")))
REVOCATIONS = st.builds(
    Revocation,
    kid=st.text(min_size=1, max_size=60).filter(str.isprintable),
    since=MOMENTS,
    reason=st.from_regex(r"[a-z_]{1,40}", fullmatch=True),
    size_at_since=st.integers(0, 2**53 - 1),
)
KEYSETS = st.builds(
    Keyset,
    aud=st.text(min_size=1, max_size=50).filter(str.isprintable),
    agency=st.just("dinsos"),
    version=st.integers(1, 2**53 - 1),
    prev=st.none() | st.binary(min_size=32, max_size=32),
    issued=MOMENTS,
    expires=MOMENTS,
    keys=st.lists(ENTRIES, max_size=5).map(lambda each: {entry.kid: entry for entry in each}),
    witness=st.just({}) | st.just({WIT.kid: NoteKey("w", 4, WIT.public)}),
    enc=st.just({}),
    recovery=st.none() | st.just(Recovery(1, {REC.kid: REC.public})),
    revoked=st.lists(REVOCATIONS, max_size=5).map(tuple),
    reason=st.from_regex(r"[a-z_]{1,40}", fullmatch=True),
)


@given(KEYSETS)
def test_every_keyset_has_one_statement_that_reads_back(said: Keyset) -> None:
    data = keyset.encode(said)
    found = keyset.parse_statement(data)
    assert found == said
    assert keyset.encode(found) == data


VALUES = st.none() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text() | st.lists(st.text())


@given(KEYSETS, st.sampled_from(sorted(json.loads(payload()))), VALUES)
def test_a_statement_with_another_field_is_another_one_or_none(
    said: Keyset, name: str, value: object
) -> None:
    whole = json.loads(keyset.encode(said))
    try:
        found = keyset.parse_statement(canonical(whole | {name: value}))
    except (BadStatement, BadKey):
        return
    assert (found == said) == (whole[name] == value)


def test_fewer_recovery_keys_than_there_are_may_suffice() -> None:
    found = keyset.parse_statement(payload(recovery=two_of_two())).recovery
    assert found is not None
    assert (found.threshold, len(found.keys)) == (1, 2)


MALFORMED: dict[str, Callable[[], bytes]] = {
    "not json": lambda: b"{",
    "not an object": lambda: b"[]",
    "field too many": lambda: payload(extra=1),
    "format": lambda: payload(v=2),
    "older format": lambda: payload(v=0),
    "policy": lambda: payload(policy={"batch_sig": "none", "min_record_salt": True}),
    "policy without salt": lambda: payload(
        policy={"batch_sig": "ed25519", "min_record_salt": False}
    ),
    "agency": lambda: payload(agency="Dinsos"),
    "version": lambda: payload(version="1"),
    "version nought": lambda: payload(version=0),
    "prev": lambda: payload(prev="00"),
    "issued": lambda: payload(issued="yesterday"),
    "reason": lambda: payload(reason="Because!"),
    "keys": lambda: payload(keys=[]),
    "too many keys": lambda: payload(keys={f"k{i}": {} for i in range(65)}),
    "revoked": lambda: payload(revoked={}),
    "revocation": lambda: payload(revoked=[{"kid": "x"}]),
    "key fields": lambda: payload(keys={ONE.kid: {}}),
    "key no object": lambda: payload(keys={ONE.kid: 1}),
    "foreign kid": lambda: payload(keys={TWO.kid: key_json()[ONE.kid]}),
    "no use": lambda: payload(keys=key_json(uses=[])),
    "use twice": lambda: payload(keys=key_json(uses=["http", "http"])),
    "unknown use": lambda: payload(keys=key_json(uses=["keyset"])),
    "unknown use that sorts first": lambda: payload(keys=key_json(uses=["aaa", "http"])),
    "unknown use that sorts last": lambda: payload(keys=key_json(uses=["batch", "zzz"])),
    "use no text": lambda: payload(keys=key_json(uses=[{}])),
    "pub too short": lambda: payload(keys=key_json(pub="QUJD")),
    "pub no base64": lambda: payload(keys=key_json(pub="!")),
    "instance": lambda: payload(keys=key_json(instance="")),
    "witness": lambda: payload(witness={WIT.kid: {"vkey": "x"}}),
    "witness of another": lambda: payload(
        witness={ONE.kid: {"vkey": NoteKey("w", 4, WIT.public).vkey()}}
    ),
    "enc": lambda: payload(
        enc={"e": {"alg": "rsa", "pub": to_base64(bytes(32)), "not_after": "2027-01-01T00:00:00Z"}}
    ),
    "enc of an earlier word": lambda: payload(
        enc={"e": {"alg": "aaa", "pub": to_base64(bytes(32)), "not_after": "2027-01-01T00:00:00Z"}}
    ),
    "recovery of nobody": lambda: payload(
        recovery={"threshold": 0, "kids": [REC.kid], "pubs": {REC.kid: to_base64(REC.public.raw)}}
    ),
    "recovery kids in another order": lambda: payload(
        recovery={**two_of_two(), "kids": sorted([REC.kid, WIT.kid], reverse=True)}
    ),
    "recovery kids that sort last": lambda: payload(
        recovery={
            "threshold": 1,
            "kids": [REC.kid, "x"],
            "pubs": {REC.kid: to_base64(REC.public.raw)},
        }
    ),
    "recovery threshold": lambda: payload(
        recovery={"threshold": 2, "kids": [REC.kid], "pubs": {REC.kid: to_base64(REC.public.raw)}}
    ),
    "recovery kids": lambda: payload(
        recovery={"threshold": 1, "kids": [], "pubs": {REC.kid: to_base64(REC.public.raw)}}
    ),
    "recovery pub": lambda: payload(
        recovery={"threshold": 1, "kids": [REC.kid], "pubs": {REC.kid: "!"}}
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_statement_is_refused(name: str) -> None:
    with pytest.raises(BadStatement):
        keyset.parse_statement(MALFORMED[name]())


@pytest.mark.parametrize("where", ["keys", "witness", "recovery"])
def test_a_low_order_key_is_refused_at_every_entrance(where: str) -> None:
    kid = "dinsos:low"
    typed = b"\x04\x01" + bytes(31)
    vkey = f"w+{checkpoint._hint('w', typed).hex()}+{to_base64(typed)}"
    change = {
        "keys": {kid: {**key_json()[ONE.kid], "pub": LOW_ORDER}},
        "witness": {kid: {"vkey": vkey}},
        "recovery": {"threshold": 1, "kids": [kid], "pubs": {kid: LOW_ORDER}},
    }
    with pytest.raises(BadKey) as refused:
        keyset.parse_statement(payload(**{where: change[where]}))
    assert refused.value.code == "key.low_order"


def test_a_revocation_is_read() -> None:
    revoked = {
        "kid": "dinsos:k1",
        "since": "2026-11-20T00:00:00Z",
        "reason": "key_compromise",
        "size_at_since": 123456,
    }
    found = keyset.parse_statement(payload(version=2, prev="ab" * 32, revoked=[revoked]))
    assert found.prev == bytes.fromhex("ab" * 32)
    assert found.revoked[0].size_at_since == 123456


STATES = [
    ({}, NOW - timedelta(seconds=1), State.PRE_ACTIVE, False),
    ({}, NOW, State.ACTIVE, True),
    ({"sign_until": NOW + DAY}, NOW, State.RETIRING, True),
    ({"sign_until": NOW + DAY}, NOW + DAY, State.DEACTIVATED, False),
    ({"sign_until": NOW + DAY}, NOW + 2 * DAY, State.DEACTIVATED, False),
    ({}, NOW + keyset.MAX_LIFE + DAY, State.DEACTIVATED, False),
    ({}, NOW + keyset.MAX_LIFE, State.DEACTIVATED, False),
]


@pytest.mark.parametrize(("change", "at", "state", "signs"), STATES)
def test_the_state_of_a_key(
    change: dict[str, Any], at: datetime, state: State, signs: bool
) -> None:
    assert keyset.state_of(entry(**change), at) == state
    assert keyset.may_sign(state) is signs


def test_revoked_and_suspended_keys_may_not_sign() -> None:
    one = entry()
    assert keyset.state_of(one, NOW, [one.kid], [one.kid]) == State.COMPROMISED
    assert keyset.state_of(one, NOW, (), [one.kid]) == State.SUSPENDED
    assert keyset.state_of(one, NOW + keyset.MAX_LIFE, (), [one.kid]) == State.DEACTIVATED
    assert not keyset.may_sign(State.SUSPENDED)
