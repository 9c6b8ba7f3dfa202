"""Published programmes, and which needs of the desk a published record answers; no person's data.

Source: design/decisions.md (quota truth); domain.md §3.3.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from gateway.storage import bulk


class Published(NamedTuple):
    """A live record of a programme: who publishes it, and its fields."""

    agency: str
    values: Mapping[str, Any]


def programs(session: Session, codes: Collection[str] | None = None) -> list[Published]:
    """All live programmes, or those of these codes; of two by one code, the newer."""
    wanted = None if codes is None else sorted(set(codes))
    with bulk.cursor(session) as cur:
        cur.execute(_ALL if wanted is None else _OF_CODES, {"codes": wanted}, binary=True)
        return [Published(*row) for row in cur]


def answered(session: Session, needs: Collection[str]) -> frozenset[str]:
    """Those of these needs (as they are shown) that a live enrolment or benefit names."""
    query = (
        "select distinct source_id from subject"
        " where kind = 'need' and role = 'of' and source_id = any(%s)"
    )
    with bulk.cursor(session) as cur:
        cur.execute(query, (list(needs),), binary=True)
        return frozenset(row[0] for row in cur)


_SAID = (
    "select distinct on (s.source_id) r.agency, a.clear from subject s"
    " join source_record r on r.id = s.record_id join assertion a on a.id = r.assertion_id"
    " where s.kind = 'program' and s.role = 'is'"
)
_NEWEST = (
    " order by s.source_id, (lower(s.source_id) like r.agency || '-%%') desc,"
    " r.as_of desc, r.id desc"
)
"""An agency's own code is its own: nobody else's record of it counts where it publishes one."""
_ALL = f"{_SAID} and r.record_type = 'program'{_NEWEST}"
_OF_CODES = f"{_SAID} and s.source_id = any(%(codes)s){_NEWEST}"
