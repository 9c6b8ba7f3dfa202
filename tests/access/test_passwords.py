"""Which passwords and PINs are refused."""

import pytest

from gateway.access import passwords
from gateway.errors import Refused

OWN = ("rina.petugas", "Rina Petugas", "Payakumbuh")


@pytest.mark.parametrize(
    "easy",
    [
        "passwordpassword",
        "P@ssw0rd12345",
        "bismillah123!",
        "Indonesia2025!!",
        "123456789012",
        "aaaaaaaaaaaa",
        "abababababab",
        "rinarinarina",
        "rina.petugas1",
        "Payakumbuh2025",
        "qwertyuiop123",
        "petugasloket1",
        "payakumbuhpayakumbuh",
        "112233445566",
    ],
)
def test_what_a_stranger_would_try_first_is_refused(easy):
    with pytest.raises(Refused) as refused:
        passwords.check(easy, OWN)
    assert refused.value.code == "password.common"
    assert easy not in refused.value.sentence


@pytest.mark.parametrize(
    "good",
    [
        "jembatan-kecil-1",
        "kata sandi yang panjang",
        "3f9a-c01b-77de",
        "kuda hijau empat lampu",
        "8391-2750-6641",
        "xK9#mm2!vQ7z",
    ],
)
def test_words_that_do_not_belong_together_are_taken(good):
    passwords.check(good, OWN)


@pytest.mark.parametrize("size", ["", "short", " " * 12, "x1y2" * 60])
def test_too_short_and_too_long_are_refused(size):
    with pytest.raises(Refused):
        passwords.check(size, OWN)


@pytest.mark.parametrize(
    "pin", ["12345", "1234567", "123456", "654321", "111111", "112211", "abcdef", "١٢٣٤٥٦"]
)
def test_a_pin_that_is_none_or_easy_is_refused(pin):
    with pytest.raises(Refused):
        passwords.check_pin(pin)


def test_a_pin_of_six_mixed_digits_is_taken():
    passwords.check_pin("274913")


def test_what_is_kept_is_argon2id_and_opens_for_the_right_one_only(dear_passwords):
    kept = passwords.hashed("jembatan-kecil-1")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert passwords.holds(kept, "jembatan-kecil-1")
    assert not passwords.holds(kept, "jembatan-kecil-2")
