"""Nothing personal can be written where it could never be deleted again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Refused, TooLarge
from gateway.ledger import service
from gateway.ledger.model import ENTRIES, check
from keys.canonical import canonical
from keys.commitment import commit

NIK = "1376015410900002"
PERSONAL = [
    NIK, int(NIK), f"{NIK[:4]}.{NIK[4:8]}.{NIK[8:12]}.{NIK[12:]}", "Siti Aminah", "SITI AMINAH",
    "Jl. Sudirman 12", "+6281234567890", 6281234567890, "081234567890", "siti@example.org",
    [NIK], {"nik": NIK}, "x" * 65, "", None, 1.5, -1, "ａ", "a\n",
]  # fmt: skip
PLACES = [(kind, key) for kind, keys in ENTRIES.items() for key in keys if key != "envelope"]


@pytest.mark.parametrize(("kind", "key"), PLACES, ids=lambda value: value)
def test_no_place_takes_a_personal_value(kind: str, key: str):
    for value in PERSONAL:
        with pytest.raises(Refused) as refused:
            check({"t": kind, key: value})
        assert refused.value.code == "log.value"
        assert str(value)[:12] not in refused.value.sentence or not str(value)


@given(st.sampled_from(PLACES), st.from_regex(r"[0-9]{13,20}", fullmatch=True))
def test_no_place_takes_a_long_number(place: tuple[str, str], digits: str):
    for value in (digits, int("1" + digits), f"a{digits}", " ".join(digits)):
        with pytest.raises(Refused):
            check({"t": place[0], place[1]: value})


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({}, "log.kind"),
        ({"t": "note"}, "log.kind"),
        ({"t": None}, "log.kind"),
        ({"t": ["accept"]}, "log.kind"),
        ({"t": "accept", "nik": "x"}, "log.key"),
        ({"t": "heartbeat", "at": "2025-11-03T00:00:00Z", "text": "hello"}, "log.key"),
    ],
)
def test_a_kind_or_key_that_is_not_listed_is_refused(entry, code: str):
    with pytest.raises(Refused) as refused:
        check(entry)
    assert refused.value.code == code


def test_a_refused_entry_takes_its_whole_list_along(session):
    good = {"t": "heartbeat", "at": "2025-11-03T00:00:00Z"}
    with pytest.raises(Refused):
        service.append_many(session, [good, {"t": "heartbeat", "at": NIK}])
    with pytest.raises(TooLarge):
        service.append(session, {"t": "result", "batches": ["ab" * 32] * 200})


def test_a_commitment_hides_and_binds():
    detail = {"officer": "siti", "nik": NIK}
    made = commit(detail)
    assert commit(detail, made.salt) == made
    assert commit(detail).sha256 != made.sha256
    assert commit({**detail, "nik": "1"}, made.salt).sha256 != made.sha256
    assert made.salt.hex() not in repr(made)
    assert canonical(detail) not in made.sha256
