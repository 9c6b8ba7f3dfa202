"""``titian-verify``: good and bad evidence of each kind, with the exit status each must give."""

import json
import subprocess
import sys
import zipapp
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import bundle, dsse, verify
from keys.bundle import KeysetEvidence, LoggedEntry, RecordEvidence
from keys.canonical import canonical
from keys.checkpoint import Checkpoint, NoteSigner, format_proof
from keys.errors import BadStatement
from keys.verdict import Policy, Verdict, judge
from tests.keys import city
from tests.keys.city import AGENCY, LINES, LOG, NEXT, ORIGIN, STRANGER, Log
from tests.shared import ROOT

NO_PINS = city.policy(agencies=None)
OTHER_LOG = NoteSigner(ORIGIN, bytes([8]) * 32)


def proof(**change: Any) -> bytes:
    """The evidence file of a good record, with parts exchanged."""
    return bundle.build_record(replace(city.record(), **change))


def other_entry(**change: Any) -> LoggedEntry:
    """An accept entry with other words, logged as it should be."""
    sealed = city.batch()
    entry = bundle.accept_entry(json.loads(sealed.payload), sealed.payload_sha256, AGENCY.kid)
    log = Log()
    log.add({"t": "heartbeat"})
    log.add({"t": "heartbeat"})
    return log.proved(log.add(entry | change))


def misplaced(logged: LoggedEntry) -> LoggedEntry:
    """The entry's bytes with the proof of another place."""
    return replace(logged, proof=logged.proof.replace("index 1\n", "index 0\n"))


def two_keys(**options: Any) -> bytes:
    """A record signed by the second key of its agency."""
    keysets = [city.first_keyset(), city.next_keyset(**options)]
    sealed = city.batch(NEXT)
    return bundle.build_record(city.record(sealed, keysets=keysets, kid=NEXT.kid))


def accepted_before_its_keys() -> bytes:
    """The keyset came into the log only after the batch was accepted."""
    sealed, log = city.batch(), Log()
    entry = bundle.accept_entry(json.loads(sealed.payload), sealed.payload_sha256, AGENCY.kid)
    accepted = log.add(entry)
    known = log.add(bundle.keyset_entry("dinsos", 1, city.first_keyset()))
    evidence = city.record(sealed)
    return bundle.build_record(
        replace(evidence, keysets=[log.proved(known)], accept=log.proved(accepted))
    )


def lost(size_at_since: int) -> dict[str, Any]:
    revocation = {
        "kid": NEXT.kid,
        "since": "2026-11-24T02:00:00Z",
        "reason": "key_compromise",
        "size_at_since": size_at_since,
    }
    return {"revoked": [revocation]}


def frames(**change: Any) -> bytes:
    return city.batch(**change).body


def altered_body() -> bytes:
    """A batch whose envelope is that of other lines of the same length."""
    others = [line.replace(b"put", b"del") for line in LINES]
    good, bad = city.batch(), city.batch(lines=others)
    return good.body[: 8 + len(city.envelope_of(good))] + bad.body[8 + len(city.envelope_of(bad)) :]


def keyset_proof(*statements: bytes) -> bytes:
    evidence = city.record(keysets=statements)
    return bundle.build_keyset(KeysetEvidence(evidence.keysets))


def note(signer: NoteSigner = LOG, size: int = 5, root: bytes = bytes(32)) -> bytes:
    return signer.sign(Checkpoint(signer.key.name, size, root))


