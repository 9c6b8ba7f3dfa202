"""A gateway as the connector sees it: real HTTP, real signatures, a real log; a full citizen, in a thread."""

import hashlib
import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

from keys import checkpoint, dsse, frame, httpsig, merkle, succession, suspension
from keys.bundle import keyset_entry, suspension_entry
from keys.canonical import canonical, from_base64, to_base64, to_moment
from keys.checkpoint import Checkpoint, NoteSigner
from keys.enrolment import Challenge, Ticket, check_enrolment, format_ticket, ticket_key, ticket_of
from keys.errors import TrustError
from keys.keyset import Keyset, may_sign, state_of
from keys.signers import Ed25519Signer, PublicKey
from schemas import batch as batches
from schemas.line import BatchParser, LineParser, Parsed
from schemas.records.registry import schema_of

ORIGIN = "titian.test/log/2026"
AUD = "titian.test"


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@dataclass
class Stored:
    payload: batches.BatchPayload
    payload_sha256: bytes
    lines: list[bytes]
    receipt: bytes
    leaf: bytes


@dataclass
class Version:
    keyset: Keyset
    sha256: bytes
    envelope: bytes
    pending: bool = False

    @property
    def entry(self) -> bytes:
        keyset = self.keyset
        return canonical(keyset_entry(keyset.agency, keyset.version, self.envelope))

    @property
    def leaf(self) -> bytes:
        return merkle.leaf_hash(self.entry)


class Refusal(Exception):
    def __init__(self, status: int, code: str, **details: object) -> None:
        super().__init__(code)
        self.status, self.code, self.details = status, code, details


