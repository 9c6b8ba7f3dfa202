"""Random histories of one stream, and what must be live after them, worked out the naive way.

`expected` knows no table and no job: it reads the whole history from its beginning, for every
record, and asks of each batch whether it is believed.
"""

import random
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, text

from gateway.index import sealing, store_links
from gateway.index.sealing import Place
from gateway.intake import store
from gateway.intake.model import IntakeTools, State
from gateway.jobs import Job
from keys import merkle
from keys.signers import Signer
from schemas.batch import genesis
from tests.conftest import Database
from tests.intake.factory import Agency, Parcel, enrol, frame, line, person, send
from tests.intake.revoking import INDEXING, another_key, integrate, revoke, work

IDS = ("a", "b", "c", "d", "e")
VARIANTS = 3
_LIVE = text(
    "select r.id, r.source_id, a.id as assertion_id, a.v, a.clear, a.sealed, a.period,"
    " b.epoch * 4294967296 + b.seq as version from source_record r"
    " join assertion a on a.id = r.assertion_id join batch b on b.id = a.batch_id"
    " where r.agency = :agency order by r.id"
)
_FEATURES = text(
    "select record_id, assertion_id, (select count(*) from block_key k"
    " where k.record_id = f.record_id) as keys, cardinality(keys) as carried"
    " from person_feature f where agency = :agency order by record_id"
)


@dataclass(frozen=True)
class Sent:
    """One accepted batch: `at` counts the moments at which the log was integrated before it."""

    number: int
    kind: str
    key: int
    at: int
    version: int
    sha256: bytes
    records: dict[str, int | None]
    snapshot: str | None = None
    attests: tuple[int, ...] = ()


@dataclass
class World:
    """A history as it grows; `revoked` is the moment from which on each key is disbelieved."""

    database: Database
    tools: IntakeTools
    agency: Agency
    keys: list[Signer]
    sent: list[Sent] = field(default_factory=list)
    revoked: dict[int, int] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)


def believed(world: World, batch: Sent) -> bool:
    """Whether a batch counts."""
    if batch.kind == "snapshot_end":
        others = [b for b in world.sent if b.snapshot == batch.snapshot and b is not batch]
        if not all(believed(world, b) for b in others):
            return False
    moment = world.revoked.get(batch.key)
    if moment is None or batch.at <= moment:
        return True
    return any(
        batch.number in a.attests and believed(world, a) for a in world.sent[batch.number + 1 :]
    )


def expected(world: World) -> dict[str, int]:
    """What each record says that is live: the number of its variant."""
    trusted = [b for b in world.sent if believed(world, b)]
    said: dict[str, dict[int, int | None]] = {name: {} for name in IDS}
    for batch in trusted:
        for name, variant in batch.records.items():
            said[name][batch.version] = variant
    for end in trusted:
        if end.kind == "snapshot_end":
            begin = next(b for b in trusted if b.snapshot == end.snapshot)
            for versions in said.values():
                upto = [v for v in versions if v < begin.version]
                during = [v for v in versions if begin.version <= v < end.version]
                if upto and not during:
                    versions[end.version] = None
    newest = {name: versions[max(versions)] for name, versions in said.items() if versions}
    return {name: variant for name, variant in newest.items() if variant is not None}


def play(database: Database, tools: IntakeTools, rng: random.Random) -> World:
    """A history: batches by three keys, workers that die, revocations, and the ways out."""
    agency = enrol(database)
    keys = [agency.signer, another_key(database, agency), another_key(database, agency)]
    world = World(database, tools, agency, keys, sizes=[0])
    for _ in range(rng.randint(4, 9)):
        _some_batch(world, rng)
        _meanwhile(world, rng)
    for key in rng.sample((1, 2), rng.randint(1, 2)):
        _revoke(world, key, rng)
        for _ in range(rng.randint(0, 3)):
            rng.choice((_some_batch, _attest, _attest, _new_epoch))(world, rng)
            _meanwhile(world, rng)
    work(database, tools, INDEXING, rng=rng)
    return world


def _meanwhile(world: World, rng: random.Random) -> None:
    if rng.random() < 0.5:
        world.sizes.append(integrate(world.database))
    if rng.random() < 0.6:
        work(world.database, world.tools, INDEXING, rng=rng, steps=rng.randint(1, 4))


def _revoke(world: World, key: int, rng: random.Random) -> None:
    moment = rng.randrange(len(world.sizes))
    world.revoked[key] = moment
    size = world.sizes[moment]
    revoke(world.database, world.agency, world.keys[key].kid, size)
    if rng.random() < 0.7:  # else it waits, and more comes in meanwhile
        work(world.database, world.tools, (Job.REEVALUATE,), rng=rng, steps=rng.randint(1, 3))


def _some_batch(world: World, rng: random.Random) -> None:
    if rng.random() < 0.3:
        _snapshot(world, rng)
    else:
        _put(world, rng, _records(rng, deletes=True))


def _records(rng: random.Random, *, deletes: bool) -> dict[str, int | None]:
    chosen = rng.sample(IDS, rng.randint(1, 3))
    return {
        name: None if deletes and rng.random() < 0.2 else rng.randrange(VARIANTS) for name in chosen
    }


