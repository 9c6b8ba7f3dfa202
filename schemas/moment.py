"""A moment as a person types it: with its zone, or by the city's clock (WIB)."""

import re
from datetime import UTC, datetime, timedelta, timezone

from schemas.errors import Unreadable

WIB = timezone(timedelta(hours=7), "WIB")
_ZONES = {
    "WIB": WIB,
    "WITA": timezone(timedelta(hours=8), "WITA"),
    "WIT": timezone(timedelta(hours=9), "WIT"),
    "UTC": UTC,
    "Z": UTC,
}
_MOMENT = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?P<hour>[0-9]{2})[:.](?P<minute>[0-9]{2})(?:[:.](?P<second>[0-9]{2}))?"
    r" ?(?P<zone>[A-Z]{1,4}|[+-][0-9]{2}:[0-9]{2})?)?"
)


def read_moment(text: str) -> datetime:
    """The aware UTC moment of `2026-11-20 15:00 WIB`, `2026-11-20T08:00Z`, `2026-11-20`.

    Zones are WIB, WITA, WIT, UTC, Z and offsets such as +07:00; without one it is WIB. A day alone
    is its beginning.

    Raises:
        Unreadable: none of these, or no day of the calendar (``moment.text``).
    """
    found = _MOMENT.fullmatch(text.strip().upper())
    if found is None:
        raise Unreadable("moment.text", "A moment is a day, a time and perhaps a zone.")
    clock = ":".join(found[part] or "00" for part in ("hour", "minute", "second"))
    zone = found["zone"] or "WIB"
    offset = zone if zone[0] in "+-" else "+00:00"
    try:
        moment = datetime.fromisoformat(f"{found['day']}T{clock}{offset}")
        if offset != zone:
            moment = moment.replace(tzinfo=_ZONES[zone])
        return moment.astimezone(UTC)
    except (KeyError, ValueError, OverflowError) as err:
        raise Unreadable("moment.text", "There is no such moment.") from err
