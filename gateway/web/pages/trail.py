"""The access trail: who looked at whom, for which reason. Who may call it: auditor, coordinator."""

from typing import Any

from flask import Blueprint, render_template

from gateway.access import query as access
from gateway.storage import ids
from gateway.web import auth
from gateway.web.edge import edge

blueprint = Blueprint("trail", __name__)


@blueprint.get("/jejak")
@auth.members_only
def looks() -> Any:
    """The last looks, newest first."""
    with edge().sessions() as session:
        found = access.looks(session, auth.officer())
    return render_template("trail.html", looks=found, show_id=ids.show)
