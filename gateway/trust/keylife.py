"""What changes an agency's keys after the first: rotation, revocation, amendment, leaving.

A statement says itself who made it, so whoever carries it may hand it in: that is how a suspended
or stolen key's owner is heard. `keys.succession` says under which rule it falls and how many
persons must approve it; a rotation needs nobody and counts at once.

Source: trust.md 1.4 (rules R2, R4 to R6), 1.6.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from gateway.errors import Conflict, NotFound, Refused, TooLarge
from gateway.ledger import query as log
from gateway.ledger.model import limit_of
from gateway.trust import approvals, store, store_keys, store_revocations
from gateway.trust.model import Approver, Loss, Submitted
from gateway.trust.standing import count, read, standing_of
from keys import dsse
from keys.bundle import keyset_entry
from keys.canonical import canonical
from keys.errors import BadStatement
from keys.forgetting import carried
from keys.keyset import PAYLOAD_TYPE as KEYSET_TYPE
from keys.keyset import STATEMENT_LIFE, Keyset, Revocation, encode
from keys.lifecycle import Act, may
from keys.rotation import ends_at
from keys.signers import PublicKey, Signer, fingerprint_of
from keys.succession import Rule, Standing, Succession, accept_next

Centre = Mapping[str, PublicKey]


def submit(session: Session, agency: str, data: bytes, centre: Centre, now: datetime) -> Submitted:
    """Take the statement that follows an agency's keyset; the same bytes again change nothing.

    Args:
        session: the caller commits.
        agency: whose keys change; its row is locked, so of two statements at once one waits.
        data: the DSSE envelope.
        centre: the centre's own keys by kid.
        now: our clock, aware.

    Raises:
        NotFound: no such agency, or it has no keyset yet.
        Conflict: not the version after the one in force (`keyset.version`), another one waits
            for approval (`keyset.pending`), this one was rejected (`keyset.rejected`), or a key
            stood in a keyset before (`key.reused`).
        Refused: a revocation whose figures or keys are not complete (`revocation.…`).
        TooLarge: the log would not take it (`keyset.size`).
        TrustError: no rule allows it, or a signature does not hold.
    """
    approvals.known_agency(session, agency)
    envelope = dsse.parse(data)
    known = store_keys.find_keyset(session, agency, envelope.payload_sha256)
    if known is not None:
        if known.rejected_at is not None:
            raise Conflict("keyset.rejected", "This statement was rejected; make it anew.")
        return shown(session, known, repeated=True)
    standing = standing_of(session, agency)
    try:
        made = accept_next(envelope, standing, known_keys=(), centre=centre, now=now)
    except BadStatement as err:
        raise _conflict(err, standing) from err
    _check_size(made, data)
    _make_way(session, agency, made.rule, now)
    if made.rule is Rule.REVOKE:
        _check_revocation(session, standing, made)
    row = _keep(session, made, (data, envelope.payload_sha256), standing, now)
    if made.persons == 0:
        count(session, row, now)
    return shown(session, kept(session, agency, row.payload_sha256))


def compose_revocation(session: Session, lost: Loss, now: datetime) -> Keyset:
    """The statement that revokes a key and all that it brought in since.

    Raises:
        NotFound: no such agency or key (`key.unknown`).
        Refused: `since` is in the future (`revocation.since`).
        Conflict: it has been revoked (`revocation.done`).
    """
    standing = standing_of(session, lost.agency)
    if lost.kid not in standing.keyset.keys:
        raise NotFound("key.unknown", "The agency has no such key.")
    if lost.since > now:
        raise Refused("revocation.since", "The time of a compromise is not in the future.")
    size = log.cosigned_size(session, lost.since)
    done = _revoked(session, lost.agency)
    also = sorted(brought_in(session, lost.agency, {lost.kid}, size))
    more = [
        Revocation(kid, lost.since, lost.reason, size)
        for kid in (lost.kid, *also)
        if kid not in done
    ]
    if not more:
        raise Conflict("revocation.done", "This key has been revoked already.")
    return replace(
        standing.keyset,
        version=standing.keyset.version + 1,
        prev=standing.payload_sha256,
        issued=now,
        expires=now + STATEMENT_LIFE,
        revoked=(*carried(standing.keyset), *more),
        reason="revoke",
    )


def revoke(
    session: Session, lost: Loss, person: Approver, signer: Signer, now: datetime
) -> Submitted:
    """The centre states for two persons that a key is lost; `person` is the first of them.

    The key is silent at once; what it signed is judged anew when the second person has approved.

    Raises:
        Forbidden: his role may not (`approval.role`).
        NotFound, Refused, Conflict: as `compose_revocation` and `submit`.
    """
    data = dsse.seal(KEYSET_TYPE, encode(compose_revocation(session, lost, now)), [signer])
    made = submit(session, lost.agency, data, {signer.kid: signer.public}, now)
    row = kept(session, made.agency, made.payload_sha256)
    approvals.record_first(session, row, person, now)
    held = store.find_key(session, lost.agency, lost.kid)
    destroyed = held is not None and held.destroyed_at is not None
    if not destroyed and may(Act.SUSPEND, standing_of(session, lost.agency).state(lost.kid, now)):
        store_keys.suspend(session, lost.kid, now)
    return shown(session, row)


def count_waiting(session: Session, now: datetime) -> int:
    """Changes of recovery keys to which nobody objected in time begin to count; how many."""
    counted = 0
    for found in store_keys.waiting(session, now):
        approvals.known_agency(session, found.agency)
        # Read again under the lock: an objection may have come first, or another who counts.
        row = store.pending_keyset(session, found.agency)
        if row is not None and row.payload_sha256 == found.payload_sha256:
            count(session, row, now)
            counted += 1
    return counted


def cancel(session: Session, agency: str, version: int, now: datetime) -> None:
    """The agency objects to a change of its recovery keys; the caller knows that it is it.

    To nothing else: a thief holds a key that may speak, and would object to his own revocation.

    Raises:
        NotFound: no such statement of that version waits (`keyset.none`).
    """
    approvals.known_agency(session, agency)
    row = store.pending_keyset(session, agency)
    if row is None or row.version != version or row.rule != Rule.AMEND:
        raise NotFound("keyset.none", "No statement of this version waits.")
    store.set_keyset(session, row, rejected_at=now)


def report_destroyed(session: Session, agency: str, kid: str, now: datetime) -> None:
    """The agency says that the private half of one of its keys is gone; again changes nothing.

    Raises:
        NotFound: the agency has no such key (`key.unknown`).
        Conflict: the key has neither ended nor been revoked (`key.speaks`).
    """
    row = store.find_key(session, agency, kid)
    if row is None or row.approved_at is None:
        raise NotFound("key.unknown", "The agency has no such key.")
    if row.revoked_at is None and now < ends_at(store.entry_of(row)):
        raise Conflict("key.speaks", "The key has not ended; only then it is destroyed.")
    store_keys.destroy(session, kid, now)


def brought_in(session: Session, agency: str, lost: Collection[str], size: int) -> set[str]:
    """Keys that came by statements which a lost key signed at the log's index `size` or later."""
    found: set[str] = set()
    before: Keyset | None = None
    for row in store_keys.versions(session, agency):
        said = read(row)
        if before is not None:
            signed = {each.keyid for each in dsse.parse(row.envelope).signatures}
            index = log.index_of(session, row.leaf)
            if (index is None or index >= size) and not signed.isdisjoint({*lost, *found}):
                found |= said.keys.keys() - before.keys.keys()
        before = said
    return found - set(lost)


