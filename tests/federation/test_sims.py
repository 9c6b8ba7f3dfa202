"""What may befall a gateway or an agency, and what the connectors make of it, in one city."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors import alarms, attesting, revoking, rotating, silence
from connectors.client import Problem
from gateway.trust import service as trust
from gateway.trust import suspending
from gateway.trust.model import Approver
from keys import dsse, frame
from keys.canonical import to_moment
from keys.keyset import PAYLOAD_TYPE
from keys.rotation import next_statement
from keys.signers import Ed25519Signer
from keys.suspension import Action, Suspension, seal_suspension
from tests.federation.federation import AGENCIES, MINUTE, City, Member, verified
from tests.intake.factory import line

BATCHES = "select count(*) from batch"
LIVE = "select count(*) from assertion a join source_record r on r.assertion_id = a.id where"


def settle(city: City, rounds: int = 2) -> None:
    for _ in range(rounds):
        assert city.round() == {}


def quiet(city: City, *but: Member) -> None:
    """Nobody else is alarmed."""
    assert {m.code: m.alarms for m in city if m not in but and m.alarms} == {}


# -- the gateway loses, or is another


def test_sim_gateway_drops_what_it_gave_a_receipt_for(city: City):
    settle(city)
    victim = city.members["baz"]
    victim.admit("Orang Hilang")
    assert city.round() == {}
    assert city.gateway.column(BATCHES) == [7]
    hidden = "agency = 'baz' and seq = 2"
    city.gateway.sql(
        f"delete from outbox where args->>'batch' in (select id::text from batch where {hidden})"
    )
    city.gateway.sql(
        f"delete from batch_line where batch_id in (select id from batch where {hidden})"
    )
    first = "select payload_sha256, leaf from batch where agency = 'baz' and seq = 1"
    city.gateway.sql(
        f"update stream_head h set seq = 1, (payload_sha256, leaf) = ({first}) where {hidden}"
    )
    city.gateway.sql(f"delete from batch where {hidden}")
    city.gateway.sql("delete from log_pending")
    assert city.round() == {}
    assert victim.alarms == [alarms.LOST]
    (receipt,) = victim.evidence("-lost-target-1-2.json")
    assert verified(city, receipt) == 0, "we never received that? here is your receipt"
    assert city.gateway.column(BATCHES) == [7], "sent again"
    assert "sent again" in alarms.find(victim.work.memory, alarms.LOST).sentence("en")
    quiet(city, victim)
    settle(city, 3)
    assert victim.work.memory.outbox.counts()["received"] == 0


@pytest.mark.parametrize("grown", [0, 2, 6], ids=["as stolen", "it goes on", "it overtakes"])
def test_sim_old_backup_gateway_is_not_taken_for_the_real_one(city: City, grown):
    settle(city)
    fake = city.twin(remembers=True)  # a stolen backup of all it had, secrets included
    city.members["dinkes"].admit("Orang Baru")
    settle(city, 3)
    for _ in range(grown):
        fake.append({"t": "heartbeat", "at": to_moment(city.clock())})
    fake.integrate()
    city.turn_to(fake)
    for member in city:
        member.admit("Orang Yang Tidak Boleh Bocor")
    before = fake.column(BATCHES)
    stopped = city.round(beats=False)
    code = "trust.log_rewritten" if grown == 6 else "trust.log_shrank"
    assert stopped == dict.fromkeys(AGENCIES, code)
    assert fake.column(BATCHES) == before, "nothing is sent to it"
    for member in city:
        assert member.alarms == [code]
        before_note, now_note = member.evidence("-before.note") + member.evidence("-now.note")
        assert verified(city, before_note, now_note) == 2, "of two sizes: only the log can tell"
    city.turn_to(city.gateway)
    assert city.round() == {}, "the real one goes on where it was"
    assert all(member.alarms == [code] for member in city), "until a person has looked"


# -- clocks


@pytest.mark.parametrize(
    "ahead",
    [timedelta(hours=2), timedelta(hours=-2), timedelta(days=70), timedelta(minutes=6)],
    ids=["+2 h", "-2 h", "+70 d: its key would be due", "+6 min"],
)
def test_chaos_clock_of_a_connector_changes_no_key(city: City, ahead):
    settle(city)
    victim = city.members["dinsos"]
    store, kid = victim.work.hands.store, victim.work.hands.speaker.kid
    kids = store.kids()
    victim.ahead = ahead
    victim.admit("Orang Baru")
    assert city.round() == {"dinsos": "gateway.clock"}
    assert victim.alarms == [alarms.CLOCK]
    alarm = alarms.find(victim.work.memory, alarms.CLOCK)
    assert abs(alarm.facts["minutes"] - abs(ahead) / MINUTE) <= 1
    assert "Set this computer's clock" in alarm.sentence("en")
    assert alarm.exit_code == 4
    assert (store.kids(), victim.work.hands.speaker.kid) == (kids, kid)
    assert city.gateway.column("select max(version) from keyset where agency = 'dinsos'") == [1]
    quiet(city, victim)
    victim.ahead = timedelta(0)
    settle(city, 2)
    assert victim.alarms == []
    assert city.gateway.column("select max(seq) from batch where agency = 'dinsos'") == [2]


def test_chaos_clock_deletes_no_key_before_its_day(city: City):
    settle(city)
    victim = city.members["dinsos"]
    rotated = rotating.rotate(victim.work.hands)
    settle(city)
    assert victim.work.hands.speaker.kid == rotated.new
    victim.ahead = timedelta(days=30)  # by this clock the old key is quiet for more than a week
    assert city.round() == {"dinsos": "gateway.clock"}
    assert rotated.old in victim.work.hands.store.kids()
    victim.ahead = timedelta(0)
    settle(city)
    assert rotated.old in victim.work.hands.store.kids()


def test_chaos_clock_of_1970(city: City):
    settle(city)
    victim = city.members["dinsos"]
    victim.ahead = datetime(1970, 1, 1, tzinfo=UTC) - city.clock()
    kids = victim.work.hands.store.kids()
    stopped = city.round()
    assert list(stopped) == ["dinsos"]
    assert victim.work.hands.store.kids() == kids
    quiet(city, victim)
    victim.ahead = timedelta(0)
    settle(city)


def test_chaos_clock_of_the_gateway_changes_no_key(city: City):
    settle(city)
    with city.gateway.clock_off(timedelta(days=70)):
        assert city.round(beats=False) == dict.fromkeys(AGENCIES, "gateway.clock")
        assert all(member.alarms == [alarms.CLOCK] for member in city)
    settle(city)
    quiet(city)
    assert city.gateway.column("select max(version) from keyset") == [1]


def test_chaos_clock_that_a_gateway_confirms_is_given_away_by_the_witnesses(city: City):
    city.clock.now += timedelta(hours=3)
    settle(city)
    liar, late = city.twin(remembers=True), timedelta(hours=-2)
    victim = city.members["dstk"]
    city.turn_to(liar, "dstk")
    victim.ahead = late
    rows = city.gateway.column("select row_to_json(c)::text from log_cosignature c")
    assert rows
    with liar.clock_off(late):
        liar.beat()
        assert city.round() == {}
    assert victim.alarms == [alarms.CLOCK]
    quiet(city, victim)


# -- witnesses


def test_sim_missing_witnesses_are_a_warning_and_stop_nothing(city: City):
    settle(city)
    refusing = AGENCIES[3:]
    city.members[refusing[0]].refuse_to_witness()
    city.members[refusing[1]].refuse_to_witness()
    settle(city, 5)
    quiet(city)  # four of six are more than half
    city.members[refusing[2]].refuse_to_witness()
    city.members["baz"].admit("Orang Baru")
    settle(city, 6)
    for member in city:
        assert member.alarms == [alarms.ALONE]
        alarm = alarms.find(member.work.memory, alarms.ALONE)
        assert alarm.exit_code == 0
        assert alarm.facts["silent"] == ", ".join(f"{c}.witness" for c in sorted(refusing))
        assert "Publishing goes on" in alarm.sentence("en")
    assert city.gateway.column("select max(seq) from batch where agency = 'baz'") == [2]
    assert city.members["baz"].work.memory.outbox.counts()["received"] == 0


# -- a stolen key


class Thief:
    """Whoever has a copy of an agency's key file and its passphrase."""

    def __init__(self, city: City, victim: Member) -> None:
        hands = victim.work.hands
        self.city, self.code = city, victim.code
        self.stolen = hands.store.signer(hands.speaker.kid)
        self.own = Ed25519Signer.generate(victim.code)
        self.book, self.aud = hands.book(), hands.anchors.aud
        self.client = victim.work.hands.client

    def rotate(self) -> None:
        """Its own key into the keyset, announced by the stolen one."""
        now = self.city.clock()
        payload = next_statement(
            self.book.keyset, self.book.payload_sha256, self.stolen.kid, self.own.public, now
        )
        self.speak_as(self.stolen)
        self.client.put_keyset(dsse.seal(PAYLOAD_TYPE, payload, [self.stolen, self.own]))

    def speak_as(self, signer) -> None:
        self.client = type(self.client)(
            self.client.url, self.code, self.city.gateway, signer, self.city.clock, self.client.log_seen
        )  # fmt: skip

    def publish(self, signer, name: str) -> str:
        """A false record; what the gateway says to it."""
        self.speak_as(signer)
        try:
            head = self.client.head("target")
            epoch, seq = int(head["epoch"]), int(head["seq"]) + 1
            now = to_moment(self.city.clock())
            said = {
                "v": 1, "aud": self.aud, "agency": self.code, "stream": "target",
                "record_type": "person", "schema": "person/1", "kind": "delta", "epoch": epoch,
                "seq": seq, "prev": head["payload_sha256"], "as_of": now, "created": now,
                "basis": "PKS-UJI", "log_seen": {"size": 0, "root": "0" * 64},
            }  # fmt: skip
            lines = [line(f"palsu-{seq}", epoch * 2**32 + seq, {"name_source": name})]
            self.client.put_batch(
                "target", epoch, seq, frame.seal_batch(said, lines, [signer]).body
            )
        except Problem as problem:
            return problem.code
        return "taken"


