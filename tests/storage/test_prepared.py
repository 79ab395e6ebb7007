"""Statements that are prepared: the same rows, transaction and errors as of those that are led through every layer."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import bindparam, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from opsgraph.kernel.actor import SYSTEM
from opsgraph.metadata import metadata
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.storage.failures import is_passing, violates
from opsgraph.storage.many import among_given
from opsgraph.storage.prepared import Prepared
from tests.support.clock import START
from tests.support.rows import ROWS
from tests.support.statements import statements

TEAM = metadata.tables["team"]
COLUMNS = ("id", *ROWS["team"])
INSERT = Prepared(
    lambda _: text(
        f"INSERT INTO team ({', '.join(COLUMNS)}) VALUES ({', '.join(f':{name}' for name in COLUMNS)})"  # noqa: S608 - ours
    ).bindparams(*(bindparam(name, type_=TEAM.c[name].type) for name in COLUMNS))
)
NAMES = Prepared(lambda dialect: select(TEAM.c.id, TEAM.c.name).where(among_given(dialect, TEAM.c.id, "ids")))


def team(number: int) -> dict[str, Any]:
    """A row for a team."""
    key = f"team-{number}"
    return {**ROWS["team"], "id": UUID(int=number), "name": key, "name_key": key, "origin": key}


async def stored(database: Database, *teams: dict[str, Any], last: Prepared | None = None) -> None:
    """Store teams in one transaction, and run another statement at its end."""
    async with database.transaction(SYSTEM, START) as tx:
        for row in teams:
            await INSERT.run(tx.connection, **row)
        if last:
            await last.run(tx.connection)


async def test_rows_are_read_by_name_whether_a_transaction_is_begun_or_not(database: Database) -> None:
    """Any number of values is the same statement."""
    async with database.transaction(SYSTEM, START) as tx:
        for number in range(3):
            await INSERT.run(tx.connection, **team(number))
        within = await NAMES.run(tx.connection, ids=[UUID(int=0), UUID(int=2), UUID(int=9)])
    async with database.reading() as session:
        after = await NAMES.run(session, ids=[UUID(int=1)])
        assert await NAMES.run(session, ids=[]) in ([], ())
    assert sorted((row.id.int, row.name) for row in within) == [(0, "team-0"), (2, "team-2")]
    assert [(row.id.int, row.name) for row in after] == [(1, "team-1")]


async def test_the_last_instant_is_read_as_it_was_written(database: Database) -> None:
    """For the driver of PostgreSQL it is infinity, without a zone."""
    last = datetime.max.replace(tzinfo=UTC)
    made = Prepared(lambda _: select(TEAM.c.created_at))
    async with database.transaction(SYSTEM, START) as tx:
        await INSERT.run(tx.connection, **{**team(1), "created_at": last})
        assert [row.created_at for row in await made.run(tx.connection)] == [last]


async def test_it_is_part_of_the_transaction(database: Database) -> None:
    """What is rolled back is gone."""
    async with database.transaction(SYSTEM, START, dry_run=True) as tx:
        await INSERT.run(tx.connection, **team(1))
        await INSERT.run(tx.connection, **team(2))
    async with database.reading() as session:
        assert not await NAMES.run(session, ids=[UUID(int=1), UUID(int=2)])


async def test_a_constraint_that_is_broken_says_which(database: Database) -> None:
    """As an error of SQLAlchemy's."""
    with pytest.raises(IntegrityError) as caught:
        await stored(database, team(1), {**team(2), "name_key": "team-1"})
    assert violates(caught.value, "uq_team_name_key", "team.name_key")


async def test_a_value_of_the_wrong_kind_is_an_error_of_the_data(database: Database) -> None:
    """Whichever layer finds out."""
    with pytest.raises(DBAPIError):
        await stored(database, team(1), {**team(2), "name": {}})


async def test_a_connection_that_is_lost_may_be_made_again(database: Database) -> None:
    """As an administrator, or a failing server, ends it."""
    if database.is_sqlite:
        pytest.skip("SQLite has no server that could end a connection")
    goodbye = Prepared(lambda _: text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with pytest.raises(OperationalError) as caught:
        await stored(database, team(1), last=goodbye)
    assert is_passing(caught.value)


async def test_those_who_count_statements_see_it(database: Database) -> None:
    """Once, whichever way it goes."""
    async with database.transaction(SYSTEM, START) as tx:
        with statements(database) as seen:
            await NAMES.run(tx.connection, ids=[])
            await NAMES.run(tx.connection, ids=[])
    assert sum("team" in each for each in seen) == 2


async def test_the_driver_keeps_no_statements_where_none_are_to_be_kept(database: Database, settings: Settings) -> None:
    """As behind a pooler, where the next transaction may have another connection to the server."""
    if database.is_sqlite:
        pytest.skip("SQLite has no pooler")
    address = f"{settings.database_url}&prepared_statement_cache_size=0"
    other = Database(replace(settings, database_url=address))
    kept = Prepared(lambda _: text("SELECT count(*) AS many FROM pg_prepared_statements WHERE name <> ''"))
    try:
        async with other.transaction(SYSTEM, START) as tx:
            await tx.connection.execute(text("SELECT 1"))
            await NAMES.run(tx.connection, ids=[])
            before = await kept.run(tx.connection)
            await NAMES.run(tx.connection, ids=[])
            assert await kept.run(tx.connection) == before
        assert await other.at_once("SELECT count(*) FROM pg_prepared_statements") == [(0,)]
    finally:
        await other.close()
