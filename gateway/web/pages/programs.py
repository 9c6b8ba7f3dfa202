"""The catalogue of programmes. Who may call it: everybody; it holds nothing of any person."""

from typing import Any

from flask import Blueprint, render_template, request

from gateway.programs import criteria, query
from gateway.programs.model import When
from gateway.programs.query import Wish
from gateway.web.edge import edge
from gateway.web.persons import labels
from schemas.codes import lists

blueprint = Blueprint("programs", __name__, url_prefix="/program")

_LEVELS = ("city", "province", "nation", "partner")


@blueprint.get("")
def catalogue() -> Any:
    """Programmes by what is looked for; how much is left is what the desk may still promise."""
    asked = {
        "need_kind": request.args.get("kebutuhan", ""),
        "bidang": request.args.get("bidang", ""),
        "funder": request.args.get("dana", ""),
        "level": request.args.get("tingkat", ""),
        "agency": request.args.get("instansi", ""),
        "when": request.args.get("keadaan", ""),
    }
    profile, today = edge().profile, edge().today
    with edge().sessions() as session:
        found = query.catalogue(session, Wish(**asked), today)
    return render_template(
        "programs.html",
        found=[(truth, truth.when(today), criteria.describe(truth.program)) for truth in found],
        asked=asked,
        labels=labels(profile),
        kinds={k: n for k, n in profile.need_kinds.items() if not n.restricted},
        bidang=lists.load("bidang").rows,
        funders=lists.load("funder").rows,
        levels=_LEVELS,
        whens=[w.value for w in When],
    )