def revoke(city: City, victim: Member, since: datetime) -> None:
    """The agency's officer with the paper, and one person at the centre."""
    hands, path = victim.work.hands, victim.config.places.statement
    lost = hands.book().keyset.keys
    sent = victim.sign_on_paper(lambda: revoking.revoke(hands, next(iter(lost)), since, path))
    end = " ".join(sent.new.fingerprint().split()[-2:])
    with city.gateway.database.session() as session:
        trust.approve(session, victim.code, Approver("registrar", "key_admin"), end, city.clock())
        session.commit()
    city.gateway.beat()


def test_sim_stolen_key_is_suspended_in_one_round_and_leaves_no_row(city: City):
    settle(city)
    city.gateway.work()
    victim, since = city.members["baz"], city.clock()
    city.clock.now += MINUTE
    victim.admit("Orang Sah")
    assert city.round() == {}
    thief = Thief(city, victim)
    city.clock.now += MINUTE
    thief.rotate()
    assert thief.publish(thief.own, "ORANG PALSU SATU") == "taken"
    assert thief.publish(thief.stolen, "ORANG PALSU DUA") == "taken"
    city.gateway.work()
    forged = f"{LIVE} r.agency = 'baz' and a.clear->>'name_source' like '%PALSU%'"
    assert city.gateway.column(forged) == [2]

    assert city.round() == {"baz": alarms.FOREIGN}, "suspended in the first round"
    assert thief.publish(thief.own, "ORANG PALSU TIGA") == "key.suspended"
    assert thief.publish(thief.stolen, "ORANG PALSU EMPAT") == "key.suspended"
    alarm = alarms.find(victim.work.memory, alarms.FOREIGN)
    assert alarm.facts["kids"] == [thief.own.kid, thief.stolen.kid]
    assert "suspended" in alarm.sentence("en")
    assert "keys revoke --since" in alarm.sentence("id")
    (statement,) = victim.evidence("-keyset-2.json")
    assert {s.keyid for s in dsse.parse(statement.read_bytes()).signatures} == {
        thief.own.kid,
        thief.stolen.kid,
    }
    quiet(city, victim)

    revoke(city, victim, since)
    city.gateway.work()
    assert city.gateway.column(forged) == [0]
    assert city.round() == {}, "the new key speaks by itself"
    assert victim.alarms == [alarms.ADOPTED], "it went on from batches that were not its own"
    victim.admit("Orang Baru")
    settle(city)
    assert victim.work.hands.speaker.kid not in (thief.own.kid, thief.stolen.kid)
    quiet(city, victim)

    # The way out: the owner vouches for what he sealed himself since then, and for nothing else.
    work, (block,) = victim.work, victim.config.publish
    found = attesting.look(work.hands.client, work.memory, block.stream)
    assert (len(found.ours), found.others) == (1, 2)
    attesting.attest(work.job, work.courier, block, found)
    city.gateway.work()
    assert attesting.look(work.hands.client, work.memory, block.stream).ours == ()
    assert city.gateway.column(forged) == [0]
    own = f"{LIVE} r.agency = 'baz' and a.clear->>'name_source' = 'Orang Sah'"
    assert city.gateway.column(own) == [1]


