"""The JSON API: OpenAPI 3.1, problem+json, and verification under the rules of the desk."""

import pytest
from openapi_spec_validator import validate
from sqlalchemy import text


def test_the_description_is_valid_openapi_3_1(browser):
    spec = browser.get("/v1/openapi.json").json
    assert spec["openapi"] == "3.1.0"
    validate(spec)
    assert "/v1/verifications" in spec["paths"]
    put = "/v1/agencies/{agency}/streams/{stream}/batches/{epoch}/{seq}"
    assert "put" in spec["paths"][put]


def test_every_error_is_a_problem(browser):
    for answer in (
        browser.get("/v1/nowhere"),
        browser.get("/v1/agencies/x/streams/target/head"),
        browser.client.post("/v1/verifications", json={"query": "Siti", "purpose": "x"}),
    ):
        assert answer.status_code >= 400
        assert answer.content_type == "application/problem+json"
        assert answer.json["status"] == answer.status_code
        assert answer.json["code"]


def test_an_officer_verifies_through_the_api_and_it_is_logged_twice(browser, database):
    browser.log_in()
    browser.get("/loket")
    answer = browser.client.post(
        "/v1/verifications",
        json={"query": "Siti Aminah", "purpose": "cek_mandiri"},
        headers={"X-Titian-Csrf": browser.csrf},
    )
    assert answer.status_code == 200
    assert answer.json["candidates"] == []
    with database.session() as session:
        leaves = session.execute(text("select leaf from result")).scalars().all()
    assert answer.json["leaf"] in [bytes(leaf).hex() for leaf in leaves]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"query": "Siti Aminah", "purpose": "iseng"}, 422),
        ({"query": "Siti Aminah"}, 422),
        ({"query": "Siti Aminah", "purpose": "cek_mandiri", "more": 1}, 422),
    ],
)
def test_a_question_of_another_shape_is_refused_without_repeating_it(browser, body, status):
    browser.log_in()
    browser.get("/loket")
    answer = browser.client.post(
        "/v1/verifications", json=body, headers={"X-Titian-Csrf": browser.csrf}
    )
    assert answer.status_code == status
    assert "Aminah" not in answer.get_data(as_text=True)


def test_nobody_verifies_without_a_session(browser):
    answer = browser.client.post(
        "/v1/verifications", json={"query": "Siti Aminah", "purpose": "cek_mandiri"}
    )
    assert answer.status_code == 401
