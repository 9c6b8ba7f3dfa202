"""The worked examples: each agency of the demo city, from its own odd source to accepted records."""

import csv
import os
import sqlite3
import sys
from collections import Counter
from pathlib import Path

import psycopg
import pytest

from connectors import cli, starting
from connectors.screen import meaning
from demo.city import load
from demo.city.build import City, build_city
from demo.city.load import load_dstk
from keys.keystore import Cost, KeyStore
from schemas.profile import Profile
from tests.connectors import gateway as fake
from tests.shared import ROOT

AGENCIES = ("baz", "csr-bri", "dinkes", "disdik", "dstk", "dukcapil", "lks-mk", "ppkb")


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> City:
    return build_city(7, tmp_path_factory.mktemp("city"), Profile.load("payakumbuh"))


@pytest.fixture(scope="module")
def sources(city, servers) -> dict[str, str]:
    with psycopg.connect(servers.database_url("postgres"), autocommit=True) as admin:
        for name in ("c_disdik", "c_dstk", "c_ppkb"):
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            admin.execute(f"CREATE DATABASE {name}")
    for path in (*city.folders["lks-mk"].iterdir(), *city.folders["csr-bri"].iterdir()):
        os.utime(path, (path.stat().st_mtime - 60,) * 2)  # they were dropped a while ago
    dstk = servers.database_url("c_dstk")
    load_dstk(city.dstk, dstk.replace("postgresql:", "postgresql+psycopg:"))
    return load.sources(city, lambda name: servers.database_url(f"c_{name}")) | {"dstk": dstk}


@pytest.fixture(params=AGENCIES)
def published(request, sources, tmp_path, monkeypatch):
    """(agency, gateway, memory file) after init, enrol and publish as in the demo."""
    agency = request.param
    monkeypatch.setenv("TITIAN_SOURCE", sources[agency])

    def run(*arguments: str) -> None:
        config = ROOT / "connectors" / "agencies" / f"{agency}.toml"
        options = ["--config", str(config), "--state", str(tmp_path), "--lang", "en"]
        monkeypatch.setattr(sys, "argv", ["titian-connector", *options, *arguments])
        cli.main()

    with fake.running() as gateway:
        (tmp_path / "ticket").write_text(gateway.ticket(agency))
        run("init", "--unattended")
        passphrase = (tmp_path / "keys" / "passphrase").read_text()
        cost = Cost(memory_kib=8, iterations=1)
        KeyStore(tmp_path / "keys" / "agency.key", passphrase, cost).generate(agency)
        run("enrol", "--ticket", str(tmp_path / "ticket"))
        run("publish")
        yield agency, gateway, tmp_path / "data" / "memory.sqlite"


def _truth(city: City, agency: str) -> Counter[str]:
    with city.truth.open(encoding="utf-8") as file:
        return Counter(r["table"] for r in csv.DictReader(file) if r["agency"] == agency)


def test_an_agency_of_the_demo_city_publishes_unattended(published, city):
    agency, gateway, memory = published
    truth = _truth(city, agency)
    with sqlite3.connect(memory) as db:
        sent = dict(
            db.execute(
                "SELECT b.name, count(*) FROM sent s JOIN block b ON b.n = s.block GROUP BY 1"
            )
        )
        refused = db.execute("SELECT count(*) FROM finding WHERE refused = 1").fetchone()[0]
        waiting = db.execute("SELECT count(*) FROM outbox WHERE settled_at IS NULL").fetchone()[0]
    assert (refused, waiting) == (0, 0)
    for table, rows in truth.items():
        # One correction of a NIK, and soft-deleted pupils, are known to the truth alone.
        assert rows - 60 <= sent[table] <= rows
    persons = gateway.records(agency, "person")
    if agency == "dinkes":
        _check_truncated(persons, memory)
    assert len(persons) == sum(sent[table] for table in truth)
    _check_references(gateway, agency, set(persons))


def _check_truncated(persons, memory: Path) -> None:
    """Scenario 30: none is an identifier, and the agency has the list of its own rows."""
    cut = [v for v in persons.values() if v["nik_status"] == "truncated_excel"]
    assert len(cut) > 500
    assert not any("nik" in values for values in cut)
    with sqlite3.connect(memory) as db:
        rows = db.execute("SELECT own FROM finding WHERE code = 'NIK_TRUNCATED'").fetchall()
    assert len(rows) == len(cut)
    assert all(row[0].isdigit() and len(row[0]) == 13 for row in rows)
    assert "teks" in meaning("NIK_TRUNCATED", "id")


def _check_references(gateway, agency: str, persons: set[str]) -> None:
    households = gateway.records(agency, "household")
    for kind in ("household", "listing", "enrolment", "benefit"):
        for values in gateway.records(agency, kind).values():
            assert values.get("person") is None or values["person"] in persons
            assert values.get("household") is None or values["household"] in households
            assert values.get("head_person") is None or values["head_person"] in persons
            assert all(member["person"] in persons for member in values.get("members", ()))
    programs = {v["program_code"] for v in gateway.records(agency, "program").values()}
    for kind in ("enrolment", "benefit"):
        codes = {v.get("program_code") for v in gateway.records(agency, kind).values()}
        assert codes - {None} <= programs


def test_no_example_declares_what_must_not_leave():
    for name in starting.examples():
        text = starting.example(name)
        for word in ("kasus_kekerasan", "agama", "rekening", "nik_ibu", "nik_ayah"):
            assert word not in text.casefold()


def test_the_examples_are_the_agencies_of_the_demo():
    assert starting.examples() == AGENCIES


def test_init_copies_a_worked_example(tmp_path, monkeypatch):
    path = tmp_path / "titian.toml"
    argv = ["titian-connector", "--config", str(path), "init", "--example", "baz", "--unattended"]
    monkeypatch.setattr(sys, "argv", argv)
    cli.main()
    assert path.read_text() == starting.example("baz")
    assert (tmp_path / "state" / "keys" / "passphrase").stat().st_mode & 0o077 == 0


def test_init_proposes_settings_that_preview_can_use(city, tmp_path, monkeypatch, capsys):
    path = tmp_path / "titian.toml"

    def run(*arguments: str) -> str:
        argv = ["titian-connector", "--config", str(path), "--lang", "en", *arguments]
        monkeypatch.setattr(sys, "argv", argv)
        capsys.readouterr()
        cli.main()
        return capsys.readouterr().out

    source = f"sqlite:///{city.baz}"
    said = run("init", "--agency", "baz", "--profile", "payakumbuh", "--source", source)
    assert "columns proposed" in said
    assert "mustahik" in run("preview")
    assert Path(path).read_text().count("[[publish]]") >= 1
