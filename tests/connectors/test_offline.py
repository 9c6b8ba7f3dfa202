"""Days without the gateway, and lines that lead through a proxy."""

import socket
import ssl
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from rich.console import Console

from connectors.cli_run import PROBE_EVERY, Work, _Service, working
from connectors.client import RequestsTransport
from connectors.desk import Desk
from connectors.errors import Wait

HOURS = 76
EVERY = 4


class Waits(threading.Event):
    """Time that passes when it is waited for, and no sooner."""

    def __init__(self, then) -> None:
        super().__init__()
        self.seconds: list[float] = []
        self._then = then

    def wait(self, timeout=None) -> bool:
        self.seconds.append(timeout or 0.0)
        self._then(len(self.seconds))
        return False


@pytest.fixture
def service(enrolled, gateway) -> Iterator[tuple[_Service, Work, dict]]:
    at = {"now": datetime.now(UTC)}
    gateway.clock = lambda: at["now"]
    console = Console(stderr=True)
    desk = Desk(enrolled.config, enrolled.state, "en", console, lambda: at["now"])
    config = desk.config()
    with working(desk, config) as work:
        yield _Service(desk, config), work, at


def test_three_days_without_the_gateway_are_kept_and_caught_up_by_itself(
    service, enrolled, gateway
):
    running, work, at = service
    running.turn(work)
    before = len(gateway.batches("baz", "target"))
    gateway.down, pauses = True, []
    for hour in range(EVERY, HOURS + 1, EVERY):
        at["now"] += timedelta(hours=EVERY)
        enrolled.sql("UPDATE mustahik SET nama = ? WHERE id = ?", f"Jam {hour}", hour)
        pauses.append(running.turn(work))
    waiting = work.memory.outbox.counts()["waiting"]
    assert waiting == HOURS // EVERY
    assert pauses[0] <= 2
    assert max(pauses) <= 300
    assert len(set(pauses)) > len(pauses) // 2  # no two connectors knock together
    stop = Waits(lambda n: setattr(gateway, "down", n < 4))
    running.watch_until(work, time.monotonic() + 300, stop)
    assert len(stop.seconds) == 4  # found at the first look that could find it
    assert max(stop.seconds) <= PROBE_EVERY < 30
    began = time.monotonic()
    running.turn(work)
    assert max(stop.seconds) + time.monotonic() - began < 30
    counts = work.memory.outbox.counts()
    assert (counts["waiting"], counts["received"]) == (0, 0)
    assert len(gateway.batches("baz", "target")) == before + waiting
    assert gateway.records("baz", "person")[str(HOURS)]["name_source"] == f"Jam {HOURS}"


def test_a_gateway_that_is_there_is_watched_and_not_knocked_at(service):
    def enough(looks: int) -> None:
        if looks == 3:
            raise TimeoutError

    running, work, _ = service
    running.turn(work)
    stop = Waits(enough)
    with pytest.raises(TimeoutError):
        running.watch_until(work, time.monotonic() + 600, stop)
    assert stop.seconds == [60.0, 60.0, 60.0]


# -- proxies

PROXY = textwrap.dedent(
    """
    import socket, sys, threading
    server = socket.create_server(("127.0.0.1", 0))
    print(server.getsockname()[1], flush=True)
    target = int(sys.argv[1])

    def pipe(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
        finally:
            for each in (a, b):
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    while True:
        near, _ = server.accept()
        head = b""
        while b"\\r\\n\\r\\n" not in head:
            head += near.recv(1)
        print(head.split(b"\\r\\n")[0].decode(), flush=True)
        far = socket.create_connection(("127.0.0.1", target))
        near.sendall(b"HTTP/1.1 200 Connection established\\r\\n\\r\\n")
        for pair in ((near, far), (far, near)):
            threading.Thread(target=pipe, args=pair, daemon=True).start()
    """
)


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A server of `gerbang.test` with a certificate of our own; its port and the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gerbang.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("gerbang.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "gerbang.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)

    class Says(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "3")
            self.end_headers()
            self.wfile.write(b"apa")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Says)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server.server_address[1], path
    server.shutdown()
    server.server_close()


def test_https_goes_through_the_proxy_that_the_system_names(secure, monkeypatch):
    port, certificate = secure
    command = [sys.executable, "-c", PROXY, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{int(proxy.stdout.readline())}")
        with closing(RequestsTransport(str(certificate))) as transport:
            answer = transport.send("GET", "https://gerbang.test/readyz", {}, None)
        asked = proxy.stdout.readline()
        proxy.kill()
    assert (answer.status, answer.body) == (200, b"apa")
    assert asked.startswith("CONNECT gerbang.test:443")


def test_a_proxy_that_is_away_is_a_gateway_that_cannot_be_reached(monkeypatch):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    with closing(RequestsTransport()) as transport, pytest.raises(Wait, match="cannot be reached"):
        transport.send("GET", "https://gerbang.test/readyz", {}, None)
