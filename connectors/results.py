"""What became of the records: the gateway's signed results, with the officer's own row keys."""

import io
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from connectors.client import Problem
from connectors.courier import Courier
from connectors.errors import CallCentre
from connectors.memory import Memory
from keys import dsse, frame
from keys.errors import TrustError
from schemas.errors import PayloadRefused
from schemas.receipt import RESULT_TYPE, ResultStatement, load_result


def collect(courier: Courier) -> int:
    """Fetches results of batches that have none yet; how many came.

    Raises:
        CallCentre: `trust.receipt`, a result that is not signed or speaks of another batch.
    """
    found = 0
    memory = courier.memory
    for stream, epoch, seq in memory.outbox.without_result():
        try:
            sealed = courier.client.result(stream, epoch, seq)
            if sealed is None:
                return found
            result = _checked(sealed, courier, (stream, epoch, seq))
            rows: Sequence[Mapping[str, Any]] = ()
            if result.rejected_count:
                rows = courier.client.dispositions(stream, epoch, seq)
        except Problem as problem:
            if problem.status == 404:
                return found
            raise problem.error() from problem
        told = {
            "state": result.state,
            "applied": result.applied,
            "unchanged": result.unchanged,
            "rejected": _own_keys(memory, (stream, epoch, seq), rows),
        }
        memory.outbox.put_result(stream, epoch, seq, json.dumps(told))
        found += 1
    return found


def _checked(sealed: bytes, courier: Courier, batch: tuple[str, int, int]) -> ResultStatement:
    try:
        envelope = dsse.parse(sealed)
        if envelope.payload_type != RESULT_TYPE:
            raise CallCentre("trust.receipt", reason="it is another kind of statement.")
        envelope.verify(courier.anchors.receipt_keys)
        result = load_result(envelope.payload)
    except (TrustError, PayloadRefused) as err:
        raise CallCentre("trust.receipt", reason=f"{err}.") from err
    said = (result.batch["stream"], result.batch["epoch"], result.batch["seq"])
    if said != batch or result.batch["agency"] != courier.client.agency:
        raise CallCentre("trust.receipt", reason="the result speaks of another batch.")
    return result


def _own_keys(
    memory: Memory, batch: tuple[str, int, int], rows: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The refused rows with the officer's own keys."""
    refused = [row for row in rows if row.get("level") == "E"]
    keys = own_keys_at(memory, batch, {int(row["i"]) for row in refused})
    return [
        {"row": keys.get(int(row["i"])), "code": row["code"], "field": row.get("field")}
        for row in refused
    ]


def own_keys_at(
    memory: Memory, batch: tuple[str, int, int], wanted: Collection[int]
) -> dict[int, str]:
    """The officer's own keys of lines of our own batch; none where its bytes were let go of."""
    body = memory.outbox.body(*batch)
    if body is None:
        return {}
    stream = io.BytesIO(body)
    payload = json.loads(dsse.parse(frame.read_head(stream)).payload)
    lines = frame.read_lines(
        stream, declared_bytes=payload["bytes"], declared_count=payload["count"]
    )
    ids = {i: json.loads(line)["_id"] for i, line in enumerate(lines) if i in wanted}
    return {i: memory.own_key(record_id) for i, record_id in ids.items()}
