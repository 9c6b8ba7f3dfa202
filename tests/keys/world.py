"""One log that holds a bit of everything, and every kind of evidence proved under its head."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from keys import bundle, frame, merkle
from keys.bundle import (
    BatchEvidence,
    DecisionEvidence,
    KeysetEvidence,
    Opened,
    Origin,
    QueryEvidence,
    RecordEvidence,
)
from keys.canonical import canonical
from keys.commitment import commit
from tests.keys import city
from tests.keys.city import AGENCY, NEXT, Log

POLICY = city.policy(
    agencies={"dinsos": city.key_json(AGENCY) | city.key_json(NEXT)},
    witnesses=[city.vkey_of(each).vkey() for each in city.WITNESSES],
    quorum=2,
)


class World:
    """What happened in one log; another seed, other words.

    Batch 0 is signed by the agency's first key, batch 1 by its second, after the rotation.
    """

    def __init__(self, seed: int) -> None:
        self.seed, self.log = seed, Log()
        self.log.add({"t": "heartbeat", "at": "2026-11-24T02:00:00Z"})
        self.batches: list[frame.Sealed] = []
        self.keysets, self.accepts = [self._keyset(1, city.first_keyset())], [self._batch(AGENCY)]
        self.keysets.append(self._keyset(2, city.next_keyset()))
        self.accepts.append(self._batch(NEXT))
        self.looks = [self._look(n) for n in range(2)]
        self.decisions = [self._decision(n) for n in range(2)]
        self.log.add({"t": "heartbeat", "at": "2026-11-24T02:01:00Z"})

    def files(self, n: int = 1) -> dict[str, bytes]:
        """Good files of every kind, about the first (0) or second (1) of each."""
        sealed = self.batches[n]
        proved = [self.log.proved(place) for place in self.keysets[: n + 1]]
        origin = Origin(city.envelope_of(sealed), proved, self.log.proved(self.accepts[n]))
        line, path = self._lines(n)[2 + n], merkle.inclusion(sealed.leaves, 2 + n)
        accept = self.log.leaves()[self.accepts[n]].hex()
        return {
            "record": bundle.build(RecordEvidence(line, 2 + n, path, origin)),
            "batch": bundle.build(BatchEvidence(sealed.leaves, origin)),
            "keyset": bundle.build(KeysetEvidence(proved)),
            "query": bundle.build(self._query(n)),
            "decision": bundle.build(self._decided(n)),
            "frame": sealed.body,
            "receipt": city.receipt(seq=n + 1, leaf=accept),
            "checkpoint": self.log.note(),
        }

    def _keyset(self, version: int, statement: bytes) -> int:
        return self.log.add(bundle.keyset_entry("dinsos", version, statement))

    def _batch(self, signer: Any) -> int:
        n = len(self.batches)
        sealed = city.batch(signer, self._lines(n), seq=n + 1)
        self.batches.append(sealed)
        payload = json.loads(sealed.payload)
        return self.log.add(bundle.accept_entry(payload, sealed.payload_sha256, signer.kid))

    def _lines(self, n: int) -> list[bytes]:
        return [b'{"_id":"%d","_op":"put","n":%d}' % (i, self.seed * 2 + n) for i in range(9)]

    def _salt(self, *parts: object) -> bytes:
        return hashlib.sha256(repr((self.seed, *parts)).encode()).digest()

    def _look(self, n: int) -> tuple[int, int]:
        asked = {"t": "query", "qid": "qr"[n] * 26, "agency": "upt-kan", "role": "counter_officer"}
        at = self._add(asked | {"purpose": "cek_mandiri"}, self._asked(n), ("q", n))
        leaves = self.log.leaves()
        named = {"query": leaves[at].hex(), "batches": [leaves[self.accepts[n]].hex()]}
        answer = {"t": "result", "qid": "qr"[n] * 26, "n": 1}
        return at, self._add(answer | named, self._shown(n), ("r", n))

    def _decision(self, n: int) -> int:
        said = {"t": "decision", "kind": "confirm", "role": "key_admin", "officer": "ab" * 16}
        statement = hashlib.sha256(self._statement(n)).hexdigest()
        return self._add(said | {"statement": statement}, self._behind(n), ("d", n))

    def _add(self, entry: Mapping[str, Any], detail: Mapping[str, Any], salt: Any) -> int:
        made = commit(detail, self._salt(salt))
        return self.log.add({**entry, "commit": made.sha256.hex()})

    def _query(self, n: int) -> QueryEvidence:
        at, answered = self.looks[n]
        return QueryEvidence(
            self._opened(at, self._asked(n), ("q", n)),
            [self._opened(answered, self._shown(n), ("r", n))],
            [self.log.proved(self.accepts[n])],
        )

    def _decided(self, n: int) -> DecisionEvidence:
        opened = self._opened(self.decisions[n], self._behind(n), ("d", n))
        return DecisionEvidence(opened, self._statement(n))

    def _opened(self, at: int, detail: Mapping[str, Any], salt: Any) -> Opened:
        return Opened(self.log.proved(at), canonical(dict(detail)), self._salt(salt))

    def _asked(self, n: int) -> dict[str, Any]:
        return {"terms": {"typed": f"Siti {self.seed} {n}"}}

    def _shown(self, n: int) -> dict[str, Any]:
        return {"persons": ["pn"[n] * 26], "fields": "candidate"}

    def _statement(self, n: int) -> bytes:
        return canonical({"kind": "approve_key", "reason": f"uji {self.seed} {n}"})

    def _behind(self, n: int) -> dict[str, Any]:
        statement = hashlib.sha256(self._statement(n)).hexdigest()
        return {"statement": statement, "role": "key_admin", "officer": f"019{n}"}
