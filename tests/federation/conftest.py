"""A city of six agencies, let in once; each test works on a copy of it."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from demo.servers import Servers
from tests.conftest import make_database
from tests.federation.federation import (
    AGENCIES,
    City,
    Clock,
    Gateway,
    Member,
    Switch,
    copied,
    found_city,
)


@pytest.fixture(scope="module")
def founded(
    servers: Servers, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Gateway, Path]]:
    folder, clock = tmp_path_factory.mktemp("city"), Clock()
    database = make_database(servers, template, tmp_path_factory.mktemp("vault"))
    gateway = Gateway.open(database.settings, database, clock)
    try:
        found_city(gateway, folder, clock)
        yield gateway, folder
    finally:
        gateway.close()


@pytest.fixture
def city(servers: Servers, founded: tuple[Gateway, Path], tmp_path: Path) -> Iterator[City]:
    old, source = founded
    clock, folder = Clock(), tmp_path / "members"
    shutil.copytree(source, folder)
    with ExitStack() as stack:
        gateway = stack.enter_context(
            copied(servers, old, tmp_path / "gateway", clock, remembers=True)
        )
        members = {}
        for code in AGENCIES:
            member = Member(code, folder / code, clock, Switch(gateway))
            stack.callback(member.stack.close)
            member.open()
            members[code] = member
        yield City(servers, tmp_path, clock, gateway, members, stack)
