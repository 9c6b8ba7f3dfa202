"""The centre's own keys stand in the log as an agency's do: the receipt key and the log's.

The receipt key is replaced in this order, each step repeatable: the successor is kept in the vault;
the statement that both keys sign is in the log, with the decisions of two persons; only once a
checkpoint holds it does the successor sign. Whoever trusts the old key follows from there, and
keeps both. The log's key changes with the log's yearly shard, never inside one.

Source: trust.md "What wave 1 can and cannot prove", 1.1, 1.4 (rule R2).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from gateway.errors import Conflict, Forbidden, NotFound
from gateway.ledger import query as log
from gateway.ledger import service as ledger
from gateway.trust import approvals, rules, store_centre
from gateway.trust.model import Approver, KeysetRow
from keys import dsse, rotation
from keys.bundle import keyset_entry
from keys.errors import BadStatement
from keys.keyset import PAYLOAD_TYPE, build, entry_of, parse_statement
from keys.signers import PublicKey
from keys.succession import Standing, accept_next
from keys.vault import Vault

OWNER = "gateway"
"""Whose keys they are; no agency may have this code."""
RECEIPT, LOG = "receipt", "log"
"""The instances under which the two keys stand."""
_USES = frozenset({"response"})


def publish(session: Session, vault: Vault, aud: str, now: datetime) -> None:
    """The first version, where there is none: the keys as they are."""
    store_centre.alone(session)
    if store_centre.every(session):
        return
    receipt, log_key = vault.signer("receipt"), vault.signer("log")
    moment = now.replace(microsecond=0)
    entries = [
        entry_of(OWNER, signer.public, instance=instance, not_before=moment, uses=_USES)
        for signer, instance in ((receipt, RECEIPT), (log_key, LOG))
    ]
    payload = build(aud, OWNER, entries, issued=moment)
    _keep(session, dsse.seal(PAYLOAD_TYPE, payload, [receipt, log_key]), now)


def name_successor(
    session: Session, vault: Vault, aud: str, persons: Sequence[Approver], now: datetime
) -> KeysetRow:
    """The version in which the receipt key hands over, by two persons; the caller commits.

    Where one was named that does not sign yet, that one.

    Raises:
        Forbidden: a role may not, or there are fewer than two (`approval.persons`).
        Conflict: one person twice (`approval.same_person`), or the last hand-over is less than a
            day old (`keyset.pause`).
    """
    store_centre.alone(session)
    publish(session, vault, aud, now)
    newest = versions(session)[-1]
    old, new = vault.signer("receipt"), vault.next_receipt(now)
    said = parse_statement(dsse.parse(newest.envelope).payload)
    if new.kid in said.keys:
        return newest
    _check_persons(persons)
    moment = now.replace(microsecond=0)
    payload = rotation.next_statement(said, newest.payload_sha256, old.kid, new.public, moment)
    envelope = dsse.seal(PAYLOAD_TYPE, payload, [old, new])
    standing = Standing(said, newest.payload_sha256, rotated=_rotated(session))
    try:
        accept_next(dsse.parse(envelope), standing, known_keys=(), centre={}, now=now)
    except BadStatement as err:
        raise Conflict(err.code, f"The receipt key cannot be replaced now: {err}") from err
    made = _keep(session, envelope, now)
    about = {"agency": OWNER, "version": made.version, "subject": made.payload_sha256.hex()}
    for person in persons:
        approvals.decide(session, "rotate_receipt", about, person, now)
    return made


def switch(session: Session, vault: Vault) -> bool:
    """The named successor signs from now on, if a checkpoint holds its statement; else False.

    Raises:
        NotFound: none was named (`centre.none`).
    """
    store_centre.alone(session)
    rows = versions(session)
    waits = vault.secrets.seeds.get("receipt_next")
    if waits is None or not rows:
        raise NotFound("centre.none", "No successor of the receipt key was named.")
    newest = parse_statement(dsse.parse(rows[-1].envelope).payload)
    if vault.signer("receipt_next").kid not in newest.keys:
        raise NotFound("centre.none", "No successor of the receipt key was named.")
    try:
        log.inclusion(session, rows[-1].leaf)
    except NotFound:
        return False
    vault.replace_receipt()
    return True


def versions(session: Session) -> list[KeysetRow]:
    """The centre's keysets, version 1 first."""
    return [
        KeysetRow(OWNER, row.version, row.envelope, row.payload_sha256, row.leaf)
        for row in store_centre.every(session)
    ]


def version(session: Session, number: int) -> KeysetRow:
    """One of them.

    Raises:
        NotFound: there is none of that version (`keyset.none`).
    """
    for row in versions(session):
        if row.version == number:
            return row
    raise NotFound("keyset.none", "The centre has no keyset of this version.")


def receipt_keys(session: Session, vault: Vault) -> Mapping[str, PublicKey]:
    """Every key that receipts were ever signed with, the present one too, by kid."""
    now = vault.signer("receipt")
    found = {now.kid: now.public}
    for row in versions(session):
        keys = parse_statement(dsse.parse(row.envelope).payload).keys
        found |= {kid: e.public for kid, e in keys.items() if e.instance == RECEIPT}
    return found


def _check_persons(persons: Sequence[Approver]) -> None:
    if len(persons) < 2:
        raise Forbidden("approval.persons", "Two persons must decide this.")
    if len({person.officer_id.strip().casefold() for person in persons}) < len(persons):
        raise Conflict("approval.same_person", "This person has approved; another one must follow.")
    for person in persons:
        rules.check_role(person)


def _rotated(session: Session) -> dict[str, datetime]:
    rows = [row for row in store_centre.every(session) if row.version > 1]
    return {RECEIPT: rows[-1].at} if rows else {}


def _keep(session: Session, envelope: bytes, now: datetime) -> KeysetRow:
    parsed = dsse.parse(envelope)
    number = parse_statement(parsed.payload).version
    leaf = ledger.append(session, keyset_entry(OWNER, number, envelope))
    row = {
        "version": number,
        "payload_sha256": parsed.payload_sha256,
        "envelope": envelope,
        "leaf": leaf,
        "at": now,
    }
    store_centre.add(session, row)
    return KeysetRow(OWNER, number, envelope, parsed.payload_sha256, leaf)
