"""A real Chromium on a real gateway with a small town in its index."""

import shutil
import socket
import time
from dataclasses import replace

import pytest
from playwright.sync_api import sync_playwright

from demo.processes import Centre
from gateway.access import sessions
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer
from gateway.index import modelfile
from gateway.index.arrivals import IndexTools
from schemas.profile import Profile
from tests.index_db import people
from tests.index_db.conftest import load

PASSWORD = "jembatan-kecil-1"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def pytest_collection_modifyitems(items):
    for item in items:
        if "/tests/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium():
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def town():
    return people.town(60)


@pytest.fixture(scope="module")
def origin(database, town, tmp_path_factory):
    tools = IndexTools(database.vault, Profile.load("payakumbuh"), modelfile.load())
    load(database, tools, people.batches(town, 200))
    with database.session() as session:
        new = NewOfficer("rina", "Rina Petugas", "upt-kan", (Role.UPT_COORDINATOR,), PASSWORD)
        sessions.add_officer(session, new)
        session.commit()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = replace(database.settings, origin=f"http://127.0.0.1:{port}")
    centre = Centre(settings, tmp_path_factory.mktemp("logs"))
    centre.serve(port=port)
    yield settings.origin
    centre.stop()
    time.sleep(0)


@pytest.fixture(params=[(1366, 768), (390, 844)], ids=["desk", "phone"])
def page(request, chromium, origin):
    width, height = request.param
    context = chromium.new_context(
        viewport={"width": width, "height": height}, java_script_enabled=True
    )
    opened = context.new_page()
    opened.goto(origin + "/masuk")
    opened.fill("#username", "rina")
    opened.fill("#password", PASSWORD)
    opened.keyboard.press("Enter")
    opened.wait_for_url(origin + "/")
    yield opened
    context.close()
