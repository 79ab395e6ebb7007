"""The database as commands find it: an SQLite file is made and migrated first, PostgreSQL has to be current."""

import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from opsgraph.app import Core, build_core
from opsgraph.cli.failures import CommandError
from opsgraph.settings import Settings
from opsgraph.storage.database import Database, async_url
from opsgraph.storage.migrating import current_revision, migrate, newest_revision


def configured() -> Settings:
    """The settings that the environment names.

    Raises:
        SettingsError: one of them cannot be used.
    """
    return Settings.from_environment(os.environ)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Core]:
    """opsgraph on its database, which is at the newest schema.

    Raises:
        CommandError: an SQLite file cannot be used, or PostgreSQL is not at the newest schema; says what to do.
    """
    core = build_core(settings)
    try:
        if core.database.is_sqlite:
            await bring_up_to_date(core)
        elif (found := await revision_of(core)) != newest_revision():
            raise CommandError(f"the database is at revision {found or 'none'}: run `opsgraph migrate`")
        yield core
    finally:
        await core.close()


async def bring_up_to_date(core: Core) -> bool:
    """Migrate the database if it is behind; says whether it was.

    Raises:
        CommandError: an SQLite file cannot be used.
    """
    if await revision_of(core) == newest_revision():
        return False
    with _usable(core.database):
        await migrate(core.database)
    return True


async def revision_of(core: Core) -> str | None:
    """The revision the database is at; None when it is empty, or an SQLite file that is yet to be made.

    Raises:
        CommandError: an SQLite file cannot be used.
    """
    if is_unmade(core.settings):
        return None
    with _usable(core.database):
        async with core.database.reading() as session:
            return await current_revision(session)


def is_unmade(settings: Settings) -> bool:
    """Whether the database is an SQLite file that is yet to be made, which looking into it would do."""
    url = async_url(settings.database_url)
    return url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists()


@contextmanager
def _usable(database: Database) -> Iterator[None]:
    """Name the file when SQLite cannot use it."""
    path = str(database.url.database)
    try:
        if database.is_sqlite:
            _look_into(path)
        yield
    except (sqlite3.Error, DBAPIError) as error:
        if not database.is_sqlite:
            raise
        raise CommandError(f"{path} cannot be used: {getattr(error, 'orig', error)}") from error


def _look_into(path: str) -> None:
    # Before the asynchronous driver does: when that cannot connect, its thread outlives the event loop and complains.
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA schema_version")
