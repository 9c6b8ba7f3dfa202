"""An honest gateway raises no alarm, whatever agencies do in an ordinary time."""

from tests.federation.federation import City


def test_an_honest_time_raises_no_alarm(city: City):
    for minute in range(8):
        assert city.round() == {}
        if minute == 3:
            city.members["baz"].admit("Orang Baru")
    for member in city:
        assert member.work.watch.round(), "clocks agree, and nothing was refused"
        assert member.alarms == []
        assert member.evidence() == []
        assert member.work.memory.outbox.counts()["waiting"] == 0
        assert member.work.memory.outbox.counts()["received"] <= 1
