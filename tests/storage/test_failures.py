"""Whose fault a failure is: what may succeed soon is told from what never will."""

import asyncio
import sqlite3

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from opsgraph.domains.access.tables import users
from opsgraph.kernel.actor import SYSTEM
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.storage.failures import is_of_the_data, is_passing, violates
from tests.support.clock import START
from tests.support.databases import deadlocks
from tests.support.rows import inserted


async def failure(database: Database, statement: str) -> DBAPIError:
    """What a statement fails with."""
    with pytest.raises(DBAPIError) as caught:
        async with database.transaction(SYSTEM, START) as tx:
            await tx.connection.execute(text(statement))
    return caught.value


async def test_a_statement_that_is_wrong_is_wrong_for_good(database: Database) -> None:
    """Trying again is of no use."""
    if database.is_sqlite:
        pytest.skip("SQLite calls a mistake in a statement an operational error, as it calls a full disk")
    assert not is_passing(await failure(database, "SELECT * FROM no_such_table"))
    assert not is_passing(await failure(database, "SELECT 1 / 0"))


async def test_a_constraint_that_is_broken_says_which(database: Database) -> None:
    """By its name or by its column."""
    async with database.engine.connect() as connection, connection.begin() as transaction:
        row = await inserted(connection, users)
        with pytest.raises(IntegrityError) as caught:
            async with connection.begin_nested():
                await connection.execute(insert(users).values({**row, "id": row["id"].__class__(int=7)}))
        await transaction.rollback()
    assert not is_passing(caught.value)
    assert violates(caught.value, "uq_user_account_name_key", "user_account.name_key") or violates(
        caught.value, "uq_user_account_origin", "user_account.origin"
    )
    assert not violates(caught.value, "uq_alert_firing", "alert.fingerprint")
    assert not violates(ValueError("uq_alert_firing"), "uq_alert_firing", "alert.fingerprint")


async def test_a_connection_that_is_ended_may_be_made_again(database: Database) -> None:
    """As an administrator, or a failing server, ends it."""
    if database.is_sqlite:
        pytest.skip("SQLite has no server that could end a connection")
    assert is_passing(await failure(database, "SELECT pg_terminate_backend(pg_backend_pid())"))


async def test_a_deadlock_chooses_a_victim_that_may_try_again(database: Database, settings: Settings) -> None:
    """Whoever that is; and it is counted, for the tests that want none."""
    if database.is_sqlite:
        pytest.skip("SQLite has one writer, who waits for nobody")
    before = await deadlocks(settings.database_url)
    met = asyncio.Barrier(2)

    async def hold(first: int, second: int) -> None:
        async with database.transaction(SYSTEM, START) as tx:
            await tx.connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": first})
            await met.wait()
            await tx.connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": second})

    ended = await asyncio.gather(hold(1, 2), hold(2, 1), return_exceptions=True)
    (victim,) = [error for error in ended if error is not None]
    assert is_passing(victim)
    await database.close()
    assert await deadlocks(settings.database_url) == before + 1


async def test_a_value_that_is_none_is_to_blame(database: Database) -> None:
    """What no text can be; a statement that is wrong, or a mistake of ours, is another matter."""
    async with database.transaction(SYSTEM, START) as tx:
        with pytest.raises((DBAPIError, UnicodeError)) as caught:
            await tx.connection.execute(text("SELECT CAST(:value AS text)"), {"value": "\ud800"})
    assert is_of_the_data(caught.value)
    assert not is_of_the_data(await failure(database, "SELECT * FROM no_such_table"))
    assert not is_of_the_data(TypeError("a mistake"))


async def test_a_server_that_is_not_there_may_come_back() -> None:
    """Nothing listens."""
    database = Database(Settings(database_url="postgresql://nobody@127.0.0.1:1/none"))
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the system's own words differ
        async with database.reading():
            pass
    await database.close()
    assert is_passing(caught.value)


@pytest.mark.parametrize("reason", ["database or disk is full", "database is locked", "unable to open database file"])
def test_a_file_that_cannot_be_written_now_may_be_later(reason: str) -> None:
    """Whatever keeps SQLite from it."""
    assert is_passing(OperationalError("COMMIT", {}, sqlite3.OperationalError(reason)))
