"""Evidence about persons and about those who looked, to be taken away.

Taking it away is a look like any other: asked and logged first, answered and logged, then handed
over (see `service`). The file holds what it proves in the clear.

Source: design/trust.md 2.7, 3.3, 3.7.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from gateway.access import store, store_logins, tracker
from gateway.access.model import Action, Asked, Officer, Purpose
from gateway.access.service import Door, ask, recall
from gateway.access.tracker import Shown
from gateway.errors import NotFound
from gateway.index import query as index
from gateway.intake import proving
from gateway.ledger import query as ledger
from gateway.storage import ids
from gateway.trust import query as trust
from keys.bundle import DecisionEvidence, Opened, QueryEvidence, RecordEvidence
from keys.canonical import canonical, read_json
from keys.errors import VaultError
from keys.vault import Vault

_NAMED = 40
"""Batches that the log's entry of an answer names at most."""


def ask_record(
    session: Session, officer: Officer, asked: tuple[UUID, int, Purpose], door: Door, now: datetime
) -> Asked:
    """Log that a person's record is about to be taken away; `asked`: person, record, purpose.

    Raises:
        Forbidden: the officer may not for this purpose.
        TooMany: the officer's limit is reached.
    """
    person, record, purpose = asked
    terms = {"person": ids.show(person), "record": str(record)}
    return ask(session, officer, (Action.PROVE, purpose, terms), door, now)


def record(
    session: Session, officer: Officer, query_id: UUID, door: Door, now: datetime
) -> RecordEvidence:
    """The record's evidence; its line is in the clear.

    Raises:
        NotFound: no such question of this officer; no such person, or the record is not one of his;
            or its batch is not in a checkpoint yet (`log.pending`).
        Refused: the line was erased (`proof.erased`).
    """
    asked = recall(session, (query_id, officer, Action.PROVE), door, now)
    person = ids.parse(asked.terms["person"])
    view = None if person is None else index.profile(session, person, door.tools)
    number = int(asked.terms["record"])
    known = () if view is None else view.records
    source = next((each for each in known if each.record_id == number), None)
    if view is None or source is None:
        raise NotFound("proof.record", "Data itu bukan lagi milik orang ini. Buka lagi profilnya.")
    made = proving.record(session, source.batch_id, source.line_i, door.tools.vault)
    batches = () if source.accepted is None else (source.accepted,)
    shown = Shown((view.person_id,), batches, {"fields": "record"})
    tracker.answer(session, asked, shown, door.tools.vault, now)
    return made


def ask_look(
    session: Session, officer: Officer, asked: tuple[UUID, Purpose], door: Door, now: datetime
) -> Asked:
    """Log that evidence of somebody's look is about to be taken away; `asked`: which, and why.

    Raises:
        Forbidden: the officer may not for this purpose.
        TooMany: the officer's limit is reached.
    """
    look, purpose = asked
    terms = {"query": ids.show(look)}
    return ask(session, officer, (Action.PROVE_LOOK, purpose, terms), door, now)


def look(
    session: Session, officer: Officer, query_id: UUID, door: Door, now: datetime
) -> QueryEvidence:
    """Who asked what, what was shown, and the batches that it came from.

    Raises:
        NotFound: no such question, or not in a checkpoint yet (`log.pending`).
    """
    asked = recall(session, (query_id, officer, Action.PROVE_LOOK), door, now)
    wanted = ids.parse(asked.terms["query"])
    row = None if wanted is None else store.get_query(session, wanted)
    if row is None:
        raise NotFound("proof.query", "Tidak ada catatan akses dengan tanda itu.")
    results, vault = store.results_of(session, row.id), door.tools.vault
    leaves = dict.fromkeys(leaf for each in results for leaf in each.batches[:_NAMED])
    made = QueryEvidence(
        query=_opened(session, "query", row, vault),
        results=[_opened(session, "result", each, vault) for each in results],
        sources=[ledger.logged(session, leaf) for leaf in leaves],
    )
    shown = Shown(tuple(_persons(made)), (), {"fields": "look"})
    tracker.answer(session, asked, shown, vault, now)
    return made


def decision(session: Session, leaf: bytes) -> DecisionEvidence:
    """What a person decided, by the leaf of its entry; nothing of a citizen stands in it.

    Raises:
        NotFound: no such entry, or not in a checkpoint yet (`log.pending`).
    """
    found = ledger.opened(session, leaf)
    entry = read_json(found.logged.entry)
    if entry.get("t") != "decision":
        raise NotFound("log.unknown_leaf", "The log holds no such decision.")
    said = store_logins.confirmed_text(session, leaf)
    sha256 = entry.get("statement") or entry.get("subject")
    if said is None and sha256 is not None:
        said = trust.statement(session, entry.get("agency", ""), bytes.fromhex(sha256))
    return DecisionEvidence(found, said)


def _opened(session: Session, kind: str, row: Row[Any], vault: Vault) -> Opened:
    logged = ledger.logged(session, row.leaf)
    try:
        plain = tracker.opened(vault, kind, row)
    except VaultError:
        return Opened(logged)  # its key was destroyed
    return Opened(logged, canonical(plain["detail"]), bytes.fromhex(plain["salt"]))


def _persons(made: QueryEvidence) -> Iterator[UUID]:
    for each in made.results:
        for shown in json.loads(each.detail or b"{}").get("persons", ()):
            person = ids.parse(shown)
            if person is not None:
                yield person