Case = tuple[Callable[[], bytes], bytes | None, int]
CASES: dict[str, Case] = {
    # records
    "valid-record": (proof, NO_PINS, 0),
    "valid-record-second-key": (two_keys, NO_PINS, 0),
    "valid-record-key-lost-later": (lambda: two_keys(**lost(4)), NO_PINS, 0),
    "valid-record-pinned-key": (lambda: proof(keysets=()), city.policy(), 2),
    "record-without-policy": (proof, None, 2),
    "record-without-log-key": (proof, city.policy(log_vkey=None), 2),
    "record-without-keyset": (lambda: proof(keysets=()), NO_PINS, 2),
    "record-without-acceptance": (lambda: proof(accept=None), NO_PINS, 2),
    "record-accepted-before-its-keys": (accepted_before_its_keys, NO_PINS, 2),
    "altered-line": (lambda: proof(line=LINES[1]), NO_PINS, 1),
    "altered-line-without-policy": (lambda: proof(line=LINES[1]), None, 1),
    "altered-path": (lambda: proof(path=[bytes(32)] * 3), NO_PINS, 1),
    "short-path": (lambda: proof(path=[]), NO_PINS, 1),
    "wrong-index": (lambda: proof(index=1), NO_PINS, 1),
    "wrong-key": (
        lambda: bundle.build_record(city.record(city.batch(STRANGER), kid=STRANGER.kid)),
        NO_PINS,
        1,
    ),
    "other-gateway": (proof, city.policy(aud="other.example"), 1),
    "other-log-key": (proof, city.policy(log_vkey=OTHER_LOG.vkey), 1),
    "key-lost-before": (lambda: two_keys(**lost(3)), NO_PINS, 1),
    "keyset-not-signed-by-itself": (
        lambda: bundle.build_record(city.record(keysets=[city.first_keyset(signers=[STRANGER])])),
        NO_PINS,
        1,
    ),
    "keyset-of-the-new-key-alone": (lambda: two_keys(signers=[NEXT]), NO_PINS, 1),
    "keyset-without-the-new-key": (lambda: two_keys(signers=[AGENCY]), NO_PINS, 1),
    "keyset-skips-a-version": (lambda: two_keys(version=3), NO_PINS, 1),
    "keyset-after-another": (lambda: two_keys(prev="00" * 32), NO_PINS, 1),
    "keyset-begins-late": (
        lambda: bundle.build_record(
            city.record(keysets=[city.next_keyset()]),
        ),
        NO_PINS,
        1,
    ),
    "keyset-not-in-log": (
        lambda: proof(keysets=[misplaced(city.record().keysets[0])]),
        NO_PINS,
        1,
    ),
    "keyset-of-another-agency": (
        lambda: bundle.build_record(city.record(city.batch(agency="bpjs"))),
        NO_PINS,
        1,
    ),
    "keyset-entry-of-another-kind": (
        lambda: proof(keysets=[other_entry(t="heartbeat")]),
        NO_PINS,
        1,
    ),
    "keyset-entry-without-envelope": (
        lambda: proof(keysets=[other_entry(t="keyset")]),
        NO_PINS,
        1,
    ),
    "keyset-entry-of-a-batch": (
        lambda: proof(keysets=[other_entry(t="keyset", envelope=json.loads(city.receipt()))]),
        NO_PINS,
        1,
    ),
    "accept-of-another-batch": (lambda: proof(accept=other_entry(seq=2)), NO_PINS, 1),
    "accept-of-another-payload": (
        lambda: proof(accept=other_entry(payload_sha256="00" * 32)),
        NO_PINS,
        1,
    ),
    "accept-of-another-key": (lambda: proof(accept=other_entry(kid="x")), NO_PINS, 1),
    "accept-of-no-key": (lambda: proof(accept=other_entry(kid=7)), NO_PINS, 1),
    "accept-not-canonical": (
        lambda: proof(accept=LoggedEntry(b'{"t": "accept"}', city.record().keysets[0].proof)),
        NO_PINS,
        1,
    ),
    "accept-not-json": (
        lambda: proof(accept=LoggedEntry(b"{", city.record().keysets[0].proof)),
        NO_PINS,
        1,
    ),
    "accept-not-in-log": (
        lambda: proof(accept=replace(other_entry(), proof=city.record().keysets[0].proof)),
        NO_PINS,
        1,
    ),
    "accept-proof-damaged": (
        lambda: proof(accept=replace(other_entry(), proof="")),
        NO_PINS,
        1,
    ),
    "envelope-damaged": (lambda: proof(envelope=b"{}"), NO_PINS, 1),
    "envelope-of-another-kind": (lambda: proof(envelope=city.receipt()), NO_PINS, 1),
    "payload-lacks-a-field": (
        lambda: proof(
            envelope=dsse.seal("application/vnd.titian.batch.v1+json", b'{"aud":"x"}', [AGENCY])
        ),
        NO_PINS,
        1,
    ),
    "proof-cut": (lambda: proof()[:-50], NO_PINS, 1),
    "proof-of-a-later-version": (
        lambda: proof().replace(b'"titian_proof": 1', b'"titian_proof": 2'),
        NO_PINS,
        1,
    ),
    "proof-of-an-unknown-kind": (lambda: proof().replace(b'"record"', b'"story"'), NO_PINS, 1),
    "proof-with-a-wrong-field": (
        lambda: proof().replace(b'"index": 2', b'"index": "2"'),
        NO_PINS,
        1,
    ),
    # batches
    "valid-batch": (frames, city.policy(), 0),
    "valid-empty-batch": (lambda: frames(lines=[]), city.policy(), 0),
    "batch-without-policy": (frames, None, 2),
    "batch-of-unknown-agency": (frames, NO_PINS, 2),
    "batch-altered": (altered_body, city.policy(), 1),
    "batch-cut": (lambda: frames()[:-3], city.policy(), 1),
    "batch-cut-in-its-head": (lambda: frames()[:20], city.policy(), 1),
    "batch-with-tail": (lambda: frames() + b"x", city.policy(), 1),
    "batch-wrong-key": (lambda: frames(signer=STRANGER), city.policy(), 1),
    "batch-other-gateway": (lambda: frames(aud="other.example"), city.policy(), 1),
    # keysets
    "valid-keyset-pinned": (city.first_keyset, city.policy(), 0),
    "keyset-unknown": (city.first_keyset, NO_PINS, 2),
    "keyset-without-policy": (city.first_keyset, None, 2),
    "keyset-foreign-signature": (
        lambda: city.first_keyset(signers=[STRANGER]),
        city.policy(),
        1,
    ),
    "keyset-other-gateway": (lambda: city.first_keyset("other.example"), city.policy(), 1),
    "valid-keyset-history": (
        lambda: keyset_proof(city.first_keyset(), city.next_keyset()),
        NO_PINS,
        0,
    ),
    "keyset-history-empty": (lambda: keyset_proof(), NO_PINS, 2),
    "keyset-history-broken": (
        lambda: keyset_proof(city.first_keyset(), city.first_keyset()),
        NO_PINS,
        1,
    ),
    # receipts
    "valid-receipt": (city.receipt, city.policy(), 0),
    "receipt-without-policy": (city.receipt, None, 2),
    "receipt-foreign-key": (lambda: city.receipt(STRANGER), city.policy(), 1),
    "receipt-other-gateway": (lambda: city.receipt(aud="x"), city.policy(), 1),
    "receipt-lacks-a-field": (
        lambda: dsse.seal(bundle.RECEIPT_TYPE, b"{}", [city.RECEIPT]),
        city.policy(),
        1,
    ),
    # checkpoints
    "valid-checkpoint": (note, city.policy(), 0),
    "checkpoint-without-policy": (note, None, 2),
    "checkpoint-foreign-key": (lambda: note(OTHER_LOG), city.policy(), 1),
    "checkpoint-altered": (lambda: note().replace(b"\n5\n", b"\n6\n"), city.policy(), 1),
    # what is none of Titian's
    "empty": (lambda: b"", city.policy(), 1),
    "noise": (lambda: bytes(range(256)), city.policy(), 1),
    "other-json": (lambda: b'{"hello": 1}', city.policy(), 1),
    "other-statement": (lambda: dsse.seal("text/plain", b"x", [AGENCY]), city.policy(), 1),
    "proof-list": (lambda: b'{"titian_proof": [', city.policy(), 1),
}


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
    for step, languages in verify._SENTENCES.items():
        assert languages.keys() == {"id", "en"}, step
        one, two = languages["id"], languages["en"]
        assert [bool(s) for s in one] == [bool(s) for s in two], step


