"""A line that would cost more than it weighs is refused before it is read."""

import subprocess
import sys

import pytest

from tests.shared import ROOT

MEASURE = """
import resource, sys, time
from schemas.errors import SchemaError
from schemas.line import LineParser
from schemas.records.registry import RECORD_TYPES
parser = LineParser(RECORD_TYPES["person"])
line = sys.stdin.buffer.read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began, refused = time.process_time(), 0
for _ in range(1000):
    try:
        parser.parse(line)
    except SchemaError:
        refused += 1
took = time.process_time() - began
print(refused, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, took)
"""
HEAD = b'{"_s":"AAAAAAAAAAAAAAAAAAAAAA","_op":"put","_id":"a","_v":1,"x":'
LINES = {
    "deep lists": HEAD + b"[" * 8000 + b"]" * 8000 + b"}",
    "deep objects": HEAD + b'{"a":' * 3000 + b"1" + b"}" * 3001,
    "an integer of 5,000 digits": HEAD + b"9" * 5000 + b"}",
    "a number of no end": HEAD + b"1e999999}",
    "many names": b"{" + b",".join(b'"n%d":1' % n for n in range(1500)) + b"}",
    "one name often": b"{" + b",".join([b'"a":1'] * 2500) + b"}",
    "a line too long": HEAD + b'"' + b"a" * 20_000 + b'"}',
}


@pytest.mark.parametrize("name", LINES)
def test_bombs(name: str) -> None:
    """A thousand of them cost less than 100 MiB and a second."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE],
        cwd=ROOT,
        input=LINES[name],
        capture_output=True,
        check=True,
    )
    refused, rise, took = done.stdout.split()
    assert int(refused) == 1000
    assert float(rise) < 100
    assert float(took) < 1
