"""Seeded histories of keysets at the edges of the rules: some may follow one another, most may not.

Nothing here says which is which: two verifiers that were written apart must say the same.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from keys import bundle, dsse, keyset
from keys.bundle import KeysetEvidence
from keys.canonical import canonical, to_base64, to_moment
from keys.signers import Ed25519Signer
from tests.keys import city
from tests.keys.city import RECEIPT, Log

Statement = dict[str, Any]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OURS = [Ed25519Signer.from_seed("dinsos", bytes([40 + n]) * 32) for n in range(12)]
SIGNERS = {each.kid: each for each in [*OURS, RECEIPT]}
INSTANCES = ("conn-a", "conn-b")
POLICY = city.policy(agencies=None)


def histories(seed: int, count: int) -> Iterator[bytes]:
    """So many evidence files of two or three versions each."""
    rng = random.Random(seed)
    for _ in range(count):
        said = _first(rng)
        sealed = [_sealed(rng, said, None)]
        for _ in range(rng.choice((1, 1, 2))):
            before, said = said, _next(rng, said, dsse.parse(sealed[-1]).payload_sha256)
            sealed.append(_sealed(rng, said, before))
        yield _logged(sealed)


def of_two(change: Callable[[Statement], object], *signers: Ed25519Signer) -> bytes:
    """An agency's first keyset, of one key and two recovery keys, and one that follows."""
    said = _first(random.Random(1)) | {
        "keys": dict([_key(OURS[0], "conn-a", city.NOW)]),
        "witness": {},
        "recovery": _recovery(1, OURS[7], OURS[8]),
    }
    sealed = []
    for by in ((OURS[0], OURS[7], OURS[8]), signers):
        sealed.append(dsse.seal(keyset.PAYLOAD_TYPE, canonical(said), by))
        digest = dsse.parse(sealed[0]).payload_sha256
        said |= {"version": 2, "prev": digest.hex(), "reason": "scheduled"}
        change(said)
    return _logged(sealed)


def _logged(sealed: Sequence[bytes]) -> bytes:
    log = Log()
    places = [log.add(bundle.keyset_entry("dinsos", n, s)) for n, s in enumerate(sealed, 1)]
    return bundle.build(KeysetEvidence([log.proved(place) for place in places]))


def _first(rng: random.Random) -> Statement:
    keys = dict(
        _key(signer, INSTANCES[n], city.NOW) for n, signer in enumerate(OURS[: rng.choice((1, 2))])
    )
    return {
        "v": 1,
        "aud": city.AUD,
        "agency": "dinsos",
        "version": 1,
        "prev": None,
        "issued": to_moment(city.NOW),
        "expires": to_moment(city.NOW + 365 * DAY),
        "keys": keys,
        "witness": _witness(OURS[9]) if rng.random() < 0.3 else {},
        "enc": {},
        "recovery": rng.choice((None, _recovery(1, OURS[8]), _recovery(2, OURS[7], OURS[8]))),
        "policy": {"batch_sig": "ed25519", "min_record_salt": True},
        "revoked": [],
        "reason": "enrol",
    }


def _next(rng: random.Random, before: Statement, digest: bytes) -> Statement:
    said = json.loads(json.dumps(before))
    days = rng.choice((1, 30, 80, 119, 121, 484, 485, 500))
    now = datetime.fromisoformat(before["issued"]) + days * DAY
    said |= {"version": before["version"] + 1, "prev": digest.hex(), "reason": "scheduled"}
    said |= {
        "issued": to_moment(now),
        "expires": to_moment(now + rng.choice((365,) * 19 + (366,)) * DAY),
    }
    for change in rng.choices(_CHANGES, weights=_WEIGHTS, k=rng.choice((1, 1, 1, 2, 3))):
        change(rng, said, now)
    return said


def _sealed(rng: random.Random, said: Statement, before: Statement | None) -> bytes:
    """Signed by all that it names, or (in part) by whoever."""
    old = before or said
    kids = [*said["keys"], *said["witness"], *((said["recovery"] or {}).get("kids", []))]
    if before is not None:
        kids += [*old["keys"], *((old["recovery"] or {}).get("kids", []))]
        kids += rng.choice(([], [], [RECEIPT.kid]))
        if rng.random() < 0.25:
            kids = rng.sample(kids, rng.randrange(1, len(kids) + 1))
    signers = [SIGNERS[kid] for kid in dict.fromkeys(kids)]
    return dsse.seal(keyset.PAYLOAD_TYPE, canonical(said), signers or [RECEIPT])


