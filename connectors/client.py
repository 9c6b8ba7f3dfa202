"""HTTPS to the gateway: signed requests out, typed facts back. The transport is passed in.

Knows the wire and nothing of what is remembered; every answer that is not understood is a
ConnectorError, and nothing of an answer is believed here (see `courier.py` and `evidence.py`).
"""

import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any, Protocol
from urllib.parse import quote

import requests

from connectors.errors import CallCentre, ConnectorError, FixSettings, Wait
from keys import httpsig
from keys.canonical import canonical, from_base64, to_moment
from keys.httpsig import LogSeen
from keys.merkle import TILE_WIDTH
from keys.signers import Signer

BATCH_MIME = "application/vnd.titian.batch.v1"
KEYSET_MIME = "application/vnd.titian.keyset.v1+json"
SUSPENSION_MIME = "application/vnd.titian.suspension.v1+json"
ANSWER_MIME = "application/vnd.titian.response.v1+json"
LARGEST_ANSWER = 32 << 20
TIMEOUT = (10.0, 60.0)
_AGAIN = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Shown:
    """A checkpoint as the gateway shows it, and what its clock said then, if it told."""

    note: bytes
    at: datetime | None


class Transport(Protocol):
    """Carries one request; raises `Wait` where no answer came."""

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer: ...


class RequestsTransport:
    """`requests`, with the proxies of the system; never follows a redirect."""

    def __init__(self, ca_file: str | None = None) -> None:
        self._session = requests.Session()
        # Given with each request: what the environment names would go before the session's own.
        self._trusted = ca_file

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        try:
            with self._session.request(
                method,
                url,
                headers=dict(headers),
                data=body,
                timeout=TIMEOUT,
                verify=self._trusted,
                allow_redirects=False,
                stream=True,
            ) as response:
                content = response.raw.read(LARGEST_ANSWER + 1, decode_content=True)
                if len(content) > LARGEST_ANSWER:
                    raise Wait("gateway.answer", reason="too long")
                names = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status_code, names, content)
        except requests.exceptions.SSLError as err:
            raise FixSettings("gateway.tls", reason=type(err).__name__) from err
        except requests.exceptions.InvalidURL as err:
            raise FixSettings("settings.value", key="gateway.url", reason="not a URL") from err
        except (requests.exceptions.RequestException, OSError) as err:
            raise Wait("gateway.unreachable", reason=type(err).__name__) from err

    def close(self) -> None:
        self._session.close()


class Problem(Exception):
    """A refusal of the gateway as it was said; `error` turns it into what to do."""

    def __init__(self, answer: Answer, details: Mapping[str, Any]) -> None:
        self.status = answer.status
        self.details = details
        self.code = str(details.get("code", f"http.{answer.status}"))
        self.title = str(details.get("title", ""))[:200]
        after = answer.headers.get("retry-after", "")
        self.retry_after = float(after) if after.isdigit() else None
        super().__init__(self.code)

    def error(self) -> ConnectorError:
        """The fact for the officer, where nobody handled the refusal."""
        if self.status in _AGAIN:
            return Wait("gateway.busy", after=self.retry_after, code=self.code)
        if self.code == "http.clock_skew":
            return FixSettings("gateway.clock")
        return CallCentre("gateway.refused", title=self.title, code=self.code)