def test_no_finding_lacks_its_sentence() -> None:
    for make, policy, _ in CASES.values():
        anchors = Policy() if policy is None else Policy.parse(policy)
        for finding in judge([make()], anchors)[0].findings:
            sentence = verify._SENTENCES[finding.step]["id"][verify.EXIT[finding.verdict]]
            assert sentence, finding


def test_two_checkpoints_of_one_size_are_a_fork(tmp_path: Path) -> None:
    fork = note(root=bytes([1]) * 32)
    assert run(tmp_path, [note(), note()], city.policy()) == 0
    assert run(tmp_path, [note(), note(size=6)], city.policy()) == 0
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


POLICIES = {
    "not json": b"{",
    "no object": b"[]",
    "version": city.policy(titian_policy=2),
    "no version": city.policy(titian_policy=None),
    "unknown field": city.policy(extra=1),
    "log key": city.policy(log_vkey="x"),
    "receipt key": city.policy(receipt={"gateway:x": {}}),
    "foreign kid": city.policy(receipt={AGENCY.kid: city.key_json(city.RECEIPT)[city.RECEIPT.kid]}),
    "agencies": city.policy(agencies={"dinsos": 1}),
}


@pytest.mark.parametrize("name", POLICIES)
def test_a_bad_policy_is_a_matter_of_usage(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, [note()], POLICIES[name]) == 3
    assert capsys.readouterr().err.startswith("titian-verify: ")


