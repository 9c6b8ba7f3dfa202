"""Bad days of an agency: what happened, what was kept, what to do; and nothing half published."""

import ssl
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from connectors import cli
from tests.shared import ROOT


def _count(gateway) -> int:
    return len(gateway.records("baz", "person"))


def test_a_column_that_changed_its_type_is_read_or_named_and_nothing_is_deleted(enrolled, gateway):
    enrolled.run("publish")
    enrolled.sql("ALTER TABLE mustahik ADD COLUMN baru BLOB")
    enrolled.sql("UPDATE mustahik SET baru = CAST(nama AS BLOB)")
    enrolled.sql("ALTER TABLE mustahik DROP COLUMN nama")
    enrolled.sql("ALTER TABLE mustahik RENAME COLUMN baru TO nama")
    answer = enrolled.run("publish", lang="id")
    assert answer.code in (0, 3)
    assert _count(gateway) == 120


def test_numbers_where_texts_were_change_nothing(enrolled, gateway):
    enrolled.run("publish")
    columns = "id, nama, CAST(nik AS INTEGER) AS nik, tgl_lahir, kel, hapus, diubah"
    enrolled.sql(f"CREATE TABLE baru AS SELECT {columns} FROM mustahik")
    enrolled.sql("DROP TABLE mustahik")
    enrolled.sql("ALTER TABLE baru RENAME TO mustahik")
    told = enrolled.run("publish", "--json").json
    assert (told["deleted"], told["refused"]) == (0, 0)
    assert _count(gateway) == 120


def test_keys_that_are_null_are_left_out_and_told(enrolled, gateway):
    enrolled.sql("CREATE TABLE baru AS SELECT * FROM mustahik")
    enrolled.sql("UPDATE baru SET id = NULL WHERE id <= 3")
    enrolled.sql("DROP TABLE mustahik")
    enrolled.sql("ALTER TABLE baru RENAME TO mustahik")
    told = enrolled.run("publish", "--json").json
    assert (told["sent"], told["refused"], told["findings"]["KEY_EMPTY"]) == (117, 3, 3)


@pytest.mark.parametrize("days", [-3_000, 3_000])
def test_a_clock_that_is_years_off_sends_nothing_and_says_so(enrolled, gateway, monkeypatch, days):
    monkeypatch.setattr(cli, "_now", lambda: datetime.now(UTC) + timedelta(days=days))
    answer = enrolled.run("publish", lang="id")
    assert answer.code in (4, 6)
    assert "jam" in answer.err.casefold()
    assert gateway.batches("baz", "target") == []


class _Silent(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def stranger(tmp_path):
    """An https server whose certificate nobody has signed."""
    key, cert = tmp_path / "k.pem", tmp_path / "c.pem"
    words = ["-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", key, "-out", cert]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", *words], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server = HTTPServer(("127.0.0.1", 0), _Silent)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_gateway_with_a_wrong_certificate_gets_nothing(enrolled, gateway, stranger):
    text = enrolled.config.read_text()
    enrolled.config.write_text(
        text.replace("[source]", f'[gateway]\nurl = "{stranger}"\n\n[source]')
    )
    answer = enrolled.run("publish", lang="id")
    assert answer.code == 4
    assert "sertifikat" in answer.err.casefold()
    assert gateway.batches("baz", "target") == []


def test_a_folder_that_may_only_be_read_is_named(agency):
    (agency.folder / "state").write_text("")
    answer = agency.run("publish", lang="id")
    assert answer.code == 4
    assert str(agency.state) in answer.err


def test_a_text_file_larger_than_memory_is_read_line_by_line(tmp_path):
    """64 MiB of rows, where the process may take 32 MiB more than Python itself does."""
    path = tmp_path / "d.txt"
    row = ("1|" + "x" * 1_000 + "\n").encode()
    with path.open("wb") as file:
        file.write(b"id|nama\n")
        for _ in range(100):
            file.write(row * 640)
    script = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from connectors.config import Dataset, SourceConfig\n"
        "from connectors.sources.base import Query\n"
        "from connectors.sources.registry import open_source\n"
        "held = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (held + (32 << 20),) * 2)\n"
        "d = Dataset('d', ('id', 'nama'), {'pattern': 'd.txt'})\n"
        "s = open_source(SourceConfig('text', '', Path(sys.argv[1]), {}, {'d': d}))\n"
        "print(sum(1 for _ in s.rows(Query(d, ('id',)))))\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert said.stdout.strip() == "64000"
