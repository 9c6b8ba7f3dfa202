"""46 hostile record lines, each with the verdict and the code that are due."""

import base64
import json
import unicodedata

import pytest

from schemas.envelope import SaltOnlySchema
from schemas.errors import LineRefused
from schemas.fields import Day, Nik, Ref, Rupiah, Text
from schemas.kinds import About
from schemas.line import BatchParser, LineParser
from schemas.wire import WireSchema
from tests.shared import shared

VECTORS = "data/vectors/own/hostile-records.jsonl"


class HostileSchema(WireSchema):
    """The schema under which the verdicts were written."""

    id = Ref("Kunci", required=True)
    nik = Nik()
    nama = Text(4000, About("Nama"))
    nominal = Rupiah(About("Nominal"))
    tgl_lahir = Day(About("Tanggal lahir"))


def _cases():
    with shared(VECTORS).open(encoding="utf-8") as file:
        return [json.loads(row) for row in file]


@pytest.mark.parametrize("strict", [False, True], ids=["plan", "marshmallow"])
def test_every_hostile_line_gets_its_verdict_and_its_code(strict):
    parser = LineParser(HostileSchema(), envelope=SaltOnlySchema(), strict=strict)
    cases = _cases()
    assert len(cases) == 46
    wrong = {}
    for case in cases:
        line = base64.b64decode(case["line_b64"])
        batch = BatchParser(parser)
        try:
            parsed = batch.parse(line)
            verdict = ("accept", "")
            if case["want"] == "reject-on-second":
                verdict = ("accept twice", "")
                batch.parse(line)
            if case["want"] == "accept-normalised":
                assert parsed.values["nama"] == unicodedata.normalize("NFC", parsed.values["nama"])
                assert parsed.values["nama"] != json.loads(line)["nama"]
        except LineRefused as refused:
            verdict = ("reject", refused.code)
        want = "reject" if case["want"].startswith("reject") else "accept"
        due = (want, case["code"] if want == "reject" else "")
        if verdict != due:
            wrong[case["name"]] = (verdict, due)
    assert not wrong


def test_a_refusal_repeats_nothing_of_the_line():
    parser = LineParser(HostileSchema(), envelope=SaltOnlySchema())
    secret = b'"sangat-rahasia"'
    for body in (b'"nik":' + secret, secret + b":1", b'"nominal":' + secret):
        with pytest.raises(LineRefused) as refused:
            parser.parse(b'{"_s":"AAAAAAAAAAAAAAAAAAAAAA","id":"r1",' + body + b"}")
        assert "rahasia" not in f"{refused.value!r} {refused.value} {refused.value.field}"