def test_a_missing_file_is_a_matter_of_usage(tmp_path: Path) -> None:
    assert verify.run([str(tmp_path / "none")]) == 3
    assert verify.run([str(tmp_path)]) == 3


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
    again = bundle.parse(bundle.build_record(evidence))
    assert isinstance(again, RecordEvidence)
    assert bundle.build_record(again) == bundle.build_record(evidence)
    assert again.line == evidence.line


@pytest.mark.parametrize(
    "change",
    [{"line": 7}, {"keysets": [{"entry": "e30=", "proof": 7}]}, {"line": "!"}, {"path": {}}],
)
def test_evidence_of_wrong_types_is_refused(change: dict[str, Any]) -> None:
    value = json.loads(proof()) | change
    with pytest.raises(BadStatement):
        bundle.parse(canonical(value))
    with pytest.raises(BadStatement):
        bundle.parse(b"[]")


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
ANCHORS = Policy.parse(NO_PINS)

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


def test_the_verifier_runs_from_a_zipapp(tmp_path: Path) -> None:
    source = tmp_path / "app"
    (source / "keys").mkdir(parents=True)
    for module in (ROOT / "keys").glob("*.py"):
        if module.name != "httpsig.py":
            (source / "keys" / module.name).write_bytes(module.read_bytes())
    zipapp.create_archive(source, tmp_path / "titian-verify.pyz", main="keys.verify:main")
    command = [sys.executable, "-I", str(tmp_path / "titian-verify.pyz"), *_files(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_log_proof_of_another_size_does_not_fit() -> None:
    evidence = city.record()
    assert evidence.accept
    text = evidence.accept.proof
    smaller = format_proof(2, [], note(size=3))
    assert text != smaller
    bad = replace(evidence, accept=replace(evidence.accept, proof=smaller))
    report = judge([bundle.build_record(bad)], ANCHORS)[0]
    assert report.verdict == Verdict.INVALID
