"""The exchange at a glance. Who may call it: anyone who is logged in."""

from datetime import datetime
from typing import Any

from flask import Blueprint, render_template

from gateway.access import logins
from gateway.access import query as access
from gateway.intake import query as intake
from gateway.ledger import query as ledger
from gateway.storage import heartbeat, outbox
from gateway.trust import keylist
from gateway.trust import query as trust
from gateway.web import auth
from gateway.web.edge import edge
from gateway.web.freshness import freshness

blueprint = Blueprint("home", __name__)
_LOOKS = 5


@blueprint.get("/")
@auth.members_only
def glance() -> Any:
    """Agencies, last signed batch, log, queue, index; and what one did oneself the last time."""
    now, me = edge().clock(), auth.officer()
    with edge().sessions() as session:
        sent = intake.overview(session)
        voices = keylist.voices(session, now)
        rows = [_row(a, sent, now) for a in trust.agencies(session)]
        return render_template(
            "glance.html",
            agencies=rows,
            voices=voices,
            log=ledger.state(session),
            queue=outbox.open_count(session),
            workers=heartbeat.alive(session, "worker"),
            counts=access.counts(session),
            login_before=logins.login_before(session, me),
            looks=access.own_looks(session, me, _LOOKS),
        )


def _row(agency: Any, sent: Any, now: datetime) -> dict[str, Any]:
    last = sent.get(agency.code)
    return {
        "agency": agency,
        "last": last,
        "fresh": freshness(edge().profile, agency.code, last.accepted_at if last else None, now),
    }
