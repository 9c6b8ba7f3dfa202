"""One centre and one agency, each test with its own, all as processes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from demo.processes import Centre
from demo.servers import Servers, _free_port
from tests.conftest import make_database
from tests.line.village import Village
from tests.stack.running import Publisher, Stack


@pytest.fixture
def stack(servers: Servers, template: str, tmp_path: Path) -> Iterator[Stack]:
    """Nothing runs yet, and the agency knows nobody yet."""
    port = _free_port()
    made = make_database(servers, template, tmp_path)
    settings = replace(made.settings, origin=f"http://127.0.0.1:{port}")
    database = replace(made, settings=settings)
    centre = Centre(settings, tmp_path / "logs")
    yield Stack(database, servers, centre, Publisher(Village(tmp_path / "baz")), port)
    centre.stop()
    if "valkey" not in servers.processes:
        servers.start_valkey()
    database.engine.dispose()
