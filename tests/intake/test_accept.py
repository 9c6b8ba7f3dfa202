"""A batch is accepted whole, once, in its place; everything else is refused with a code."""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import psutil
import pytest
import zstandard
from sqlalchemy import func, select

from gateway.errors import Conflict, Forbidden, GatewayError, Refused, TooLarge, Unauthorized
from gateway.index.store import source_record
from gateway.intake import query, service, store
from gateway.intake.model import Forked, IntakeTools, State
from gateway.ledger.store import log_pending
from gateway.storage.outbox import outbox
from keys import dsse, frame
from keys.canonical import canonical, read_json
from keys.signers import Ed25519Signer
from schemas.receipt import load_receipt
from tests.conftest import Database
from tests.intake.factory import NOW, Agency, Parcel, enrol, line, person, put, send, tools_of


@pytest.fixture(scope="module")
def tools(database: Database) -> IntakeTools:
    return tools_of(database)


@pytest.fixture
def agency(database: Database) -> Agency:
    return enrol(database)


def stored(database: Database, agency: Agency) -> tuple[int, int, int]:
    """How many batches of the agency, lines of them, and log entries that name them there are."""
    with database.session() as session:
        mine = store.batch.c.agency == agency.code
        batches = session.scalar(select(func.count()).select_from(store.batch).where(mine))
        lines = session.scalar(
            select(func.count()).select_from(store.batch_line.join(store.batch)).where(mine)
        )
        entries = [
            e
            for e in session.scalars(select(log_pending.c.entry))
            if b'"t":"accept"' in e and f'"agency":"{agency.code}"'.encode() in e
        ]
    return batches or 0, lines or 0, len(entries)


def refused(database: Database, tools: IntakeTools, parcel: Parcel, **how) -> GatewayError:
    """The refusal of a batch, of which nothing stays."""
    before = stored(database, parcel.agency)
    with pytest.raises(GatewayError) as caught:
        put(database, tools, parcel, **how)
    assert stored(database, parcel.agency) == before
    assert caught.value.sentence.endswith(".")
    return caught.value


def raw(parcel: Parcel, payload: bytes, lines: list[bytes], signer=None) -> bytes:
    """A body whose envelope signs exactly this payload."""
    return frame.pack(dsse.seal(frame.BATCH_TYPE, payload, [signer or parcel.agency.signer]), lines)


def test_a_batch_is_kept_with_its_lines_log_entry_promise_and_receipt(database, tools, agency):
    parcel = agency.people(range(3))
    accepted = put(database, tools, parcel)
    assert not accepted.replayed
    envelope = dsse.parse(accepted.receipt)
    key = database.vault.signer("receipt")
    assert envelope.verify({key.kid: key.public}) == {key.kid}
    receipt = load_receipt(envelope.payload)
    assert (receipt.agency, receipt.stream, receipt.epoch, receipt.seq) == parcel.place
    assert receipt.payload_sha256 == parcel.sealed.payload_sha256.hex()
    assert (receipt.root, receipt.count) == (parcel.sealed.root.hex(), 3)
    assert stored(database, agency) == (1, 3, 1)
    with database.session() as session:
        batch = store.find(session, parcel.place)
        assert batch is not None
        entry = session.scalar(
            select(log_pending.c.leaf).where(log_pending.c.leaf == bytes.fromhex(receipt.leaf))
        )
        assert entry is not None
        promised = session.scalar(
            select(func.count())
            .select_from(outbox)
            .where(outbox.c.args["batch"].astext == str(batch.id))
        )
        assert promised == 1


def test_without_a_worker_the_index_does_not_change(database, tools, agency):
    send(database, tools, agency.people(range(5)))
    with database.session() as session:
        assert query.result(session, (agency.code, "target", 1, 1)) == (State.ACCEPTED, None)
        assert session.scalar(select(func.count()).select_from(source_record)) == 0


def test_lines_lie_sealed_and_bound_to_their_place(database, tools, agency):
    parcel = send(database, tools, agency.people(range(2)))
    with database.session() as session:
        batch = store.find(session, parcel.place)
        rows = store.lines(session, batch.id, 0, 10)
    assert [r.leaf for r in rows] == parcel.sealed.leaves
    assert all(b"ORANG" not in r.ct for r in rows)
    place = batch.place
    assert b'"_id":"p0"' in database.vault.open(place.scope, place.aad(0), rows[0].ct)
    with pytest.raises(Exception, match="altered"):
        database.vault.open(place.scope, place.aad(1), rows[0].ct)


def test_replay_of_a_batch_gets_the_same_receipt_and_changes_nothing(database, tools, agency):
    parcel = agency.people(range(3))
    first = put(database, tools, parcel)
    again = put(database, tools, parcel, now=NOW + timedelta(hours=3))
    assert again.replayed
    assert again.receipt == first.receipt
    assert stored(database, agency) == (1, 3, 1)


