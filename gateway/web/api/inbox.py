"""An agency's inbox: what it is asked, handed to its connector, which calls and is never called.

Who may call it: the agency that the address names, by RFC 9421 signature under an enrolled key.
"""

from typing import Any

from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint

from gateway.errors import NotFound
from gateway.lookup import service as lookup
from gateway.lookup.model import ANSWERS, Answered, Delivered, Sent, topic
from gateway.storage import ids
from gateway.web import waiting
from gateway.web.edge import edge
from gateway.web.signed import signed
from gateway.web.waiting import Seen
from keys.bundle import LoggedEntry
from keys.canonical import to_base64
from keys.dsse import MAX_BYTES
from schemas.exchange import InboxAnswer, InboxQuery
from schemas.inbox import ANSWERED_TYPE

blueprint = Blueprint(
    "inbox",
    __name__,
    url_prefix="/v1/agencies/<string:agency>/inbox",
    description="What an agency is asked, by long polling. Only the agency itself, by its key.",
)


@blueprint.route("")
class Inbox(MethodView):
    """What waits for an agency."""

    @blueprint.arguments(InboxQuery, location="query")
    @blueprint.response(200, InboxAnswer)
    def get(self, asked: dict[str, int], agency: str) -> dict[str, Any]:
        """Requests above a number, each with its proofs; waits for the first if there is none."""
        with signed() as call:
            call.caller.must_be(agency)

        def look() -> Seen[Delivered]:
            with edge().sessions() as session:
                found = lookup.deliver(
                    session, agency, asked["after"], edge().vault, edge().clock()
                )
                session.commit()
            return Seen(found, enough=bool(found.deliveries), soon=found.pending)

        found, seated = waiting.until(topic(agency), look, asked["wait"])
        shown = [
            {
                "n": each.n,
                "envelope": to_base64(each.envelope),
                "query": _logged(each.query),
                "request": _logged(each.request),
            }
            for each in found.deliveries
        ]
        return {"requests": shown, "full": not seated}


@blueprint.route("/<string:rid>/answer")
class Answer(MethodView):
    """The answer to one request."""

    @blueprint.response(201, content_type=ANSWERED_TYPE, description="A signed receipt (DSSE).")
    @blueprint.alt_response(200, content_type=ANSWERED_TYPE, description="The receipt of before.")
    def put(self, agency: str, rid: str) -> Response:
        """Answer, once and for all. Putting the same bytes again is harmless."""
        with signed() as call:
            call.caller.must_be(agency)
            known = ids.parse(rid)
            if known is None:
                raise NotFound("inbox.unknown", "No such request was sent to this agency.")
            sent = Sent(agency, known, call.body.read(MAX_BYTES))
            with edge().sessions() as session:
                try:
                    taken = lookup.take(
                        session, sent, edge().vault, edge().settings.aud, edge().clock()
                    )
                except Answered:
                    session.commit()
                    raise
                session.commit()
        edge().wakes.say(ANSWERS)
        answer = Response(taken.receipt, 200 if taken.replayed else 201)
        answer.content_type = ANSWERED_TYPE
        return answer


def _logged(entry: LoggedEntry) -> dict[str, str]:
    return {"entry": to_base64(entry.entry), "proof": entry.proof}
