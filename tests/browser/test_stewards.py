"""The data desk in a real browser: decided by keyboard alone, accessible, no overflow, CSP holds."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from gateway.index import modelfile
from gateway.index.arrivals import IndexTools
from gateway.stewards import examining
from schemas.profile import Profile
from tests.browser.test_desk import check
from tests.index_db import people
from tests.index_db.conftest import load


@pytest.fixture(scope="module")
def conflicts(database, origin, town):
    tools = IndexTools(database.vault, Profile.load("payakumbuh"), modelfile.load())
    said = [s for s in town if s.agency == "dukcapil"][:8]
    again = [
        replace(
            s,
            source_id=s.source_id + "-2",
            values={
                **s.values,
                "nik": s.values["nik"][:15] + str((int(s.values["nik"][15]) + 1) % 10),
            },
        )
        for s in said
    ]
    known = [s for s in town if s.agency == "dukcapil"][9]
    told = replace(
        known,
        agency="baz",
        source_id="BAZ-dead",
        values={**known.values, "birth_date": "1950-05-05"},
    )
    load(database, tools, [(replace(o, batch_id=people.batch_id(5_000_000 + i)), a)
                           for i, (o, a) in enumerate(people.batches([*again, told], 100))])  # fmt: skip
    with database.session() as session:
        while examining.examine(session, tools, datetime.now(UTC)):
            session.commit()
        session.commit()
    return said


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_page_of_the_data_desk_is_accessible_and_fits(page, origin, conflicts, language):
    page.context.add_cookies([{"name": "titian-bahasa", "value": language, "url": origin}])
    broken = []
    page.on("console", lambda m: broken.append(m.text) if m.type == "error" else None)
    for path in ("/meja-data", "/meja-data/sebab/K02", "/meja-data/sebab/K10"):
        page.goto(origin + path)
        check(page)
    page.goto(origin + "/meja-data/sebab/K02")
    page.locator("tbody button").first.click()
    page.wait_for_url("**/meja-data/tugas/*/*")
    assert page.locator("form.decide").count() == 1
    check(page)
    page.goto(f"{origin}/meja-data/sebab/K04")
    page.locator("tbody button").first.click()
    page.wait_for_url("**/meja-data/tugas/*/*")
    assert page.locator("form.decide").count() == 1
    check(page)
    assert broken == [], "the policy forbids nothing that the page wants"


def test_a_task_is_decided_by_keyboard_alone_and_the_next_is_one_key_away(page, origin, conflicts):
    page.goto(origin + "/meja-data/sebab/K02")
    expect(page.locator("tbody button").first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/meja-data/tugas/*/*")
    assert "NIK" in page.inner_text("table.beside")
    assert page.locator("svg.bits").count() >= 1
    page.keyboard.press("?")
    expect(page.locator("#tombol")).to_have_attribute("open", "")
    page.keyboard.press("2")
    expect(page.locator("input[value=different]")).to_be_checked()
    expect(page.locator("#reason")).to_be_focused()
    page.keyboard.type("dua orang yang berbeda")
    page.keyboard.press("Enter")
    page.wait_for_url("**/meja-data/sebab/K02*")
    expect(page.locator("[role=status]")).to_contain_text("Beda")
    page.keyboard.press("n")
    page.wait_for_url("**/meja-data/tugas/*/*")


def test_a_task_is_decided_without_any_script(chromium, page, origin, conflicts):
    cookies = page.context.cookies()
    context = chromium.new_context(java_script_enabled=False)
    context.add_cookies(cookies)
    plain = context.new_page()
    plain.goto(origin + "/meja-data/sebab/K02")
    plain.locator("tbody button").first.click()
    plain.wait_for_url("**/meja-data/tugas/*/*")
    plain.check("input[value=unsure]")
    plain.fill("#reason", "perlu melihat kartu keluarga")
    plain.locator("form.decide button").click()
    plain.wait_for_url("**/meja-data/sebab/K02*")
    assert "Belum tahu" in plain.inner_text("[role=status]")
    context.close()
