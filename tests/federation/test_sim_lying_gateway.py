"""Five ways in which a gateway may lie, each caught by the connectors, each leaving evidence."""

import pytest

from connectors import alarms
from keys import dsse, merkle
from keys.bundle import keyset_entry
from keys.canonical import to_moment
from keys.keyset import PAYLOAD_TYPE
from keys.rotation import next_statement
from keys.signers import Ed25519Signer
from tests.federation.federation import AGENCIES, City, Gateway, verified

HALF = AGENCIES[:3]


def settle(city: City, rounds: int = 2) -> None:
    for _ in range(rounds):
        assert city.round() == {}


def said(code: str, member) -> str:
    alarm = alarms.find(member.work.memory, code)
    assert alarm is not None
    assert all(alarm.sentence(lang) for lang in ("id", "en"))
    return alarm.sentence("en")


def test_sim_lying_gateway_drops_an_accepted_batch(city: City):
    settle(city)
    victim = city.members["baz"]
    victim.admit("Orang Hilang")
    assert city.round() == {}
    city.gateway.sql("delete from log_pending where convert_from(entry, 'UTF8') like '%accept%'")
    assert city.round() == {}  # 60 seconds: the promise may still be kept
    assert city.round() == {"baz": "trust.promise"}
    (receipt,) = victim.evidence("receipt-target-1-2.json")
    assert verified(city, receipt) == 0, "the receipt proves that it was promised"
    assert "The receipts are kept as evidence" in said(alarms.PROMISE, victim)
    assert all(member.alarms == [] for member in city if member is not victim)


@pytest.mark.parametrize(
    ("grown", "code", "judged"),
    [
        (0, "trust.log_shrank", 2),
        (1, "trust.log_shrank", 1),
        (2, "trust.log_rewritten", 2),
    ],
    ids=["rolled back", "one size, another root", "rewritten and grown"],
)
def test_sim_lying_gateway_rewrites_its_log(city: City, grown, code, judged):
    settle(city)
    liar = city.twin()
    settle(city, 1)
    for n in range(grown):
        liar.append({"t": "config", "version": f"forged-{n}"})
    liar.integrate()
    city.turn_to(liar)
    for member in city:
        member.admit("Orang Baru")
    assert city.round(beats=False) == dict.fromkeys(AGENCIES, code)
    for member in city:
        assert member.alarms == [code]
        before, now = member.evidence("-before.note") + member.evidence("-now.note")
        assert verified(city, before, now) == judged, "a fork is proved where the sizes are one"
        assert "Nothing more is sent" in said(code, member)
    assert city.round(beats=False) == dict.fromkeys(AGENCIES, code), "as long as it lies"
    assert liar.column("select count(*) from batch where seq > 1") == [0]


def split(city: City) -> Gateway:
    """From here on one half of the city is shown another log."""
    liar = city.twin()
    for gateway, version in ((city.gateway, "shown-to-some"), (liar, "shown-to-others")):
        gateway.append({"t": "config", "version": version})
    city.turn_to(liar, *HALF)
    return liar


def test_sim_lying_gateway_shows_two_logs(city: City):
    settle(city)
    liar = split(city)
    for _ in range(4):
        assert city.round(liar) == {}, "to be late stops nothing"
    for member in city:
        assert member.alarms == [alarms.ALONE]
        assert "3 of 6 witnesses" in said(alarms.ALONE, member)
    (ours,), (theirs,) = (city.members[c].evidence("-alone.note") for c in ("baz", "dukcapil"))
    assert verified(city, ours, theirs) == 1, "side by side the two notes prove the fork"


def carry_across(source: Gateway, target: Gateway, *, notes: bool) -> None:
    """The liar shows one half the lines of the other's witnesses, and perhaps their checkpoints."""
    for row in source.column("select row_to_json(c)::text from log_cosignature c"):
        target.sql(
            "insert into log_cosignature select * from"
            " json_populate_record(null::log_cosignature, cast(:row as json)) on conflict do nothing",
            row=row,
        )
    for row in source.column("select row_to_json(h)::text from log_head h") if notes else ():
        target.sql(
            "update log_head h set note = r.note"
            " from json_populate_record(null::log_head, cast(:row as json)) r where r.size = h.size",
            row=row,
        )


@pytest.mark.parametrize("notes", [False, True], ids=["lines", "lines and checkpoints"])
def test_sim_lying_gateway_shows_two_logs_and_carries_across(city: City, notes):
    settle(city)
    liar = split(city)
    assert city.round(liar) == {}
    carry_across(city.gateway, liar, notes=notes)
    assert city.round(liar) == dict.fromkeys(HALF, "trust.split")
    for code in HALF:
        member = city.members[code]
        assert member.alarms == ["trust.split"]
        assert "saw another log" in said("trust.split", member)
        both = member.evidence("-split-ours.note") + member.evidence("-split-theirs.note")
        assert [verified(city, each) for each in both] == [0, 0], "each signed by the log"
        assert both[1].read_text().count("\n— ") >= 2, "with the witness's own line"
    assert all(city.members[code].alarms == [] for code in AGENCIES[3:])


def test_sim_lying_gateway_freezes_the_log(city: City):
    settle(city)
    liar = city.twin()
    city.turn_to(liar, "dstk")
    frozen = city.members["dstk"]
    for _ in range(6):
        assert city.round() == {}, "to be late stops nothing"
    assert "no sign of life" in said(alarms.STALE, frozen)
    (note,) = frozen.evidence("-stale.note")
    assert verified(city, note) == 0
    assert all(member.alarms == [] for member in city if member is not frozen)
    city.turn_to(city.gateway)
    assert city.round() == {}
    assert frozen.alarms == [], "it passes when the log goes on"


def test_sim_lying_gateway_swaps_a_key(city: City):
    settle(city)
    victim = city.members["disdik"]
    book = victim.work.hands.book()
    old, forged = victim.work.hands.speaker.kid, Ed25519Signer.generate("disdik")
    payload = next_statement(book.keyset, book.payload_sha256, old, forged.public, city.clock())
    envelope = dsse.seal(PAYLOAD_TYPE, payload, [forged])
    city.gateway.append(keyset_entry("disdik", 2, envelope))
    assert city.round() == {"disdik": alarms.FOREIGN_OPEN}
    (statement,) = victim.evidence("-keyset-2.json")
    assert dsse.parse(statement.read_bytes()).payload == payload
    assert "CALL UPT-KAN NOW" in said(alarms.FOREIGN_OPEN, victim)
    assert victim.work.hands.speaker.kid == old
    assert all(member.alarms == [] for member in city if member is not victim)
    assert city.round() == {"disdik": alarms.FOREIGN_OPEN}, "until a person has looked"


def test_sim_lying_gateway_shows_entries_that_it_did_not_sign(city: City):
    settle(city)
    liar = city.twin(remembers=True)
    liar.beat()
    entry = b'{"at":"%s","t":"heartbeat"}' % to_moment(city.clock()).encode()
    size = liar.column("select max(idx) from log_entry")[0]
    liar.sql("update log_entry set entry = :entry where idx = :size", entry=entry[:-3], size=size)
    city.turn_to(liar, "baz")
    assert city.round() == {"baz": "trust.entries"}
    assert merkle.leaf_hash(entry[:-3]) not in liar.column("select leaf from log_entry")
    assert city.members["baz"].alarms == ["trust.entries"]
