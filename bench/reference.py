"""The gateway with one route more: what a look-up must cost at least, served beside it.

`POST /v1/reference` checks the session and the form's token as a look-up does, commits a durable
row, asks the index by one key, and commits another durable row. It matches, opens and logs nothing.
"""

import sys
from typing import Any

from flask import Blueprint, Flask, request
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels
from sqlalchemy import text

from gateway.app import create_app as create_gateway
from gateway.index import sealing
from gateway.web import auth
from gateway.web.edge import edge

TABLE = (
    "create table bench_reference (id uuid primary key default uuidv7(),"
    " at timestamptz not null default now(), said bytea not null)"
)
_WRITE = text("insert into bench_reference (said) values (:said)")
_ASK = text("select record_id from person_feature where nik_bix = any(:keys)")

blueprint = Blueprint("reference", __name__)


@blueprint.post("/v1/reference")
def ask() -> Any:
    """Two durable commits and one key query."""
    auth.officer()
    auth.check_form()
    nik = str(request.get_json()["query"])
    keys = sealing.blind_all(edge().vault, "nik", nik)
    with edge().sessions() as session:
        session.execute(_WRITE, {"said": keys[0] * 16})
        session.commit()
        found = session.execute(_ASK, {"keys": keys}).all()
        session.execute(_WRITE, {"said": keys[0] * 16})
        session.commit()
    return {"found": len(found)}


def create_app() -> Flask:
    """`gateway.app.create_app` and the route."""
    app = create_gateway()
    app.register_blueprint(blueprint)
    return app


def main(workers: int, port: int) -> None:
    """Serve as `titian serve` does."""
    Granian(
        "bench.reference:create_app",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=4,
        factory=True,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        websockets=False,
    ).serve()


if __name__ == "__main__":
    main(int(sys.argv[-3]), int(sys.argv[-1]))
