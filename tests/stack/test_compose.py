"""`docker-compose.yml` is what it says: valid, and its services run as they stand in the file.

There is no Docker here. Each of our services is started as a process with the command and the
environment of the file, and asked by its own health check; the servers it names are the embedded
ones. What differs is written down in `Translation`: names of hosts, folders, the port, programs.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import compose_spec
import psycopg
import pytest
import yaml

from demo.processes import ROOT, environment
from demo.servers import Servers, _free_port
from gateway.settings import Settings
from gateway.storage.deks import open_vault
from gateway.storage.engine import connect
from tests.conftest import Database
from tests.line.village import Village, villager
from tests.stack.running import Publisher, persons, queue, until

SERVERS = {"postgres", "redis"}
GIVEN = {"TITIAN_AUD": "titian.example.go.id", "TITIAN_LOG_ORIGIN": "titian.example.go.id/log/2025"}
_VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::([?-])([^}]*))?\}")


def read(given: Mapping[str, str]) -> dict[str, Any]:
    """The compose file with its variables filled in, as Compose does it."""

    def fill(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if name not in given and kind != "-":
            raise KeyError(name)
        return given.get(name, rest)

    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(_VARIABLE.sub(fill, text))
    return loaded


def plain(given: Mapping[str, str] | None = None) -> dict[str, Any]:
    return read({"TITIAN_ORIGIN": "https://titian.example.go.id", **GIVEN, **(given or {})})


@dataclass(frozen=True)
class Translation:
    """From containers to this machine: word by word, nothing else is changed."""

    words: Mapping[str, str]

    def __call__(self, text: str) -> str:
        for inside, here in self.words.items():
            text = text.replace(inside, here)
        return text

    def command(self, words: list[str]) -> list[str]:
        programs = {
            "titian": [str(Path(sys.executable).with_name("titian"))],
            "python": [sys.executable],
        }
        return programs[words[0]] + [self(word) for word in words[1:]]


@dataclass
class Machine:
    """The services of the file as processes."""

    file: dict[str, Any]
    here: Translation
    folder: Path

    def __post_init__(self) -> None:
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def environment(self, service: str) -> dict[str, str]:
        given = self.file["services"][service]["environment"]
        translated = {name: self.here(value) for name, value in given.items()}
        return environment(translated) | {"NO_COLOR": "1"}

    def call(self, service: str, words: list[str]) -> int:
        with (self.folder / f"{service}.log").open("ab") as log:
            return subprocess.run(
                self.here.command(words),
                env=self.environment(service),
                cwd=self.folder,
                stdout=log,
                stderr=log,
                check=False,
                timeout=60,
            ).returncode

    def start(self, service: str) -> None:
        with (self.folder / f"{service}.log").open("ab") as log:
            self.running[service] = subprocess.Popen(
                self.here.command(self.file["services"][service]["command"]),
                env=self.environment(service),
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def is_healthy(self, service: str) -> bool:
        """Whether the service's own health check says so; its process must be alive as well."""
        assert self.running[service].poll() is None, self.log(service)
        kind, *words = self.file["services"][service]["healthcheck"]["test"]
        assert kind == "CMD"
        return self.call(service, words) == 0

    def stop(self, service: str, signal_: signal.Signals) -> int:
        """As `docker compose stop` does it: the signal, and the grace period of the file."""
        process = self.running.pop(service)
        process.send_signal(signal_)
        grace = self.file["services"][service].get("stop_grace_period", "10s")
        return process.wait(int(grace.removesuffix("s")))

    def log(self, service: str) -> str:
        return (self.folder / f"{service}.log").read_text(encoding="utf-8")[-2000:]


@contextmanager
def empty_database(servers: Servers) -> Iterator[str]:
    """A database without any table, by its URL."""
    name = f"compose{os.getpid()}"
    with psycopg.connect(servers.database_url(), autocommit=True) as admin:
        admin.execute(f"create database {name}")
        yield servers.database_url(name)
        admin.execute(f"drop database {name} with (force)")


