"""What is doubtful is flagged, never refused; each code says in both languages what to do."""

import ast
import copy
import json
import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import EnvelopeSchema
from schemas.fields import Code, Many, Struct, Token
from schemas.profile import Profile
from schemas.quality import FINDINGS, check
from schemas.records.registry import RECORD_TYPES
from tests.schemas.examples import RECORDS
from tests.shared import ROOT

PROFILE = Profile.load("payakumbuh")
TODAY = date(2025, 11, 3)
DOMAIN = (
    "PROGRAMME_UNKNOWN ID_TWICE NIK_INVALID NIK_SENTINEL NIK_TRUNCATED NIK_DOB_DIFF NIK_SEX_DIFF "
    "NIK_DUP_IN_SOURCE NIK_PREFIX_UNKNOWN KK_INVALID KK_TOO_BIG DOB_FUTURE DOB_DEFAULT AGE_GT_110 "
    "KEL_UNKNOWN KEL_OLD KEL_AMBIGUOUS NAME_TITLE_ONLY NAME_DIGIT AMOUNT_OUT_OF_RANGE "
    "BENEFIT_AFTER_DEATH BENEFIT_AFTER_MOVE QUOTA_EXCEEDED STALE_AS_OF"
).split()


def found(name, **change):
    values = {**copy.deepcopy(RECORDS[name]), **change}
    values = {key: value for key, value in values.items() if value is not None}
    return check(name, values, profile=PROFILE, today=TODAY)


def no_nik(status, **more):
    return {"nik": None, "nik_raw": "x", "nik_status": status, **more}


@pytest.mark.parametrize("name", RECORDS)
def test_a_good_record_has_no_finding(name):
    assert found(name) == []


@pytest.mark.parametrize(
    ("change", "due"),
    [
        (no_nik("invalid_form"), [("NIK_INVALID", "nik")]),
        (no_nik("sentinel"), [("NIK_SENTINEL", "nik")]),
        (no_nik("truncated_excel"), [("NIK_TRUNCATED", "nik")]),
        (no_nik("missing"), []),
        (no_nik("foreigner"), []),
        ({"nik": "0176014512800002"}, [("NIK_PREFIX_UNKNOWN", "nik")]),
        ({"nik": "3273014512800002"}, []),  # a newcomer keeps the old number
        ({"nik": "1376014612800002"}, [("NIK_DOB_DIFF", "birth_date")]),
        ({"birth_date": "1980-05-12"}, [("NIK_DOB_DIFF", "birth_date")]),
        ({"birth_date": "1981-12-05"}, [("NIK_DOB_DIFF", "birth_date")]),
        ({"birth_date": "1980-12-01", "birth_date_precision": "month"}, []),
        ({"birth_date": "1980-01-01", "birth_date_precision": "year"}, []),
        ({"birth_date": "1975-01-01", "birth_date_precision": "estimated"}, []),
        (
            {"birth_date": "1975-01-01", "birth_date_precision": "year"},
            [("NIK_DOB_DIFF", "birth_date")],
        ),
        ({"birth_date": None, "birth_date_precision": None}, []),
        ({"sex": "L"}, [("NIK_SEX_DIFF", "sex")]),
        ({"sex": None}, []),
        (no_nik("missing", birth_date="1980-01-01"), [("DOB_DEFAULT", "birth_date")]),
        (no_nik("missing", birth_date="2025-11-03"), []),
        (no_nik("missing", birth_date="2025-11-04"), [("DOB_FUTURE", "birth_date")]),
        (no_nik("missing", birth_date="1914-11-04"), []),
        (no_nik("missing", birth_date="1914-11-03"), [("AGE_GT_110", "birth_date")]),
        (no_nik("missing", birth_date="1914-11-03", vital_status="deceased"), []),
        ({"no_kk": "1376014512100002"}, [("KK_INVALID", "no_kk")]),
        ({"no_kk": "1376010513100002"}, [("KK_INVALID", "no_kk")]),
        ({"no_kk": "1376010512100000"}, [("KK_INVALID", "no_kk")]),
        ({"no_kk": "0000000000000000"}, [("KK_INVALID", "no_kk")]),
        ({"no_kk": None}, []),
        ({"name_source": "SITI 2"}, [("NAME_DIGIT", "name_source")]),
        ({"name_source": "H."}, [("NAME_TITLE_ONLY", "name_source")]),
        ({"name_source": "Drs. H. Dt."}, [("NAME_TITLE_ONLY", "name_source")]),
        ({"name_source": "Datuak"}, [("NAME_TITLE_ONLY", "name_source")]),
        ({"name_source": "H. Ali"}, []),
        ({"name_source": "Ujang"}, []),
        ({"school": {"as_of": "2023-11-02"}}, [("STALE_AS_OF", "school.as_of")]),
        ({"school": {"as_of": "2023-11-03"}}, []),
        (
            {"health_cover": {"kind": "PPU", "as_of": "2015-01-01"}},
            [("STALE_AS_OF", "health_cover.as_of")],
        ),
    ],
)
def test_doubts_about_a_person(change, due):
    assert found("person", **change) == due


