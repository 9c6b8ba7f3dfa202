"""Which acts a key's state allows: the edges of its life that somebody decides.

    pre_active → active → retiring → deactivated → destroyed      by time, rotation and report
    active | retiring ⇄ suspended                                 by one person; by two back
    any → compromised                                             by revocation

A key reported destroyed may still be revoked, unlike in NIST's figure: the report is the word of
its connector alone, and a copy may have been taken before. The database holds the same edges by
triggers, so that no path of the code goes round them.

Source: trust.md 1.3; NIST SP 800-57 Part 1 §7.
"""

from collections.abc import Mapping
from enum import StrEnum

from keys.keyset import State


class Act(StrEnum):
    """What somebody may want to do with a key."""

    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    DESTROY = "destroy"


MAY: Mapping[Act, frozenset[State]] = {
    Act.SUSPEND: frozenset({State.ACTIVE, State.RETIRING}),
    Act.RESUME: frozenset({State.SUSPENDED}),
    Act.REVOKE: frozenset(state for state in State if state is not State.COMPROMISED),
    Act.DESTROY: frozenset({State.DEACTIVATED, State.COMPROMISED, State.DESTROYED}),
}
"""The states from which each act is allowed. Destroying a revoked key leaves it revoked."""


def may(act: Act, state: State) -> bool:
    """Whether a key in this state may undergo the act."""
    return state in MAY[act]
