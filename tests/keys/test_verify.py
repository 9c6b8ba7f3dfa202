"""``titian-verify``: good and bad evidence of each kind, with the exit status each must give."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import bundle, verify
from keys.bundle import RecordEvidence
from keys.canonical import canonical
from keys.checkpoint import format_proof, witness_key
from keys.contents import contents
from keys.errors import BadStatement
from keys.findings import Verdict
from keys.policy import Policy
from keys.sentences import SENTENCES
from keys.verdict import judge
from tests.keys import city
from tests.keys.city import AGENCY, LINES
from tests.keys.evidence_cases import (
    CASES,
    NO_PINS,
    OTHER_LOG,
    WITNESSED,
    exchanged,
    frames,
    note,
    proof,
)
from tests.shared import ROOT


def run(tmp_path: Path, files: list[bytes], policy: bytes | None, *options: str) -> int:
    paths = []
    for number, data in enumerate(files):
        paths.append(tmp_path / f"file-{number}")
        paths[-1].write_bytes(data)
    arguments = [str(path) for path in paths]
    if policy is not None:
        (tmp_path / "policy.json").write_bytes(policy)
        arguments += ["--policy", str(tmp_path / "policy.json")]
    return verify.run([*arguments, *options])


@pytest.mark.parametrize("name", CASES)
def test_each_file_gives_its_exit_status(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, policy, status = CASES[name]
    assert run(tmp_path, [make()], policy) == status
    shown = capsys.readouterr().out
    result = {0: "= SAH", 1: "= TIDAK SAH", 2: "= BUKTI BELUM CUKUP"}[status]
    assert result in shown
    assert ("[x]" in shown) == (status == 1)
    assert run(tmp_path, [make()], policy, "--lang", "en") == status
    assert run(tmp_path, [make()], policy, "--json") == status


def test_every_step_says_a_sentence_in_both_languages() -> None:
    for step, languages in SENTENCES.items():
        assert languages.keys() == {"id", "en"}, step
        one, two = languages["id"], languages["en"]
        assert [bool(s) for s in one] == [bool(s) for s in two], step


def test_no_finding_lacks_its_sentence() -> None:
    for make, policy, _ in CASES.values():
        anchors = Policy() if policy is None else Policy.parse(policy)
        for finding in judge([make()], anchors)[0].findings:
            sentence = SENTENCES[finding.step]["id"][verify.EXIT[finding.verdict]]
            assert sentence, finding


def test_two_checkpoints_of_one_size_are_a_fork(tmp_path: Path) -> None:
    fork = note(root=bytes([1]) * 32)
    assert run(tmp_path, [note(), note()], city.policy()) == 0
    assert run(tmp_path, [note(), fork], city.policy()) == 1
    reports = judge([note(), fork, city.receipt()], Policy.parse(city.policy()))
    assert [each.verdict for each in reports] == [
        Verdict.INVALID,
        Verdict.INVALID,
        Verdict.VALID,
    ]


def test_a_record_whose_checkpoint_another_file_contradicts_is_a_fork(tmp_path: Path) -> None:
    head = bundle.parse(proof())
    assert isinstance(head, RecordEvidence)
    assert run(tmp_path, [proof(), note(size=4)], NO_PINS) == 1


def test_of_two_sizes_nothing_is_proved_and_so_it_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, [note(), note(size=6)], city.policy()) == 2
    assert capsys.readouterr().out.count("tak terbukti sambung") == 2
    anchors = Policy.parse(city.policy())
    reports = judge([note(), note(size=6), note(size=6, root=bytes([1]) * 32)], anchors)
    assert [each.verdict for each in reports] == ["not enough evidence", "invalid", "invalid"]
    beside = judge([proof(), note(size=9)], anchors)
    assert [each.verdict for each in beside] == ["valid", "not enough evidence"]
    assert judge([note(), note(OTHER_LOG, size=6)], anchors)[0].verdict == "valid"


def test_a_fork_is_not_cried_over_what_the_log_did_not_sign(tmp_path: Path) -> None:
    assert judge([note(), note(OTHER_LOG)], Policy.parse(city.policy()))[0].verdict == "valid"


def test_one_invalid_file_outweighs_one_lacking(tmp_path: Path) -> None:
    assert run(tmp_path, [frames(), note()], NO_PINS) == 2
    assert run(tmp_path, [frames(), note(OTHER_LOG)], NO_PINS) == 1


def test_the_json_names_file_check_step_and_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, [proof(line=LINES[1])], NO_PINS, "--json")
    shown = json.loads(capsys.readouterr().out)
    assert shown["exit"] == 1
    assert shown["files"][0]["check"] == "record"
    assert {
        "check": "record",
        "step": "line",
        "verdict": "invalid",
        "detail": "proof.root",
    } in shown["files"][0]["findings"]


WITNESS = city.vkey_of(city.WITNESSES[0]).vkey()
OTHER_NAME = witness_key("other", city.WITNESSES[0].public).vkey()
POLICIES = {
    "not json": b"{",
    "no object": b"[]",
    "version": city.policy(titian_policy=2),
    "an earlier version": city.policy(titian_policy=0),
    "no version": city.policy(titian_policy=None),
    "unknown field": city.policy(extra=1),
    "log key": city.policy(log_vkey="x"),
    "receipt key": city.policy(receipt={"gateway:x": {}}),
    "foreign kid": city.policy(receipt={AGENCY.kid: city.key_json(city.RECEIPT)[city.RECEIPT.kid]}),
    "agencies": city.policy(agencies={"dinsos": 1}),
    "quorum beyond the witnesses": city.policy(witnesses=[WITNESS], quorum=2),
    "quorum without witnesses": city.policy(quorum=1),
    "quorum below nothing": city.policy(witnesses=[WITNESS], quorum=-1),
    "a witness twice": city.policy(witnesses=[WITNESS, WITNESS], quorum=2),
    "a witness under two names": city.policy(witnesses=[WITNESS, OTHER_NAME], quorum=2),
    "a witness of the log's kind": city.policy(witnesses=[city.LOG.vkey], quorum=1),
    "a witness without a name": city.policy(witnesses=[7], quorum=1),
}


@pytest.mark.parametrize("name", POLICIES)
def test_a_bad_policy_is_a_matter_of_usage(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, [note()], POLICIES[name]) == 3
    assert capsys.readouterr().err.startswith("titian-verify: ")


def test_a_policy_that_asks_for_no_witness_counts_none() -> None:
    parsed = Policy.parse(city.policy(witnesses=[WITNESS]))
    assert (parsed.quorum, len(parsed.witnesses), Policy().quorum) == (0, 1, 0)


def test_the_text_names_the_code_of_a_refusal_and_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, [proof(line=LINES[1])], NO_PINS)
    lines = capsys.readouterr().out.splitlines()
    bad = [line for line in lines if "[x]" in line]
    assert bad
    assert all(line.endswith(")") for line in bad)
    assert not any(line.endswith("()") or ("[v]" in line and "(" in line) for line in lines[1:])
    run(tmp_path, [note()], NO_PINS, "--json")
    assert capsys.readouterr().out.startswith('{\n "files": [\n  {')


@pytest.mark.parametrize("name", ["valid-record", "valid-query", "valid-decision", "valid-batch"])
def test_what_a_file_says_is_shown_if_asked_for(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, policy, _ = CASES[name]
    run(tmp_path, [make()], policy)
    quiet = capsys.readouterr().out
    run(tmp_path, [make()], policy, "--show")
    said = capsys.readouterr().out.removeprefix(quiet.rstrip("\n"))
    wanted = {
        "valid-record": ['record: {"_id":"2","_op":"put"}'],
        "valid-query": ["query: {", 'query detail: {"terms":{"typed":"Siti 1990"}}', "result: {"],
        "valid-decision": ["decision detail: {", "statement: {"],
        "valid-batch": [],
    }[name]
    assert all(f"  {each}" in said for each in wanted)
    assert bool(said.strip()) == bool(wanted)


def test_nothing_shown_moves_the_cursor() -> None:
    hostile = proof(line=b'{"a":"\x1b[2J\xe2\x80\xae\xff"}')
    (shown,) = contents(hostile)
    assert shown == ("record", '{"a":"\ufffd[2J\ufffd\ufffd"}')


def test_a_look_that_was_erased_shows_what_is_left() -> None:
    made, _, _ = CASES["query-question-erased"]
    assert [what for what, _ in contents(made())] == ["query", "result", "result detail"]
    made, _, _ = CASES["decision-without-statement"]
    assert [what for what, _ in contents(made())] == ["decision", "decision detail"]
    assert contents(bundle.build(city.whole())) == []


def test_a_missing_file_is_a_matter_of_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify.run([str(tmp_path / "none")]) == 3
    assert "berkas tidak ada" in capsys.readouterr().err
    assert verify.run([str(tmp_path)]) == 3
    assert "ini folder" in capsys.readouterr().err
    assert verify.run([str(tmp_path), "--lang", "en"]) == 3
    assert "directory" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--lang", "fr", "x"], ["--root", "x", "y"]])
def test_wrong_arguments_are_a_matter_of_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        verify.run(arguments)
    assert left.value.code == 3


def test_the_command_leaves_with_its_status(tmp_path: Path) -> None:
    (tmp_path / "note").write_bytes(note())
    with pytest.raises(SystemExit) as left:
        verify.main([str(tmp_path / "note")])
    assert left.value.code == 2


def test_evidence_reads_back_as_it_was_built() -> None:
    evidence = city.record()
    again = bundle.parse(bundle.build(evidence))
    assert isinstance(again, RecordEvidence)
    assert bundle.build(again) == bundle.build(evidence)
    assert again.line == evidence.line


@pytest.mark.parametrize(
    "change",
    [
        {"line": 7},
        {"keysets": [{"entry": "e30=", "proof": 7}]},
        {"line": "!"},
        {"path": {}},
        {"kind": "batch"},
        {"kind": ["record"]},
    ],
)
def test_evidence_of_wrong_types_is_refused(change: dict[str, Any]) -> None:
    value = json.loads(proof()) | change
    with pytest.raises(BadStatement):
        bundle.parse(canonical(value))
    with pytest.raises(BadStatement):
        bundle.parse(b"[]")


@pytest.mark.parametrize("change", [{"leaves": "AA=="}, {"leaves": None}])
def test_leaf_hashes_of_another_length_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadStatement):
        bundle.parse(canonical(json.loads(bundle.build(city.whole())) | change))


@pytest.mark.parametrize("change", [{"salt": None}, {"detail": None}, {"salt": "AA=="}])
def test_a_detail_without_its_whole_salt_is_refused(change: dict[str, Any]) -> None:
    value = json.loads(bundle.build(city.decision()))
    with pytest.raises(BadStatement):
        bundle.parse(canonical(value | {"decision": value["decision"] | change}))


def test_a_broken_keyset_is_invalid_also_where_the_centre_is_not_known() -> None:
    anchors = Policy.parse(city.policy(agencies=None, receipt=None))
    for name in ("keyset-entry-of-another-kind", "keyset-entry-without-envelope"):
        make, _, _ = CASES[name]
        assert judge([make()], anchors)[0].verdict is Verdict.INVALID


def test_the_log_entry_of_a_silenced_key_holds_the_whole_envelope() -> None:
    envelope = city.receipt()
    entry = bundle.suspension_entry("dinsos", envelope)
    assert entry == {"t": "suspension", "agency": "dinsos", "envelope": json.loads(envelope)}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_flipped_byte_makes_other_evidence_valid(data: st.DataObject) -> None:
    whole = RECORD
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[at] ^= data.draw(st.integers(1, 255))
    report = judge([bytes(flipped)], ANCHORS)[0]
    if report.verdict == Verdict.VALID:  # only the spelling around the evidence may differ
        assert bundle.parse(bytes(flipped)) == bundle.parse(whole)


RECORD = proof()
ANCHORS = Policy.parse(WITNESSED)

HOOK = """
import sys
FORBIDDEN = {"gateway", "schemas", "connectors", "workers", "flask", "sqlalchemy", "marshmallow",
             "requests", "http_message_signatures", "http_sf", "celery", "redis", "socket", "ssl"}

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in FORBIDDEN or name == "keys.httpsig":
            raise AssertionError("loaded " + name)

sys.meta_path.insert(0, Refuse())
from keys.verify import main
main(sys.argv[1:])
"""


def _files(tmp_path: Path) -> list[str]:
    (tmp_path / "record.titianproof").write_bytes(RECORD)
    (tmp_path / "batch").write_bytes(frames())
    (tmp_path / "policy.json").write_bytes(city.policy())
    names = ["record.titianproof", "batch", "--policy", "policy.json"]
    return [name if name.startswith("-") else str(tmp_path / name) for name in names]


def test_the_verifier_loads_nothing_of_the_centre(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOOK, *_files(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "SAH" in done.stdout


def test_a_log_proof_of_another_size_does_not_fit() -> None:
    evidence = city.record()
    assert evidence.origin.accept
    text = evidence.origin.accept.proof
    smaller = format_proof(2, [], note(size=3))
    assert text != smaller
    bad = exchanged(evidence, accept=replace(evidence.origin.accept, proof=smaller))
    report = judge([bundle.build(bad)], ANCHORS)[0]
    assert report.verdict == Verdict.INVALID
