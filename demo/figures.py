"""The figures of the summary, read from the database; `design`: the contract of summary.json."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from demo.city.build import City
from gateway.access import query as access
from gateway.intake import query as intake


def collect(session: Session) -> dict[str, Any]:
    """What the exchange holds now."""
    batches, index = intake.counts(session), access.counts(session)
    findings = session.execute(
        text("select code, count(*) as n from disposition group by code order by 2 desc, 1")
    ).all()
    return {
        "agencies": session.scalar(text("select count(*) from agency where state = 'active'")),
        "batches": batches.batches,
        "records_read": batches.records,
        "records_accepted": batches.applied,
        "records_refused": batches.refused,
        "findings": {row.code: row.n for row in findings},
        "persons": index.persons,
        "person_records": index.person_records,
        "households": index.households,
        "programs": index.programs,
        "enrolments": index.enrolments,
        "benefits": index.benefits,
        "links": {"auto": index.links_auto, "steward": index.links_steward},
    }


def some_numbers(city: City, count: int) -> list[str]:
    """NIKs of persons of the civil register, evenly spread."""
    newest = max(city.folders["dukcapil"].glob("BIODATA_*.txt"))
    lines = newest.read_text(encoding="latin-1").splitlines()
    numbers = [n for line in lines if (n := line.split("|", 1)[0]).isdigit() and len(n) == 16]
    return numbers[:: max(1, len(numbers) // count)][:count]


def sentence(summary: dict[str, Any]) -> str:
    """The whole in two lines."""
    links = summary["pairwise"]
    return (
        f"\n{summary['agencies']} agencies, {summary['records_accepted']} records, "
        f"{summary['persons']} persons in {summary['seconds']['total']} s; "
        f"links: precision {links['precision']}, recall {links['recall']}, F1 {links['f1']}."
    )
