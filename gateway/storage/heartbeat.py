"""Which background processes are alive: each writes a row every few seconds. No broker is asked."""

from datetime import timedelta

from sqlalchemy import Column, DateTime, Table, Text, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.storage.base import metadata

EVERY_SECONDS = 5
_ALIVE = timedelta(seconds=30)
_FORGOTTEN = timedelta(days=1)

heartbeat = Table(
    "heartbeat",
    metadata,
    Column("duty", Text, primary_key=True),
    Column("process", Text, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
)


def beat(session: Session, duty: str, process: str) -> None:
    """This process is alive now, by the database's clock."""
    row = insert(heartbeat).values(duty=duty, process=process, at=func.now())
    session.execute(
        row.on_conflict_do_update(
            index_elements=[heartbeat.c.duty, heartbeat.c.process], set_={"at": func.now()}
        )
    )


def end(session: Session, duty: str, process: str) -> None:
    """This process ends in good order."""
    session.execute(
        delete(heartbeat).where(heartbeat.c.duty == duty, heartbeat.c.process == process)
    )


def alive(session: Session, duty: str) -> int:
    """How many processes of a duty beat within the last 30 seconds."""
    count = session.scalar(
        select(func.count())
        .select_from(heartbeat)
        .where(heartbeat.c.duty == duty, heartbeat.c.at > func.now() - _ALIVE)
    )
    return count or 0


def tidy(session: Session) -> None:
    """Forget processes that have been silent for a day."""
    session.execute(delete(heartbeat).where(heartbeat.c.at < func.now() - _FORGOTTEN))
