"""From the receipt to the index and the log, and who is alive meanwhile."""

import subprocess
import sys

from sqlalchemy import func, select

from demo.processes import ROOT, environment
from gateway.index.store import source_record
from gateway.ledger import query as log
from gateway.storage import heartbeat
from keys import dsse
from schemas.receipt import load_receipt
from tests.conftest import Database
from tests.intake.factory import live, put, result
from tests.workers.conftest import is_applied, settled, until


def health(database: Database, duty: str) -> int:
    command = [sys.executable, "-m", "workers", "health", duty]
    run = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(database.settings.environ()),
        capture_output=True,
        check=False,
    )
    return run.returncode


def alive(database: Database, duty: str) -> int:
    with database.session() as session:
        return heartbeat.alive(session, duty)


def test_from_receipt_to_index_and_log(database, tools, agency, centre):
    """Without a worker the index does not change; the log goes on all the same."""
    assert health(database, "worker") == 1
    centre.relay()
    parcel = agency.people(range(200))
    receipt = load_receipt(dsse.parse(put(database, tools, parcel).receipt).payload)
    parcel.advance()

    def logged() -> bool:
        with database.session() as session:
            return log.state(session).size > receipt.min_size

    until(logged)
    with database.session() as session:
        assert log.inclusion(session, bytes.fromhex(receipt.leaf)).index >= receipt.min_size
        vkey = database.vault.log_signer(database.settings.log_origin).vkey
        assert log.verify(session, vkey).size == log.state(session).size
        assert session.scalar(select(func.count()).select_from(source_record)) == 0
    assert not is_applied(database, parcel)
    centre.worker()
    until(lambda: is_applied(database, parcel))
    until(lambda: settled(database))
    assert len(live(database, agency)) == 200
    assert result(database, parcel).applied == 200
    assert health(database, "worker") == 0
    assert [alive(database, duty) for duty in ("relay", "beat")] == [1, 0]
    centre.beat()
    until(lambda: alive(database, "beat"))
