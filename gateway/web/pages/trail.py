"""The access trail: who looked at whom, for which reason, and whom a revoked key misled.

Who may call it: auditor, coordinator.
"""

from typing import Any

from flask import Blueprint, render_template

from gateway.access import blast
from gateway.access import query as access
from gateway.intake import reevaluation
from gateway.storage import ids
from gateway.trust import query as trust
from gateway.web import auth
from gateway.web.edge import edge

blueprint = Blueprint("trail", __name__)


@blueprint.get("/jejak")
@auth.members_only
def looks() -> Any:
    """The last looks, newest first; and the keys that were revoked since a time."""
    with edge().sessions() as session:
        found = access.looks(session, auth.officer())
        revoked = reevaluation.every(session)
    return render_template("trail.html", looks=found, revoked=revoked, show_id=ids.show)


@blueprint.get("/jejak/pencabutan/<int:number>")
@auth.members_only
def blast_radius(number: int) -> Any:
    """The answers that used what a revoked key signed since T, and what they would say today."""
    with edge().sessions() as session:
        found = blast.read(session, auth.officer(), number, edge().vault)
        return render_template(
            "blast.html",
            revoked=trust.revocation(session, number),
            progress=reevaluation.progress(session, number),
            answers=found,
            summary=blast.summary(found),
            show_id=ids.show,
        )
