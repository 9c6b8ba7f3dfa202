"""Mutu data per instansi: what stands to be mended, by code, with its trend; positions, no values.

Who may call it: roles that look after data for every agency; an agency's own IT officer for his.
"""

from collections import Counter
from typing import Any

from flask import Blueprint, render_template

from gateway.access.model import Role
from gateway.errors import Forbidden
from gateway.intake import quality
from gateway.stewards import feedback
from gateway.trust import query as trust
from gateway.web import auth
from gateway.web.edge import edge
from gateway.web.persons import labels
from schemas.quality import FINDINGS

blueprint = Blueprint("quality", __name__, url_prefix="/mutu")

LOOKS_AFTER_ALL = frozenset({Role.UPT_COORDINATOR, Role.DATA_STEWARD, Role.KEY_ADMIN, Role.AUDITOR})
SHOWN = 20
"""Lines shown of each code."""


@blueprint.get("/<agency>")
@auth.members_only
def of_agency(agency: str) -> Any:
    """One agency's findings that stand, and the last eight weeks."""
    me = auth.officer()
    own = Role.AGENCY_IT in me.roles and me.unit == agency
    if not own and not auth.holds(LOOKS_AFTER_ALL):
        raise Forbidden("quality.role", "Peran Anda tidak mencakup mutu data instansi ini.")
    with edge().sessions() as session:
        row = trust.agency(session, agency)
        found = feedback.findings(session, agency)
        trend = quality.trend(session, agency, edge().clock())
    counts = Counter(each.code for each in found)
    codes = sorted({*counts, *trend}, key=lambda code: (-counts[code], code))
    return render_template(
        "quality.html",
        label=labels(edge().profile).get(agency, row.label),
        codes=codes,
        counts=counts,
        weeks=sorted({week for by_week in trend.values() for week in by_week}),
        trend=trend,
        lines={code: [f for f in found if f.code == code][:SHOWN] for code in counts},
        meaning=FINDINGS,
    )
