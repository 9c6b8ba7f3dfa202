"""How long whoever mistyped must wait: pure arithmetic over the times of failed tries.

From the third failure of an account from one address on, each doubles the wait; the fifth closes
the door until the oldest of the five is a quarter of an hour old. One account has twenty from
everywhere, so that a stranger cannot easily lock its owner out; one address has fifty.

Source: trust.md 4.7; OWASP ASVS 5.0, 6.3.1 (throttling).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=15)
FREE = 2
"""Failures that cost nothing: everybody mistypes."""
_HERE, _ACCOUNT, _ADDRESS = 5, 20, 50

Failure = tuple[datetime, bool, bool]
"""When, and whether it was of this account and from this address."""


def wait(failures: Sequence[Failure], now: datetime) -> timedelta:
    """How long no further try is taken; zero or less where one may be made now.

    Args:
        failures: those of the account or the address within the window, in any order.
        now: our clock.
    """
    here = _times(at for at, account, address in failures if account and address)
    waits = [
        _until_room(here, _HERE, now),
        _until_room(_times(at for at, account, _ in failures if account), _ACCOUNT, now),
        _until_room(_times(at for at, _, address in failures if address), _ADDRESS, now),
    ]
    if len(here) > FREE:
        waits.append(here[0] + timedelta(seconds=2 ** (len(here) - FREE)) - now)
    return max(waits)


def shown(left: timedelta) -> str:
    """Minutes and seconds, rounded up."""
    minutes, seconds = divmod(seconds_of(left), 60)
    return f"{minutes}:{seconds:02d}"


def seconds_of(left: timedelta) -> int:
    """Whole seconds, rounded up."""
    return -(-left // timedelta(seconds=1))


def _times(found: Iterable[datetime]) -> list[datetime]:
    return sorted(found, reverse=True)


def _until_room(newest_first: Sequence[datetime], limit: int, now: datetime) -> timedelta:
    if len(newest_first) < limit:
        return timedelta(0)
    return newest_first[limit - 1] + WINDOW - now
