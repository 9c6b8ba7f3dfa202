"""What a log that other agencies read says of a person: nothing. Over everything one line writes."""

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from gateway.index.store import person_feature
from gateway.ledger.store import log_entry
from gateway.trust import suspending
from gateway.trust.model import Approver
from keys.suspension import Action, Suspension
from tests.line import test_one_record as one_record
from tests.line.test_one_record import AGENCY, ONE, PASSWORD, Line, Screen, now
from workers.integrate import integrate

line = one_record.line

BATCH = {"agency", "stream", "epoch", "seq", "payload_sha256"}
ALLOWED: dict[str, set[str]] = {
    "accept": {*BATCH, "root", "count", "kid"},
    "applied": {
        *BATCH,
        *("applied", "unchanged", "superseded", "tombstoned", "rejected", "n", "batch", "accept"),
        *("state", "held", "dispositions_root", "index_version", "result_sha256", "commit"),
    },
    "keyset": {"agency", "version", "envelope"},
    "suspension": {"agency", "envelope"},
    "query": {"qid", "agency", "role", "purpose", "officer", "commit"},
    "result": {"qid", "n", "query", "batches", "commit"},
    "decision": {"kind", "agency", "version", "role", "officer", "subject", "statement", "commit"},
    "config": {"settings", "version", "profile", "model"},
    "heartbeat": {"at"},
}
"""Written down here a second time: a field is added to the log by two changes, and on purpose."""
STATEMENT: dict[str, set[str]] = {
    "keyset": {
        *("v", "aud", "agency", "version", "prev", "issued", "expires", "keys", "witness", "enc"),
        *("recovery", "policy", "revoked", "reason"),
    },
    "suspension": {"v", "aud", "agency", "kid", "action", "issued", "reason"},
}
WRITTEN = {"keyset", "decision", "accept", "applied", "query", "result", "suspension"}
OFFICERS = ("petugas", "registrar", "second", "clerk")


def test_leaf_schema_no_pii(line: Line) -> None:
    _all_that_happens(line)
    with line.database.session() as session:
        leaves = list(session.scalars(select(log_entry.c.entry).order_by(log_entry.c.idx)))
    blind = _blind_indexes(line)
    assert blind
    seen = set()
    for leaf in leaves:
        entry = json.loads(leaf)
        seen.add(entry["t"])
        _check_names(entry)
        for text in _texts(entry):
            _check_silent(blind, text)
    assert seen >= WRITTEN


def _all_that_happens(line: Line) -> None:
    """Enrolled, published, applied, asked for, opened, revealed, silenced and heard again."""
    line.enrol()
    line.publish()
    integrate(line.tools)
    line.work()
    with line.app.test_client() as client:
        screen = Screen(client, line.database.settings.origin)
        screen.get(screen.post("/masuk", username="petugas", password=PASSWORD))
        screen.get("/loket")
        for typed in (ONE.nik, ONE.name, ONE.phone):
            page = screen.get(screen.post("/cari", q=typed, purpose="cek_mandiri"))
            screen.get("/loket")
        (person,) = one_record.PERSON.findall(page)
        for more in ({}, {"act": "reveal"}):
            screen.get(screen.post("/profil", person=person, purpose="cek_mandiri", **more))
    _silenced_and_heard(line)
    integrate(line.tools)


def _silenced_and_heard(line: Line) -> None:
    signer, moment = line.database.vault.signer("receipt"), now().replace(microsecond=0)
    with line.connector() as (_, __, courier):
        kid = courier.client.signer.kid
    one, two = Approver("registrar", "key_admin"), Approver("second", "mayor_delegate")
    for action, persons, wait in ((Action.SUSPEND, [one], 0), (Action.RESUME, [one, two], 1)):
        at = moment + timedelta(seconds=wait)
        said = Suspension(line.database.settings.aud, AGENCY, kid, action, at, "call_from_agency")
        with line.database.session() as session:
            suspending.decide(session, said, persons, signer, at)
            session.commit()


def _check_names(entry: dict[str, Any]) -> None:
    kind = entry["t"]
    assert entry.keys() - {"t"} <= ALLOWED[kind], kind
    if "envelope" in entry:
        payload = json.loads(base64.b64decode(entry["envelope"]["payload"]))
        assert payload.keys() == STATEMENT[kind]


def _texts(entry: dict[str, Any]) -> list[str]:
    """The entry as it stands, and what an envelope in it holds."""
    texts = [json.dumps(entry, ensure_ascii=False)]
    if "envelope" in entry:
        texts.append(base64.b64decode(entry["envelope"]["payload"]).decode())
    return texts


def _blind_indexes(line: Line) -> list[bytes]:
    with line.database.session() as session:
        rows = session.execute(select(person_feature.c.nik_bix, person_feature.c.phone_bix)).all()
    return [value for row in rows for value in row if value is not None]


def _check_silent(indexes: list[bytes], text: str) -> None:
    low = text.casefold()
    for value in (ONE.nik, one_record.GROUPED, ONE.phone, ONE.phone[1:], ONE.born):
        assert value not in low
    for word in ONE.name.casefold().split():
        assert word not in low
    # Nor what can be guessed from: a plain hash, or the blind index that the tables hold.
    for value in (ONE.nik, ONE.phone, ONE.name):
        raw = value.encode()
        for hashed in (hashlib.sha256(raw).hexdigest(), hashlib.sha1(raw).hexdigest()):
            assert hashed not in low
    for blind in indexes:
        assert blind.hex() not in low
    for officer in OFFICERS:
        assert officer not in low
