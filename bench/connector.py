"""`connector`: what a connector process holds in memory while it publishes a million rows.

Opening the key file takes 64 MiB for a moment by design (Argon2id); that stands beside the figure.

The source is a SQLite file, the sink a real gateway without a worker.
"""

import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from sqlalchemy import text

from bench.figure import Figure
from bench.lab import BenchFailed, House, Lab, house, process, serving
from demo.enrol import approve_all, invite
from demo.processes import ROOT, environment
from gateway.trust.anchors import anchors
from schemas.profile import Profile

BAR_MIB = 100
_HAS_BATCH = text("select exists (select from batch)")
_AGENCY = "baz"
_SETTINGS = """
agency = "{agency}"
profile = "{profile}"
basis = "mou-bench"
batch_records = 5000

[source]
kind = "sql"
url = "sqlite:///{source}"

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
_FILL = """
create table orang (id integer primary key, nama text, nik text, tgl_lahir text, jk text,
  alamat text, no_hp text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows})
insert into orang select i, 'Orang ' || char(65 + i % 26) || char(65 + i / 26 % 26)
    || char(65 + i / 676 % 26) || char(65 + i / 17576 % 26) || ' Saputra',
  '137601' || printf('%02d', 10 + i % 19) || '0680' || printf('%04d', 1 + i % 9999),
  date('1950-01-01', '+' || (i % 20000) || ' days'), case i % 2 when 0 then 'L' else 'P' end,
  'JL SUDIRMAN ' || i % 400 || ' RT 3 RW 1', '08' || (1000000000 + i) from n;
"""


@dataclass(frozen=True, slots=True)
class Host:
    """One connector: its settings and its state."""

    config: Path
    state: Path

    def command(self, *arguments: str) -> list[str]:
        """`titian-connector` with this connector's options."""
        options = ["--config", str(self.config), "--state", str(self.state), "--lang", "en"]
        return [sys.executable, "-m", "connectors", *options, *arguments]

    def run(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> None:
        """Run a command to its end.

        Raises:
            BenchFailed: it failed.
        """
        done = subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            env=environment({}),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in codes:
            raise BenchFailed(f"titian-connector {arguments[0]}: {done.stderr.strip()[-500:]}")


@dataclass(frozen=True, slots=True)
class Seen:
    """Resident bytes of a connector, before and after its first batch, and how long it took."""

    starting: list[int]
    publishing: list[int]
    seconds: float


def run(lab: Lab) -> list[Figure]:
    """Most resident memory, and rows a second."""
    rows = lab.size(1_000_000, 2_000)
    with house(lab, "connector") as centre:
        host = _prepare(centre, rows)
        with serving(centre), process(centre, "relay", ["-m", "workers", "relay"]):
            _enrol(centre, host)
            seen = _publish(centre, host)
    publishing = round(max(seen.publishing, default=0) / 2**20, 1)
    starting = round(max(seen.starting, default=0) / 2**20, 1)
    return [
        Figure(
            name="connector",
            value=publishing,
            unit="MiB resident",
            peer="while it opens its key",
            peer_value=starting,
            bar=BAR_MIB,
            holds=publishing <= BAR_MIB,
        ),
        Figure("connector_rows", round(rows / seen.seconds), "rows/s"),
    ]


def _prepare(centre: House, rows: int) -> Host:
    source = centre.folder / "source.sqlite"
    with sqlite3.connect(source) as connection:
        connection.executescript(_FILL.format(rows=rows))
    connection.close()
    config = centre.folder / "titian.toml"
    given = {"agency": _AGENCY, "profile": centre.settings.profile, "source": source}
    config.write_text(_SETTINGS.format(**given), encoding="utf-8")
    return Host(config, centre.folder / "state")


def _enrol(centre: House, host: Host) -> None:
    trusted = anchors(centre.settings, centre.vault)
    profile = Profile.load(centre.settings.profile)
    ticket = invite(centre.sessions, profile, trusted, centre.folder)[_AGENCY]
    host.run("init", "--unattended")
    host.run("enrol", "--ticket", str(ticket), codes=tuple(range(256)))
    approve_all(centre.sessions)
    host.run("enrol", "--ticket", str(ticket), "--wait", "30")


def _publish(centre: House, host: Host) -> Seen:
    """One `publish`, watched from outside: it publishes once the gateway holds its first batch."""
    starting: list[int] = []
    publishing: list[int] = []
    log, began = centre.folder / "publish.log", time.monotonic()
    with log.open("wb") as out, centre.engine.connect() as gateway:
        looker = gateway.execution_options(isolation_level="AUTOCOMMIT")
        watched = psutil.Popen(
            host.command("publish", "--settle", "60"),
            cwd=ROOT,
            env=environment({}),
            stdout=out,
            stderr=out,
        )
        while watched.poll() is None:
            is_publishing = bool(publishing) or bool(looker.scalar(_HAS_BATCH))
            (publishing if is_publishing else starting).append(watched.memory_info().rss)
            time.sleep(0.02)
    if watched.wait():
        raise BenchFailed(f"titian-connector publish failed; its words are in {log}")
    return Seen(starting, publishing, time.monotonic() - began)
