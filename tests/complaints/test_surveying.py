"""Surveys on a real database: sheets, decisions, the unit's own signed records, letters."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from gateway.access.model import Role
from gateway.complaints import criteria, store_surveys, surveying
from gateway.complaints.criteria import Verdict
from gateway.complaints.model import Actor
from gateway.complaints.surveying import Decision, Filled
from gateway.errors import Conflict, Forbidden, Refused, Unavailable
from gateway.index import census
from gateway.letters import query as letters
from gateway.letters.model import Kind
from gateway.storage import ids
from gateway.trust import approvals, house
from gateway.trust import query as trust
from gateway.trust.model import AgencyDraft, Approver
from keys.errors import VaultError
from tests.complaints.conftest import Office, officer
from tests.intake.factory import tools_of

UNLISTED = {"verdict": "unlisted", "stale": []}
POOR = ("floor", "wall", "hunger")


@dataclass
class Field:
    """Whoever visits and decides, and the centre's tools."""

    office: Office
    tools: Any
    days: dict[str, date] = field(default_factory=dict)

    def filled(self, *yes: str, **given: Any) -> Filled:
        day = given.pop("visited_on", self.office.today)
        answers = {q.code: q.code in yes for q in criteria.in_force(day).questions}
        values = {"pmks": (), "notes": {"respondent": "Istri"}, "on_paper": False} | given
        return Filled(values.pop("id", ids.new()), answers, visited_on=day, **values)

    def submit(self, case, filled, who="field_verifier"):
        with self.office.database.session() as session:
            found = surveying.submit(session, case.ticket.id, filled, self.office.desk(who))
            session.commit()
        return found

    def decide(self, case, verdict, reason="", *, single=False, desk=None):
        made = Decision(verdict, reason, single)
        desk = desk or self.office.desk("upt_coordinator")
        with self.office.database.session() as session:
            found = surveying.decide(session, case.ticket.id, made, self.tools, desk)
            session.commit()
        return found

    def surveyed(self, *yes: str, **given: Any):
        case = self.office.register(check=UNLISTED).case
        return self.submit(case, self.filled(*yes, **given))

    def letters(self, case):
        with self.office.database.session() as session:
            return [
                letters.find(session, each.id, self.office.database.vault)
                for each in letters.of_ticket(session, case.ticket.id)
            ]

    def listings(self):
        with self.office.database.session() as session:
            return census.live_ids(session, "upt-kan", "listing", 2**62)


@pytest.fixture(scope="module")
def walk(office, database):
    return Field(office, tools_of(database))


@pytest.fixture(scope="module")
def enrolled(walk, database):
    """The unit's own key, approved by two persons."""
    draft = AgencyDraft("upt-kan", "UPT-KAN", house.RECORDS, "survei", "clerk")
    before = walk.office.moment - timedelta(hours=1)
    with database.session() as session:
        house.enrol(session, draft, database.settings, database.vault, before)
        groups = " ".join(str(trust.agency(session, "upt-kan").fingerprint).split()[-2:])
        for who, role in (("registrar", "key_admin"), ("delegate", "mayor_delegate")):
            approvals.approve(session, "upt-kan", Approver(who, role), groups, before)
        session.commit()
    return walk


def test_before_the_units_key_is_enrolled_nothing_is_decided(walk):
    case = walk.surveyed(*POOR)
    with pytest.raises(Unavailable, match="Kunci UPT-KAN"):
        walk.decide(case, Verdict.POOR)
    assert walk.office.get(case).ticket.state == "survey_review"


def test_scenario_10_an_accepted_survey_is_a_signed_batch_a_listing_and_a_proposal(enrolled):
    case = enrolled.surveyed(*POOR)
    before = enrolled.listings()
    case = enrolled.decide(case, Verdict.POOR)
    assert case.ticket.state == "verified"
    key = ids.show(case.ticket.id)
    assert enrolled.listings() - before == {f"{key}-s", f"{key}-u"}
    with enrolled.office.database.session() as session:
        rows = session.execute(
            text("select record_type, count, state, kid from batch where agency = 'upt-kan'")
        ).all()
        jobs = session.scalars(text("select job from outbox")).all()
    assert [(r.record_type, r.count, r.state) for r in rows] == [
        ("person", 1, "applied"),
        ("listing", 2, "applied"),
    ]
    assert {r.kid for r in rows} == {enrolled.office.database.vault.signer("house").kid}
    assert "reconcile" in jobs


