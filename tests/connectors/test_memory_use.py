"""Publishing a large table stays small: the rows stream, and so does everything that is made of them."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.shared import ROOT

ROWS = int(os.environ.get("TITIAN_ROWS", "30000"))
LIMIT_MIB = 96

SETTINGS = """
agency = "baz"
profile = "payakumbuh"
basis = "PKS-1"
batch_records = 5000

[source]
kind = "sql"
url = "{url}"

[source.tables]
orang = ["id", "nama", "nik", "tgl_lahir", "jk", "alamat", "no_hp"]

[[publish]]
name = "orang"
record_type = "person"
from = "orang"
key = ["id"]
[publish.fields]
name_source = {{ from = "nama", max = 120 }}
nik = {{ from = "nik", as = "nik" }}
birth_date = {{ from = "tgl_lahir", as = "date", precision = true }}
sex = {{ from = "jk", map = {{ "L" = "L", "P" = "P" }} }}
phone = {{ from = "no_hp", as = "phone" }}
"address_domicile.street" = {{ from = "alamat", max = 200 }}
"address_domicile.rt" = {{ from = "alamat", as = "rt_rw" }}
"""


@dataclass(frozen=True)
class Figures:
    """What one publish cost: seconds of wall clock and CPU, and the most memory it ever held."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    state_mib: float


def fill(url: str, rows: int) -> None:
    """A table of persons, made by the server itself."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "CREATE TABLE orang AS SELECT n AS id, 'NAMA ORANG ' || md5(n::text) AS nama, "
            "'137601' || to_char(10 + n % 19, 'FM00') || '0680' || to_char(1 + n % 9999, 'FM0000') "
            "AS nik, date '1950-01-01' + n % 20000 AS tgl_lahir, "
            "CASE n % 2 WHEN 0 THEN 'L' ELSE 'P' END AS jk, "
            "'JL SUDIRMAN ' || n || ' RT 3 RW 1' AS alamat, '08' || 1000000000 + n AS no_hp "
            f"FROM generate_series(1, {rows}) n"
        )


def publish(config: Path, state: Path) -> Figures:
    """Runs `titian-connector publish` as a process of its own and watches it."""
    command = [sys.executable, "-m", "connectors", "--config", str(config), "--state", str(state)]
    started = time.monotonic()
    process = psutil.Popen(
        [*command, "publish", "--settle", "60"], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    peak, cpu = 0, 0.0
    while process.poll() is None:
        with process.oneshot():
            peak = max(peak, process.memory_info().rss)
            times = process.cpu_times()
            cpu = times.user + times.system
        time.sleep(0.02)
    assert process.returncode == 0
    size = sum(path.stat().st_size for path in (state / "data").glob("memory.sqlite*"))
    return Figures(time.monotonic() - started, cpu, peak / 2**20, size / 2**20)


@pytest.mark.slow
def test_a_large_table_is_published_in_little_memory(servers, agency, gateway):
    with psycopg.connect(servers.database_url("postgres"), autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS large WITH (FORCE)")
        admin.execute("CREATE DATABASE large")
    url = servers.database_url("large")
    fill(url, ROWS)
    agency.config.write_text(SETTINGS.format(url=url))
    agency.enrol(gateway)
    gateway.keep_lines = False
    first = publish(agency.config, agency.state)
    again = publish(agency.config, agency.state)
    print(f"\n{ROWS:,} rows: {first}\nagain: {again}")
    assert sum(stored.payload.count for stored in gateway.batches("baz", "target")) == ROWS
    assert first.peak_mib <= LIMIT_MIB
    assert again.peak_mib <= LIMIT_MIB
