"""What an officer hands over as a file convinces a stranger who has only the policy."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text, update

from gateway.access import sessions
from gateway.access import store as access
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer
from gateway.cli import cli
from gateway.index import modelfile
from gateway.index.store import membership, source_record
from gateway.intake import store as intake
from gateway.ledger import query as ledger
from gateway.ledger import store_cosignatures
from gateway.ledger.store_cosignatures import Cosignature
from gateway.storage import ids
from gateway.trust import centre
from keys import bundle, verify
from keys.checkpoint import parse_checkpoint, parse_note, witness_key
from keys.cosignature import cosign
from keys.findings import Verdict
from keys.policy import Policy
from keys.signers import Ed25519Signer
from keys.verdict import judge
from tests.conftest import Database
from tests.intake.factory import NOW, enrol, line, person, send, tools_of
from tests.intake.revoking import work
from tests.ledger.logging_room import Log
from tests.web.conftest import PASSWORD

WHOM = person(1)
_LOOK = re.compile(r'name="look" value="([^"]+)"')


@pytest.fixture(scope="module", autouse=True)
def published(app, database):
    """An agency let in, and one batch of two persons in the index and the log."""
    tools, agency = tools_of(database, modelfile.load()), enrol(database, "dinkes")
    lines = [line("a", agency.version(), WHOM), line("b", agency.version(), person(2))]
    send(database, tools, agency.seal(lines))
    # An enrolment and a benefit of which nothing is known but what must be.
    of = {"person": "a", "program_code": "dinas-2025-01"}
    for kind, values in (
        ("enrolment", of | {"status": "active"}),
        ("benefit", of | {"date": "2025-04-04", "form": "barang"}),
    ):
        version = agency.version("program")
        send(database, tools, agency.seal([line(kind, version, values)], record_type=kind))
    work(database, tools)
    with database.session() as session:
        new = NewOfficer("kunci", "Kunci", "upt-kan", (Role.KEY_ADMIN,), PASSWORD)
        sessions.add_officer(session, new)
        session.commit()
    Log(database).integrate()


@pytest.fixture
def policy(app, database, browser) -> Policy:
    browser.log_in("kunci")
    answer = browser.get("/bukti/kebijakan")
    browser.post("/keluar")
    return Policy.parse(answer.data)


def of_record(database: Database, source_id: str) -> tuple[str, int]:
    query = (
        select(membership.c.person_id, source_record.c.id)
        .join(source_record, source_record.c.id == membership.c.record_id)
        .where(source_record.c.source_id == source_id)
    )
    with database.session() as session:
        found = session.execute(query).one()
    return ids.show(found.person_id), found.id


def take(browser: Any, address: str, database: Database, **fields: Any) -> Any:
    """Post the question, let the log sign it, and fetch the file."""
    data = {"csrf": browser.csrf, **fields}
    asked = browser.client.post(address, data=data, headers={"Origin": "http://localhost"})
    assert asked.status_code == 303, asked.get_data(as_text=True)
    Log(database).integrate()
    return browser.client.get(asked.location)


def counted(database: Database, action: str) -> tuple[int, int]:
    """How many questions of that action, and how many answers, stand in the tracker."""
    asked = "select count(*) from query where action = :a"
    told = "select count(*) from result r join query q on q.id = r.query_id where action = :a"
    with database.session() as session:
        return tuple(session.scalar(text(s), {"a": action}) for s in (asked, told))  # type: ignore[return-value]


def test_a_citizen_takes_home_evidence_of_a_record(browser, database, policy):
    browser.log_in("petugas")
    browser.get("/loket")
    whom, record = of_record(database, "a")
    page = browser.post("/profil", person=whom, purpose="cek_mandiri").get_data(as_text=True)
    assert f'name="record" value="{record}"' in page
    assert page.count('name="record"') == 3
    form = {"person": whom, "record": record, "purpose": "cek_mandiri"}
    file = take(browser, "/bukti/data", database, **form)
    assert file.headers["Content-Disposition"].endswith('.titianproof"')
    assert file.headers["Cache-Control"] == "no-store"
    report = judge([file.data], policy)[0]
    assert report.verdict is Verdict.VALID, report
    held = bundle.parse(file.data)
    assert isinstance(held, bundle.RecordEvidence)
    assert json.loads(held.line)["name_source"] == WHOM["name_source"]
    assert counted(database, "prove") == (1, 1)
    for wrong in ({"record": "x"}, {"record": str(record + 77)}, {"person": "no"}):
        data = {"csrf": browser.csrf, **form, **wrong}
        answer = browser.post("/bukti/data", **data)
        assert answer.status_code == 404
        assert "titian_proof" not in answer.get_data(as_text=True)


def test_evidence_is_offered_only_for_a_purpose_that_allows_it(browser, database):
    browser.log_in("petugas")
    browser.get("/loket")
    whom, record = of_record(database, "a")
    page = browser.post("/profil", person=whom, purpose="pengaduan_baru").get_data(as_text=True)
    assert 'name="record"' not in page
    assert "tidak diberikan untuk keperluan ini" in page
    form = {"person": whom, "record": record, "purpose": "pengaduan_baru"}
    assert browser.post("/bukti/data", **form).status_code == 403


def test_evidence_of_a_person_does_not_give_another_persons_record(browser, database):
    browser.log_in("petugas")
    browser.get("/loket")
    (whom, _), (_, other) = of_record(database, "a"), of_record(database, "b")
    form = {"person": whom, "record": other, "purpose": "cek_mandiri"}
    assert take(browser, "/bukti/data", database, **form).status_code == 404


@pytest.mark.parametrize("name", ["auditor", "kunci"])
def test_who_may_not_prove_is_refused_and_offered_nothing(name, browser, database):
    browser.log_in(name)
    browser.get("/")
    whom, record = of_record(database, "a")
    form = {"person": whom, "record": record, "purpose": "cek_mandiri"}
    assert browser.post("/bukti/data", **form).status_code == 403


def test_a_citizen_learns_who_looked_and_what_was_shown(browser, database, policy):
    browser.log_in("petugas")
    browser.get("/loket")
    browser.post("/cari", q=WHOM["name_source"], purpose="cek_mandiri")
    browser.post("/keluar")
    Log(database).integrate()
    browser.log_in("auditor")
    newest = _LOOK.search(browser.get("/jejak").get_data(as_text=True))
    assert newest
    file = take(browser, "/bukti/akses", database, look=newest[1])
    report = judge([file.data], policy)[0]
    assert report.verdict is Verdict.VALID, report
    held = bundle.parse(file.data)
    assert isinstance(held, bundle.QueryEvidence)
    assert json.loads(held.query.detail or b"")["terms"]["typed"] == WHOM["name_source"]
    assert of_record(database, "a")[0] in json.loads(held.results[0].detail or b"")["persons"]
    assert len(held.sources) == 1
    assert counted(database, "prove_look") == (1, 1)


def test_a_look_whose_words_were_erased_is_not_enough(browser, database, policy):
    with database.session() as session:
        row = session.execute(select(access.query).limit(1)).one()
        session.execute(
            update(access.query).where(access.query.c.id == row.id).values(detail=b"gone")
        )
        session.commit()
    browser.log_in("auditor")
    browser.get("/jejak")
    file = take(browser, "/bukti/akses", database, look=ids.show(row.id))
    report = judge([file.data], policy)[0]
    assert report.verdict is Verdict.NOT_ENOUGH
    assert "detail" in {finding.step for finding in report.findings}


def test_keys_and_decisions_are_proved_without_personal_data(browser, database, policy):
    browser.log_in("kunci")
    page = browser.get("/instansi/dinkes").get_data(as_text=True)
    files = [browser.get("/bukti/kunci/dinkes").data]
    leaves = re.findall(r"/bukti/keputusan/([0-9a-f]{64})", page)
    assert len(leaves) == 2
    files += [browser.get(f"/bukti/keputusan/{leaf}").data for leaf in leaves]
    assert [report.verdict for report in judge(files, policy)] == [Verdict.VALID] * 3
    held = bundle.parse(files[1])
    assert isinstance(held, bundle.DecisionEvidence)
    assert json.loads(held.statement or b"")["agency"] == "dinkes"
    assert browser.get("/bukti/keputusan/xyz").status_code == 422
    assert browser.get(f"/bukti/keputusan/{'0' * 64}").status_code == 404
    assert browser.get("/bukti/kunci/none").status_code == 404


def test_the_page_that_checks_is_handed_out_as_a_file(browser):
    browser.log_in("kunci")
    assert "/bukti/pemeriksa" in browser.get("/instansi/dinkes").get_data(as_text=True)
    answer = browser.get("/bukti/pemeriksa")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="titian-verify.html"'
    assert b"titianVerify" in answer.data


class Shell:
    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder

    def __call__(self, *arguments: str, typed: str = "") -> Any:
        environ = self.database.settings.environ() | {"TITIAN_SECOND_FACTOR": "off"}
        return CliRunner().invoke(cli, ["prove", *arguments], input=typed, env=environ)


@pytest.fixture
def titian(database, tmp_path, monkeypatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(database, tmp_path)


def test_the_shell_writes_files_that_verify(titian, database, capsys):
    assert titian("policy").exit_code == 0
    sent = ("batch", "dinkes", "target", "1", "1")
    assert titian(*sent).exit_code == 0
    assert titian("keyset", "dinkes").exit_code == 0
    whom, record = of_record(database, "a")
    asked = ("record", whom, str(record), "--as", "petugas")
    said = titian(*asked, typed=f"{PASSWORD}\n")
    assert said.exit_code == 0, said.output
    files = [str(path) for path in titian.folder.glob("*.titianproof")]
    assert len(files) == 3
    assert verify.run([*files, "--policy", "policy.json", "--show", "--lang", "en"]) == 0
    assert WHOM["name_source"] in capsys.readouterr().out


def test_the_centres_own_keys_are_proved_too(titian, database):
    with database.session() as session:
        centre.publish(session, database.vault, database.settings.aud, NOW)
        session.commit()
    Log(database).integrate()
    assert titian("policy").exit_code == 0
    assert titian("keyset", "gateway").exit_code == 0
    assert verify.run(["keyset-gateway.titianproof", "--policy", "policy.json"]) == 0


def test_the_shell_asks_who_is_there_and_keeps_files(titian, database):
    whom, record = of_record(database, "a")
    before = counted(database, "prove")
    refused = titian("record", whom, str(record), "--as", "petugas", typed="salah-salah-1\n")
    assert refused.exit_code == 1
    assert counted(database, "prove") == before
    (titian.folder / "keyset-dinkes.titianproof").write_text("mine")
    assert titian("keyset", "dinkes").exit_code == 1
    assert (titian.folder / "keyset-dinkes.titianproof").read_text() == "mine"
    assert titian("batch", "dinkes", "target", "1", "99").exit_code == 1
    assert titian("policy", "--quorum", "3").exit_code == 1
    assert titian("decision", "zz").exit_code == 2


def test_an_erased_line_says_so(titian, database):
    with database.session() as session:
        session.execute(update(intake.batch_line).where(intake.batch_line.c.i == 1).values(ct=None))
        session.commit()
    whom, record = of_record(database, "b")
    said = titian("record", whom, str(record), "--as", "petugas", typed=f"{PASSWORD}\n")
    assert said.exit_code == 1
    assert "sudah dihapus" in str(said.exception)
    assert not list(titian.folder.glob("*.titianproof"))


def test_what_is_not_in_a_checkpoint_yet_says_when_to_come_back(titian, database):
    tools, agency = tools_of(database, modelfile.load()), enrol(database, "disdik")
    send(database, tools, agency.seal([line("c", agency.version(), person(9))]))
    said = titian("batch", "disdik", "target", "1", "1")
    assert said.exit_code == 1
    assert "ask again" in str(said.exception)


def test_evidence_stands_under_a_checkpoint_that_a_witness_saw(titian, database):
    """Also where newer checkpoints exist that no witness has seen yet."""
    witness = Ed25519Signer.generate("baz")
    key = witness_key("baz", witness.public)
    seen = Log(database).note()
    with database.session() as session:
        note = ledger.checkpoint(session)
        assert note
        made = cosign(parse_checkpoint(parse_note(note).text), key, witness, NOW)
        store_cosignatures.add(session, Cosignature(seen.size, witness.kid, NOW, made))
        session.commit()
    Log(database).grow(range(300))
    assert titian("keyset", "dinkes", "-o", "k.titianproof").exit_code == 0
    assert titian("policy").exit_code == 0
    trusted = json.loads(Path("policy.json").read_text()) | {"quorum": 1}
    Path("policy.json").write_text(json.dumps(trusted | {"witnesses": [key.vkey()]}))
    assert verify.run(["k.titianproof", "--policy", "policy.json"]) == 0
    held = bundle.parse(Path("k.titianproof").read_bytes())
    assert isinstance(held, bundle.KeysetEvidence)
    assert f"\n{seen.size}\n" in held.keysets[0].proof