def shown(session: Session, row: Row[Any], *, repeated: bool = False) -> Submitted:
    """How a statement stands."""
    given = store.find_approvals(session, row.agency, row.payload_sha256)
    return Submitted(
        agency=row.agency,
        version=row.version,
        rule=row.rule,
        payload_sha256=row.payload_sha256,
        fingerprint=row.fingerprint,
        needed=row.persons,
        approvals=len(given),
        counts_from=row.counts_from,
        leaf=row.leaf,
        repeated=repeated,
    )


def _keep(
    session: Session, made: Succession, sent: tuple[bytes, bytes], standing: Standing, now: datetime
) -> Row[Any]:
    said, (envelope, payload_sha256) = made.keyset, sent
    added = sorted(made.added)
    hashed = payload_sha256
    store_keys.add_keyset(
        session,
        {
            "agency": said.agency,
            "payload_sha256": hashed,
            "version": said.version,
            "envelope": envelope,
            "fingerprint": (
                said.keys[added[0]].public.fingerprint()
                if len(added) == 1
                else fingerprint_of(hashed)
            ),
            "rule": made.rule.value,
            "persons": made.persons,
            "received_at": now,
        },
    )
    old = standing.keyset.provers()
    fresh = [key.raw for kid, key in said.provers().items() if kid not in old]
    if fresh and not store.add_known(session, said.agency, hashed, fresh):
        raise reused()
    for kid in added:
        store.add_key(session, said.agency, hashed, said.keys[kid])
    return kept(session, said.agency, hashed)


