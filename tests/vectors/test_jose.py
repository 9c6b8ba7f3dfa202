"""There is no JOSE on our wire: no reader of ours takes a sample for one of its own texts."""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from keys import checkpoint, dsse, enrolment, recovery, verify
from keys.backup import Backup
from keys.cosignature import parse_line
from keys.errors import TrustError
from keys.frame import read_head
from keys.keyset import parse_statement
from keys.secretfile import Secrets
from keys.signers import Ed25519Signer
from keys.statement import Fields
from keys.suspension import parse_suspension
from tests.keys.test_enrolment import NOW
from tests.keys.test_httpsig import GET, code_of, signed, with_headers
from tests.vectors.samples import keys, messages

READERS: dict[str, Callable[[str], object]] = {
    "envelope": lambda text: dsse.parse(text.encode()),
    "keyset": lambda text: parse_statement(text.encode()),
    "suspension": lambda text: parse_suspension(dsse.parse(text.encode())),
    "statement": lambda text: Fields.read(text.encode(), ("v",)),
    "ticket": lambda text: enrolment.parse_ticket(text, now=NOW),
    "note": lambda text: checkpoint.parse_note(text.encode()),
    "checkpoint": checkpoint.parse_checkpoint,
    "log key": checkpoint.parse_vkey,
    "log proof": checkpoint.parse_proof,
    "cosignature": parse_line,
    "recovery key": recovery.parse_public,
    "backup": lambda text: Backup.read(text.encode()),
    "secret file": lambda text: Secrets.read(text.encode()),
    "batch": lambda text: read_head(BytesIO(text.encode())),
}


@pytest.mark.parametrize("name", READERS)
def test_no_reader_takes_a_sample(name: str) -> None:
    samples = [*messages(), *keys()]
    assert len(samples) > 400
    for sample in samples:
        with pytest.raises(TrustError):
            READERS[name](sample)


def test_no_sample_is_the_payload_of_a_statement() -> None:
    signer = Ed25519Signer.from_seed("baz", bytes([1]) * 32)
    for sample in [*messages(), *keys()]:
        if not sample:
            continue
        envelope = dsse.parse(dsse.seal("application/jose", sample.encode(), [signer]))
        for read in (parse_statement, lambda data: Fields.read(data, ("v", "aud"))):
            with pytest.raises(TrustError):
                read(envelope.payload)


def test_no_sample_signs_a_request() -> None:
    request = signed(GET)
    for sample in messages():
        if not sample or not sample.isascii():
            continue
        for changed in (
            with_headers(request, signature=[sample]),
            with_headers(request, signature=[f"titian=:{sample}:"]),
            with_headers(request, signature_input=[sample]),
            with_headers(request, signature_input=[f"titian={sample}"]),
        ):
            assert code_of(changed) in {"http.components", "http.signature_invalid"}


def test_titian_verify_says_of_no_sample_that_it_holds(tmp_path: Path) -> None:
    samples = [*messages(), *keys()]
    files = []
    for number, sample in enumerate(samples):
        path = tmp_path / f"{number}.jws"
        path.write_text(sample, encoding="utf-8")
        files.append(str(path))
    for path in files[::10]:
        assert verify.run([path]) != 0, json.dumps(Path(path).read_text(encoding="utf-8"))[:80]
    assert verify.run(files) != 0