def test_a_batch_re_signed_with_the_same_payload_is_the_same_batch(database, tools, agency):
    parcel = agency.people(range(2))
    lines = list(
        frame.read_lines(
            _at_lines(parcel),
            declared_bytes=read_json(parcel.sealed.payload)["bytes"],
            declared_count=2,
        )
    )
    first = put(database, tools, parcel)
    assert (
        put(database, tools, parcel, body=raw(parcel, parcel.sealed.payload, lines)).receipt
        == first.receipt
    )


def _at_lines(parcel: Parcel) -> BytesIO:
    body = BytesIO(parcel.sealed.body)
    frame.read_head(body)
    return body


def test_streams_and_record_types_each_go_on_by_their_own(database, tools, agency):
    send(database, tools, agency.people(range(2)))
    house = {"household_key": "KK-1", "basis": "kk"}
    version = agency.version()
    send(database, tools, agency.seal([line("h1", version, house)], record_type="household"))
    send(database, tools, agency.seal([], record_type="program", kind="heartbeat"))
    with database.session() as session:
        assert query.head(session, agency.code, "target").seq == 2
        assert query.head(session, agency.code, "program").seq == 1


# -- who may speak ---------------------------------------------------------------------------


def test_an_unsigned_batch_is_refused(database, tools, agency):
    parcel = agency.people(range(1))
    envelope = {
        "payloadType": frame.BATCH_TYPE,
        "payload": dsse.to_base64(parcel.sealed.payload),
        "signatures": [],
    }
    error = refused(database, tools, parcel, body=frame.pack(canonical(envelope), []))
    assert isinstance(error, Refused)
    assert error.code == "envelope.signatures"


def test_batch_wrong_key_that_nobody_enrolled(database, tools, agency):
    stranger = Ed25519Signer.generate(agency.code)
    error = refused(database, tools, agency.people(range(1), signer=stranger))
    assert isinstance(error, Unauthorized)
    assert error.code == "key.unknown"


def test_batch_wrong_agency_for_the_key(database, tools, agency):
    other = enrol(database)
    error = refused(database, tools, agency.people(range(1), signer=other.signer))
    assert (type(error), error.code) == (Unauthorized, "key.unknown")


def test_a_key_before_its_time_is_refused(database, tools, agency):
    error = refused(database, tools, agency.people(range(1)), now=NOW - timedelta(days=1))
    assert error.code == "key.not_yet_active"


def test_a_key_after_its_time_is_refused(database, tools, agency):
    error = refused(database, tools, agency.people(range(1)), now=NOW + timedelta(days=400))
    assert error.code == "key.expired"


def test_a_forged_signature_is_refused_before_the_payload_is_read(database, tools, agency):
    parcel = agency.people(range(1))
    liar = Ed25519Signer.generate(agency.code)
    named = _Named(liar, agency.signer.kid)
    error = refused(database, tools, parcel, body=raw(parcel, b"{not json", [], named))
    assert (type(error), error.code) == (Unauthorized, "sig.invalid")


class _Named:
    """Signs with one key in the name of another."""

    def __init__(self, signer, kid):
        self.kid, self.public, self._signer = kid, signer.public, signer

    def sign(self, data):
        return self._signer.sign(data)


def test_an_altered_payload_is_refused(database, tools, agency):
    parcel = agency.people(range(2))
    envelope = read_json(frame.read_head(BytesIO(parcel.sealed.body)))
    payload = read_json(parcel.sealed.payload) | {"count": 1}
    envelope["payload"] = dsse.to_base64(canonical(payload))
    error = refused(database, tools, parcel, body=frame.pack(canonical(envelope), []))
    assert error.code == "sig.invalid"


def test_an_altered_record_is_refused(database, tools, agency):
    parcel = agency.people(range(2))
    version = agency.version()
    envelope = frame.read_head(BytesIO(parcel.sealed.body))
    size = read_json(parcel.sealed.payload)["bytes"]
    lines = list(frame.read_lines(_at_lines(parcel), declared_bytes=size, declared_count=2))
    lines[1] = lines[1].replace(b"ORANG", b"ORENG")
    error = refused(database, tools, parcel, body=frame.pack(envelope, lines))
    assert error.code == "frame.root"
    assert version == agency.version()


def test_a_batch_without_a_grant_is_refused(database, tools):
    agency = enrol(database, records=("household",))
    error = refused(database, tools, agency.people(range(1)))
    assert (type(error), error.code) == (Forbidden, "grant.missing")


def test_batch_wrong_aud(database, tools, agency):
    error = refused(database, tools, agency.people(range(1), aud="elsewhere.example"))
    assert (type(error), error.code) == (Forbidden, "aud.foreign")


