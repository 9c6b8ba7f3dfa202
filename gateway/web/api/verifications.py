"""Verify a person against the index, as a system would.

Who may call it: an officer's session (its form token in `X-Titian-Csrf`), under the same purposes,
limits and two log entries as the page.
"""

from typing import Any

from flask.views import MethodView
from flask_smorest import Blueprint

from gateway.access import service as access
from gateway.access.model import Purpose
from gateway.storage import ids
from gateway.web import auth, jsonbody
from gateway.web.edge import edge
from gateway.web.pages.desk import door
from schemas.verification import VerificationAnswer, VerificationRequest

blueprint = Blueprint(
    "verifications",
    __name__,
    url_prefix="/v1/verifications",
    description="Is this person on record, and where? Logged before it is answered.",
)


@blueprint.before_request
def _known_and_small() -> None:
    """Nobody's body is read before he is known, and then only a small one of strict JSON."""
    auth.officer()
    jsonbody.check()


@blueprint.route("")
class Verifications(MethodView):
    """Questions about persons."""

    @blueprint.arguments(VerificationRequest)
    @blueprint.response(200, VerificationAnswer)
    def post(self, asked: dict[str, str]) -> dict[str, Any]:
        """Ask; at most ten candidates, NIK masked. The question and the answer are both logged."""
        officer, now = auth.officer(), edge().clock()
        auth.check_form()
        with edge().sessions() as session:
            question = (asked["query"], Purpose(asked["purpose"]))
            logged = access.ask_search(session, officer, question, door(), now)
            session.commit()
            found = access.answer_search(session, logged, door(), now)
            session.commit()
        return {
            "query_id": ids.show(logged.id),
            "leaf": found.leaf.hex(),
            "candidates": [_candidate(c) for c in found.candidates],
        }


def _candidate(candidate: Any) -> dict[str, Any]:
    names = ("name", "birth_date", "sex", "kelurahan", "nik_masked", "why", "sources", "badges")
    shown = {name: getattr(candidate, name) for name in names}
    return {
        **shown,
        "person_id": ids.show(candidate.person_id),
        "score": round(candidate.score, 3),
    }