def test_a_letter_after_a_survey_names_the_rules_it_was_accepted_by(enrolled):
    case = enrolled.decide(enrolled.surveyed(*POOR), Verdict.POOR)
    case = enrolled.office.refer(case)
    (letter,) = enrolled.letters(case)
    assert letter.kind is Kind.REFERRAL
    assert "262/HUK/2022" in letter.data["check"][0]


def test_scenario_22_a_referral_that_came_back_has_a_new_letter_and_keeps_the_old_one(walk):
    case = walk.office.refer(walk.office.register().case)
    case = walk.office.act(case, "acknowledge", "agency_reviewer", 1, unit="disdik")
    case = walk.office.act(
        case, "return_referral", "agency_reviewer", 1, unit="disdik", reason="bukan kami"
    )
    walk.office.act(case, "re_refer", "counter_officer", 1, data={"agency": "baz"})
    first, second = walk.letters(case)
    assert second.running == first.running + 1
    assert first.data["agency"] == "Dinas Pendidikan"
    assert second.data["agency"] == "Badan Amil Zakat"


def test_sending_a_sheet_twice_is_once(walk):
    case = walk.office.register(check=UNLISTED).case
    filled = walk.filled(*POOR)
    first = walk.submit(case, filled)
    history = len(walk.office.history(case))
    assert walk.submit(case, filled).ticket.state == first.ticket.state == "survey_review"
    assert len(walk.office.history(case)) == history
    other = walk.office.register(check=UNLISTED).case
    with pytest.raises(Conflict, match="tiket lain"):
        walk.submit(other, filled)


def test_a_paper_form_is_entered_later_than_the_visit(walk):
    visited = walk.office.today - timedelta(days=6)
    case = walk.surveyed(*POOR, on_paper=True, visited_on=visited)
    with walk.office.database.session() as session:
        _, sheet, _ = surveying.review(session, case.ticket.id, walk.office.desk("upt_coordinator"))
    assert (sheet.visited_on, sheet.entered_on, sheet.on_paper) == (
        visited,
        walk.office.today,
        True,
    )


@pytest.mark.parametrize(
    ("change", "who", "refused"),
    [
        ({"visited_on": date(2030, 1, 1)}, "field_verifier", Refused),
        ({"pmks": ("16",)}, "field_verifier", Refused),
        ({}, "counter_officer", Forbidden),
    ],
    ids=["future", "restricted category", "role"],
)
def test_what_a_sheet_may_not_say(walk, change, who, refused):
    case = walk.office.register(check=UNLISTED).case
    with pytest.raises(refused):
        walk.submit(case, walk.filled(*POOR, **change), who)
    assert walk.office.get(case).ticket.state == "survey_queued"


def test_scenario_11_who_surveyed_decides_only_single_handed(enrolled):
    office = enrolled.office
    both = Actor.of(officer(Role.UPT_COORDINATOR, Role.FIELD_VERIFIER))
    desk = office.desk("upt_coordinator").by(both)
    case = office.register(check=UNLISTED).case
    with office.database.session() as session:
        surveying.submit(session, case.ticket.id, enrolled.filled(), desk)
        session.commit()
    with pytest.raises(Forbidden, match="Anda sendiri"):
        enrolled.decide(case, Verdict.NEITHER, "cukup", desk=desk)
    case = enrolled.decide(case, Verdict.NEITHER, "cukup", single=True, desk=desk)
    assert case.ticket.state == "rejected"
    line = office.history(case)[-1]
    assert (line.single_handed, line.sampled) == (True, True)


