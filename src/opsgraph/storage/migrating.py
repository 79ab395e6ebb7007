"""Bringing a database to the newest schema, and saying whether it is there."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.storage.database import Database

_LOCK = 0x6F707367  # "opsg": one process migrates a PostgreSQL database at a time


def migrations_folder() -> Path:
    """Where the migration scripts are: inside an installed package, else at the top of the checkout.

    Raises:
        FileNotFoundError: neither is there; the installation is incomplete.
    """
    package = Path(__file__).parent.parent
    for folder in (package / "_migrations", package.parent.parent / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise FileNotFoundError("opsgraph's migrations are not installed beside it")


@cache
def newest_revision() -> str:
    """The revision that this version of opsgraph works with."""
    head = ScriptDirectory(str(migrations_folder())).get_current_head()
    assert head is not None, "there is always a first migration"  # noqa: S101 - states an invariant for the reader
    return head


async def current_revision(connection: AsyncConnection) -> str | None:
    """The revision a database is at; None when it is empty."""
    return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


async def migrate(database: Database, target: str = "head") -> None:
    """Bring a database up (or, in tests, down) to a revision, in one transaction."""
    async with database.engine.connect() as plain:
        connection = await plain.execution_options(writing=True)
        async with connection.begin():
            if not database.is_sqlite:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            await connection.run_sync(_run, target)


def _run(connection: Connection, target: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    config.attributes["connection"] = connection
    if target == "head":
        command.upgrade(config, target)
    else:
        command.downgrade(config, target)
