"""What leaves the database on its way to a worker: the id of a promise, and nothing else."""

import base64
import json
from uuid import UUID

import redis
from sqlalchemy import select

from gateway.storage import outbox
from tests.intake.factory import NOW, send
from workers.app import Tools, make_app
from workers.relay import Relay


def test_a_promise_holds_ids_only(database, tools, agency):
    send(database, tools, agency.people(range(3)))
    with database.session() as session:
        promised = session.scalars(select(outbox.outbox.c.args)).all()
    assert promised
    assert all(set(args) == {"batch"} and UUID(args["batch"]) for args in promised)


def test_a_message_holds_the_id_of_its_promise_and_nothing_else(database, tools, agency):
    """Read from the broker as it lies there: body, headers and properties."""
    send(database, tools, agency.people([7]))
    held = Tools.of(database.settings)
    app = make_app(database.settings)
    queue = redis.Redis.from_url(database.settings.broker_url)
    queue.flushdb()
    Relay(app, held, "test", lambda: NOW).step()
    messages = [json.loads(raw) for raw in queue.lrange("celery", 0, -1)]
    queue.close()
    app.close()
    held.sessions.kw["bind"].dispose()
    with database.session() as session:
        ids = {str(i) for i in session.scalars(select(outbox.outbox.c.id))}
    assert messages
    for message in messages:
        (promise,), keywords, _ = json.loads(base64.b64decode(message["body"]))
        assert promise in ids
        assert keywords == {}
        assert message["headers"]["argsrepr"] == repr((promise,)) or message["headers"][
            "argsrepr"
        ] == repr([promise])
        assert "ORANG" not in json.dumps(message)