def _check_size(made: Succession, data: bytes) -> None:
    """What the log would not take is refused now, and not when persons have approved it."""
    entry = keyset_entry(made.keyset.agency, made.keyset.version, data)
    if len(canonical(entry)) > limit_of(entry):
        raise TooLarge("keyset.size", "The statement is larger than an entry of the log may be.")


def _make_way(session: Session, agency: str, rule: Rule, now: datetime) -> None:
    """One statement waits at a time; but a revocation, or new keys, wait behind no other.

    Otherwise a thief could hand in what waits, and keep the owner from being heard.
    """
    waits = store.pending_keyset(session, agency)
    if waits is None:
        return
    anew = rule is Rule.REENROL and waits.rule not in {Rule.REVOKE, Rule.REENROL}
    if rule is not Rule.REVOKE and not anew:
        raise Conflict(
            "keyset.pending",
            "A statement of this agency waits for approval. Approve or reject it first.",
        )
    store.set_keyset(session, waits, rejected_at=now)


def kept(session: Session, agency: str, payload_sha256: bytes) -> Row[Any]:
    """The row of a statement that was handed in."""
    found = store_keys.find_keyset(session, agency, payload_sha256)
    assert found is not None  # noqa: S101 -- just kept
    return found


def reused() -> Conflict:
    """The refusal of a key that stood in a keyset before."""
    return Conflict("key.reused", "This key was enrolled before; make a new one.")


def _check_revocation(session: Session, standing: Standing, made: Succession) -> None:
    """The figures are those of our log, and what the lost keys brought in is lost with them."""
    more = [each for each in made.keyset.revoked if each not in standing.keyset.revoked]
    for each in more:
        size = log.cosigned_size(session, each.since)
        if each.size_at_since != size:
            raise Refused(
                "revocation.size",
                f"At that time the log's last cosigned size was {size}; ask for it, and sign anew.",
                size=size,
            )
    named = {each.kid for each in more} | _revoked(session, made.keyset.agency)
    least = min(each.size_at_since for each in more)
    left = brought_in(session, made.keyset.agency, {e.kid for e in more}, least) - named
    if left:
        raise Refused(
            "revocation.incomplete",
            "The lost key brought in other keys since; the same statement must name them too.",
            kids=" ".join(sorted(left)),
        )


def _revoked(session: Session, agency: str) -> set[str]:
    """Every key of the agency that was ever revoked, also what its keyset has left out since."""
    return {each.kid for each in store_revocations.of_agency(session, agency)}


def _conflict(err: BadStatement, standing: Standing) -> Exception:
    if err.code != "keyset.version":
        return err
    return Conflict(
        "keyset.version",
        "The statement does not follow the keyset in force; ask for that, and make it anew.",
        version=standing.keyset.version,
        payload_sha256=standing.payload_sha256.hex(),
    )
