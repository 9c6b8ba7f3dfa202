"""One round of the watch over the gateway: the log, the clocks, our keys, the other witnesses.

1. The newest checkpoint extends all that was seen (`witness`).
2. Clocks agree, or no key of ours changes in this round (`clocks`).
3. What the log says of our keys is ours (`monitor`, `guarding`).
4. The log is alive: its newest heartbeat is not old.
5. The other witnesses see the same log (`hearing`).

A contradiction stops the round, and with it publishing; what merely is not well is kept as an
alarm and passes when it is well again.

Source: trust.md 3.5, 5 (rows 9, 38, 39, 41).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors import alarms, centrekeys, exhibits, hearing, silence
from connectors.client import Problem
from connectors.clocks import apart
from connectors.courier import remember
from connectors.errors import CallCentre
from connectors.guarding import Guard
from connectors.hearing import Ear
from connectors.memory import Memory
from connectors.monitor import Log, Monitor, Readers
from connectors.rotating import Hands
from connectors.witness import Sighting, Witness
from keys.canonical import to_moment

STALE = timedelta(minutes=5)
_SILENT = "key."
"""How the codes begin by which the gateway says that our key may not speak."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What a connector watches with."""

    hands: Hands
    witness: Witness
    guard: Guard
    ear: Ear

    def round(self) -> bool:
        """Whether keys may change in this round.

        Raises:
            CallCentre: a contradiction; it is an alarm from now on.
            Wait: the gateway cannot be reached.
        """
        try:
            return self._look()
        except Problem as problem:
            raise problem.error() from problem
        except CallCentre as err:
            if err.code.startswith("trust.") and alarms.find(self._memory, err.code) is None:
                alarms.put(self._memory, err.code, self.hands.clock(), **err.facts)
            raise

    def _look(self) -> bool:
        self.guard.begin()
        seen = self.witness.watch()
        remember(self._memory, seen.checkpoint)
        agree, silenced = self._compare([seen.at]), None
        if agree:
            try:
                agree = self._read(seen)
                alarms.drop(self._memory, alarms.SILENCED)
            except Problem as problem:
                if not problem.code.startswith(_SILENT):
                    raise
                silenced = problem
                said = problem.error()
                silence.note_refusal(self._memory, self.hands.speaker.kid, said, self.hands.clock())
        self.guard.defend()
        if silenced is not None:
            raise self._silenced(silenced)
        return agree

    def _silenced(self, refused: Problem) -> CallCentre:
        """Why our key may not speak: a known and signed reason, or an alarm."""
        kid, centre = self.hands.speaker.kid, self.hands.anchors.receipt_keys
        why = silence.explained(self._memory, kid, refused.details.get("statement"), centre)
        if why is None:
            return CallCentre(alarms.SILENCED, kid=kid, refusal=refused.code)
        alarms.drop(self._memory, alarms.SILENCED)
        return why

    def _read(self, seen: Sighting) -> bool:
        hands, now = self.hands, self.hands.clock()
        readers = Readers(
            self.guard.judge, lambda said: centrekeys.heed(hands.memory, hands.anchors, said)
        )
        log = Monitor(hands.client, hands.memory, readers).follow(seen.checkpoint)
        if log.frontier.size < seen.checkpoint.size:
            return True  # still catching up: what is newest is not read yet
        self._judge_age(log, seen)
        known = log.witnesses()
        heard = self.ear.listen(seen, known)
        self._judge_number(heard, known, seen)
        return self._compare([seen.at, *(at for at in heard.values() if at > now)])

    def _compare(self, others: list[datetime | None]) -> bool:
        gap = apart(self.hands.clock(), others)
        if gap is None:
            alarms.drop(self._memory, alarms.CLOCK)
            return True
        minutes = int(gap.total_seconds() // 60)
        alarms.put(self._memory, alarms.CLOCK, self.hands.clock(), minutes=minutes)
        return False

    def _judge_age(self, log: Log, seen: Sighting) -> None:
        now = self.hands.clock()
        if log.beat is not None and now - log.beat <= STALE:
            alarms.drop(self._memory, alarms.STALE)
            return
        self._keep_first(alarms.STALE, "stale.note", seen)
        beat = "-" if log.beat is None else to_moment(log.beat)
        alarms.put(self._memory, alarms.STALE, now, beat=beat, size=log.frontier.size)

    def _keep_first(self, code: str, name: str, seen: Sighting) -> None:
        """When the alarm begins, what we are shown is kept for others to hold against theirs."""
        if alarms.find(self._memory, code) is None:
            exhibits.keep(self.ear.evidence, self.hands.clock(), {name: seen.note})

    def _judge_number(
        self, heard: Mapping[str, datetime], known: hearing.Known, seen: Sighting
    ) -> None:
        now = self.hands.clock()
        if now - self.ear.confirmed(heard, known, now) <= hearing.WITHIN:
            alarms.drop(self._memory, alarms.ALONE)
            return
        names = sorted({name for name, _ in known})
        silent = [n for n in names if n not in heard or heard[n] < now - hearing.WITHIN]
        facts = {"heard": len(names) - len(silent), "of": len(names), "silent": ", ".join(silent)}
        self._keep_first(alarms.ALONE, "alone.note", seen)
        alarms.put(self._memory, alarms.ALONE, now, **facts)

    @property
    def _memory(self) -> Memory:
        return self.hands.memory
