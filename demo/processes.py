"""The product's own processes, started as an administrator would start them, and stopped."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.settings import Settings

ROOT = Path(__file__).resolve().parent.parent


class ProcessFailed(Exception):
    """A process ended or did not become ready; the sentence names its log."""


@dataclass(slots=True)
class Centre:
    """Gateway, relay and workers on one set of settings; each logs to a file of its own."""

    settings: Settings
    logs: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def serve(self, host: str = "127.0.0.1", port: int = 8000) -> None:
        """Start the gateway and wait until it is ready.

        Raises:
            ProcessFailed: the port is taken, or the gateway did not become ready.
        """
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                raise ProcessFailed(
                    f"something listens on port {port} already; stop it, or choose another: "
                    "make demo PORT=8080"
                )
        self._start("gateway", ["-m", "gateway", "serve", "--host", host, "--port", str(port)])
        self._ready(f"http://127.0.0.1:{port}/readyz")

    def relay(self) -> None:
        """Start relay and log integrator."""
        self._start("relay", ["-m", "workers", "relay"])

    def beat(self) -> None:
        """Start the timetable of periodic duties."""
        self._start("beat", ["-m", "workers", "beat"])

    def worker(self, name: str = "worker") -> None:
        """Start a Celery worker."""
        self._start(name, ["-m", "workers"])

    def connector(self, agency: str, arguments: list[str], source: str) -> None:
        """Start an agency's connector as the service that it is at the agency."""
        self._start(f"connector-{agency}", arguments, {"TITIAN_SOURCE": source})

    def kill(self, name: str) -> None:
        """Kill -9 of a process and its children."""
        process = self.running.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def stop(self) -> None:
        """Stop everything, politely first."""
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in self.running.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)
            with contextlib.suppress(ProcessLookupError):
                # Children of a process that was killed hold its port.
                os.killpg(process.pid, signal.SIGKILL)
        self.running.clear()

    def log_of(self, name: str) -> Path:
        """Where a process logs."""
        return self.logs / f"{name}.log"

    def check(self) -> None:
        """Raise if any process of the centre has ended; a connector may, by its agency's doing.

        Raises:
            ProcessFailed: one has.
        """
        for name, process in self.running.items():
            if process.poll() is not None and not name.startswith("connector-"):
                raise ProcessFailed(f"{name} ended; its log is {self.log_of(name)}")

    def _start(
        self, name: str, arguments: list[str], given: Mapping[str, str] | None = None
    ) -> None:
        self.logs.mkdir(parents=True, exist_ok=True)
        with self.log_of(name).open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=environment(self.settings.environ() if given is None else given),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def _ready(self, url: str) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            self.check()
            with (
                contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
                urllib.request.urlopen(url, timeout=5) as answer,  # noqa: S310  (loopback)
            ):
                if answer.status == 200:
                    return
            time.sleep(0.05)
        raise ProcessFailed(f"the gateway is not ready; its log is {self.log_of('gateway')}")


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child: ours without foreign TITIAN_* variables, and `extra`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TITIAN_")}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | dict(extra)