def _key(signer: Ed25519Signer, instance: str, begin: datetime, life: timedelta = 120 * DAY) -> Any:
    return signer.kid, {
        "alg": "ed25519",
        "pub": to_base64(signer.public.raw),
        "uses": ["batch", "http", "response"],
        "instance": instance,
        "not_before": to_moment(begin),
        "not_after": to_moment(begin + life),
        "sign_until": None,
    }


def _witness(signer: Ed25519Signer) -> Statement:
    return {signer.kid: {"vkey": city.vkey_of(signer).vkey()}}


def _recovery(threshold: int, *signers: Ed25519Signer) -> Statement:
    pubs = {each.kid: to_base64(each.public.raw) for each in sorted(signers, key=lambda s: s.kid)}
    return {"threshold": threshold, "kids": list(pubs), "pubs": pubs}


def _add(rng: random.Random, said: Statement, now: datetime) -> None:
    begin = now + rng.choice((-6 * MINUTE, -5 * MINUTE, *(0 * DAY,) * 6, 14 * DAY, 15 * DAY))
    life = rng.choice((*(120 * DAY,) * 8, 121 * DAY, 0 * DAY))
    kid, entry = _key(rng.choice(OURS), rng.choice(INSTANCES), begin, life)
    entry["uses"] = rng.choice((entry["uses"], entry["uses"], ["batch"]))
    said["keys"].setdefault(kid, entry)


def _rotate(rng: random.Random, said: Statement, now: datetime) -> None:
    _retire(rng, said, now)
    kid, entry = _key(rng.choice(OURS[2:7]), rng.choice(INSTANCES), now)
    said["keys"].setdefault(kid, entry)


def _retire(rng: random.Random, said: Statement, now: datetime) -> None:
    ends = (14 * DAY, 14 * DAY, 14 * DAY + 5 * MINUTE, 15 * DAY, 0 * DAY, 5 * MINUTE, -DAY)
    for kid in rng.sample(sorted(said["keys"]), min(len(said["keys"]), rng.choice((1, 1, 2)))):
        said["keys"][kid]["sign_until"] = to_moment(now + rng.choice(ends))


def _drop(rng: random.Random, said: Statement, _: datetime) -> None:
    if said["keys"]:
        del said["keys"][rng.choice(sorted(said["keys"]))]


def _alter(rng: random.Random, said: Statement, now: datetime) -> None:
    entry = said["keys"][rng.choice(sorted(said["keys"]))] if said["keys"] else {}
    if entry:
        entry |= rng.choice(
            (
                {"uses": entry["uses"][::-1]},
                {"uses": ["batch"]},
                {"instance": "conn-c"},
                {"not_after": to_moment(now + 200 * DAY)},
                {"sign_until": None},
            )
        )


def _revoke(rng: random.Random, said: Statement, now: datetime) -> None:
    kid = rng.choice([*said["keys"], OURS[11].kid])
    since = to_moment(now + rng.choice((-DAY, 0 * DAY, HOUR)))
    lost = {"kid": kid, "since": since, "reason": "key_compromise", "size_at_since": 1}
    said["revoked"].insert(rng.choice((0, len(said["revoked"]))), lost)


def _forgive(rng: random.Random, said: Statement, _: datetime) -> None:
    if said["revoked"]:
        said["revoked"].pop(rng.randrange(len(said["revoked"])))


def _amend(rng: random.Random, said: Statement, now: datetime) -> None:
    field, value = rng.choice(
        (
            ("recovery", None),
            ("recovery", _recovery(1, OURS[7])),
            ("recovery", _recovery(1, OURS[7], OURS[8])),
            ("witness", {}),
            ("witness", _witness(OURS[10])),
            ("witness", _witness(OURS[0])),
            ("enc", {"x": {"alg": "hpke-x25519", "pub": to_base64(bytes(32)), "not_after": to_moment(now)}}),
        )
    )  # fmt: skip
    said[field] = value


def _reenrol(rng: random.Random, said: Statement, now: datetime) -> None:
    said["reason"] = "reenrol"
    said["keys"] = dict([_key(rng.choice(OURS), "conn-a", now)])


def _break(rng: random.Random, said: Statement, _: datetime) -> None:
    said |= rng.choice(
        (
            {"version": said["version"] + 1},
            {"prev": "00" * 32},
            {"prev": None},
            {"aud": "other.example"},
            {"agency": "baz"},
            {"keys": {}},
        )
    )


Change = Callable[[random.Random, Statement, datetime], None]
_CHANGES: list[Change] = [
    *(_rotate, _add, _retire, _drop, _alter, _revoke, _forgive, _amend, _reenrol, _break),
]
_WEIGHTS = (8, 2, 3, 1.5, 2, 4, 1, 3, 1.5, 0.7)
