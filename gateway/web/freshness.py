"""How fresh an agency's word is: by the publish windows it has missed. Pure.

Source: design/decisions.md (Desk: freshness), design/domain.md §6.6.
"""

from datetime import datetime, timedelta

from schemas.profile import Profile


def freshness(profile: Profile, agency: str, last: datetime | None, now: datetime) -> str:
    """`ok`, `late` after one missed window, `silent` after three or if it never published."""
    if last is None:
        return "silent"
    hours = next(
        (a.publish_window_hours for a in profile.agencies.values() if a.code == agency), 24
    )
    missed = (now - last) / timedelta(hours=hours)
    return "ok" if missed <= 1 else "late" if missed <= 3 else "silent"
