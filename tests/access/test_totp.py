"""Codes from a phone, against the vectors of the standard."""

from datetime import UTC, datetime

import pytest

from gateway.access import totp

SECRET = b"12345678901234567890"
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_rfc_6238_appendix_b(seconds, code):
    at = datetime.fromtimestamp(seconds, UTC)
    assert totp.code_of(SECRET, totp.step_of(at), digits=8) == code
    assert totp.code_of(SECRET, totp.step_of(at)) == code[2:]


@pytest.mark.parametrize(
    ("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_one_step_either_side_is_taken(steps, taken):
    code = totp.code_of(SECRET, totp.step_of(NOW) + steps)
    assert (totp.matching_step(SECRET, code, NOW) is not None) is taken


@pytest.mark.parametrize("code", ["", "12345", "abcdef", "١٢٣٤٥٦", "1234567"])
def test_what_is_no_code_matches_nothing(code):
    assert totp.matching_step(SECRET, code, NOW) is None


def test_an_authenticator_can_read_the_link():
    assert totp.written(SECRET).startswith("GEZD GNBV")
    assert totp.link(SECRET, "Titian Kota", "rina") == (
        "otpauth://totp/Titian%20Kota:rina?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        "&issuer=Titian%20Kota"
    )
