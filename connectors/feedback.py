"""What the centre found about our rows that we cannot see alone: with the officer's own row keys.

The centre names lines by position; which row of the source that is stands in our own batches. What
this connector finds by itself at each reading is not asked twice.

Source: domain.md 5.9.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors import results
from connectors.client import Problem
from connectors.courier import Courier
from connectors.errors import Wait
from connectors.memory import Memory

BLOCK = "@pusat"
"""The block under which these findings stand among the others."""
MOST = 2_000
_Place = tuple[str, int, int]


def collect(courier: Courier) -> int:
    """Takes over the centre's findings in place of those before; how many they are.

    Raises:
        ConnectorError: the gateway refused, or cannot be reached; what was known stays.
    """
    memory = courier.memory
    try:
        told = courier.client.findings()
    except Problem as problem:
        if problem.status == 404:
            return 0  # a gateway that knows of no such thing
        raise problem.error() from problem
    own = {code for block, code, *_ in memory.findings() if block != BLOCK}
    wanted = [each for each in told if each.get("code") not in own][:MOST]
    rows = list(_with_own_keys(memory, wanted))
    with memory.change():
        memory.drop_findings(BLOCK)
        for row in rows:
            memory.put_finding(BLOCK, row)
    return len(rows)


def _with_own_keys(
    memory: Memory, told: list[Mapping[str, Any]]
) -> Iterator[tuple[str, str, str | None, bool]]:
    """(own key, code, field or the own key of the double, not refused) of what can be named."""
    try:
        places = [place for each in told for place in (each, each["other"]) if place is not None]
        lines: dict[_Place, set[int]] = {}
        for place in places:
            lines.setdefault(_batch(place), set()).add(int(place["i"]))
    except (KeyError, TypeError, ValueError) as err:
        raise Wait("gateway.answer", reason="findings") from err
    keys = {batch: results.own_keys_at(memory, batch, wanted) for batch, wanted in lines.items()}
    for each in told:
        other = each["other"]
        own = keys[_batch(each)].get(int(each["i"]))
        double = None if other is None else keys[_batch(other)].get(int(other["i"]))
        if own is not None and (other is None or double is not None):
            yield own, str(each["code"]), double or each.get("field"), False


def _batch(place: Mapping[str, Any]) -> _Place:
    return str(place["stream"]), int(place["epoch"]), int(place["seq"])
