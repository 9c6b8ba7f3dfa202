"""One host runs the connectors of several bodies: a key each, and the keyset says who keeps it."""

from pathlib import Path

from connectors import starting
from connectors.config import Config
from keys import dsse
from keys.canonical import from_base64
from keys.keyset import parse_statement


def _instances(agency) -> set[str]:
    memory = agency.memory()
    try:
        kept = memory.fact("keyset")
        said = parse_statement(dsse.parse(from_base64(kept["envelope"])).payload)
        return {entry.instance for entry in said.keys.values()}
    finally:
        memory.close()


def _kept_by(agency, code: str) -> None:
    text = agency.config.read_text()
    agency.config.write_text(text.replace("[source]", f'[key]\nkept_by = "{code}"\n\n[source]'))


def test_the_keyset_names_the_keeper_also_after_a_rotation(agency, gateway):
    _kept_by(agency, "upt-kan")
    agency.enrol(gateway)
    assert _instances(agency) == {"upt-kan"}
    assert agency.run("publish").code == 0
    assert agency.run("keys", "rotate", "--yes").code == 0
    assert _instances(agency) == {"upt-kan"}
    assert agency.run("publish").code == 0


def test_an_agency_that_keeps_its_key_itself_names_its_machine(enrolled):
    assert "upt-kan" not in _instances(enrolled)


def test_a_keeper_is_a_code(agency):
    _kept_by(agency, "UPT KAN")
    answer = agency.run("preview")
    assert answer.code == 4
    assert "key.kept_by" in answer.err


def test_the_bodies_without_anybody_are_kept_in_the_examples():
    kept = {n: _config(n).kept_by for n in starting.examples()}
    assert {name for name, by in kept.items() if by == "upt-kan"} == {"baz", "csr-bri", "lks-mk"}
    assert set(kept.values()) == {"upt-kan", None}


def _config(name: str) -> Config:
    return Config.load(Path("connectors/agencies") / f"{name}.toml")