@pytest.fixture
def machine(servers: Servers, tmp_path: Path) -> Iterator[Machine]:
    port = str(_free_port())
    secrets, vault = tmp_path / "secrets", tmp_path / "vault"
    secrets.mkdir()
    vault.mkdir()
    with empty_database(servers) as url:
        (secrets / "database_url").write_text(url + "\n", encoding="utf-8")
        words = {
            "/run/secrets": str(secrets),
            "/var/lib/titian": str(vault),
            "redis://redis:6379/0": f"redis://127.0.0.1:{servers.valkey_port}/14",
            "127.0.0.1:8000": f"127.0.0.1:{port}",
            "8000": port,
            "0.0.0.0": "127.0.0.1",
        }
        file = plain({"TITIAN_ORIGIN": f"http://127.0.0.1:{port}"})
        made = Machine(file, Translation(words), vault)
        yield made
        for process in made.running.values():
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def test_the_file_is_valid_by_the_compose_specification():
    spec = compose_spec.PyCompose.from_json(json.dumps(plain()))
    spec.validate()
    assert set(spec.to_spec().services) == {
        *("postgres", "redis", "migrate", "gateway", "worker", "relay", "beat")
    }


def test_a_misspelt_key_would_be_found():
    file = plain()
    file["services"]["worker"]["healtcheck"] = file["services"]["worker"].pop("healthcheck")
    with pytest.raises(ValueError, match="healtcheck"):
        compose_spec.PyCompose.from_json(json.dumps(file))


def test_what_a_city_must_say_itself_is_asked_for():
    for name in ("TITIAN_ORIGIN", "TITIAN_AUD", "TITIAN_LOG_ORIGIN"):
        given = {"TITIAN_ORIGIN": "https://x", **GIVEN}
        del given[name]
        with pytest.raises(KeyError, match=name):
            read(given)


def test_every_volume_secret_and_dependency_is_declared():
    file = plain()
    for name, service in file["services"].items():
        volumes = {volume.split(":")[0] for volume in service.get("volumes", ())}
        assert volumes <= set(file["volumes"]), name
        assert set(service.get("secrets", ())) <= set(file["secrets"]), name
        for needed, how in service.get("depends_on", {}).items():
            checked = how["condition"] == "service_healthy"
            assert ("healthcheck" in file["services"][needed]) == checked, name


def test_services_run_unprivileged_and_no_secret_stands_in_the_file():
    file = plain()
    for name in set(file["services"]) - SERVERS:
        service = file["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert set(service["environment"]) <= {
            *(name + suffix for name in Settings().environ() for suffix in ("", "_FILE")),
            "REMAP_SIGTERM",
        }
        assert "TITIAN_DATABASE_URL" not in service["environment"]
    assert "USER titian" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert all(port.startswith("127.0.0.1:") for port in file["services"]["gateway"]["ports"])


def test_the_servers_are_as_durable_as_the_embedded_ones():
    services = plain()["services"]
    assert services["postgres"]["image"] == "postgres:18"
    redis = " ".join(services["redis"]["command"])
    for option in ("--appendonly yes", "--appendfsync everysec", "--maxmemory-policy noeviction"):
        assert option in redis


@pytest.mark.timeout(600)
@pytest.mark.slow
def test_every_service_becomes_healthy_and_a_batch_goes_through(
    machine: Machine, servers: Servers, tmp_path: Path
):
    assert machine.call("migrate", ["titian", "vault", "init"]) == 0, machine.log("migrate")
    command = machine.file["services"]["migrate"]["command"]
    assert machine.call("migrate", command) == 0, machine.log("migrate")
    ours = [n for n in machine.file["services"] if n not in SERVERS | {"migrate"}]
    for name in ours:
        machine.start(name)
    for name in ours:
        until(lambda n=name: machine.is_healthy(n), f"{name} is healthy")
    settings = Settings.from_env(machine.environment("gateway"))
    database = Database(settings, connect(settings, pool_size=2), open_vault(settings))
    village = Village(tmp_path / "baz")
    village.settle(villager(n) for n in range(20))
    publisher = Publisher(village)
    publisher.enrol(database, tmp_path)
    publisher.run("publish")
    until(lambda: persons(database) == 20 and queue(database)["open"] == 0, "it is applied")
    database.engine.dispose()
    began = time.monotonic()
    for name in ours:
        code = machine.stop(name, signal.SIGTERM)
        assert code == 0, f"{name}: {code}, {machine.log(name)}"
    assert time.monotonic() - began < 20