@pytest.mark.parametrize(
    ("address", "due"),
    [
        ({"kelurahan": "13.76.01.1021"}, None),
        ({"kelurahan": "13.76.01.1021", "kelurahan_raw": "IBUH"}, None),
        ({"kelurahan": "13.76.01.1018", "kelurahan_raw": "Nunang"}, "KEL_OLD"),
        ({"kelurahan": "13.76.01.1018", "kelurahan_raw": "1376010016"}, "KEL_OLD"),
        ({"kelurahan": "13.76.01.1033", "kelurahan_raw": "13.76.01.1010"}, "KEL_OLD"),
        ({"kelurahan": "13.76.01.1010"}, "KEL_OLD"),
        ({"kelurahan": "13.76.01.1999"}, "KEL_UNKNOWN"),
        ({"kelurahan": "13.07.05.2001"}, None),  # another regency keeps its own list
        ({"kelurahan_raw": "Tarok", "kecamatan": "13.76.02"}, "KEL_OLD"),
        ({"kelurahan_raw": "Kubu Gadang"}, "KEL_AMBIGUOUS"),
        ({"kelurahan_raw": "Negeri Antah Berantah"}, "KEL_UNKNOWN"),
        ({"kelurahan_raw": "Ibuah"}, "KEL_UNKNOWN"),  # known, but the sender gave no code
        ({"street": "Jl. Sudirman"}, None),
        ({"kecamatan": "13.76.01"}, None),
    ],
)
def test_doubts_about_an_address(address, due):
    for name, key in (("person", "address_ktp"), ("household", "address")):
        expected = [] if due is None else [(due, f"{key}.kelurahan")]
        assert found(name, **{key: address}) == expected


@pytest.mark.parametrize(
    ("name", "change", "due"),
    [
        ("household", {"member_count": 15}, []),
        ("household", {"member_count": 16}, [("KK_TOO_BIG", "member_count")]),
        (
            "household",
            {"member_count": None, "members": [{"person": f"p-{n}"} for n in range(16)]},
            [("KK_TOO_BIG", "members")],
        ),
        ("household", {"survey": {"date": "2011-07-01"}}, [("STALE_AS_OF", "survey.date")]),
        ("benefit", {"amount_idr": 50_000_000}, []),
        ("benefit", {"amount_idr": 50_000_001}, [("AMOUNT_OUT_OF_RANGE", "amount_idr")]),
        ("benefit", {"amount_idr": 0}, [("AMOUNT_OUT_OF_RANGE", "amount_idr")]),
        ("benefit", {"amount_idr": 0, "form": "barang"}, []),
        ("benefit", {"amount_idr": None}, []),
        ("program", {"amount_fixed": 60_000_000}, [("AMOUNT_OUT_OF_RANGE", "amount_fixed")]),
        ("program", {"amount_max": 1}, [("AMOUNT_OUT_OF_RANGE", "amount_max")]),
    ],
)
def test_doubts_about_other_records(name, change, due):
    assert found(name, **change) == due


def test_a_record_type_without_doubts_of_its_own_has_none():
    assert check("complaint", {}, profile=PROFILE, today=TODAY) == []


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_each_part_of_a_record_may_be_absent(data):
    name = data.draw(st.sampled_from(sorted(RECORDS)))
    kept = data.draw(st.sets(st.sampled_from(sorted(RECORDS[name]))))
    values = {key: RECORDS[name][key] for key in kept}
    for code, field in check(name, values, profile=PROFILE, today=TODAY):
        assert code in FINDINGS
        assert field.split(".")[0] in RECORD_TYPES[name].schema.fields


@pytest.mark.parametrize("finding", FINDINGS.values(), ids=lambda each: each.code)
def test_each_finding_speaks_both_languages_and_says_what_to_do(finding):
    assert finding.level in ("E", "W", "I")
    texts = (finding.sentence_id, finding.remedy_id, finding.sentence_en, finding.remedy_en)
    assert len(set(texts)) == 4
    for text in texts:
        assert text[0].isupper()
        assert text.endswith(".")
        assert not re.search(r"[{}<>]", text)


def test_every_code_of_the_domain_has_its_sentences_and_is_no_refusal():
    assert [code for code in DOMAIN if code not in FINDINGS] == []
    assert {FINDINGS[code].level for code in DOMAIN} == {"W"}


def codes_of(field):
    yield from (field.error_messages[key] for key in ("required", "null"))
    if isinstance(field, Token):
        yield from (f"{field.prefix}.type", f"{field.prefix}.format")
    if isinstance(field, Code) and field.owner_only:
        yield f"{field.list_name}.owner_only"
    if isinstance(field, Struct):
        for each in field.schema.load_fields.values():
            yield from codes_of(each)
    if isinstance(field, Many):
        yield from codes_of(field.inner)


def test_every_code_that_can_refuse_a_line_has_its_sentences():
    schemas = [EnvelopeSchema(), *(kind.schema for kind in RECORD_TYPES.values())]
    codes = {c for s in schemas for field in s.load_fields.values() for c in codes_of(field)}
    codes |= {"schema.type", "schema.unknown_field", "schema.invalid"}
    for name in ("line", "strictjson", "text", "nik", "fields", "envelope", "records/rules"):
        tree = ast.parse((ROOT / "schemas" / f"{name}.py").read_text(encoding="utf-8"))
        codes |= {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch(r"[a-z]+\.[a-z_0-9]+", node.value)
        }
    assert sorted(code for code in codes if code not in FINDINGS) == []
    assert {FINDINGS[code].level for code in codes} == {"E"}


def test_every_finding_named_in_code_has_its_sentences():
    words = re.compile(
        r'"((?:NIK|KK|DOB|AGE|KEL|NAME|ID|AMOUNT|BENEFIT|QUOTA|PROGRAMME|STALE)_[A-Z0-9_]+)"'
    )
    own = json.loads((ROOT / "connectors" / "findings.json").read_text(encoding="utf-8"))
    named = {
        code
        for room in ("schemas", "connectors", "gateway")
        for path in (ROOT / room).rglob("*.py")
        for code in words.findall(path.read_text(encoding="utf-8"))
    }
    assert sorted(named - set(FINDINGS) - set(own)) == []
    assert not set(own) & set(FINDINGS)
