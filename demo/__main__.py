"""`python -m demo`: what `make demo` runs."""

import argparse
import signal
import sys
from pathlib import Path

from demo.enrol import ConnectorFailed
from demo.holding import AlreadyRunning
from demo.processes import ProcessFailed
from demo.run import VAR, DemoFailed, Options, run
from demo.servers import ServerFailed, clean


def _stop(*_: object) -> None:
    """A polite kill ends the demo like Ctrl-C: everything that was started is stopped."""
    raise KeyboardInterrupt


def main() -> int:
    """Parse, run, and turn a failure into one sentence and exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="Titian's demo city.")
    parser.add_argument("--seed", type=int, default=7, help="who lives in the city (default 7)")
    parser.add_argument("--no-serve", action="store_true", help="stop after the summary")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on")
    parser.add_argument("--var", type=Path, default=VAR, help="where everything is kept")
    parser.add_argument("--clean", action="store_true", help="remove what earlier demos left")
    given = parser.parse_args()
    if given.clean:
        clean(given.var)
        return 0
    signal.signal(signal.SIGTERM, _stop)
    try:
        run(Options(given.seed, not given.no_serve, given.host, given.port, given.var))
    except (AlreadyRunning, ConnectorFailed, DemoFailed, ProcessFailed, ServerFailed) as err:
        print(f"\ndemo: {err}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
