"""Finding persons and opening profiles: what an officer types, and what the index answers."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from gateway.errors import NotFound, Refused
from gateway.index import query as index
from gateway.index.arrivals import Arrival, IndexTools, Origin
from gateway.index.query import Candidate, PersonView, Search
from gateway.index.scoring import Model
from schemas.line import content_hash
from schemas.profile import Profile
from tests.conftest import Database
from tests.index_db import people
from tests.index_db.conftest import absorb, reconcile
from tests.index_db.people import Said

KK = "1376010101150007"
ADDRESS = {"street": "Jl. Soekarno-Hatta", "kelurahan": "13.76.01.1021", "rt": "003", "rw": "001"}
UJANG = {
    "nik": "1376011203600002",
    "nik_status": "valid_form",
    "no_kk": KK,
    "name_source": "UJANG EFENDI",
    "sex": "L",
    "birth_date": "1960-03-12",
    "address_ktp": ADDRESS,
    "family_relation": "1",
}
ANI = {
    "nik": "1376015506800002",
    "nik_status": "valid_form",
    "no_kk": KK,
    "name_source": "ANI WAHYUNI",
    "sex": "P",
    "birth_date": "1980-06-15",
    "address_ktp": ADDRESS,
    "family_relation": "3",
}
OCTOBER, AUGUST = datetime(2025, 10, 1, tzinfo=UTC), datetime(2025, 8, 1, tzinfo=UTC)
SCENE = (
    ("dukcapil", "person", OCTOBER, {"D1": UJANG, "D2": ANI}),
    (
        "dstk",
        "person",
        AUGUST,
        {
            "S1": {
                **{k: v for k, v in UJANG.items() if k != "nik"},
                "nik_status": "missing",
                "name_source": "Ujang Efendi gelar Sutan Rajo Ameh",
                "pmks": ["24"],
            },
            "S2": {**ANI, "name_source": "ANI WAHYUNNI", "phone": "+6281312345678"},
        },
    ),
    (
        "baz",
        "person",
        AUGUST,
        {
            "B1": {
                **UJANG,
                "birth_date": "1961-03-12",
                "vital_status": "deceased",
                "vital_date": "2025-07-01",
            }
        },
    ),
    (
        "dstk",
        "household",
        AUGUST,
        {
            "H1": {
                "household_key": "7601234",
                "basis": "ruta",
                "head_person": "S1",
                "members": [{"person": "S1"}, {"person": "S2", "relation": "3"}],
                "monthly_income": 900000,
            }
        },
    ),
    (
        "dstk",
        "listing",
        AUGUST,
        {
            "L1": {
                "household": "H1",
                "list_code": "PPLS2011",
                "list_period": "2011",
                "desil": 2,
                "listing_status": "active",
            },
            "L2": {
                "person": "S1",
                "list_code": "DTSEN",
                "list_period": "2025-T1",
                "desil": 1,
                "listing_status": "active",
            },
            "L3": {"person": "S2", "list_code": "DTKS", "listing_status": "excluded"},
        },
    ),
    (
        "dstk",
        "program",
        AUGUST,
        {
            "P1": {
                "program_code": "dstk-2025-01",
                "name": "Bansos tunai",
                "status": "open",
                "quota_total": 10,
            }
        },
    ),
    (
        "dstk",
        "enrolment",
        AUGUST,
        {"E1": {"household": "H1", "program_code": "dstk-2025-01", "status": "active"}},
    ),
    (
        "dstk",
        "benefit",
        AUGUST,
        {
            "N1": {"enrolment": "E1", "date": "2025-03-01", "form": "uang", "amount_idr": 600000},
            "N2": {"enrolment": "E1", "date": "2025-06-01", "form": "uang", "amount_idr": 600000},
        },
    ),
    (
        "baz",
        "benefit",
        AUGUST,
        {
            "Z1": {"person": "B1", "date": "2025-04-01", "form": "uang", "amount_idr": 400000},
            "Z2": {
                "person": "B1",
                "date": "2025-04-02",
                "form": "uang",
                "amount_idr": 400000,
                "reversed_by": "Z1",
            },
        },
    ),
)


@pytest.fixture(scope="module")
def scene(database: Database, model: Model, town: list[Said]) -> IndexTools:
    """A small town, with one household of which several agencies speak."""
    tools = IndexTools(database.vault, Profile.load("payakumbuh"), model)
    for origin, arrivals in people.batches(town, 1000):
        absorb(database, tools, origin, arrivals)
        reconcile(database, tools, origin)
    for number, (agency, record_type, as_of, records) in enumerate(SCENE):
        leaf = bytes([number + 1]) * 32
        origin = Origin(agency, record_type, people.batch_id(50_000 + number), as_of, leaf)
        arrivals = [
            Arrival(i, "put", key, 1, None, content_hash(values, "put"), values, bytes([i]) * 32)
            for i, (key, values) in enumerate(records.items())
        ]
        absorb(database, tools, origin, arrivals)
        reconcile(database, tools, origin)
    return tools


def found(session: Session, tools: IndexTools, **typed: str) -> list[Candidate]:
    return index.find(session, Search(**typed), tools)


def person(session: Session, tools: IndexTools, nik: str) -> PersonView:
    (one,) = found(session, tools, nik=nik)
    return index.profile(session, one.person_id, tools)


@pytest.mark.parametrize(
    "typed",
    [
        {"nik": UJANG["nik"]},
        {"number": UJANG["nik"]},
        {"name": "Ujang Efendi"},
        {"name": "ujang efndi"},
        {"name": "H. Ujang Efendi, S.Pd."},
        {"name": "Sutan Rajo Ameh"},
        {"name": "rajo ameh"},
        {"name": "efendi ujang", "birth_date": "1960-03-12"},
        {"name": "ujang", "birth_date": "1960-03-12"},
    ],
    ids=str,
)
def test_a_person_is_found_by_what_is_known(
    session: Session, scene: IndexTools, typed: dict
) -> None:
    first = found(session, scene, **typed)[0]
    assert first.name == "UJANG EFENDI"
    assert first.nik_masked == "1376 •••• •••• 0002"
    assert first.birth_date == "1960-03-12"
    assert (first.rt, first.rw) == ("3", "1")
    assert first.sources == ("DSTK", "DUKCAPIL", "BAZ")
    assert first.badges == ("DTSEN desil 1", "PPLS2011 desil 2")
    assert first.why
    assert first.score == pytest.approx(sum(e.bits for e in first.evidence))


def test_scenario_02_either_name_finds_him_and_the_gelar_is_among_his_names(
    session: Session, scene: IndexTools
) -> None:
    for typed in ("Ujang", "Sutan Rajo Ameh"):
        first = found(session, scene, name=typed)[0]
        assert first.name == "UJANG EFENDI"
        names = index.profile(session, first.person_id, scene).rows
        said = {cell.value for row in names if row.attribute == "name_source" for cell in row.cells}
        assert said == {"UJANG EFENDI", "Ujang Efendi gelar Sutan Rajo Ameh"}


def test_scenario_03_one_word_and_a_birth_date_find_at_most_ten_with_reasons(
    session: Session, scene: IndexTools
) -> None:
    ranked = found(session, scene, name="ujang", birth_date="1960-03-12")
    assert ranked[0].name == "UJANG EFENDI"
    assert 1 <= len(ranked) <= 10
    assert [c.score for c in ranked] == sorted((c.score for c in ranked), reverse=True)
    assert all(c.why for c in ranked)


def test_a_family_card_finds_all_of_the_family(session: Session, scene: IndexTools) -> None:
    for typed in ({"no_kk": KK}, {"number": KK}):
        assert {c.name for c in found(session, scene, **typed)} == {"UJANG EFENDI", "ANI WAHYUNI"}


@pytest.mark.parametrize("typed", ["+6281312345678", "081312345678", "0813-1234-5678"])
def test_a_phone_number_is_found_however_it_is_written(
    session: Session, scene: IndexTools, typed: str
) -> None:
    assert [c.name for c in found(session, scene, phone=typed)] == ["ANI WAHYUNI"]


def test_an_excluded_list_is_no_badge(session: Session, scene: IndexTools) -> None:
    (ani,) = found(session, scene, nik=ANI["nik"])
    assert ani.badges == ("PPLS2011 desil 2",)


def test_at_most_ten_are_shown_and_the_best_first(session: Session, scene: IndexTools) -> None:
    many = found(session, scene, name="saputra")
    assert 1 < len(many) <= 10
    assert [c.score for c in many] == sorted((c.score for c in many), reverse=True)


@pytest.mark.parametrize("typed", [{}, {"name": "ab"}, {"name": "12 ab"}, {"name": "   "}])
def test_too_little_is_refused(session: Session, scene: IndexTools, typed: dict) -> None:
    with pytest.raises(Refused, match="NIK"):
        found(session, scene, **typed)


def test_nobody_is_an_empty_answer(session: Session, scene: IndexTools) -> None:
    assert found(session, scene, nik="1376010101010009") == []
    assert found(session, scene, name="xylophon quarz") == []


@pytest.mark.parametrize(
    ("typed", "most"),
    [({"nik": UJANG["nik"]}, 3), ({"no_kk": KK}, 3), ({"name": "ujang efendi"}, 5)],
)
def test_a_search_takes_few_round_trips(
    database: Database, session: Session, scene: IndexTools, typed: dict, most: int
) -> None:
    trips = count_trips(session, lambda: found(session, scene, **typed))
    assert 1 <= trips <= most


def count_trips(session: Session, act) -> int:
    """Statements sent on the session's connection, by the driver's own cursors too."""
    raw = session.connection().connection.driver_connection
    sent = []
    plain = type(raw).wait

    class Counting(type(raw)):
        def wait(self, gen, *args, **kwargs):
            sent.append(gen)
            return plain(self, gen, *args, **kwargs)

    raw.__class__ = Counting
    try:
        act()
    finally:
        raw.__class__ = Counting.__mro__[1]
    return len(sent)


def test_the_golden_view_follows_precedence(session: Session, scene: IndexTools) -> None:
    view = person(session, scene, UJANG["nik"])
    assert view.name == "UJANG EFENDI"
    assert view.golden["birth_date"].value == "1960-03-12"
    assert view.golden["birth_date"].agency == "dukcapil"
    assert view.golden["birth_date"].as_of == OCTOBER
    assert view.nik == UJANG["nik"]
    assert view.nik_masked == "1376 •••• •••• 0002"
    assert view.age(date(2025, 11, 3)) == 65


def test_the_table_marks_who_disagrees(session: Session, scene: IndexTools) -> None:
    rows = {r.attribute: r for r in person(session, scene, UJANG["nik"]).rows}
    assert {c.agency: c.conflict for c in rows["birth_date"].cells} == {
        "dukcapil": False,
        "dstk": False,
        "baz": True,
    }
    assert rows["birth_date"].conflict
    assert not rows["name_source"].conflict, "a gelar is no contradiction"
    assert "mother_name" not in rows
    assert rows["pmks"].sensitivity == "S3"
    assert rows["pmks"].golden.value == ["24"]


def test_a_death_that_the_register_does_not_know_is_a_suspicion(
    session: Session, scene: IndexTools
) -> None:
    view = person(session, scene, UJANG["nik"])
    assert [(n.code, n.agency, n.day) for n in view.notes] == [
        ("DEATH_SUSPECTED", "baz", "2025-07-01")
    ]
    assert "vital_status" not in view.golden


def test_households_lists_and_help_reach_the_person(session: Session, scene: IndexTools) -> None:
    view = person(session, scene, UJANG["nik"])
    assert [r.name for r in view.family] == ["UJANG EFENDI", "ANI WAHYUNI"]
    assert view.family[0].is_head
    (home,) = view.households
    assert home.values["monthly_income"] == 900000
    assert [(m.name, m.is_head) for m in home.members] == [
        ("Ujang Efendi gelar Sutan Rajo Ameh", True),
        ("ANI WAHYUNNI", False),
    ]
    assert home.members[0].person_id == view.person_id
    assert [x.values["list_code"] for x in view.listings] == ["DTSEN", "PPLS2011"]
    assert [(b.values["date"], b.agency, b.via) for b in view.benefits] == [
        ("2025-06-01", "dstk", "enrolment"),
        ("2025-04-02", "baz", "person"),
        ("2025-04-01", "baz", "person"),
        ("2025-03-01", "dstk", "enrolment"),
    ]
    assert view.benefits[0].program == "dstk-2025-01"
    assert view.programs["dstk-2025-01"]["name"] == "Bansos tunai"
    wife = person(session, scene, ANI["nik"])
    assert {b.agency for b in wife.benefits} == {"dstk"}, "the household's help, not the husband's"


def test_every_value_names_the_signed_line_that_says_it(
    session: Session, scene: IndexTools
) -> None:
    view = person(session, scene, UJANG["nik"])
    register = view.members[0]
    assert register.agency == "dukcapil"
    assert (register.batch_id, register.line_i) == (people.batch_id(50_000), 0)
    assert (register.leaf, register.accepted) == (b"\x00" * 32, b"\x01" * 32)
    assert view.freshness == {"dukcapil": OCTOBER, "dstk": AUGUST, "baz": AUGUST} | dict.fromkeys(
        ("dstk", "baz"), people.AS_OF
    )
    assert len(view.batches) == len(set(view.batches)) >= 7
    assert all(len(leaf) == 32 for leaf in view.batches)


def test_the_profile_says_why_it_is_one_person(session: Session, scene: IndexTools) -> None:
    view = person(session, scene, UJANG["nik"])
    assert len(view.links) == len(view.members) - 1
    for link in view.links:
        assert sum(e.bits for e in link.evidence) == pytest.approx(link.bits, abs=1e-9)
    assert [link.weakest for link in view.links] == [False] * (len(view.links) - 1) + [True]
    assert view.links[-1].bits == min(link.bits for link in view.links)


def test_an_unknown_person_is_not_found(session: Session, scene: IndexTools) -> None:
    with pytest.raises(NotFound):
        index.profile(session, UUID(int=7), scene)


def test_counts(session: Session, scene: IndexTools, town: list[Said]) -> None:
    stats = index.stats(session)
    assert stats.person_records == len(town) + 5
    assert stats.records["dstk", "listing"] == 3
    assert (stats.households, stats.programs, stats.enrolments, stats.benefits) == (1, 1, 1, 4)
    assert 250 < stats.persons < 320
    assert stats.links_auto > 300
    assert stats.links_steward >= 0
    assert stats.pending == 0
