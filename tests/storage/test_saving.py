"""Creating or updating one row by its natural key."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from opsgraph.kernel.actor import SYSTEM
from opsgraph.metadata import metadata
from opsgraph.storage.database import Database
from opsgraph.storage.rows import AnyRow
from opsgraph.storage.saving import Outcome, Saved, save_row
from opsgraph.storage.transactions import Tx
from tests.support.clock import START
from tests.support.rows import inserted
from tests.support.waiting import LONG_ENOUGH_SECONDS, someone_waits

TEAM, SERVICE, DEPENDENCY = (metadata.tables[name] for name in ("team", "service", "service_dependency"))
LATER = START + timedelta(minutes=1)


async def save(tx: Tx, key: str = "api", **values: Any) -> Saved[AnyRow]:
    """Save a team by its key."""
    found_by = select(TEAM).where(TEAM.c.name_key == key)
    return await save_row(tx, TEAM, found_by, {"name_key": key, **values}, created_with={"name": key.title()})


async def test_what_is_not_there_is_created(database: Database) -> None:
    """With a new id, both stamps at the transaction's instant, and what only new rows get."""
    async with database.transaction(SYSTEM, START) as tx:
        saved = await save(tx, title="T")
    row = saved.value
    assert saved.outcome is Outcome.CREATED
    assert (row.name, row.title, row.created_at, row.updated_at) == ("Api", "T", START, START)
    assert row.id.version == 7


async def test_what_differs_is_changed(database: Database) -> None:
    """Id, creation and what only new rows get stay; what was not given stays as well."""
    async with database.transaction(SYSTEM, START) as tx:
        first = await save(tx, title="T", origin="o")
    async with database.transaction(SYSTEM, LATER) as tx:
        saved = await save(tx, title=None)
    row = saved.value
    assert (saved.outcome, row.id, row.name) == (Outcome.CHANGED, first.value.id, "Api")
    assert (row.title, row.origin, row.created_at, row.updated_at) == (None, "o", START, LATER)


async def test_what_is_the_same_is_left_alone(database: Database) -> None:
    """Not even its stamp changes."""
    async with database.transaction(SYSTEM, START) as tx:
        await save(tx, title="T")
    async with database.transaction(SYSTEM, LATER) as tx:
        saved = await save(tx, title="T")
    assert (saved.outcome, saved.value.updated_at) == (Outcome.UNCHANGED, START)


async def test_another_key_in_the_way_is_an_error(database: Database) -> None:
    """It is not the row that was looked for: nobody's row is changed, and the transaction can go on."""
    async with database.transaction(SYSTEM, START) as tx:
        await save(tx, "api", origin="taken")
        with pytest.raises(IntegrityError):
            await save(tx, "web", origin="taken")
        await save(tx, "shop", origin="free")
    async with database.reading() as session:
        rows = await session.execute(select(TEAM.c.name_key, TEAM.c.origin).order_by(TEAM.c.name_key))
        assert [tuple(row) for row in rows] == [("api", "taken"), ("shop", "free")]


async def test_of_many_who_create_one_row_one_does(database: Database) -> None:
    """The others change it or find it as they want it; there is one row."""

    async def create(number: int) -> Saved[AnyRow]:
        async with database.transaction(SYSTEM, START) as tx:
            return await save(tx, title=f"T{number % 2}")

    saved = await asyncio.gather(*(create(number) for number in range(10)))
    assert [each.outcome for each in saved].count(Outcome.CREATED) == 1
    assert len({each.value.id for each in saved}) == 1
    async with database.reading() as session:
        assert (await session.execute(select(func.count()).select_from(TEAM))).scalar_one() == 1


async def test_the_second_of_two_who_create_a_row_changes_it(database: Database) -> None:
    """It waits for the first, which it could not see when it looked."""
    if database.is_sqlite:
        pytest.skip("SQLite has one writer: the second does not look before the first has ended")

    async def second() -> Saved[AnyRow]:
        async with database.transaction(SYSTEM, LATER) as tx:
            return await save(tx, title="second")

    async with database.transaction(SYSTEM, START) as tx:
        first = await save(tx, title="first")
        waiting = asyncio.create_task(second())
        await someone_waits(database)
    saved = await waiting
    assert (first.outcome, saved.outcome) == (Outcome.CREATED, Outcome.CHANGED)
    assert (saved.value.id, saved.value.title, saved.value.created_at) == (first.value.id, "second", START)


async def test_the_second_creates_the_row_if_the_first_is_undone(database: Database) -> None:
    """A rollback gives the key back to whoever waits for it."""
    if database.is_sqlite:
        pytest.skip("SQLite has one writer: the second does not look before the first has ended")

    async def second() -> Saved[AnyRow]:
        async with database.transaction(SYSTEM, LATER) as tx:
            return await save(tx, title="second")

    async with database.transaction(SYSTEM, START, dry_run=True) as tx:
        await save(tx, title="first")
        waiting = asyncio.create_task(second())
        await someone_waits(database)
    saved = await waiting
    assert (saved.outcome, saved.value.title, saved.value.created_at) == (Outcome.CREATED, "second", LATER)


@pytest.mark.usefixtures("no_deadlock")
async def test_two_rows_that_come_to_name_each_other_do_not_deadlock(database: Database) -> None:
    """Saving a row keeps others from saving it, not from referring to it."""
    if database.is_sqlite:
        pytest.skip("SQLite has one writer: two never hold a row each")
    async with database.transaction(SYSTEM, START) as tx:
        for key in ("api", "web"):
            await inserted(tx.connection, SERVICE, name_key=key, origin=key)
    both = asyncio.Barrier(2)

    async def link(key: str, other: str) -> None:
        async with database.transaction(SYSTEM, LATER) as tx:
            await save_row(tx, SERVICE, select(SERVICE).where(SERVICE.c.name_key == key), {"title": key})
            await both.wait()
            ids = [await _id(tx, name) for name in (key, other)]
            row = dict(zip(("service_id", "depends_on_id"), ids, strict=True))
            await tx.connection.execute(insert(DEPENDENCY).values(row))

    async with asyncio.timeout(LONG_ENOUGH_SECONDS):
        await asyncio.gather(link("api", "web"), link("web", "api"))
    async with database.reading() as session:
        assert (await session.execute(select(func.count()).select_from(DEPENDENCY))).scalar_one() == 2


async def _id(tx: Tx, key: str) -> UUID:
    found: UUID = (await tx.connection.execute(select(SERVICE.c.id).where(SERVICE.c.name_key == key))).scalar_one()
    return found