@dataclass(frozen=True, slots=True)
class Client:
    """The calls of one agency. `log_seen` tells the largest log this connector has verified."""

    url: str
    agency: str
    transport: Transport
    signer: Signer | None
    clock: Callable[[], datetime]
    log_seen: Callable[[], LogSeen]

    # -- enrolment: not signed by key, the ticket's secret speaks

    def challenge(self, ticket_id: str) -> tuple[str, bytes | None]:
        """A nonce, and the agency's keyset in force where it had keys before."""
        body = self._json(
            "POST", f"/v1/enrolments/{self.agency}/challenge", {"ticket_id": ticket_id}
        )
        before = body.get("follows")
        return str(body["nonce"]), None if before is None else from_base64(str(before))

    def enrol(self, keyset: str, proof: str) -> Mapping[str, Any]:
        body = {"keyset": keyset, "proof": proof}
        return self._json("POST", f"/v1/enrolments/{self.agency}", body)

    def enrolment(self, ticket_id: str) -> Mapping[str, Any]:
        return self._json(
            "GET", f"/v1/enrolments/{self.agency}?ticket_id={quote(ticket_id, safe='')}"
        )

    # -- keysets

    def put_keyset(self, envelope: bytes) -> Mapping[str, Any]:
        """How a keyset statement stands now. Sending the same bytes again is harmless."""
        return self._statement("keysets", envelope, KEYSET_MIME)

    def keyset(self, version: int) -> Mapping[str, Any] | None:
        """A version of the agency's keyset with its log proof, or None where there is none."""
        path = f"/v1/agencies/{self.agency}/keysets/{version}"
        try:
            return self._json("GET", path, signed=self.signer is not None)
        except Problem as problem:
            if problem.status == 404:
                return None
            raise

    def cosigned_size(self, since: datetime) -> int:
        """The log's size that a witness had cosigned by a moment; what a revocation must name."""
        moment = quote(to_moment(since), safe="")
        path = f"/v1/agencies/{self.agency}/keysets/size?since={moment}"
        return int(self._json("GET", path)["size"])

    def put_suspension(self, envelope: bytes) -> Mapping[str, Any]:
        """What became of a suspension."""
        return self._statement("suspensions", envelope, SUSPENSION_MIME)

    def report_destroyed(self, kid: str) -> None:
        """Say that the private half of a key is gone."""
        path = f"/v1/agencies/{self.agency}/keysets/destroyed/{kid}"
        self._call("PUT", path, b"{}", "application/json", signed=True)

    def put_objection(self, version: int) -> None:
        """Object to a change of our recovery keys that waits for its time."""
        path = f"/v1/agencies/{self.agency}/keysets/{version}/objection"
        self._call("PUT", path, b"{}", "application/json", signed=True)

    # -- publishing

    def recovery(self, stream: str) -> Mapping[str, Any]:
        """What of a stream is in quarantine, and where a new epoch may begin."""
        return self._json("GET", f"{self._stream(stream)}/recovery", signed=True)

    def head(self, stream: str) -> Mapping[str, Any]:
        return self._json("GET", f"{self._stream(stream)}/head", signed=True)

    def put_batch(self, stream: str, epoch: int, seq: int, body: bytes) -> bytes:
        """The receipt of a batch, new or replayed. Sending again is harmless."""
        path = f"{self._stream(stream)}/batches/{epoch}/{seq}"
        return self._call("PUT", path, body, BATCH_MIME, signed=True).body

    def result(self, stream: str, epoch: int, seq: int) -> bytes | None:
        """The signed result of a batch, or None while the workers are not done."""
        path = f"{self._stream(stream)}/batches/{epoch}/{seq}/result"
        answer = self._call("GET", path, signed=True)
        return answer.body if answer.status == 200 else None

    def dispositions(self, stream: str, epoch: int, seq: int) -> list[Mapping[str, Any]]:
        """What was found about a batch's lines, from all pages."""
        path = f"{self._stream(stream)}/batches/{epoch}/{seq}/dispositions"
        found: list[Mapping[str, Any]] = []
        after: int | None = 0
        while after is not None:
            query = f"?after={after}" if after else ""
            page = self._json("GET", path + query, signed=True)
            found += page["dispositions"]
            after = page.get("next")
        return found

    def findings(self) -> list[Mapping[str, Any]]:
        """What the centre finds about our lines that count now, by position."""
        path = f"/v1/agencies/{self.agency}/findings"
        found = self._json("GET", path, signed=True).get("findings")
        if not isinstance(found, list):
            raise Wait("gateway.answer", reason="findings")
        return found

    # -- the inbox

    def inbox(self, after: int, wait: int) -> Mapping[str, Any]:
        """What we are asked beyond number `after`; the gateway waits so many seconds for it."""
        path = f"/v1/agencies/{self.agency}/inbox?after={after}&wait={wait}"
        return self._json("GET", path, signed=True)

    def put_answer(self, rid: str, envelope: bytes) -> bytes:
        """The receipt of an answer, new or replayed. Sending the same bytes again is harmless."""
        path = f"/v1/agencies/{self.agency}/inbox/{rid}/answer"
        return self._call("PUT", path, envelope, ANSWER_MIME, signed=True).body

    # -- the log

    def checkpoint(self) -> Shown:
        """The newest checkpoint."""
        answer = self._call("GET", "/v1/log/checkpoint", signed=self.signer is not None)
        return Shown(answer.body, _date(answer))

    def common_checkpoint(self) -> bytes | None:
        """The checkpoint that all witnesses are shown in this minute; None before the first."""
        try:
            return self._call("GET", "/v1/log/checkpoint/common", signed=True).body
        except Problem as problem:
            if problem.status == 404:
                return None  # also a gateway that knows of no such thing
            raise

    def entries(self, start: int, stop: int) -> list[bytes]:
        """The log's entries of the indexes [start, stop), in order."""
        found: list[bytes] = []
        for n in range(start // TILE_WIDTH, -(-stop // TILE_WIDTH)):
            width = min(TILE_WIDTH, stop - n * TILE_WIDTH)
            path = f"/v1/log/tile/entries/{_place(n, width)}"
            first = max(0, start - n * TILE_WIDTH)
            path += f"?from={first}" if first else ""
            found += _split(self._call("GET", path, signed=True).body)
        return found

    def cosignatures(self) -> list[tuple[bytes, str]]:
        """(note, line) of what each witness cosigned last."""
        told = self._json("GET", "/v1/log/cosignatures")
        try:
            return [(str(e["note"]).encode(), str(e["line"])) for e in told["cosignatures"]]
        except (KeyError, TypeError) as err:
            raise Wait("gateway.answer", reason="cosignatures") from err

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the log of size `new` extends that of size `old`."""
        path = f"/v1/log/consistency?from={old}&to={new}"
        answer = self._call("GET", path, signed=self.signer is not None)
        lines = answer.body.decode("ascii", errors="replace").split()
        return [from_base64(line) for line in lines]

    def put_cosignature(self, size: int, line: str) -> None:
        """Say that we saw the checkpoint of this size."""
        body = canonical({"size": size, "line": line})
        self._call("POST", "/v1/log/cosignatures", body, "application/json", signed=True)

    def proof(self, leaf: bytes) -> str | None:
        """The log proof of a leaf, or None while it is not integrated."""
        try:
            answer = self._call(
                "GET", f"/v1/log/proof?leaf={leaf.hex()}", signed=self.signer is not None
            )
        except Problem as problem:
            if problem.status == 404:
                return None
            raise
        return answer.body.decode("utf-8", errors="replace")

    def _statement(self, kind: str, envelope: bytes, mime: str) -> Mapping[str, Any]:
        path = f"/v1/agencies/{self.agency}/{kind}"
        return _object(self._call("POST", path, envelope, mime, signed=True))

    def _stream(self, stream: str) -> str:
        return f"/v1/agencies/{self.agency}/streams/{stream}"

    def _json(
        self, method: str, path: str, body: object = None, *, signed: bool = False
    ) -> Mapping[str, Any]:
        sent = None if body is None else json.dumps(body).encode("utf-8")
        return _object(self._call(method, path, sent, "application/json", signed=signed))

    def _call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        mime: str = "",
        *,
        signed: bool = False,
    ) -> Answer:
        url = self.url.rstrip("/") + path
        headers: dict[str, str] = {}
        if body is not None:
            headers |= {"Content-Type": mime, "Content-Length": str(len(body))}
        if signed:
            headers |= self._signature(method, url, headers, body)
        answer = self.transport.send(method, url, headers, body)
        if answer.status >= 300:
            raise _problem(answer)
        return answer

    def _signature(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> dict[str, str]:
        if self.signer is None:
            raise FixSettings("enrol.needed", agency=self.agency)
        digest = None if body is None else sha256(body).digest()
        lines = {name: [value] for name, value in headers.items()}
        return httpsig.sign_headers(
            httpsig.Request(method, url, lines, digest),
            self.signer,
            created=self.clock(),
            nonce=secrets.token_urlsafe(16),
            log_seen=self.log_seen(),
        )


def _object(answer: Answer) -> Mapping[str, Any]:
    try:
        value = json.loads(answer.body)
    except ValueError as err:
        raise Wait("gateway.answer", reason="not JSON") from err
    if not isinstance(value, dict):
        raise Wait("gateway.answer", reason="not a JSON object")
    return value


def _date(answer: Answer) -> datetime | None:
    """What the gateway's clock said, by the answer's Date."""
    try:
        found = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _place(n: int, width: int) -> str:
    """How C2SP tlog-tiles names a tile: by thousands, each group but the last behind x."""
    *high, low = re.findall("...", f"{n:0{-(-len(str(n)) // 3) * 3}d}")
    name = "".join(f"x{group}/" for group in high) + low
    return name if width == TILE_WIDTH else f"{name}.p/{width}"


def _split(data: bytes) -> list[bytes]:
    """The entries of a bundle, each behind its length."""
    found, at = [], 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        found.append(data[at + 2 : end])
        at = end
    if at != len(data):
        raise Wait("gateway.answer", reason="entries")
    return found


def _problem(answer: Answer) -> Problem:
    try:
        value = json.loads(answer.body)
    except ValueError:
        value = {}
    return Problem(answer, value if isinstance(value, dict) else {})