def test_sim_stolen_key_that_silenced_its_owner_first(city: City):
    settle(city)
    victim = city.members["baz"]
    thief = Thief(city, victim)
    thief.rotate()
    said = Suspension(
        thief.aud, "baz", thief.stolen.kid, Action.SUSPEND, city.clock(), "key_suspected"
    )
    thief.client.put_suspension(seal_suspension(said, [thief.own]))
    stopped = city.round()
    assert stopped == {"baz": alarms.SILENCED}
    assert victim.alarms == [alarms.SILENCED]
    alarm = alarms.find(victim.work.memory, alarms.SILENCED)
    assert "CALL UPT-KAN NOW" in alarm.sentence("en")
    quiet(city, victim)


def test_a_key_that_the_centre_or_its_owner_silenced_is_no_riddle(city: City):
    settle(city)
    member = city.members["baz"]
    hands = member.work.hands

    def say(action: Action, *persons: str) -> None:
        city.clock.now += MINUTE
        said = Suspension(hands.anchors.aud, "baz", hands.speaker.kid, action, city.clock(), "call")
        with city.gateway.database.session() as session:
            signer = city.gateway.database.vault.signer("receipt")
            who = [Approver(person, "key_admin") for person in persons]
            suspending.decide(session, said, who, signer, city.clock())
            session.commit()
        city.gateway.beat()

    say(Action.SUSPEND, "registrar")
    assert city.round() == {"baz": silence.BY_CENTRE}
    assert member.alarms == []
    assert hands.speaker.kid in silence.of(member.work.memory)
    say(Action.RESUME, "registrar", "delegasi")
    settle(city)
    city.clock.now += MINUTE
    said = Suspension(
        hands.anchors.aud, "baz", hands.speaker.kid, Action.SUSPEND, city.clock(), "laptop_gone"
    )
    sealed = seal_suspension(said, [hands.speaker])
    silence.made(member.work.memory, sealed)
    hands.client.put_suspension(sealed)
    assert city.round() == {"baz": silence.BY_US}
    assert member.alarms == []
    quiet(city)


def test_an_own_rotation_and_an_own_suspension_are_no_alarm(city: City):
    settle(city)
    member = city.members["dukcapil"]
    rotated = rotating.rotate(member.work.hands)
    settle(city)
    assert member.work.hands.speaker.kid == rotated.new
    quiet(city)
    said = Suspension(
        member.work.hands.anchors.aud,
        "dukcapil",
        rotated.old,
        Action.SUSPEND,
        city.clock(),
        "old_key",
    )
    member.work.hands.client.put_suspension(seal_suspension(said, [member.work.hands.speaker]))
    settle(city)
    quiet(city)
