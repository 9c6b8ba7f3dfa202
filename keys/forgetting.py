"""Which keys the next version of a keyset may leave out, so that no keyset is ever full.

A keyset holds 64 keys at most: its whole statement is one entry of the log. What it leaves out is
not gone. Every version stays in the log, evidence is judged by the version that was in force, and a
key that stood in a keyset once is never taken again.

Source: docs/adr/0011 (the rule and its figures); trust.md 1.4.
"""

from datetime import datetime, timedelta

from keys.errors import BadStatement
from keys.keyset import MAX_LIFE, Keyset, Revocation

ROOM = 48
"""So many keys at most after a rotation; the other 16 places are for the recovery key's holder."""
REMEMBERED = MAX_LIFE + timedelta(days=365)
"""So long after its beginning a key may be left out: it has been silent for a year at least."""


def forgettable(keyset: Keyset, at: datetime) -> frozenset[str]:
    """The kids that a version issued at that moment may leave out.

    A revoked key at once, for `revoked` goes on naming it. Any other by its age alone, and so never
    before a key that is older: a revocation can still name all that an older key brought in.
    """
    revoked = {each.kid for each in keyset.revoked}
    return frozenset(
        kid
        for kid, entry in keyset.keys.items()
        if kid in revoked or at >= entry.not_before + REMEMBERED
    )


def carried(keyset: Keyset) -> tuple[Revocation, ...]:
    """The revocations that a further one must repeat: those whose keys have not been left out."""
    return tuple(each for each in keyset.revoked if each.kid in keyset.keys)


def revoked_beside(old: Keyset, new: Keyset) -> tuple[Revocation, ...]:
    """What a version revokes beside the revocations in force, which it repeats in their order.

    Raises:
        BadStatement: it leaves out one that must be carried, or changes it (``keyset.change``).
    """
    kept = tuple(each for each in old.revoked if each in new.revoked)
    if not set(carried(old)) <= set(kept) or new.revoked[: len(kept)] != kept:
        raise BadStatement("keyset.change", "A revocation in force is missing or was changed.")
    return new.revoked[len(kept) :]