@dataclass
class Gateway:
    """Set a knob, and the next matching request meets the fault; nothing is patched."""

    url: str = ""
    approve_at_once: bool = True
    integrate_at_once: bool = True
    give_receipt_in_head: bool = True
    beats: bool = True
    suspended: bool = False
    clock: Callable[[], datetime] = lambda: now()  # noqa: PLW0108
    down: bool = False
    keep_lines: bool = True
    page: int = 1
    pause: float = 0.0
    faults: list[Callable[["Handler"], bool]] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    streams: dict[tuple[str, str], list[Stored]] = field(default_factory=dict)
    rejects: Callable[[Parsed], str | None] = lambda _parsed: None

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.log_key = NoteSigner(ORIGIN, secrets.token_bytes(32))
        self.receipt_key = Ed25519Signer.generate("gateway")
        self.tickets: dict[str, Ticket] = {}
        self.cosigned: list[dict[str, object]] = []
        self.nonces: dict[str, str] = {}
        self.enrolled: dict[str, dict] = {}
        self.signers: list[list[str]] = []
        self.versions: dict[str, list[Version]] = {}
        self.rotated: dict[str, list[datetime]] = {}
        self.silenced: set[str] = set()
        self.silencing: dict[str, bytes] = {}
        self.destroyed: list[str] = []
        self.quarantined: set[bytes] = set()
        self.foreign: list[dict[str, object]] = []
        self.known_elsewhere: set[bytes] = set()
        self.leaves: list[bytes] = []
        self.pending: list[bytes] = []
        self.bodies: dict[bytes, bytes] = {}
        self.beat: datetime | None = None

    def ticket(self, agency: str) -> str:
        made = Ticket(
            gateway=self.url,
            aud=AUD,
            log_origin=ORIGIN,
            log_vkey=self.log_key.vkey,
            receipt_kid=self.receipt_key.kid,
            receipt=self.receipt_key.public,
            ticket_id=secrets.token_urlsafe(8),
            secret=secrets.token_bytes(16),
            agency=agency,
            expires=now() + timedelta(hours=72),
        )
        self.tickets[made.ticket_id] = made
        return format_ticket(made)

    # -- what tests look at

    def records(self, agency: str, kind: str) -> dict[str, dict]:
        """The live records: what a worker would have applied."""
        live: dict[str, dict] = {}
        for (owner, _), stored in self.streams.items():
            if owner != agency:
                continue
            seen: set[str] | None = None
            for one in stored:
                if one.payload.record_type != kind:
                    continue
                if one.payload.kind == "snapshot_begin":
                    seen = set()
                for line in one.lines:
                    parsed = LineParser(schema_of(one.payload.schema)).parse(line)
                    if parsed.op == "del":
                        live.pop(parsed.id, None)
                    else:
                        live[parsed.id] = parsed.values
                    if seen is not None:
                        seen.add(parsed.id)
                if one.payload.kind == "snapshot_end" and seen is not None:
                    live = {key: value for key, value in live.items() if key in seen}
        return live

    def batches(self, agency: str, stream: str) -> list[Stored]:
        return self.streams.get((agency, stream), [])

    def integrate(self) -> None:
        self.leaves += self.pending
        self.pending = []

    def log(self, entry: object, *, at_once: bool = True) -> bytes:
        """Writes an entry into the log; its leaf."""
        data = canonical(entry)
        leaf = merkle.leaf_hash(data)
        self.bodies[leaf] = data
        (self.leaves if at_once else self.pending).append(leaf)
        return leaf

    def entry_of(self, leaf: bytes) -> bytes:
        keysets = {each.leaf: each.entry for own in self.versions.values() for each in own}
        return {**self.bodies, **keysets}[leaf]

    def note(self) -> bytes:
        return self.log_key.sign(Checkpoint(ORIGIN, len(self.leaves), merkle.root(self.leaves)))

    def forget_after(self, agency: str, stream: str, seq: int) -> None:
        """As if restored from a backup: batches after `seq` never were."""
        del self.streams[agency, stream][seq:]

    # -- the wire

    def answer(self, handler: "Handler", body: bytes) -> tuple[int, str, bytes, dict[str, str]]:
        method, path = handler.command, handler.path
        for pattern, serve in self._routes().items():
            verb, _, rest = pattern.partition(" ")
            match = re.fullmatch(rest, path)
            if match and verb == method:
                with self.lock:
                    return serve(handler, body, *match.groups())
        raise Refusal(404, "http.not_found")

    def _routes(self):
        agency, stream = r"/v1/agencies/([a-z0-9-]+)", r"/streams/(target|program)"
        return {
            r"POST /v1/enrolments/([a-z0-9-]+)/challenge": self._challenge,
            r"POST /v1/enrolments/([a-z0-9-]+)": self._enrol,
            r"GET /v1/enrolments/([a-z0-9-]+)\?ticket_id=(.+)": self._enrolment,
            rf"POST {agency}/keysets": self._succeed,
            rf"GET {agency}/keysets/(\d+)": self._version,
            rf"PUT {agency}/keysets/destroyed/(.+)": self._destroyed,
            rf"PUT {agency}/keysets/(\d+)/objection": self._objection,
            rf"GET {agency}{stream}/recovery": self._recovery,
            rf"GET {agency}/keysets/size\?since=.+": self._size,
            rf"POST {agency}/suspensions": self._suspend,
            rf"GET {agency}{stream}/head": self._head,
            rf"PUT {agency}{stream}/batches/(\d+)/(\d+)": self._put,
            rf"GET {agency}{stream}/batches/(\d+)/(\d+)/result": self._result,
            rf"GET {agency}{stream}/batches/(\d+)/(\d+)/dispositions(?:\?after=(\d+))?": (
                self._dispositions
            ),
            r"GET /v1/log/checkpoint": self._checkpoint,
            r"GET /v1/log/tile/entries/(\d{3})(?:\.p/(\d+))?(?:\?from=(\d+))?": self._entries,
            r"GET /v1/log/cosignatures": self._heard,
            r"GET /v1/log/consistency\?from=(\d+)&to=(\d+)": self._consistency,
            r"POST /v1/log/cosignatures": self._cosigned,
            r"GET /v1/log/proof\?leaf=([0-9a-f]{64})": self._proof,
        }

    def _challenge(self, handler, body, agency):
        ticket_id = json.loads(body)["ticket_id"]
        if ticket_id not in self.tickets:
            raise Refusal(404, "enrol.ticket")
        self.nonces[ticket_id] = secrets.token_urlsafe(16)
        stored = [each for each in self.versions.get(agency, []) if not each.pending]
        follows = to_base64(stored[-1].envelope) if stored else None
        return _json(200, {"nonce": self.nonces[ticket_id], "follows": follows})

    def _enrol(self, handler, body, agency):
        sent = json.loads(body)
        envelope = dsse.parse(from_base64(sent["keyset"]))
        proof = dsse.parse(from_base64(sent["proof"]))
        ticket = self.tickets[ticket_of(proof)]
        before, data = self.versions.get(agency, []), from_base64(sent["keyset"])
        if before:
            data = dsse.add_signature(envelope, self.receipt_key)
            envelope = dsse.parse(data)
            centre = {self.receipt_key.kid: self.receipt_key.public}
            standing = succession.Standing(before[-1].keyset, before[-1].sha256)
            known = {key.raw for each in before for key in each.keyset.provers().values()}
            accepted = succession.accept_next(
                envelope, standing, known_keys=known, centre=centre, now=now()
            ).keyset
        else:
            accepted = succession.accept_first(envelope, AUD, known_keys=set(), now=now())
        challenge = Challenge(
            AUD, ticket.ticket_id, self.nonces[ticket.ticket_id], ticket_key(ticket.secret)
        )
        check_enrolment(proof, challenge, accepted, envelope.payload_sha256)
        stored = Version(accepted, envelope.payload_sha256, data)
        leaf = stored.leaf
        self.enrolled[agency] = {
            "keyset": accepted,
            "leaf": leaf,
            "envelope": data,
            "active": self.approve_at_once,
        }
        self.versions[agency] = [*before, stored]
        if self.approve_at_once:
            self.leaves.append(leaf)
        key = next(iter(accepted.keys.values())).public
        return _json(202, {"state": "pending", "fingerprint": key.fingerprint()})

    # -- keysets

    def _succeed(self, handler, body, agency):
        kid = self._verify(handler, agency, body)
        envelope, stored = dsse.parse(body), self.versions[agency]
        for version in stored:
            if version.sha256 == envelope.payload_sha256:
                return _json(200, self._told(version))
        keyset = stored[-1].keyset
        instance = keyset.keys[kid].instance
        last = {instance: self.rotated[agency][-1]} if self.rotated.get(agency) else {}
        suspended = frozenset(self.silenced)
        standing = succession.Standing(keyset, stored[-1].sha256, suspended, last)
        known = {key.raw for each in stored for key in each.keyset.provers().values()}
        known |= self.known_elsewhere
        try:
            found = succession.accept_next(
                envelope, standing, known_keys=known - {k.raw for k in keyset.provers().values()},
                centre={}, now=self.clock(),
            )  # fmt: skip
        except TrustError as err:
            raise Refusal(409, err.code) from err
        version = Version(found.keyset, envelope.payload_sha256, body, pending=found.persons > 0)
        stored.append(version)
        if found.rule is succession.Rule.ROTATE:
            self.rotated.setdefault(agency, []).append(self.clock())
        if not version.pending:
            self._put_in_force(agency, version)
        return _json(201, self._told(version))

    def _put_in_force(self, agency: str, version: "Version") -> None:
        version.pending = False
        self.enrolled[agency]["keyset"] = version.keyset
        (self.leaves if self.integrate_at_once else self.pending).append(version.leaf)

    def approve_keyset(self, agency: str) -> None:
        self._put_in_force(agency, self.versions[agency][-1])

    def _version(self, handler, body, agency, number):
        self._verify(handler, agency, None)
        stored = self.versions.get(agency, [])
        if int(number) > len(stored):
            raise Refusal(404, "keyset.none")
        version = stored[int(number) - 1]
        return _json(200, self._told(version) | {"envelope": to_base64(version.envelope)})

    def _objection(self, handler, body, agency, number):
        self._verify(handler, agency, body)
        stored = self.versions[agency]
        if int(number) != len(stored) or not stored[-1].pending:
            raise Refusal(404, "keyset.none")
        del stored[-1]
        return 204, "application/json", b"", {}

    def _recovery(self, handler, body, agency, stream):
        self._verify(handler, agency, None)
        told = [
            {
                "epoch": one.payload.epoch,
                "seq": one.payload.seq,
                "payload_sha256": one.payload_sha256.hex(),
            }
            for one in self.batches(agency, stream)
            if one.payload_sha256 in self.quarantined
        ]
        return _json(200, {"epoch": None, "prev": None, "quarantined": told + self.foreign})

    def _destroyed(self, handler, body, agency, kid):
        self._verify(handler, agency, body)
        self.destroyed.append(kid)
        return 204, "application/json", b"", {}

    def _size(self, handler, body, agency):
        return _json(200, {"size": 0})

    def _told(self, version: "Version") -> dict:
        logged = version.leaf in self.leaves
        return {
            "version": version.keyset.version,
            "rule": version.keyset.reason,
            "state": "pending" if version.pending else "active",
            "payload_sha256": version.sha256.hex(),
            "leaf": version.leaf.hex() if logged else None,
            "proof": self._proof_text(version.leaf) if logged else None,
            "approvals": 0,
            "needed": int(version.pending),
        }

    def _suspend(self, handler, body, agency):
        self._verify(handler, agency, body)
        stored = self.versions[agency][-1]
        standing = succession.Standing(stored.keyset, stored.sha256, frozenset(self.silenced))
        try:
            judged = suspension.judge(dsse.parse(body), standing, {}, self.clock())
        except TrustError as err:
            raise Refusal(401, err.code) from err
        if judged.said.action is suspension.Action.SUSPEND:
            self.silenced.add(judged.said.kid)
            self.silencing[judged.said.kid] = body
        else:
            self.silenced.discard(judged.said.kid)
        self.log(suspension_entry(agency, body))
        return _json(201, {"kid": judged.said.kid, "state": "suspended"})

    def approve(self, agency: str) -> None:
        self.enrolled[agency]["active"] = True
        self.leaves.append(self.enrolled[agency]["leaf"])

    def _enrolment(self, handler, body, agency, ticket_id):
        known = self.enrolled.get(agency)
        if known is None:
            raise Refusal(404, "enrol.unknown")
        if not known["active"]:
            return _json(200, {"state": "pending", "approvals": 1})
        leaf = known["leaf"]
        proof = self._proof_text(leaf)
        told = {"envelope": to_base64(known["envelope"]), "proof": proof}
        return _json(200, {"state": "active", "approvals": 2, "keyset_leaf": leaf.hex(), **told})

    def _head(self, handler, body, agency, stream):
        self._verify(handler, agency, None)
        stored = self.batches(agency, stream)
        if not stored:
            return _json(
                200, {"epoch": 1, "seq": 0, "payload_sha256": None, "suspended": self.suspended}
            )
        last = stored[-1]
        told = {
            "epoch": last.payload.epoch,
            "seq": last.payload.seq,
            "payload_sha256": last.payload_sha256.hex(),
            "suspended": self.suspended,
        }
        if self.give_receipt_in_head:
            told["receipt"] = to_base64(last.receipt)
        return _json(200, told)

    def _put(self, handler, body, agency, stream, epoch, seq):
        self._verify(handler, agency, body)
        reader = BytesIO(body)
        envelope = dsse.parse(frame.read_head(reader))
        keys = {
            each.keyid: self._speaker(agency, each.keyid).public for each in envelope.signatures
        }
        envelope.verify(keys)
        self.signers.append(sorted(keys))
        payload = batches.load(envelope.payload)
        told = (payload.aud, payload.agency, payload.stream, payload.epoch, payload.seq)
        if told != (AUD, agency, stream, int(epoch), int(seq)):
            raise Refusal(403, "batch.path")
        read = frame.lines_and_root(reader, count=payload.count, size=payload.bytes)
        if read.root.hex() != payload.root:
            raise Refusal(422, "frame.root")
        parser = BatchParser(LineParser(payload.record), payload.version)
        for line in read.lines if self.keep_lines else ():
            parser.parse(line)
        stored = self.streams.setdefault((agency, stream), [])
        hashed = envelope.payload_sha256
        if payload.seq <= len(stored):
            if stored[payload.seq - 1].payload_sha256 != hashed:
                raise Refusal(409, "stream.fork")
            return (
                200,
                "application/vnd.titian.receipt.v1+json",
                stored[payload.seq - 1].receipt,
                {"Titian-Replayed": "1"},
            )
        head = (
            stored[-1].payload_sha256
            if stored
            else hashlib.sha256(batches.genesis(agency, stream)).digest()
        )
        if payload.seq > len(stored) + 1:
            raise Refusal(409, "stream.gap", expected=len(stored) + 1, head_hash=head.hex())
        if payload.prev != head.hex():
            raise Refusal(409, "stream.fork")
        leaf = self._append(agency, payload, hashed)
        receipt = self._receipt(payload, hashed, leaf)
        stored.append(Stored(payload, hashed, read.lines if self.keep_lines else [], receipt, leaf))
        return 201, "application/vnd.titian.receipt.v1+json", receipt, {}

    def _append(self, agency, payload, hashed):
        entry = {"t": "accept", "agency": agency, "stream": payload.stream, "epoch": payload.epoch,
                 "seq": payload.seq, "payload_sha256": hashed.hex(), "root": payload.root,
                 "count": payload.count}  # fmt: skip
        return self.log(entry, at_once=self.integrate_at_once)

    def _receipt(self, payload, hashed, leaf):
        told = {
            "v": 1, "aud": AUD, "agency": payload.agency, "stream": payload.stream,
            "epoch": payload.epoch, "seq": payload.seq, "payload_sha256": hashed.hex(),
            "root": payload.root, "count": payload.count, "accepted_at": to_moment(now()),
            "leaf": leaf.hex(), "mmd": 10, "min_size": 0,
        }  # fmt: skip
        return dsse.seal(
            "application/vnd.titian.receipt.v1+json", canonical(told), [self.receipt_key]
        )

    def _refused(self, stored: Stored) -> list[dict]:
        parser = LineParser(stored.payload.record)
        found = []
        for i, line in enumerate(stored.lines):
            code = self.rejects(parser.parse(line))
            if code:
                found.append({"i": i, "code": code, "field": None, "level": "E"})
        return found

    def _result(self, handler, body, agency, stream, epoch, seq):
        self._verify(handler, agency, None)
        stored = self.batches(agency, stream)[int(seq) - 1]
        refused = self._refused(stored)
        told = {
            "v": 1, "aud": AUD,
            "batch": {"agency": agency, "stream": stream, "epoch": int(epoch), "seq": int(seq),
                      "payload_sha256": stored.payload_sha256.hex()},
            "state": "applied_partial" if refused else "applied",
            "applied": stored.payload.count - len(refused), "unchanged": 0, "superseded": 0,
            "rejected_count": len(refused),
            "rejected": [{"i": r["i"], "code": r["code"]} for r in refused],
            "dispositions_root": "0" * 64, "held": False, "index_version": 1,
        }  # fmt: skip
        sealed = dsse.seal(
            "application/vnd.titian.result.v1+json", canonical(told), [self.receipt_key]
        )
        return 200, "application/vnd.titian.result.v1+json", sealed, {}

    def _dispositions(self, handler, body, agency, stream, epoch, seq, after):
        self._verify(handler, agency, None)
        refused = self._refused(self.batches(agency, stream)[int(seq) - 1])
        first = int(after or 0)
        page = refused[first : first + self.page]
        more = first + self.page if first + self.page < len(refused) else None
        return _json(200, {"dispositions": page, "next": more})

    def _checkpoint(self, handler, body):
        moment = self.clock()
        if self.beats and (self.beat is None or moment - self.beat > timedelta(seconds=60)):
            self.beat = moment
            self.log({"t": "heartbeat", "at": to_moment(self.beat)})
        return 200, "text/plain", self.note(), {}

    def _consistency(self, handler, body, old, new):
        path = merkle.consistency(self.leaves, int(old), int(new))
        return 200, "text/plain", "\n".join(map(to_base64, path)).encode(), {}

    def _entries(self, handler, body, n, width, first):
        start = int(n) * 256
        leaves = self.leaves[start + int(first or 0) : start + int(width or 256)]
        entries = map(self.entry_of, leaves)
        content = b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)
        return 200, "application/octet-stream", content, {}

    def _heard(self, handler, body):
        return _json(200, {"cosignatures": []})

    def _cosigned(self, handler, body):
        self.cosigned.append(json.loads(body))
        return 204, "text/plain", b"", {}

    def _proof(self, handler, body, leaf):
        if bytes.fromhex(leaf) not in self.leaves:
            raise Refusal(404, "log.not_integrated")
        return 200, "text/plain", self._proof_text(bytes.fromhex(leaf)).encode(), {}

    def _proof_text(self, leaf: bytes) -> str:
        index = self.leaves.index(leaf)
        return checkpoint.format_proof(index, merkle.inclusion(self.leaves, index), self.note())

    def _verify(self, handler, agency, body):
        headers: dict[str, list[str]] = {}
        for name, value in handler.headers.items():
            headers.setdefault(name, []).append(value)
        digest = None if body is None else hashlib.sha256(body).digest()
        request = httpsig.Request(handler.command, self.url + handler.path, headers, digest)

        def key_of(kid: str) -> PublicKey:
            return self._speaker(agency, kid, silenced=handler.path.endswith("s")).public

        return httpsig.verify(request, key_of, now=self.clock()).kid

    def _speaker(self, agency, kid, *, silenced=False):
        """The entry of a key that may speak; a suspended one may still hand in statements."""
        keyset = self.enrolled[agency]["keyset"]
        if kid not in keyset.keys:
            raise Refusal(401, "key.unknown")
        revoked = {each.kid for each in keyset.revoked}
        suspended = () if silenced else self.silenced
        state = state_of(keyset.keys[kid], self.clock(), revoked, suspended)
        if not may_sign(state):
            said = self.silencing.get(kid) if kid in suspended else None
            told = {} if said is None else {"statement": to_base64(said)}
            raise Refusal(401, f"key.{state.value}", **told)
        return keyset.keys[kid]

    def silence(self, agency: str, kid: str, signer=None) -> None:
        """A person of the centre silences a key; the centre signs, or whoever claims to be it."""
        said = suspension.Suspension(
            AUD, agency, kid, suspension.Action.SUSPEND, self.clock(), "call_from_agency"
        )
        self.silencing[kid] = suspension.seal_suspension(said, [signer or self.receipt_key])
        self.silenced.add(kid)