def test_scenario_12_not_poor_but_pmks_is_accepted(enrolled):
    case = enrolled.surveyed(pmks=("02",))
    case = enrolled.decide(case, Verdict.PMKS)
    assert case.ticket.state == "verified"


def test_scenario_12_neither_is_a_reasoned_letter_and_an_objection_a_new_survey(walk):
    case = walk.surveyed("floor")
    case = walk.decide(case, Verdict.NEITHER, "Rumah layak dan kepala keluarga bekerja")
    (letter,) = walk.letters(case)
    assert letter.kind is Kind.REJECTION
    assert letter.data["object_by"] == "3 Desember 2025"
    assert letter.data["reason"] == "Rumah layak dan kepala keluarga bekerja"
    told = {each["text"]: each["result"] for each in letter.data["criteria"]}
    assert len(told) == 9
    assert list(told.values()).count("terpenuhi") == 1
    case = walk.office.act(case, "object", "upt_coordinator", reason="keadaan berubah")
    assert case.ticket.state == "survey_queued"
    case = walk.office.act(case, "start_survey", "field_verifier")
    with pytest.raises(Refused, match="lembar survei"):
        walk.office.act(case, "submit_survey", "field_verifier")
    assert walk.submit(case, walk.filled(*POOR)).ticket.state == "survey_review"


def test_scenario_13_an_old_sheet_is_explained_by_its_own_rules(walk):
    case = walk.surveyed("floor", "wall", "food_spending", visited_on=date(2015, 3, 2))
    with walk.office.database.session() as session:
        _, sheet, outcome = surveying.review(
            session, case.ticket.id, walk.office.desk("upt_coordinator")
        )
    assert (sheet.rule_set, outcome.verdict) == ("146/HUK/2013", Verdict.NEITHER)


def test_a_decision_against_the_rules_needs_a_reason(enrolled):
    case = enrolled.surveyed("floor")
    with pytest.raises(Refused, match="berbeda"):
        enrolled.decide(case, Verdict.POOR)
    with pytest.raises(Refused, match="PMKS"):
        enrolled.decide(case, Verdict.PMKS, "kasihan")
    case = enrolled.decide(case, Verdict.POOR, "Kepala keluarga baru di-PHK")
    assert case.ticket.state == "verified"


def test_nobody_is_let_in_beside_the_survey(walk):
    case = walk.surveyed(*POOR)
    with pytest.raises(Refused, match="Telaah survei"):
        walk.office.act(case, "accept_poor", "upt_coordinator", reason="langsung")


def test_visits_stand_by_kelurahan_and_rt_and_restricted_ones_in_no_list(walk):
    for rt in ("7", "003"):
        walk.office.register(check=UNLISTED, person={"rt": rt, "name": f"Orang RT{rt}"})
    walk.office.register(check=UNLISTED, restricted=True, person={"name": "Rahasia"})
    with walk.office.database.session() as session:
        found = surveying.to_visit(session, walk.office.desk("field_verifier"))
    names = [c.ticket.body.person["name"] for c in found]
    assert names.index("Orang RT003") < names.index("Orang RT7")
    assert "Rahasia" not in names
    with walk.office.database.session() as session, pytest.raises(Forbidden):
        surveying.to_visit(session, walk.office.desk("agency_reviewer", "dstk"))


def test_a_sheet_that_was_swapped_does_not_open(walk):
    one, _ = walk.surveyed(*POOR), walk.surveyed()
    swap = "update survey_sheet a set sealed = b.sealed from survey_sheet b where a.id <> b.id"
    with walk.office.database.session() as session:
        assert session.execute(text(swap)).rowcount >= 2
        with pytest.raises(VaultError):
            store_surveys.last(session, one.ticket.id, walk.office.database.vault)
        session.rollback()


def test_a_sheet_stands_sealed(walk):
    walk.surveyed(*POOR, notes={"witness": "Zubaidah Rahasia"})
    with walk.office.database.session() as session:
        seen = "".join(session.scalars(text("select t::text from survey_sheet t")))
    assert b"Zubaidah".hex() not in seen