@pytest.mark.parametrize(
    "changes",
    [
        {"seq": 2},
        {"epoch": 2},
        {"stream": "program", "record_type": "benefit", "schema": "benefit/1"},
    ],
)
def test_a_batch_put_at_another_address_is_refused(database, tools, agency, changes):
    honest = agency.people([])
    moved = agency.seal([], **changes)
    error = refused(database, tools, honest, body=moved.sealed.body)
    assert error.code == "batch.path"


def test_batch_wrong_agency_in_the_address(database, tools, agency):
    other = enrol(database)
    error = refused(database, tools, other.people([]), body=agency.people([]).sealed.body)
    assert error.code == "key.unknown"


def test_something_else_that_the_agency_signed_is_not_a_batch(database, tools, agency):
    parcel = agency.people([])
    envelope = dsse.seal(
        "application/vnd.titian.keyset.v1+json", parcel.sealed.payload, [agency.signer]
    )
    error = refused(database, tools, parcel, body=frame.pack(envelope, []))
    assert error.code == "envelope.type"


# -- what is signed --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"surprise": 1}, "schema.unknown_field"),
        ({"v": 2}, None),
        ({"schema": "person/9"}, "batch.schema"),
        ({"record_type": "secret", "schema": "secret/1"}, None),
        ({"max_reject": 2}, "number.range"),
        ({"kind": "surprise"}, "code.unknown"),
        ({"snapshot": {"id": "s1"}}, "batch.snapshot"),
        ({"log_seen": {"size": -1, "root": "00"}}, None),
    ],
)
def test_a_payload_that_breaks_its_schema_is_refused(database, tools, agency, changes, code):
    stream = {"stream": "target"} if "record_type" in changes else {}
    payload = (
        agency.people([]).payload
        | {"count": 0, "bytes": 0, "root": hashlib.sha256(b"").hexdigest()}
        | changes
        | stream
    )
    parcel = agency.people([])
    error = refused(database, tools, parcel, body=raw(parcel, canonical(payload), []))
    assert isinstance(error, Refused)
    assert code is None or error.code == code


def test_an_attestation_names_batches_that_were_accepted(database, tools, agency):
    attests = [{"epoch": 1, "seq": 1, "payload_sha256": "00" * 32}]
    error = refused(database, tools, agency.seal([], kind="attest", attests=attests))
    assert error.code == "attest.unknown"


def test_a_confirmation_of_nothing_is_refused(database, tools, agency):
    error = refused(database, tools, agency.seal([], kind="confirm", confirms="00" * 32))
    assert error.code == "confirm.unknown"


# -- the body --------------------------------------------------------------------------------


def _cut(body: bytes) -> bytes:
    return body[: len(body) - 20]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda b: b"", "frame.short"),
        (lambda b: b[:6], "frame.short"),
        (lambda b: b[:200], "frame.short"),
        (_cut, "frame.short"),
        (lambda b: b"XXXX" + b[4:], "frame.magic"),
        (lambda b: b + b"x", "frame.trailing"),
        (lambda b: b[:4] + b"\xff\xff\xff\xff" + b[8:], "frame.envelope_size"),
        (lambda b: b + zstandard.compress(b"more\n"), "frame.trailing"),
    ],
    ids=["empty", "head", "envelope", "half-written", "magic", "tail", "length", "second-frame"],
)
def test_a_body_that_is_not_whole_is_refused(database, tools, agency, spoil, code):
    parcel = agency.people(range(30))
    error = refused(database, tools, parcel, body=spoil(parcel.sealed.body))
    assert error.code == code


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({"max_records": 2}, "records"),
        ({"max_uncompressed": 100}, "bytes"),
        ({"max_body": 100}, "body"),
    ],
    ids=str,
)
def test_a_batch_beyond_the_limits_is_too_large(database, tools, agency, changes, limit):
    small = replace(tools, settings=replace(tools.settings, **changes))
    error = refused(database, small, agency.people(range(50)))
    assert isinstance(error, TooLarge)


def test_a_bomb_is_stopped_at_the_signed_length(database, tools, agency):
    parcel = agency.people(range(1))
    payload = read_json(parcel.sealed.payload)
    bomb = zstandard.ZstdCompressor(level=19, write_checksum=True, write_content_size=False)
    stream = bomb.compressobj()
    tail = b"".join(stream.compress(b"0" * (1 << 20)) for _ in range(512)) + stream.flush()
    assert len(tail) < 200_000
    envelope = dsse.seal(frame.BATCH_TYPE, canonical(payload), [agency.signer])
    body = frame.MAGIC + len(envelope).to_bytes(4, "big") + envelope + tail
    began = time.monotonic()
    with rise() as peak:
        error = refused(database, tools, parcel, body=body)
    took = time.monotonic() - began
    assert error.code in {"frame.bytes", "frame.line"}
    assert peak[0] < 100 << 20
    assert took < 1


