"""The log over HTTP: open where a leaf's holder checks it, signed where its entries are read."""

import pytest

from connectors.client import Problem
from connectors.enrolment import anchors_of
from connectors.evidence import check_checkpoint, check_proof
from connectors.speaker import witness_kids
from keys import checkpoint, merkle
from keys.canonical import from_base64
from keys.checkpoint import parse_checkpoint, parse_note, witness_key
from keys.cosignature import cosign
from keys.httpsig import LogSeen
from tests.web_api.conftest import make_app, now


@pytest.fixture
def log_size(centre, enrolled) -> int:
    return verified(centre).size


def verified(centre) -> checkpoint.Checkpoint:
    answer = centre.app.test_client().get("/v1/log/checkpoint")
    assert answer.content_type == "text/plain; charset=utf-8"
    signer = centre.database.vault.log_signer(centre.database.settings.log_origin)
    return checkpoint.verify(answer.data, signer.vkey)


def tile(connector, path: str) -> bytes:
    return connector.client._call("GET", f"/v1/log/tile/{path}", signed=True).body


def test_before_the_first_checkpoint(fresh_database):
    client = make_app(fresh_database, fresh_database.settings).test_client()
    answer = client.get("/v1/log/checkpoint")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert answer.json["code"] == "log.empty"
    assert client.get("/v1/log/checkpoint/common").status_code == 404
    assert client.get(f"/v1/log/proof?leaf={'00' * 32}").status_code == 404


def test_the_connector_believes_checkpoint_and_proof(centre, enrolled):
    anchors = anchors_of(centre.invite("any"))
    (leaf,) = centre.append(1)
    assert enrolled.client.proof(leaf) is None
    centre.integrate()
    text = enrolled.client.proof(leaf)
    assert check_proof(text, leaf, anchors).size == verified(centre).size
    check_checkpoint(enrolled.client.checkpoint().note, LogSeen(), anchors)


def test_two_checkpoints_are_consistent(centre, log_size):
    old = verified(centre)
    centre.append(5)
    centre.integrate()
    new = verified(centre)
    answer = centre.app.test_client().get(f"/v1/log/consistency?from={old.size}&to={new.size}")
    path = [from_base64(line) for line in answer.text.splitlines()]
    merkle.verify_consistency(old.size, new.size, old.root, new.root, path)
    same = centre.app.test_client().get(f"/v1/log/consistency?from={new.size}&to={new.size}")
    assert (same.status_code, same.data) == (200, b"")


def test_an_agency_recomputes_the_log_from_its_tiles(centre, enrolled, log_size):
    head = verified(centre)
    full, rest = divmod(head.size, 256)
    paths = [f"{n:03}" for n in range(full)] + ([f"{full:03}.p/{rest}"] if rest else [])
    data = b"".join(tile(enrolled, f"entries/{path}") for path in paths)
    leaves = []
    while data:
        length = int.from_bytes(data[:2], "big")
        leaves.append(merkle.leaf_hash(data[2 : 2 + length]))
        data = data[2 + length :]
    assert merkle.root(leaves) == head.root
    assert b"".join(tile(enrolled, f"0/{path}") for path in paths) == b"".join(leaves)
    assert tile(enrolled, "1/000.p/1") == merkle.root(leaves[:256])


def test_a_tile_may_be_kept(enrolled, log_size):
    answer = enrolled.client._call("GET", "/v1/log/tile/0/000", signed=True)
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"] == "application/octet-stream"
    assert len(answer.body) == 256 * 32


@pytest.mark.parametrize("path", ["0/000", "1/000.p/1", "entries/000", "entries/000.p/7", "x/y"])
def test_tiles_are_for_agencies(centre, log_size, path: str):
    answer = centre.app.test_client().get(f"/v1/log/tile/{path}")
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")


@pytest.mark.parametrize(
    "path",
    [
        "0/0", "0/00", "0/1234", "0/x000/000", "0/x001", "0/001/234", "0/x1/000", "0/000.p/0",
        "0/000.p/256", "0/000.p/01", "0/000.p/", "0/000.p/1/2", "0/٠٠٠", "64/000", "00/000", "-1/000",
        "entries/0", "entries/000.p/256", "entries/x000/000", "a/000",
        "0/" + "x001/" * 6 + "000",
    ],
)  # fmt: skip
def test_a_path_that_is_none_is_refused(enrolled, log_size, path: str):
    with pytest.raises(Problem) as refused:
        tile(enrolled, path.replace("٠", "%D9%A0"))
    assert (refused.value.status, refused.value.code) == (422, "log.path")


@pytest.mark.parametrize(
    "path",
    ["0/001", "0/x001/234", "0/002.p/1", "1/000", "1/000.p/2", "63/000.p/1", "entries/001",
     "entries/x999/x999/x999/x999/x999/999", "0/x999/x999/x999/x999/x999/999.p/255"],
)  # fmt: skip
def test_a_tile_that_is_not_there_yet(enrolled, log_size, path: str):
    assert log_size < 512
    with pytest.raises(Problem) as refused:
        tile(enrolled, path)
    assert (refused.value.status, refused.value.code) == (404, "log.tile")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("proof", 422), ("proof?leaf=00", 422), (f"proof?leaf={'AB' * 32}", 422),
        (f"proof?leaf={'00' * 32}%0A", 422), (f"proof?leaf={'00' * 32}", 404),
        ("consistency", 422), ("consistency?from=0&to=1", 422), ("consistency?from=2&to=1", 422),
        ("consistency?from=1&to=x", 422), (f"consistency?from=1&to={10**30}", 422),
        ("consistency?from=1&to=99999", 404),
    ],
)  # fmt: skip
def test_a_question_that_is_none(centre, log_size, query: str, status: int):
    answer = centre.app.test_client().get(f"/v1/log/{query}")
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


def test_a_request_counts_once(centre, enrolled, log_size):
    url = f"{centre.url}/v1/log/tile/0/000"
    headers = enrolled.client._signature("GET", url, {}, None)
    assert enrolled.transport.send("GET", url, headers, None).status == 200
    assert enrolled.transport.send("GET", url, headers, None).status == 401


def test_openapi_describes_it(centre):
    paths = centre.app.extensions["flask-smorest"]["apis"][""]["ext_obj"].spec.to_dict()["paths"]
    assert {"/v1/log/checkpoint", "/v1/log/proof", "/v1/log/consistency"} <= paths.keys()
    assert "/v1/enrolments/{agency}/challenge" in paths


def test_witnesses_are_heard_by_anybody(centre, enrolled, log_size):
    answer = centre.app.test_client().get("/v1/log/cosignatures")
    assert answer.status_code == 200
    assert answer.json == {"cosignatures": []}
    signer = enrolled.store.signer(witness_kids(enrolled.store)[0])
    line = cosign(verified(centre), witness_key("dinkes", signer.public), signer, now())
    enrolled.client.put_cosignature(log_size, line)
    ((note, heard),) = enrolled.client.cosignatures()
    assert heard == line
    assert parse_checkpoint(parse_note(note).text).size == log_size


@pytest.mark.parametrize(("start", "stop"), [(0, 3), (250, 258), (256, 300), (299, 300)])
def test_entries_are_read_from_where_the_reader_is(centre, enrolled, log_size, start, stop):
    whole = enrolled.client.entries(0, log_size)
    assert enrolled.client.entries(start, stop) == whole[start:stop]
    assert merkle.EMPTY.grown(map(merkle.leaf_hash, whole)).root() == verified(centre).root