def _snapshot(world: World, rng: random.Random, key: int | None = None) -> None:
    """Begin, one or two parts, end; each by any key, with other batches in between."""
    name = {"id": f"s-{world.agency.version()}"}
    _put(world, rng, {}, key=key, kind="snapshot_begin", snapshot=name)
    parts = []
    for _ in range(rng.randint(1, 2)):
        if key is None and rng.random() < 0.2:
            _put(world, rng, _records(rng, deletes=True))
        records = _records(rng, deletes=False)
        sealed = _put(world, rng, records, key=key, kind="snapshot", snapshot=name)
        parts.append((merkle.leaf_hash(sealed.sealed.root), len(records)))
    if key is None and rng.random() < 0.1:
        return  # left open
    end = name | {
        "parts": len(parts),
        "total": sum(count for _, count in parts),
        "root_of_roots": merkle.root([root for root, _ in parts]).hex(),
    }
    _put(world, rng, {}, key=key, kind="snapshot_end", snapshot=end)


def _attest(world: World, rng: random.Random) -> None:
    """Vouch for some of what is in quarantine, as the gateway says."""
    out = [b for b in world.sent if _is_out(world, b)]
    if not out:
        return
    chosen = rng.sample(out, rng.randint(1, len(out)))
    named = [
        {"epoch": b.version >> 32, "seq": b.version % 2**32, "payload_sha256": b.sha256.hex()}
        for b in chosen
    ]
    numbers = tuple(b.number for b in chosen)
    _put(world, rng, {}, kind="attest", attests=named, numbers=numbers)


def _is_out(world: World, batch: Sent) -> bool:
    with world.database.session() as session:
        place = (world.agency.code, "target", batch.version >> 32, batch.version % 2**32)
        found = store.find(session, place)
    return found is not None and found.state is State.QUARANTINED


def _new_epoch(world: World, rng: random.Random) -> None:
    """Publish anew by the good key, where a quarantine has made the stream ready for it."""
    heads = select(store.stream_head.c.restart).where(
        store.stream_head.c.agency == world.agency.code
    )
    with world.database.session() as session:
        if not session.scalar(heads):
            return
    agency = world.agency
    first = frame.hashlib.sha256(genesis(agency.code, "target")).digest()
    left = [b.sha256 for b in world.sent if not _is_out(world, b)]
    agency.heads["target"] = (agency.head("target")[0] + 1, 0, left[-1] if left else first)
    _snapshot(world, rng, key=0)


def _put(
    world: World,
    rng: random.Random,
    records: dict[str, int | None],
    *,
    key: int | None = None,
    numbers: tuple[int, ...] = (),
    **changes: object,
) -> Parcel:
    """Seal and send one batch; its own word on time is anything, for nobody asks it."""
    usable = [k for k in range(len(world.keys)) if k not in world.revoked]
    chosen = rng.choice(usable) if key is None else key
    version = world.agency.version()
    lines = [line(name, version, None if n is None else person(n)) for name, n in records.items()]
    when = f"20{rng.randint(10, 26)}-01-01T00:00:00Z"
    parcel = world.agency.seal(
        lines, signer=world.keys[chosen], as_of=when, created=when, **changes
    )
    send(world.database, world.tools, parcel)
    snapshot = changes.get("snapshot")
    world.sent.append(
        Sent(
            number=len(world.sent),
            kind=str(changes.get("kind", "delta")),
            key=chosen,
            at=len(world.sizes),
            version=version,
            sha256=parcel.sealed.payload_sha256,
            records=records,
            snapshot=snapshot["id"] if isinstance(snapshot, dict) else None,
            attests=numbers,
        )
    )
    return parcel


def shown(world: World) -> dict[str, int]:
    """The variant of each live record; its values, sealed ones too, and all derived rows agree."""
    with world.database.session() as session:
        rows = session.execute(_LIVE, {"agency": world.agency.code}).all()
        derived = session.execute(_FEATURES, {"agency": world.agency.code}).all()
        known = store_links.get_known(session, world.tools.vault, [row.id for row in rows])
    assert [(d.record_id, d.assertion_id) for d in derived] == [
        (r.id, r.assertion_id) for r in rows
    ]
    assert all(d.keys == d.carried > 0 for d in derived)
    trusted = {b.version for b in world.sent if believed(world, b)}
    assert {row.version for row in rows} <= trusted  # I9
    found = {row.source_id: values(world, row) for row in rows}
    assert all(known[r.id].features.nik == found[r.source_id]["nik"] for r in rows)
    variants = {person(n)["nik"]: n for n in range(VARIANTS)}
    return {name: variants[said["nik"]] for name, said in found.items()}


def values(world: World, row: Any) -> dict[str, Any]:
    place = Place(world.agency.code, "person", row.source_id, row.v, row.period)
    said = {**row.clear, **sealing.opened(world.tools.vault, place, row.sealed)}
    assert said in [person(n) for n in range(VARIANTS)]
    return said
