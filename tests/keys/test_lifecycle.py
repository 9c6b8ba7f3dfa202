"""The edges of a key's life that somebody decides: the whole table of trust.md 1.3."""

import pytest

from keys.keyset import State
from keys.lifecycle import Act, may

ALLOWED = {
    Act.SUSPEND: {"active", "retiring"},
    Act.RESUME: {"suspended"},
    Act.REVOKE: {"pre_active", "active", "retiring", "suspended", "deactivated", "destroyed"},
    Act.DESTROY: {"deactivated", "compromised", "destroyed"},
}


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("state", State)
def test_each_act_in_each_state(act: Act, state: State) -> None:
    assert may(act, state) is (state.value in ALLOWED[act])


def test_no_act_brings_a_revoked_key_back() -> None:
    assert {act for act in Act if may(act, State.COMPROMISED)} == {Act.DESTROY}
