"""Any history of statements: versions go up by one, what was revoked never speaks again, and nobody
counts twice."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from keys import dsse, keyset, rotation
from keys.dsse import Signature
from keys.errors import TrustError
from keys.keyset import PAYLOAD_TYPE, Recovery, Revocation, State, encode, may_sign, state_of
from keys.signers import Ed25519Signer
from keys.succession import RECOVERY_WAIT, Rule, Standing, accept_first, accept_next
from keys.suspension import Action, Suspension, judge, seal_suspension
from tests.keys.city import AUD, NOW, RECEIPT

CENTRE = {RECEIPT.kid: RECEIPT.public}
PAPER = [Ed25519Signer.from_seed("dinsos", bytes([200 + n]) * 32) for n in range(3)]
ACTS = ("rotate", "revoke", "replace", "suspend", "resume", "amend", "leave", "reenrol", "replay")
SIGNERS = ("old", "centre", "paper", "paper twice", "one paper", "stranger", "nobody new")
steps = st.tuples(
    st.sampled_from(ACTS),
    st.sampled_from(SIGNERS),
    st.integers(0, 5),
    st.sampled_from((0, 1, 2)),
    st.sampled_from((timedelta(minutes=1), timedelta(hours=25), timedelta(days=16))),
)


@dataclass
class History:
    """What an agency's keyset went through: the standing, and all that was ever revoked or known."""

    standing: Standing
    signers: dict[str, Ed25519Signer]
    now: object = NOW
    revoked: set[str] = field(default_factory=set)
    known: set[bytes] = field(default_factory=set)
    seen: list[bytes] = field(default_factory=list)
    made: int = 10

    @classmethod
    def begun(cls) -> "History":
        first = Ed25519Signer.from_seed("dinsos", bytes([9]) * 32)
        entry = keyset.entry_of("dinsos", first.public, instance="conn", not_before=NOW)
        recovery = Recovery(2, {p.kid: p.public for p in PAPER})
        payload = keyset.build(AUD, "dinsos", [entry], issued=NOW, recovery=recovery)
        data = dsse.seal(PAYLOAD_TYPE, payload, [first, *PAPER])
        said = accept_first(dsse.parse(data), AUD, known_keys=(), now=NOW)
        standing = Standing(said, dsse.parse(data).payload_sha256)
        known = {key.raw for key in said.provers().values()}
        return cls(standing, {first.kid: first}, known=known, seen=[data])

    def fresh(self) -> Ed25519Signer:
        self.made += 1
        made = Ed25519Signer.from_seed("dinsos", bytes([self.made]) * 32)
        self.signers[made.kid] = made
        return made

    def drawn_up(self, act: str, chosen: str, new: Ed25519Signer):
        """The next version that an act asks for, and the new keys in it."""
        old = self.standing.keyset
        said = replace(
            old,
            version=old.version + 1,
            prev=self.standing.payload_sha256,
            issued=self.now,
            expires=self.now + timedelta(days=365),
        )
        entry = keyset.entry_of("dinsos", new.public, instance="conn", not_before=self.now)
        lost = (*old.revoked, Revocation(chosen, self.now, "key_compromise", 0))
        if act == "rotate":
            payload = rotation.next_statement(
                old, self.standing.payload_sha256, chosen, new.public, self.now
            )
            return keyset.parse_statement(payload), [new]
        if act == "revoke":
            return replace(said, revoked=lost, reason="revoke"), []
        if act == "replace":
            return replace(said, revoked=lost, keys={**old.keys, new.kid: entry}), [new]
        if act == "amend":
            return replace(said, recovery=Recovery(1, {new.kid: new.public})), [new]
        if act == "leave":
            ended = {
                kid: e
                if e.sign_until and e.sign_until <= self.now
                else replace(e, sign_until=self.now)
                for kid, e in old.keys.items()
            }
            return replace(said, keys=ended, reason="leave"), []
        return replace(said, keys={new.kid: entry}, recovery=None, reason="reenrol"), [new]

    def sealed(self, said, by: str, chosen: str, new) -> bytes:
        who = {
            "old": [self.signers[chosen]],
            "centre": [RECEIPT],
            "paper": PAPER[:2],
            "paper twice": PAPER[:1],
            "one paper": PAPER[:1],
            "stranger": [Ed25519Signer.from_seed("dinsos", bytes([250]) * 32)],
            "nobody new": [RECEIPT],
        }[by]
        signers = [*who, *(() if by == "nobody new" else new)]
        data = dsse.seal(PAYLOAD_TYPE, encode(said), signers)
        if by != "paper twice":
            return data
        envelope = dsse.parse(data)
        again = Signature(PAPER[0].kid, envelope.signatures[0].sig)
        return dsse._spell(envelope.payload_type, envelope.payload, [*envelope.signatures, again])

    def hand_in(self, data: bytes) -> str | None:
        before = self.standing.keyset
        try:
            found = accept_next(
                dsse.parse(data),
                self.standing,
                known_keys=self.known - {k.raw for k in before.provers().values()},
                centre=CENTRE,
                now=self.now,
            )
        except TrustError:
            return None
        self.seen.append(data)
        self.known |= {key.raw for key in found.keyset.provers().values()}
        self.revoked |= {each.kid for each in found.keyset.revoked}
        rotated = dict(self.standing.rotated)
        if found.rule is Rule.ROTATE:
            rotated["conn"] = self.now
        sha256 = dsse.parse(data).payload_sha256
        self.standing = Standing(found.keyset, sha256, self.standing.suspended, rotated)
        assert found.keyset.version == before.version + 1
        assert found.wait == (RECOVERY_WAIT if found.keyset.recovery != before.recovery
                              and found.rule is Rule.AMEND else timedelta(0))  # fmt: skip
        return found.rule

    def silence(self, action: Action, by: str, chosen: str) -> None:
        said = Suspension(AUD, "dinsos", chosen, action, self.now, "drill")
        who = {"old": [self.signers[chosen]], "centre": [RECEIPT], "paper": PAPER[:2]}.get(
            by, PAPER[:1]
        )
        try:
            judge(dsse.parse(seal_suspension(said, who)), self.standing, CENTRE, self.now)
        except TrustError:
            return
        silent = set(self.standing.suspended)
        silent = silent | {chosen} if action is Action.SUSPEND else silent - {chosen}
        self.standing = replace(self.standing, suspended=frozenset(silent))

    def check(self, accepted: str | None, by: str) -> None:
        said, revoked = self.standing.keyset, {r.kid for r in self.standing.keyset.revoked}
        assert self.revoked == revoked, "what was revoked stays so"
        for kid, entry in said.keys.items():
            state = state_of(entry, self.now, revoked, self.standing.suspended)
            assert not (kid in self.revoked and may_sign(state))
            assert kid not in self.revoked or state is State.COMPROMISED
        if by in {"one paper", "paper twice", "stranger"}:
            assert accepted is None, "one of two recovery keys is none, however often it signs"


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, max_size=9))
def test_any_history(history):
    story = History.begun()
    for act, by, which, _, pause in history:
        story.now += pause
        kids = sorted(story.standing.keyset.keys)
        chosen = kids[which % len(kids)]
        accepted = None
        if act == "replay":
            before = story.standing
            accepted = story.hand_in(story.seen[which % len(story.seen)])
            assert accepted is None
            assert story.standing == before
        elif act in {"suspend", "resume"}:
            story.silence(Action(act), by, chosen)
        else:
            said, new = story.drawn_up(act, chosen, story.fresh())
            accepted = story.hand_in(story.sealed(said, by, chosen, new))
        story.check(accepted, by)


def test_the_histories_come_somewhere():
    """The property would be empty if nothing were ever accepted."""
    story = History.begun()
    rules = []
    for act, by in (
        ("rotate", "old"),
        ("replace", "paper"),
        ("revoke", "centre"),
        ("leave", "centre"),
        ("reenrol", "centre"),
    ):
        story.now += timedelta(hours=25)
        live = [k for k in story.standing.keyset.keys if k not in story.revoked]
        said, new = story.drawn_up(act, live[-1] if act != "replace" else live[0], story.fresh())
        rules.append(story.hand_in(story.sealed(said, by, live[-1], new)))
        story.check(rules[-1], by)
    assert rules == [Rule.ROTATE, Rule.REVOKE, Rule.REVOKE, Rule.LEAVE, Rule.REENROL]
    assert story.standing.keyset.version == 6
