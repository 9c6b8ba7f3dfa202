"""Bring a database to the newest schema, or say which it has."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine


def config() -> Config:
    """Alembic's configuration, with no file beside the code."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).resolve().parent))
    return made


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run the migrations up to `revision` on the engine's database, in one transaction each."""
    with engine.begin() as connection:
        made = config()
        made.attributes["connection"] = connection
        command.upgrade(made, revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Undo the migrations down to `revision`."""
    with engine.begin() as connection:
        made = config()
        made.attributes["connection"] = connection
        command.downgrade(made, revision)


def current(engine: Engine) -> str | None:
    """The revision the database has, or None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str | None:
    """The revision this code wants."""
    return ScriptDirectory.from_config(config()).get_current_head()