# -- the chain -------------------------------------------------------------------------------


def test_a_batch_that_comes_too_early_is_told_what_is_missing(database, tools, agency):
    first = agency.people(range(1))
    first.advance()
    second = agency.people([7])
    error = refused(database, tools, second)
    assert (type(error), error.code, error.details["expected"]) == (Conflict, "stream.gap", 1)
    put(database, tools, first)
    put(database, tools, second)
    assert stored(database, agency)[0] == 2


def test_another_batch_of_the_same_number_is_a_fork_and_stops_the_stream(database, tools, agency):
    ours = agency.people(range(2))
    theirs = agency.people([8])
    first = put(database, tools, ours)
    with pytest.raises(Forked) as caught:
        put(database, tools, theirs)
    assert caught.value.code == "stream.fork"
    assert stored(database, agency) == (1, 2, 1)
    with database.session() as session:
        evidence = session.execute(
            select(store.fork_evidence).where(store.fork_evidence.c.agency == agency.code)
        ).one()
    assert dsse.parse(evidence.ours).payload == ours.sealed.payload
    assert dsse.parse(evidence.theirs).payload == theirs.sealed.payload
    ours.advance()
    assert refused(database, tools, agency.people([9])).code == "stream.suspended"
    assert put(database, tools, ours).receipt == first.receipt
    with database.session() as session:
        service.resume(session, agency.code, "target", restart=False)
        session.commit()
    send(database, tools, agency.people([9]))


def test_a_batch_on_another_past_is_a_fork(database, tools, agency):
    send(database, tools, agency.people(range(2)))
    with pytest.raises(Forked):
        put(database, tools, agency.people([3], prev="11" * 32))
    with database.session() as session:
        assert query.head(session, agency.code, "target").suspended == "fork"


def test_a_first_batch_without_genesis_is_refused_and_stops_nothing(database, tools, agency):
    assert refused(database, tools, agency.people([1], prev="11" * 32)).code == "stream.genesis"
    send(database, tools, agency.people([1]))


def test_a_new_epoch_needs_leave(database, tools, agency):
    send(database, tools, agency.people(range(2)))
    fresh = {"epoch": 2, "seq": 1, "kind": "snapshot_begin", "snapshot": {"id": "s-2"}}
    assert refused(database, tools, agency.seal([], **fresh)).code == "stream.epoch"
    with database.session() as session:
        service.resume(session, agency.code, "target", restart=True)
        session.commit()
    assert refused(database, tools, agency.people([3], epoch=2, seq=1)).code == "stream.epoch"
    send(database, tools, agency.seal([], **fresh))
    with database.session() as session:
        assert query.head(session, agency.code, "target").epoch == 2


def test_the_same_batch_twice_at_once_gets_one_receipt(database, tools, agency):
    parcel = agency.people(range(20))
    receipts = at_once(lambda _: put(database, tools, parcel).receipt, 6)
    assert len(set(receipts)) == 1
    assert stored(database, agency) == (1, 20, 1)


def test_two_batches_of_one_number_at_once_are_one_batch_and_one_fork(database, tools, agency):
    send(database, tools, agency.people([1]))
    parcels = [agency.people(range(20)), agency.people(range(20, 40))]

    def one(n: int) -> str:
        try:
            put(database, tools, parcels[n])
        except Forked:
            return "fork"
        return "receipt"

    assert sorted(at_once(one, 2)) == ["fork", "receipt"]
    assert stored(database, agency)[0] == 2
    with database.session() as session:
        assert query.head(session, agency.code, "target").suspended == "fork"


def at_once(call, n: int) -> list:
    """What `n` threads that begin together get."""
    start, got = threading.Barrier(n), [None] * n

    def run(i: int) -> None:
        start.wait()
        got[i] = call(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def test_many_records_keep_memory_flat(database, tools, agency):
    """40,000 records of 22 MB: the process must not hold them all."""
    version = agency.version()
    lines = [line(f"p{n}", version, person(n, occupation="x" * 76)) for n in range(40_000)]
    parcel = agency.seal(lines)
    body = parcel.request()
    del lines
    with rise() as peak, database.session() as session:
        service.accept(session, body, tools, NOW)
        session.commit()
    assert peak[0] < 60 << 20


@contextmanager
def rise() -> Iterator[list[int]]:
    """How many bytes the process grew at most meanwhile."""
    process, peak, done = psutil.Process(), [0], threading.Event()
    before = process.memory_info().rss

    def watch() -> None:
        while not done.wait(0.002):
            peak[0] = max(peak[0], process.memory_info().rss - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()