class Handler(BaseHTTPRequestHandler):
    gateway: Gateway

    def date_time_string(self, timestamp: float | None = None) -> str:
        return format_datetime(self.gateway.clock(), usegmt=True)

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.gateway.requests.append((self.command, self.path))
        time.sleep(self.gateway.pause)
        if self.gateway.down:
            self.close_connection = True
            return
        fault = next((f for f in self.gateway.faults if f(self)), None)
        if fault is not None:
            self.gateway.faults.remove(fault)
            if getattr(fault, "before", True):
                return
        try:
            status, mime, content, extra = self.gateway.answer(self, body)
        except Refusal as err:
            told = {
                "type": "about:blank",
                "title": err.code,
                "status": err.status,
                "code": err.code,
            }
            status, mime, content, extra = _json(
                err.status, told | err.details, "application/problem+json"
            )
        except TrustError as err:
            told = {"type": "about:blank", "title": str(err), "status": 401, "code": err.code}
            status, mime, content, extra = _json(401, told, "application/problem+json")
        if fault is not None:  # the work is done, the answer is lost
            self.close_connection = True
            self.connection.close()
            return
        self.reply(status, mime, content, extra)

    def reply(self, status: int, mime: str, content: bytes, extra: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": mime,
            "Content-Length": str(len(content)),
            **extra,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = handle_any  # noqa: N815

    def log_message(self, *_: object) -> None:
        return


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        return  # a connection that a fault cut


def refuse(status: int, code: str, *, times: int = 1, only: str = "PUT", **headers: str):
    """A fault: `times` requests of a method are refused."""
    left = [times]

    def fault(handler: Handler) -> bool:
        if handler.command != only:
            return False
        left[0] -= 1
        content = json.dumps({"title": code, "status": status, "code": code}).encode()
        handler.reply(status, "application/problem+json", content, headers)
        return True

    return [fault] * times


def lose_answer(only: str = "PUT"):
    """A fault: the work is done but the answer never arrives."""

    def fault(handler: Handler) -> bool:
        return handler.command == only

    fault.before = False
    return [fault]


def _json(status, value, mime="application/json"):
    return status, mime, json.dumps(value).encode(), {}


@contextmanager
def running(**knobs: object) -> Iterator[Gateway]:
    gateway = Gateway(**knobs)
    handler = type("Bound", (Handler,), {"gateway": gateway})
    server = Server(("127.0.0.1", 0), handler)
    gateway.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()
