"""The secret file keeps every version that is needed, says when each was made, and drops by order."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keys.errors import VaultError
from keys.secretfile import SINGLE, VERSIONED, Secrets, Versioned

NOW = datetime(2026, 11, 24, 7, tzinfo=UTC)
DAY = timedelta(days=1)
KINDS = pytest.mark.parametrize("kind", VERSIONED)


def grown(kind: Versioned) -> Secrets:
    """Three versions of a kind, made on three days."""
    return Secrets.fresh(NOW).with_next(kind, NOW + DAY).with_next(kind, NOW + 2 * DAY)


def test_fresh_secrets_are_all_different_and_32_bytes() -> None:
    held = Secrets.fresh(NOW)
    every = [*held.kek.values(), *held.bix.values(), *held.seeds.values()]
    assert {len(each) for each in every} == {32}
    assert len(set(every)) == len(every) == 5
    assert held.seeds.keys() == set(SINGLE) == {"log", "receipt", "house"}
    assert held.made == dict.fromkeys(("log", "receipt", "house", "kek 1", "bix 1"), NOW)
    assert Secrets.fresh(NOW).kek != held.kek


def test_what_is_written_reads_back_with_or_without_its_days() -> None:
    for held in (Secrets.fresh(NOW), grown("kek"), Secrets.fresh()):
        again = Secrets.read(held.write())
        assert again == held
        assert again.write() == held.write()
    assert "made" not in json.loads(Secrets.fresh().write())


@KINDS
def test_a_version_is_added_and_the_others_stay(kind: Versioned) -> None:
    before, after = Secrets.fresh(NOW), grown(kind)
    assert [*after.versions(kind)] == [1, 2, 3]
    assert len(set(after.versions(kind).values())) == 3
    assert after.made[f"{kind} 3"] == NOW + 2 * DAY
    other: Versioned = "bix" if kind == "kek" else "kek"
    assert [*after.versions(other)] == [*before.versions(other)] == [1]


@KINDS
def test_versions_below_are_dropped_with_their_days_and_no_others(kind: Versioned) -> None:
    held = grown(kind)
    left = held.without_below(kind, 2)
    assert left.versions(kind) == {n: held.versions(kind)[n] for n in (2, 3)}
    assert f"{kind} 1" not in left.made
    assert {f"{kind} 2", f"{kind} 3"} <= left.made.keys()
    assert left.seeds == held.seeds
    assert held.without_below(kind, 1) == held
    for absent in (0, 4):
        with pytest.raises(VaultError) as refused:
            held.without_below(kind, absent)
        assert refused.value.code == "vault.version"


DAMAGE: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a later kind": (lambda v: v.update(v=2), "vault.version"),
    "an earlier kind": (lambda v: v.update(v=0), "vault.version"),
    "a field too many": (lambda v: v.update(other=1), "vault.damaged"),
    "a field too few": (lambda v: v.pop("house"), "vault.damaged"),
    "no version at all": (lambda v: v.update(bix={}), "vault.damaged"),
    "a version of no number": (lambda v: v.update(kek={"one": v["log"]}), "vault.damaged"),
    "a version below nought": (lambda v: v.update(kek={"-1": v["log"]}), "vault.damaged"),
    "a key too short": (lambda v: v.update(kek={"1": "QUJD"}), "vault.damaged"),
    "a day that is none": (lambda v: v.update(made={"log": "yesterday"}), "vault.damaged"),
    "versions that are no table": (lambda v: v.update(kek=[]), "vault.damaged"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_another_file_is_refused(name: str) -> None:
    change, code = DAMAGE[name]
    value = json.loads(Secrets.fresh(NOW).write())
    change(value)
    with pytest.raises(VaultError) as refused:
        Secrets.read(json.dumps(value).encode())
    assert refused.value.code == code


def test_an_older_file_with_a_session_key_is_read() -> None:
    value = json.loads(Secrets.fresh(NOW).write())
    held = Secrets.read(json.dumps(value | {"session": value["log"]}).encode())
    assert "session" not in json.loads(held.write())


def test_its_repr_shows_versions_and_no_key() -> None:
    held = grown("bix")
    assert repr(held) == "Secrets(kek [1], bix [1, 2, 3])"


def test_a_receipt_key_waits_and_then_takes_the_place_of_the_one_before() -> None:
    before = Secrets.fresh(NOW)
    assert before.with_receipt_replaced() is before, "none waits"
    waiting = before.with_next_receipt(NOW + DAY)
    assert len(waiting.seeds["receipt_next"]) == 32
    assert waiting.seeds["receipt"] == before.seeds["receipt"]
    assert waiting.made["receipt_next"] == NOW + DAY
    assert waiting.with_next_receipt(NOW + 2 * DAY) is waiting, "the one that waits stays"
    assert Secrets.read(waiting.write()) == waiting
    after = waiting.with_receipt_replaced()
    assert after.seeds == {**before.seeds, "receipt": waiting.seeds["receipt_next"]}
    assert after.made == {**before.made, "receipt": NOW + DAY}


def test_a_receipt_key_of_an_unknown_day_has_none_afterwards() -> None:
    waiting = Secrets.fresh(NOW).with_next_receipt(NOW + DAY)
    undated = replace(waiting, made={"log": NOW})
    assert undated.with_receipt_replaced().made == {"log": NOW}
