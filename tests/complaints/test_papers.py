"""What letters and print-outs say of a case, and that they fit their page."""

from datetime import date

import pytest

from gateway.complaints import criteria, papers
from gateway.complaints.printing import HANDED
from gateway.letters import press
from gateway.letters.model import Kind
from tests.complaints.conftest import PROFILE
from tests.letters.test_press import AT, DATA, MARKS, read, words


def typeset(kind, **changes):
    return press.typeset(press.newest()[kind], {**DATA, **changes}, MARKS, AT)


@pytest.mark.parametrize("rules", criteria.rule_sets().values(), ids=lambda r: r.code)
def test_a_survey_form_of_each_rule_set_is_one_page(rules):
    questions = [q.text for q in rules.questions]
    pmks = [f"{code} {label}" for code, label in criteria.pmks_codes().items()]
    pdf = typeset(Kind.SURVEY, questions=questions, pmks=pmks)
    assert len(read(pdf).pages) == 1
    assert all(q.split()[0] in words(pdf) for q in questions)


def test_scenario_48_the_fullest_hand_over_is_one_page():
    row = {
        "ticket": "PKN-2025-000319-7",
        "state": papers.cut("Telaah Lembaga Mitra (LKS/BAZ/CSR)"),
        "needs": papers.cut("MODAL USAHA / BANTUAN EKONOMI PRODUKTIF, BANTUAN SISWA"),
        "due": "30 September 2025",
    }
    groups = [
        {"label": bucket.value, "count": 52, "rows": [row] * most}
        for bucket, most in HANDED.items()
    ]
    pdf = typeset(Kind.HANDOVER, groups=[*groups, {"label": "lain", "count": 9, "rows": []}])
    assert len(read(pdf).pages) == 1
    assert f"dan {52 - HANDED[next(iter(HANDED))]} lagi" in words(pdf)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, "–"),
        ({"kelurahan": "13.76.01.1021"}, "Kel. Ibuah"),
        (
            {"address": "Jl. Sudirman 3", "rt": "001", "rw": "002", "kelurahan": "13.76.01.1021"},
            "Jl. Sudirman 3, RT 001/RW 002, Kel. Ibuah",
        ),
        ({"address": "Jl. Baru", "rt": "4"}, "Jl. Baru, RT 4/RW –"),
    ],
)
def test_an_address_reads_as_people_write_it(told, expected):
    assert papers.address(told, PROFILE) == expected


def test_days_read_as_people_write_them():
    assert papers.day(date(2013, 12, 17)) == "17 Desember 2013"
