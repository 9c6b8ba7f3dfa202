"""A witness's line is kept if it is of a checkpoint of ours, of now, and its own."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from gateway.errors import Conflict, Refused
from gateway.ledger import query, witnesses
from keys import checkpoint
from keys.checkpoint import TYPE_COSIGNATURE, NoteKey, parse_checkpoint, parse_note
from keys.cosignature import cosign
from keys.signers import Ed25519Signer
from tests.ledger.logging_room import Log

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SIGNER = Ed25519Signer.generate("baz")
KEY = NoteKey("baz/witness", TYPE_COSIGNATURE, SIGNER.public)


def test_a_cosignature_stands_under_the_checkpoint(emptied):
    log = Log(emptied)
    log.grow(range(3))
    line = cosign(log.note(), KEY, SIGNER, NOW)
    with emptied.session() as session:
        witnesses.cosign(session, {SIGNER.kid: KEY}, (3, line), NOW)
        note = query.checkpoint(session)
    assert note.decode().endswith(f"{line}\n")
    assert checkpoint.verify(note, log.signer.vkey).size == 3


def test_an_unknown_size_is_told_the_newest(emptied):
    log = Log(emptied)
    log.grow(range(3))
    line = cosign(log.note(), KEY, SIGNER, NOW)
    with emptied.session() as session, pytest.raises(Conflict) as refused:
        witnesses.cosign(session, {SIGNER.kid: KEY}, (2, line), NOW)
    assert (refused.value.code, refused.value.details) == ("log.size", {"size": 3})


@pytest.mark.parametrize(
    ("signer", "late", "code"),
    [
        (Ed25519Signer.generate("baz"), timedelta(0), "log.cosignature"),
        (SIGNER, timedelta(minutes=6), "log.cosignature_time"),
        (SIGNER, timedelta(minutes=-6), "log.cosignature_time"),
    ],
    ids=["another key", "early", "late"],
)
def test_a_wrong_line_is_refused_and_not_kept(emptied, signer, late, code):
    log = Log(emptied)
    log.grow(range(3))
    line = cosign(log.note(), KEY, signer, NOW + late)
    with emptied.session() as session:
        with pytest.raises(Refused) as refused:
            witnesses.cosign(session, {SIGNER.kid: KEY}, (3, line), NOW)
        assert query.checkpoint(session).decode().count("\n— ") == 1
    assert refused.value.code == code


def test_a_key_that_nobody_enrolled_is_no_witness(emptied):
    log = Log(emptied)
    log.grow(range(3))
    line = cosign(log.note(), KEY, SIGNER, NOW)
    with emptied.session() as session, pytest.raises(Refused) as refused:
        witnesses.cosign(session, {}, (3, line), NOW)
    assert refused.value.code == "log.witness"


def test_each_witness_is_heard_once_with_what_it_saw_last(emptied):
    log, other = Log(emptied), Ed25519Signer.generate("dinkes")
    known = {SIGNER.kid: KEY, other.kid: NoteKey("dinkes/witness", TYPE_COSIGNATURE, other.public)}
    lines = {}
    for size, late in ((2, timedelta(minutes=-20)), (3, timedelta(0)), (5, timedelta(0))):
        log.grow(range(lines.get("size", 0), size))
        lines["size"] = size
        for kid, signer in ((SIGNER.kid, SIGNER), (other.kid, other)):
            if signer is other and size != 2:
                continue
            lines[kid, size] = cosign(log.note(), known[kid], signer, NOW + late)
            with emptied.session() as session:
                witnesses.cosign(session, known, (size, lines[kid, size]), NOW + late)
                session.commit()
    with emptied.session() as session:
        ((note, line),) = witnesses.heard(session, NOW)
    assert line == lines[SIGNER.kid, 5], "the newest; the other was not heard lately"
    assert checkpoint.verify(note.encode(), log.signer.vkey).size == 5


def test_whoever_asks_within_a_minute_is_shown_the_same_checkpoint(fresh_database):
    log = Log(fresh_database)
    sizes = []
    for minute in range(3):
        log.grow(range(minute * 4, minute * 4 + 4))
        with fresh_database.session() as session:
            session.execute(
                text("update log_head set signed_at = :at where size = :size"),
                {"at": NOW + timedelta(minutes=minute, seconds=59), "size": minute * 4 + 4},
            )
            session.commit()
    with fresh_database.session() as session:
        for seconds in (0, 60, 119, 120, 179, 180):
            note = query.common_checkpoint(session, NOW + timedelta(seconds=seconds))
            sizes.append(None if note is None else parse_checkpoint(parse_note(note).text).size)
    assert sizes == [None, 4, 4, 8, 8, 12]


def test_an_entry_is_proved_under_the_checkpoint_that_most_witnesses_saw(fresh_database):
    log, other = Log(fresh_database), Ed25519Signer.generate("disdik")
    (leaf,) = log.grow([0])
    keys = {SIGNER.kid: KEY, other.kid: NoteKey("x", TYPE_COSIGNATURE, other.public)}
    for numbers, signers in (((1,), (SIGNER,)), ((2,), (SIGNER, other)), ((3,), (SIGNER, other))):
        log.grow(numbers)
        with fresh_database.session() as session:
            for signer in signers:
                line = cosign(log.note(), keys[signer.kid], signer, NOW)
                witnesses.cosign(session, keys, (log.note().size, line), NOW)
            session.commit()
    log.grow([4])
    with fresh_database.session() as session:
        proof = query.logged(session, leaf).proof
        assert query.logged(session, log.grow([5])[0]).proof.count("\n—") == 1
    note = checkpoint.parse_proof(proof).note
    assert (parse_checkpoint(parse_note(note).text).size, note.count("—".encode())) == (3, 3)
