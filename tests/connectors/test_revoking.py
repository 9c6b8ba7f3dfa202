"""A revocation from the connector: death between any two effects comes to the same end."""

import shutil
from contextlib import suppress

import pytest

from connectors import countersigning, recovery, revoking
from connectors.config import Config
from connectors.errors import FixSettings, Wait
from connectors.rotating import Hands
from connectors.speaker import signing_kids
from tests.connectors import gateway as fake
from tests.connectors.dying import lives
from tests.connectors.test_recovery import WORDS
from tests.connectors.test_recovery_commands import enrol_with_recovery
from tests.connectors.test_rotating import hands_of

PAPER = recovery.from_words(WORDS, "baz")


class Walk:
    """The officer with his stick: runs the command, has the paper sign, runs it again."""

    def __init__(self, agency, gateway, lost: str) -> None:
        self.gateway, self.lost, self.since = gateway, lost, fake.now()
        self.path = Config.load(agency.config, state=agency.state).places.statement
        self.signatures = 0

    def run(self, hands: Hands) -> None:
        """One run of the command."""
        with suppress(Wait):
            revoking.revoke(hands, self.lost, self.since, self.path)

    def sign(self) -> None:
        """The offline computer, where the file that came is not signed yet."""
        if self.path.exists():
            data = self.path.read_bytes()
            if PAPER.kid.encode() not in data:
                self.signatures += 1
                self.path.write_bytes(countersigning.with_signature(data, PAPER))

    def all(self, hands: Hands) -> None:
        """From wherever it stands to a revocation that counts."""
        for _ in range(2):
            if not _is_revoked(hands, self.lost):
                self.run(hands)
            self.sign()
        if self.gateway.versions["baz"][-1].pending:
            self.gateway.approve_keyset("baz")
        revoking.follow(hands)


@pytest.fixture
def robbed(agency, gateway, tmp_path):
    enrol_with_recovery(agency, gateway)
    shutil.copytree(agency.state, tmp_path / "before")
    with hands_of(agency) as hands:
        return hands.speaker.kid


def test_death_between_any_two_effects_of_a_revocation(agency, gateway, robbed, tmp_path):
    first = gateway.versions["baz"][0]
    turn, lived = 0, False
    while not lived:
        turn += 1
        shutil.rmtree(agency.state)
        shutil.copytree(tmp_path / "before", agency.state)
        gateway.versions["baz"] = [first]
        gateway.enrolled["baz"]["keyset"] = first.keyset
        walk = Walk(agency, gateway, robbed)
        lived = lives(agency, turn, walk.all)
        with hands_of(agency) as hands:
            if not _is_revoked(hands, robbed):
                walk.all(hands)
            keyset = hands.book().keyset
            assert keyset.version == len(gateway.versions["baz"]) == 2, turn
            assert [each.kid for each in keyset.revoked] == [robbed], turn
            (new,) = keyset.keys.keys() - {robbed}
            assert set(signing_kids(hands.store)) == {robbed, new}, turn
            assert hands.memory.fact("revoking") is None, turn
        assert walk.signatures == 1, f"the paper is fetched once, whatever happens ({turn})"
        assert not walk.path.exists(), turn
    assert turn > 12


def test_the_command_run_again_after_the_approval_says_that_it_counts(agency, gateway, robbed):
    walk = Walk(agency, gateway, robbed)
    with hands_of(agency) as hands:
        walk.run(hands)
        walk.sign()
        assert revoking.revoke(hands, robbed, walk.since, walk.path).state == "pending"
        gateway.approve_keyset("baz")
        assert revoking.revoke(hands, robbed, walk.since, walk.path).state == "active"
        with pytest.raises(FixSettings) as again:
            revoking.revoke(hands, robbed, walk.since, walk.path)
        assert again.value.code == "keys.revoked_already"
    assert agency.run("publish").code == 0


def _is_revoked(hands: Hands, kid: str) -> bool:
    return kid in {each.kid for each in hands.book().keyset.revoked}
