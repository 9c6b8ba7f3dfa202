"""Whether clocks agree: ours, the gateway's and the witnesses'. Order comes from the log alone.

Source: trust.md 5, row 39.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from connectors.client import Client
from connectors.errors import FixSettings

LIMIT = timedelta(minutes=5)


def apart(own: datetime, others: Iterable[datetime | None]) -> timedelta | None:
    """How far the farthest of the others is away, if that is too far; None where all agree."""
    gaps = [abs(own - other) for other in others if other is not None]
    farthest = max(gaps, default=timedelta(0))
    return farthest if farthest > LIMIT else None


def check(client: Client) -> None:
    """Returns if our clock and the gateway's agree.

    Raises:
        FixSettings: `gateway.clock`.
        Problem: the gateway refused.
        Wait: it cannot be reached.
    """
    if apart(client.clock(), [client.checkpoint().at]) is not None:
        raise FixSettings("gateway.clock")
