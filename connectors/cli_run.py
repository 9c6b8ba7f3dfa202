"""`titian-connector run`: the service; and what every publishing run works with."""

import secrets
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import click

from connectors import alarms, amending, feedback, results, revoking, rotating, silence
from connectors.assembly import open_hands, publishing_with, watch_of
from connectors.config import Config
from connectors.courier import Courier
from connectors.desk import Desk, memory_of
from connectors.errors import CallCentre, ConnectorError, FixSettings, Wait
from connectors.listening import listening
from connectors.memory import Memory
from connectors.rotating import Hands
from connectors.runner import Job, Wishes, publish, seal_only
from connectors.screen import progress_bar, say
from connectors.watch import Watch

SETTLE_EVERY = 0.5
WATCH_EVERY = 60.0
"""Seconds between two looks at the log, whatever is published."""
PROBE_EVERY = 20.0
"""Seconds at most between two looks whether a gateway that was away is there again."""
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 300.0
"""Seconds between two readings of the source while the gateway is away; doubled each time."""
_CLOCK = "gateway.clock"
"""What passes by itself once the clock is set."""
_STOPS = frozenset({"keys.silent", silence.BY_CENTRE, silence.BY_US})
"""Beside contradictions: our key may not speak, so nothing is sent."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a run works with."""

    memory: Memory
    job: Job
    courier: Courier
    hands: Hands
    watch: Watch


def run_command(lang: str) -> click.Command:
    @click.command("run", help=say("run", lang))
    @click.option("--cycles", default=0, help=say("run.cycles", lang))
    @click.pass_obj
    def command(desk: Desk, cycles: int) -> None:
        config = desk.config()
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        service, done = _Service(desk, config), 0
        with (
            working(desk, config) as work,
            listening(work.hands, config, desk.outside(), service.say_once),
        ):
            while not stop.is_set():
                wait = service.turn(work)
                done += 1
                if cycles and done >= cycles:
                    break
                service.watch_until(work, time.monotonic() + wait, stop)
        if service.stopped is not None:
            raise service.stopped
        if stop.is_set():
            click.echo(desk.say("stopped"), err=True)

    return command


@dataclass(slots=True)
class _Service:
    """Rounds without an end: a contradiction or a wrong clock stops publishing, never the watch."""

    desk: Desk
    config: Config
    pause: float = FIRST_PAUSE
    stopped: ConnectorError | None = None
    away: bool = False
    told: set[str] = field(default_factory=set)

    def turn(self, work: Work) -> float:
        """Publishes what changed; the seconds until the next time."""
        try:
            tend(self.desk, work, self.told)
            _cycle(work)
        except Wait as err:
            self._say(err)
            self.away = err.code == "gateway.unreachable"
            wait = max(err.after or 0.0, self.pause * _jitter())
            self.pause = min(self.pause * 2, LONGEST_PAUSE, float(self.config.every_seconds))
            return wait
        except (CallCentre, FixSettings) as err:
            if isinstance(err, FixSettings) and err.code != _CLOCK:
                raise
            self.stopped = err
            self.say_once(err)
            return min(WATCH_EVERY, float(self.config.every_seconds))
        self.stopped, self.pause, self.away = None, FIRST_PAUSE, False
        return float(self.config.every_seconds)

    def watch_until(self, work: Work, until: float, stop: threading.Event) -> None:
        """Waits for the next turn, and looks at the log meanwhile.

        A gateway that was away is looked for; once it is there, what waits goes out at once.
        """
        while (left := until - time.monotonic()) > 0:
            pace = PROBE_EVERY * _jitter() if self.away else WATCH_EVERY
            if stop.wait(min(left, pace)) or left <= pace:
                return
            try:
                work.watch.round()
                if self.away:
                    return
            except Wait:
                continue  # the next turn says so
            except ConnectorError as err:
                self.say_once(err)
            _tell_alarms(self.desk, work.memory, self.told)

    def _say(self, err: ConnectorError) -> None:
        click.echo(err.sentence(self.desk.lang), err=True)

    def say_once(self, err: ConnectorError) -> None:
        """Says what went wrong, the first time."""
        if err.code not in self.told:
            self._say(err)
        self.told.add(err.code)


def _jitter() -> float:
    return secrets.SystemRandom().uniform(0.5, 1.0)


@contextmanager
def working(desk: Desk, config: Config) -> Iterator[Work]:
    """The keys opened, the source and the gateway at hand."""
    with memory_of(config) as memory, progress_bar(desk.console) as report:
        outside = desk.outside(report)
        hands = open_hands(config, memory, outside)
        with publishing_with(hands, config, outside) as (job, courier):
            yield Work(memory, job, courier, hands, watch_of(hands, config, outside))


def tend(desk: Desk, work: Work, told: set[str] | None = None) -> None:
    """A look at the log, then rotation by itself where clocks agree.

    Whatever stops it, publishing goes on unless evidence disagrees; alarms are said, each once
    where `told` remembers them.
    """
    hands = work.hands
    try:
        revoking.follow(hands)
        rotated, began = None, hands.speaker.kid
        if work.watch.round():
            rotating.take_up(hands)
            began = hands.speaker.kid
            rotated = rotating.tend(hands)
        amending.follow(hands)
    except ConnectorError as err:
        silence.note_refusal(work.memory, hands.speaker.kid, err, hands.clock())
        if err.code.startswith("trust.") or err.code in _STOPS:
            raise
        click.echo(err.sentence(desk.lang), err=True)
        return
    finally:
        _tell_alarms(desk, work.memory, told)
    if rotated is not None and hands.speaker.kid != began:
        until = rotated.sign_until.date()
        said = desk.say("keys.rotated_itself", old=rotated.old, new=rotated.new, until=until)
        click.echo(said, err=True)


@contextmanager
def speaking(work: Work) -> Iterator[None]:
    """While something is sent: that our key is suspended, or is heard again, is remembered."""
    try:
        yield
    except ConnectorError as err:
        silence.note_refusal(work.memory, work.hands.speaker.kid, err, work.hands.clock())
        raise
    silence.end(work.memory, work.hands.speaker.kid)


def settle(work: Work, seconds: float) -> None:
    """Swaps receipts for log proofs, for at most so many seconds."""
    until = time.monotonic() + seconds
    while work.memory.outbox.unsettled():
        work.courier.settle()
        if not work.memory.outbox.unsettled() or time.monotonic() >= until:
            return
        time.sleep(SETTLE_EVERY)


def _cycle(work: Work) -> None:
    """One round of the service; without the gateway, changes wait in the outbox."""
    try:
        with speaking(work):
            publish(work.job, work.courier, Wishes())
            settle(work, 15.0)
            results.collect(work.courier)
            feedback.collect(work.courier)
    except Wait as err:
        if err.code == "gateway.unreachable":
            seal_only(work.job, Wishes())
        raise


def _tell_alarms(desk: Desk, memory: Memory, told: set[str] | None) -> None:
    """Says the alarms that stop nothing; a contradiction is said where it stops the run."""
    on = [alarm for alarm in alarms.standing(memory) if alarm.code in alarms.SAID]
    for alarm in on:
        if told is None or alarm.code not in told:
            click.echo(alarm.sentence(desk.lang), err=True)
    if told is not None:
        told -= alarms.SAID
        told |= {alarm.code for alarm in on}
