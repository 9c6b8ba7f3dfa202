"""`python -m workers [relay|beat|health NAME]`: with nothing, a Celery worker."""

import importlib
import os
import socket
import sys

from gateway.errors import GatewayError
from gateway.settings import Settings
from gateway.storage import heartbeat
from gateway.storage.engine import connect, sessions

_USAGE = "usage: python -m workers [relay | beat | health worker|relay|beat]"
_DUTIES = {(): "work", ("relay",): "relay", ("beat",): "beat"}


def main(arguments: list[str]) -> int:
    """Run one duty until it is told to stop, or say whether one is alive."""
    settings = Settings.from_env()
    if len(arguments) == 2 and arguments[0] == "health":
        return _health(settings, arguments[1])
    duty = _DUTIES.get(tuple(arguments))
    if duty is None:
        print(_USAGE, file=sys.stderr)  # noqa: T201  (a command)
        return 2
    # By name, so that a health check every few seconds does not load Celery and the engine.
    processes = importlib.import_module("workers.processes")
    ended: int = getattr(processes, duty)(settings, f"{socket.gethostname()}:{os.getpid()}")
    return ended


def _health(settings: Settings, duty: str) -> int:
    engine = connect(settings, pool_size=1)
    with sessions(engine)() as session:
        return 0 if heartbeat.alive(session, duty) else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except GatewayError as err:
        print(f"workers: {err.sentence}", file=sys.stderr)  # noqa: T201  (a command)
        sys.exit(1)
