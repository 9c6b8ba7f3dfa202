"""What an agency has to mend in its own data.

Who may call it: the agency that the address names, by RFC 9421 signature under an enrolled key.
"""

from typing import Any

from flask.views import MethodView
from flask_smorest import Blueprint

from gateway.intake.quality import Place
from gateway.stewards import feedback
from gateway.web.edge import edge
from gateway.web.signed import signed
from schemas.exchange import FindingsAnswer

blueprint = Blueprint(
    "findings",
    __name__,
    url_prefix="/v1/agencies/<string:agency>/findings",
    description="Findings that stand about an agency's own lines. Only the agency, by its key.",
)


@blueprint.route("")
class Findings(MethodView):
    """What stands to be mended."""

    @blueprint.response(200, FindingsAnswer)
    def get(self, agency: str) -> dict[str, Any]:
        """Codes by position, never a value; also pairs that seem to be one person."""
        with signed() as call:
            call.caller.must_be(agency)
            with edge().sessions() as session:
                found = feedback.findings(session, agency)
        return {
            "findings": [
                {
                    **_place(f.place),
                    "code": f.code,
                    "field": f.field,
                    "other": None if f.other is None else _place(f.other),
                }
                for f in found
            ]
        }


def _place(place: Place) -> dict[str, str | int]:
    return {"stream": place.stream, "epoch": place.epoch, "seq": place.seq, "i": place.i}
