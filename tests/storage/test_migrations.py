"""Migrations: every one goes up and down on both databases, and leads to the schema that the code declares."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from opsgraph.metadata import metadata
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.storage.migrating import current_revision, migrate, migrations_folder, newest_revision
from tests.support import databases
from tests.support.schemas import Schema, schema_of

BASE = "base"
NOTHING: Schema = {"tables": {}, "others": {}}


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """A database, closed afterwards."""
    database = Database(Settings(database_url=url))
    try:
        yield database
    finally:
        await database.close()


async def emptied(url: str) -> None:
    """Remove everything from a PostgreSQL database."""
    async with opened(url) as database, database.engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))


@pytest.fixture(scope="module")
def postgres_of_its_own(postgres_server: str) -> Iterator[str]:
    """A PostgreSQL database that no other test uses."""
    with databases.postgres_database(postgres_server, migrate_it=False) as url:
        yield url


@pytest.fixture
def empty_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without any table."""
    if database_kind == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    url: str = request.getfixturevalue("postgres_of_its_own")
    asyncio.run(emptied(url))
    return url


@pytest.fixture
async def empty(empty_url: str) -> AsyncIterator[Database]:
    """A database without any table."""
    async with opened(empty_url) as database:
        yield database


def configured(connection: Connection) -> Config:
    """Alembic on a connection."""
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    config.attributes["connection"] = connection
    return config


async def go(database: Database, target: str, *, up: bool = True) -> Schema:
    """Migrate to a revision; gives what the database then consists of."""
    async with database.engine.begin() as connection:
        step = command.upgrade if up else command.downgrade
        await connection.run_sync(lambda sync: step(configured(sync), target))
        return await connection.run_sync(schema_of)


async def schema(database: Database) -> Schema:
    """What a database consists of."""
    async with database.reading() as session:
        return await session.run_sync(schema_of)


def revisions() -> list[str]:
    """Every revision, oldest first."""
    walked = ScriptDirectory(str(migrations_folder())).walk_revisions()
    return [script.revision for script in reversed(list(walked))]


async def test_every_migration_goes_up_and_down(empty: Database) -> None:
    """Each step down restores exactly what was there before the step up; the last one leaves nothing behind."""
    before, previous = await schema(empty), BASE
    assert before == NOTHING
    for revision in revisions():
        after = await go(empty, revision)
        assert after != before
        assert await go(empty, previous, up=False) == before
        assert await go(empty, revision) == after
        before, previous = after, revision
    assert await go(empty, BASE, up=False) == NOTHING
    assert await go(empty, "head") == before


async def test_the_newest_schema_is_the_one_that_the_code_declares(
    empty: Database, database: Database, database_kind: str
) -> None:
    """Columns, keys, CHECKs, indexes and options of every table, by name and definition; Alembic sees no CHECKs."""
    async with empty.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        declared = (await connection.run_sync(schema_of))["tables"]
    migrated = (await schema(database))["tables"]
    assert migrated.keys() == declared.keys()
    for table in declared:
        assert migrated[table] == declared[table], table


async def test_every_table_with_updated_at_has_its_trigger(database: Database) -> None:
    """One trigger each and no other, but for those that keep append-only tables from changing."""
    others = (await schema(database))["others"]
    touching = {name.removeprefix("trigger ") for name in others if name.endswith("_touch") and "trigger" in name}
    stamped = {f"{table.name}_touch" for table in metadata.sorted_tables if "updated_at" in table.c}
    assert touching == stamped


async def test_alembic_finds_no_drift(database: Database) -> None:
    """`alembic check` has nothing to add."""
    async with database.engine.connect() as connection:
        await connection.run_sync(lambda sync: command.check(configured(sync)))


async def test_the_revision_of_a_database_is_known(empty: Database) -> None:
    """None on an empty one, the newest after migrating, None again after going down to nothing."""
    for target, expected in ((None, None), ("head", newest_revision()), (BASE, None)):
        if target:
            await migrate(empty, target)
        async with empty.reading() as session:
            assert await current_revision(session) == expected
    assert newest_revision() == revisions()[-1]


async def test_migrating_again_changes_nothing(empty: Database) -> None:
    """What is at the newest revision stays as it is, rows included."""
    await migrate(empty)
    async with empty.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE kept (id INTEGER)"))
    before = await schema(empty)
    await migrate(empty)
    assert await schema(empty) == before


async def test_several_may_migrate_one_database_at_once(empty_url: str) -> None:
    """One does it, the others wait and find it done."""

    async def start() -> None:
        async with opened(empty_url) as database:
            await migrate(database)

    await asyncio.gather(*(start() for _ in range(4)))
    async with opened(empty_url) as database, database.reading() as session:
        assert await current_revision(session) == newest_revision()


async def test_a_failed_migration_leaves_nothing_behind(empty: Database) -> None:
    """It is one transaction: a table in its way undoes all of it."""
    last = metadata.sorted_tables[-1].name
    async with empty.engine.begin() as connection:
        await connection.execute(text(f"CREATE TABLE {last} (id INTEGER)"))
    before = await schema(empty)
    with pytest.raises(Exception, match=last):
        await migrate(empty)
    assert await schema(empty) == before
    async with empty.reading() as session:
        assert await current_revision(session) is None


async def test_readers_keep_their_snapshot_while_a_file_is_migrated(empty_url: str, database_kind: str) -> None:
    """A read that began before sees the old schema to its end, a later one the new."""
    if database_kind == "postgresql":
        pytest.skip("PostgreSQL locks the tables that a migration alters; its readers wait")
    async with opened(empty_url) as database, opened(empty_url) as other:
        await migrate(database)
        async with other.reading() as session:
            assert await current_revision(session) == newest_revision()
            await migrate(database, BASE)
            assert await current_revision(session) == newest_revision()
        async with other.reading() as session:
            assert await current_revision(session) is None
