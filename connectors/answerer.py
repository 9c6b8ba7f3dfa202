"""Answers what the gateway asks, by polling outbound: read `Answerer.turn` first.

Ask for the inbox and wait; keep what came; judge each request; look into the agency's own database;
keep the signed answer; send it; keep the receipt. What cannot be sent is sent in a later turn, the
same bytes.

Source: trust.md 2.8.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from connectors import exhibits
from connectors.asked import Handed, Judge
from connectors.client import Client, Problem
from connectors.errors import CallCentre, FixSettings, FixSource, Wait
from connectors.evidence import Anchors
from connectors.inboxfile import InboxFile, Waiting
from connectors.live import MOST_ROWS, Live
from keys import dsse
from keys.canonical import canonical, from_base64, to_moment
from keys.errors import BadJson, TrustError
from keys.signers import Signer
from schemas import inbox
from schemas.errors import SchemaError
from schemas.inbox import ANSWERED_TYPE, MAX_VALUE, RESPONSE_TYPE, Request

POLL = 25
"""Seconds that the gateway lets a poll wait."""
_OVER = frozenset({"answer.second", "answer.late", "inbox.unknown"})
"""Refusals of an answer that sending it again cannot mend."""

Row = Mapping[str, object]


class Looker(Protocol):
    """Looks up rows by equal values; see `SqlSource.few`."""

    def few(
        self, dataset: str, columns: tuple[str, ...], equal: Mapping[str, str], most: int
    ) -> list[Row]: ...


@dataclass(frozen=True, slots=True)
class Answerer:
    """One agency's inbox and what answers it."""

    client: Client
    book: InboxFile
    judge: Judge
    signer: Signer
    looker: Looker | None
    clock: Callable[[], datetime]
    evidence: Path

    def turn(self, wait: int = POLL) -> bool:
        """One poll and all that follows; False where the gateway had no seat to wait.

        Raises:
            Wait: the gateway cannot be reached; what was decided is kept and sent later.
            CallCentre: the gateway refused, or the log contradicts itself.
        """
        self._answer_all()
        try:
            told = self.client.inbox(self.book.cursor(), wait)
        except Problem as problem:
            raise problem.error() from problem
        handed = [_handed(each) for each in told.get("requests", ())]
        if handed:
            self.book.keep(handed, self._now())
            self._answer_all()
        return not told.get("full", False)

    def _answer_all(self) -> None:
        for answer in self.book.waiting():
            self._send(answer)
        for handed in self.book.unanswered():
            self._decide(handed)
            for answer in self.book.waiting():
                self._send(answer)

    def _decide(self, handed: Handed) -> None:
        try:
            asked, sha256 = self.judge.read(handed)
        except CallCentre as err:
            exhibits.keep(
                self.evidence, self.clock(), {f"request-{handed.n}.json": handed.envelope}
            )
            self.book.end(handed.n, err.code, self._now())
            return
        code = self.judge.refusal(handed, asked, self.clock())
        status = "refused"
        cells: tuple[dict[str, Any], ...] = ()
        if code is None:
            status, code, cells = self._looked_up(asked)
        said = {
            "v": 1,
            "aud": asked.aud,
            "rid": asked.rid,
            "request_sha256": sha256.hex(),
            "agency": asked.agency,
            "answered_at": self._now(),
            "status": status,
            **({"code": code} if code else {}),
            "values": list(cells),
        }
        envelope = dsse.seal(RESPONSE_TYPE, canonical(said), [self.signer])
        about = (asked.rid, asked.kind, asked.purpose["code"])
        self.book.decide(handed.n, about, (envelope, status, code or ""))

    def _looked_up(self, asked: Request) -> tuple[str, str | None, tuple[dict[str, Any], ...]]:
        """Status, code and cells of what the agency's own database says."""
        live, looker = self.judge.live, self.looker
        if live is None or looker is None:
            return "refused", "grant.missing", ()
        equal = {column: asked.subject.get(name) for name, column in live.match.items()}
        known = {column: value for column, value in equal.items() if value is not None}
        if len(known) < len(equal):
            return "refused", "subject.unknown", ()
        try:
            rows = looker.few(live.dataset, tuple(live.show.values()), known, MOST_ROWS)
        except (FixSource, FixSettings, Wait) as err:
            return "error", err.code, ()
        return ("ok", None, _cells(live, rows)) if rows else ("not_found", None, ())

    def _send(self, answer: Waiting) -> None:
        try:
            receipt = self.client.put_answer(answer.rid, answer.answer)
        except Problem as problem:
            if problem.code not in _OVER:
                raise problem.error() from problem
            if problem.code == "answer.second":
                kept = {f"answer-{answer.rid}.json": answer.answer}
                exhibits.keep(self.evidence, self.clock(), kept)
            self.book.end(answer.n, problem.code, self._now())
            return
        check_answered(receipt, answer, self.judge)
        self.book.end(answer.n, "answered", self._now(), receipt)

    def _now(self) -> str:
        return to_moment(self.clock())


def check_answered(receipt: bytes, answer: Waiting, judge: Judge) -> None:
    """Returns if the receipt is signed and speaks of this very answer.

    Raises:
        CallCentre: `trust.receipt`.
    """
    anchors: Anchors = judge.anchors
    try:
        envelope = dsse.parse(receipt)
        if envelope.payload_type != ANSWERED_TYPE:
            raise CallCentre("trust.receipt", reason="it is another kind of statement.")
        envelope.verify(anchors.receipt_keys)
        said = inbox.load_answered(envelope.payload)
    except (TrustError, SchemaError) as err:
        raise CallCentre("trust.receipt", reason=f"{err}.") from err
    ours = dsse.parse(answer.answer).payload_sha256.hex()
    if (said.aud, said.agency, said.rid, said.response_sha256) != (
        *(anchors.aud, judge.agency, answer.rid, ours),
    ):
        raise CallCentre("trust.receipt", reason="it speaks of another answer.")


def _handed(told: Mapping[str, Any]) -> Handed:
    try:
        query, request = told["query"], told["request"]
        return Handed(
            n=int(told["n"]),
            envelope=from_base64(told["envelope"]),
            query=(from_base64(query["entry"]), str(query["proof"])),
            request=(from_base64(request["entry"]), str(request["proof"])),
        )
    except (KeyError, TypeError, ValueError, BadJson) as err:
        raise Wait("gateway.answer", reason="inbox") from err


def _cells(live: Live, rows: list[Row]) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"row": n, "name": name, "value": text}
        for n, row in enumerate(rows)
        for name, column in live.show.items()
        if (text := _text(row.get(column)))
    )


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    return " ".join(str(value).split())[:MAX_VALUE].strip()
