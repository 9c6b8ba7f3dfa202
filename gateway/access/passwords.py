"""Passwords and PINs: which are refused, and how they are kept.

No list of leaked passwords is shipped: none comes with a package we use, and one that is fetched
would need a network. Instead a password is refused when nothing is left of it after taking away
what everybody uses: common words, the officer's own name, the city's, digits in a row, repetition.

Source: design/trust.md 4.8; RFC 9106 (Argon2id); NIST SP 800-63B 5.1.1.2.
"""

import itertools
import re
import secrets

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from gateway.errors import Refused

SHORTEST = 12
LONGEST = 200
MEMORY_KIB, PASSES = 64 * 1024, 3
"""What one guess costs; a hash says with which it was made."""
_FEWEST_DISTINCT = 5
_FEWEST_LEFT = 4
_FEWEST_DIGITS = 4
_PLAIN = str.maketrans("013457@$!", "oleastasi")
_COMMON = sorted(
    "password passw0rd sandi katasandi rahasia admin administrator petugas operator pengguna user "
    "login masuk selamat welcome letmein iloveyou sayang cinta bismillah alhamdulillah indonesia "
    "merdeka garuda pancasila jakarta sumatera minangkabau titian loket dinas sosial pemko pemkot "
    "pemda kota kantor test testing default changeme superman batman dragon monkey football "
    "qwertyuiop qwerty asdfghjkl asdfgh zxcvbnm zxcvbn qazwsx abcdefghijklmnopqrstuvwxyz abcdef abc"
    " satu dua tiga empat lima enam tujuh delapan sembilan nol".split(),
    key=len,
    reverse=True,
)


def check(password: str, own: tuple[str, ...] = ()) -> None:
    """Return if the password may be used; `own` are the words of this officer and his city.

    Raises:
        Refused: it is short (`password.short`), long, or easy to guess (`password.common`).
    """
    if len(password.strip()) < SHORTEST:
        raise Refused("password.short", f"Kata sandi harus sedikitnya {SHORTEST} karakter.")
    if len(password) > LONGEST:
        raise Refused("password.long", f"Kata sandi paling banyak {LONGEST} karakter.")
    if _is_easy(password.casefold(), own):
        raise Refused(
            "password.common",
            "Kata sandi itu mudah ditebak: kata umum, nama Anda, nama kota, atau angka berurutan. "
            "Pakailah beberapa kata yang tidak berhubungan. Kata sandi lama tetap berlaku.",
        )


def check_pin(pin: str) -> None:
    """Return if the PIN may be used.

    Raises:
        Refused: it is not six digits, or they repeat or run in a row (`pin.form`).
    """
    digits = re.fullmatch(r"[0-9]{6}", pin) is not None
    steps = {ord(b) - ord(a) for a, b in itertools.pairwise(pin)}
    if not digits or len(set(pin)) < 3 or len(steps) == 1:
        raise Refused(
            "pin.form", "PIN harus 6 angka, tidak berulang dan tidak berurutan. PIN tidak diubah."
        )


def hashed(password: str) -> str:
    """Argon2id in PHC form: 64 MiB, three passes, one lane."""
    salt = secrets.token_bytes(16)
    made = Argon2id(salt=salt, length=32, iterations=PASSES, lanes=1, memory_cost=MEMORY_KIB)
    return made.derive_phc_encoded(password.encode())


def holds(known: str, password: str) -> bool:
    """Whether `password` is the one that was hashed."""
    try:
        Argon2id.verify_phc_encoded(password.encode(), known)
    except InvalidKey:
        return False
    return True


def _is_easy(text: str, own: tuple[str, ...]) -> bool:
    if len(set(text)) < _FEWEST_DISTINCT or re.fullmatch(r"(.{1,6}?)\1+.{0,2}", text):
        return True
    words = [w for phrase in own for w in re.split(r"[^a-z]+", phrase.casefold()) if len(w) > 3]
    left = [text, re.sub(r"^[^a-z]+|[^a-z]+$", "", text).translate(_PLAIN)]
    for word in [*sorted(words, key=len, reverse=True), *_COMMON]:
        left = [each.replace(word, "") for each in left]
    letters = [re.sub(r"[^a-z]", "", each) for each in left]
    return min(map(len, letters)) < _FEWEST_LEFT and _digits_run(text)


def _digits_run(text: str) -> bool:
    """Whether the digits are few, or run one after the other: no random string of them."""
    digits = re.sub(r"[^0-9]", "", text)
    pairs = list(itertools.pairwise(digits))
    near = sum(abs(ord(b) - ord(a)) <= 1 for a, b in pairs)
    return len(set(digits)) < _FEWEST_DIGITS or near * 5 >= len(pairs) * 4
