"""An old name of a kelurahan is one task for an agency, however many of its rows carry it."""

from dataclasses import replace

from gateway.index import service as index
from gateway.index.arrivals import Arrival, Origin
from schemas.line import content_hash
from tests.index_db import people
from tests.index_db.people import Said
from tests.stewards.conftest import Office


def _at(said: Said, source_id: str, agency: str, **address: str) -> Said:
    values = {**said.values, "address_ktp": address}
    return replace(said, agency=agency, source_id=source_id, values=values)


def _tasks(office: Office) -> dict[str, int]:
    return {task.about: task.worth for task in office.tasks("K13")}


def _withdraw(office: Office, agency: str, source_id: str) -> None:
    origin = Origin(agency, "person", people.batch_id(900_001), people.AS_OF)
    gone = Arrival(0, "del", source_id, 9, None, content_hash({}, "del"), {}, b"x" * 32)
    with office.database.session() as session:
        index.absorb(session, origin, [gone], office.tools)
        index.reconcile(session, origin.batch_id, office.tools)
        session.commit()
    office.examine()


def test_one_name_at_one_agency_is_one_task_until_its_last_row_is_mended(office, town):
    a, b, c = town[:3]
    old, found = {"kelurahan_raw": "TAROK"}, {"kelurahan": "13.76.01.1018"}
    office.load([_at(a, "1", "dstk", **old), _at(b, "2", "dstk", **old), _at(c, "3", "baz", **old)])
    assert _tasks(office) == {"place:dstk:TAROK": 2, "place:baz:TAROK": 1}
    assert all(task.persons == () for task in office.tasks("K13"))
    office.load([_at(a, "1", "dstk", kelurahan_raw="TAROK", **found)], v=2)
    assert _tasks(office) == {"place:dstk:TAROK": 1, "place:baz:TAROK": 1}
    office.load([_at(b, "2", "dstk", kelurahan_raw="IBUAH: LAMA")], v=2)
    assert _tasks(office) == {"place:dstk:IBUAH: LAMA": 1, "place:baz:TAROK": 1}
    _withdraw(office, "dstk", "2")
    assert _tasks(office) == {"place:baz:TAROK": 1}
