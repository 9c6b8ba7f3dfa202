"""What `doctor` looks at, one small check each; it changes nothing and reads no row.

A check says how it stands and, where it does not stand well, which sentence of `texts.json` tells
the next step. The order is that in which an officer would mend things.
"""

import os
import platform
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import metadata

from connectors import clocks, enrolment
from connectors.assembly import Outside, load_profile, today_of
from connectors.client import Client, Problem, RequestsTransport
from connectors.config import Config
from connectors.errors import ConnectorError, FixSettings, Wait
from connectors.mapping import Mapper
from connectors.sources.base import query_of
from connectors.sources.registry import open_source
from connectors.transforms import Context
from connectors.withheld import fenced
from keys.httpsig import LogSeen

OLDEST_PYTHON = (3, 11)
LEAST_FREE_MIB = 256
_NOTHING_SEEN = LogSeen(0, b"")
_EXIT: Mapping[str, int] = {"good": 0, "warn": 0, "bad": FixSettings.exit_code}


class Standing(StrEnum):
    """How one thing stands."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: what was looked at, how it stands, and the text that says so."""

    what: str
    standing: Standing
    text: str
    facts: Mapping[str, object] = field(default_factory=dict)
    error: ConnectorError | None = None

    @property
    def exit_code(self) -> int:
        return self.error.exit_code if self.error is not None else _EXIT[self.standing]


def examine(config: Config, outside: Outside) -> Iterator[Finding]:
    """All findings, as each is known."""
    yield _version()
    yield _disk(config)
    yield from _files(config)
    yield from _gateway(config, outside)
    yield from _guarded("source", lambda: _source(config, outside))


def _version() -> Finding:
    facts = {
        "titian": metadata.version("titian"),
        "python": platform.python_version(),
        "system": platform.system(),
    }
    fits = sys.version_info >= OLDEST_PYTHON and sys.maxsize > 2**32
    return Finding("version", Standing.GOOD if fits else Standing.BAD, "doctor.version", facts)


def _disk(config: Config) -> Finding:
    place = config.places.state
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free >> 20
    standing = Standing.GOOD if free >= LEAST_FREE_MIB else Standing.BAD
    text = "doctor.disk" if free >= LEAST_FREE_MIB else "doctor.disk_full"
    return Finding("disk", standing, text, {"free": free, "least": LEAST_FREE_MIB})


def _files(config: Config) -> Iterator[Finding]:
    """Owner and mode of the folder of keys and of what lies in it."""
    keys = config.places.keys
    if not keys.exists():
        yield Finding("keys", Standing.WARN, "doctor.no_keys")
        return
    if not os.access(keys, os.W_OK):
        yield Finding("keys", Standing.BAD, "doctor.keys_unwritable", {"path": keys})
        return
    open_ones = [p for p in (keys, *keys.iterdir()) if os.name == "posix" and _is_open(p.stat())]
    if open_ones:
        facts = {"paths": ", ".join(map(str, open_ones))}
        yield Finding("keys", Standing.BAD, "doctor.keys_open", facts)
        return
    yield Finding("keys", Standing.GOOD, "doctor.keys", {"path": keys})


def _is_open(status: os.stat_result) -> bool:
    return bool(stat.S_IMODE(status.st_mode) & 0o077)


def _gateway(config: Config, outside: Outside) -> Iterator[Finding]:
    """Whether the gateway answers, and whether its clock and ours agree."""
    try:
        url = enrolment.load_anchors(config)[0]
    except ConnectorError:
        url = config.gateway_url or ""
    if not url:
        yield Finding("gateway", Standing.WARN, "doctor.no_gateway")
        return
    yield from _guarded("gateway", lambda: _answers(config, outside, url))


def _answers(config: Config, outside: Outside, url: str) -> Iterator[Finding]:
    transport = outside.transport or RequestsTransport(config.ca_file)
    client = Client(url, config.agency, transport, None, outside.clock, lambda: _NOTHING_SEEN)
    try:
        told = client.checkpoint().at
    except Problem as problem:
        raise problem.error() from problem
    yield Finding("gateway", Standing.GOOD, "doctor.gateway", {"url": url})
    own = outside.clock()
    away = clocks.apart(own, [told])
    if away is not None:
        raise FixSettings("gateway.clock")
    gap = 0 if told is None else abs(int((own - told).total_seconds()))
    yield Finding("clock", Standing.GOOD, "doctor.clock", {"seconds": gap})


def _source(config: Config, outside: Outside) -> Iterator[Finding]:
    """Every block's tables and columns are there; the account can do no more than read."""
    profile = load_profile(config)
    context = Context(today_of(profile, outside.clock()), profile.wilayah)
    opened = open_source(fenced(config.source, profile))
    try:
        for block in config.publish:
            used = Mapper(block, config, context, b"").used
            opened.check(query_of(block, used, config.source, None))
        facts: dict[str, object] = {"blocks": len(config.publish)}
        yield Finding("source", Standing.GOOD, "doctor.source", facts)
        rights = opened.rights()
    finally:
        opened.close()
    if rights.withheld:
        facts = {"names": ", ".join(rights.withheld)}
        yield Finding("withheld", Standing.BAD, "doctor.withheld", facts)
    if rights.changes:
        facts = {"names": ", ".join(rights.changes[:5]), "count": len(rights.changes)}
        yield Finding("rights", Standing.WARN, "doctor.rights", facts)
    else:
        yield Finding("rights", Standing.GOOD, "doctor.read_only")


def _guarded(what: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """The findings of a look; what stops it is the last of them, with its own sentence."""
    try:
        yield from look()
    except Wait as err:
        yield Finding(what, Standing.BAD, "", error=err)
    except ConnectorError as err:
        yield Finding(err.code.partition(".")[0], Standing.BAD, "", error=err)
