"""Writing many rows at once, whatever is there already, and taking locks in an order that cannot deadlock."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from opsgraph.kernel.actor import SYSTEM
from opsgraph.metadata import metadata
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import in_chunks, insert_all, insert_new, lock_sorted, update_all, upsert
from tests.support.clock import START
from tests.support.rows import ROWS, inserted
from tests.support.statements import statements

TEAM, TAG, HEALTH = (metadata.tables[name] for name in ("team", "service_tag", "service_health"))


def team(number: int, **values: Any) -> dict[str, Any]:
    """A row for a team."""
    key = f"team-{number:05}"
    return {**ROWS["team"], "id": UUID(int=number), "name_key": key, "origin": key, **values}


async def titles(tx: Tx) -> dict[int, str | None]:
    """The title of each team by its number."""
    return {row.id.int: row.title for row in await tx.connection.execute(select(TEAM.c.id, TEAM.c.title))}


async def test_an_upsert_inserts_what_is_new_and_changes_what_is_there(database: Database) -> None:
    """By the columns of a unique key; rows that are not named stay."""
    async with database.transaction(SYSTEM, START) as tx:
        await upsert(tx, TEAM, [team(1, title="a"), team(2, title="b")], key=("id",))
        await upsert(tx, TEAM, [team(2, title="B"), team(3, title="C")], key=("id",))
        assert await titles(tx) == {1: "a", 2: "B", 3: "C"}


async def test_an_upsert_by_a_natural_key_keeps_the_id(database: Database) -> None:
    """Only the columns named are set on a row that is there."""
    async with database.transaction(SYSTEM, START) as tx:
        await upsert(tx, TEAM, [team(1, title="a")], key=("name_key",))
        again = team(1, id=UUID(int=9), title="b", name="New")
        await upsert(tx, TEAM, [again], key=("name_key",), update=("title",))
        row = (await tx.connection.execute(select(TEAM))).one()
    assert (row.id, row.title, row.name) == (UUID(int=1), "b", ROWS["team"]["name"])


async def test_an_upsert_may_leave_what_is_there(database: Database) -> None:
    """With nothing to set, the old row stays as it is."""
    async with database.transaction(SYSTEM, START) as tx:
        await upsert(tx, TEAM, [team(1, title="a")], key=("id",), update=())
        await upsert(tx, TEAM, [team(1, title="b"), team(2, title="c")], key=("id",), update=())
        assert await titles(tx) == {1: "a", 2: "c"}


async def test_an_upsert_of_nothing_is_none(database: Database) -> None:
    """No statement, no error."""
    async with database.transaction(SYSTEM, START) as tx:
        await upsert(tx, TEAM, [], key=("id",))
        assert await titles(tx) == {}


async def test_an_upsert_takes_more_rows_than_a_statement_takes_values(database: Database) -> None:
    """Twelve thousand rows of three columns are more than the 32,766 values that one statement may carry."""
    async with database.transaction(SYSTEM, START) as tx:
        service = (await inserted(tx.connection, metadata.tables["service"]))["id"]
        rows = [{"service_id": service, "tag": f"t{n}", "position": n} for n in range(12_000)]
        for _ in range(2):
            await upsert(tx, TAG, rows, key=("service_id", "tag"))
        query = select(func.count(), func.max(TAG.c.position)).select_from(TAG)
        assert tuple((await tx.connection.execute(query)).one()) == (12_000, 11_999)


async def test_an_upsert_gives_columns_that_are_left_out_their_defaults(database: Database) -> None:
    """Also of more rows than one statement has room for, defaults included."""
    async with database.transaction(SYSTEM, START) as tx:
        service = metadata.tables["service"]
        ids = [UUID(int=number) for number in range(1, 3_001)]
        values = {**ROWS["service"], "origin": None}
        await upsert(tx, service, [{**values, "id": i, "name_key": f"s{i.int}"} for i in ids], key=("id",))
        await upsert(tx, HEALTH, [{"service_id": i, **ROWS["service_health"]} for i in ids], key=("service_id",))
        query = select(HEALTH.c.status, HEALTH.c.rank, func.count()).group_by(HEALTH.c.status, HEALTH.c.rank)
        assert [tuple(row) for row in await tx.connection.execute(query)] == [("UNKNOWN", 3, 3_000)]


async def test_an_insert_says_whether_it_was_one(database: Database) -> None:
    """True for a new key, False and no change for one that is there."""
    async with database.transaction(SYSTEM, START) as tx:
        assert await insert_new(tx, TEAM, team(1, title="a"), key=("id",))
        assert not await insert_new(tx, TEAM, team(1, title="b"), key=("id",))
        assert await titles(tx) == {1: "a"}


async def test_of_many_who_insert_one_key_one_does(database: Database) -> None:
    """The others wait for it to end, and find it there."""

    async def claim(number: int) -> bool:
        async with database.transaction(SYSTEM, START) as tx:
            row = team(1, id=UUID(int=number), origin=f"{number}")
            return await insert_new(tx, TEAM, row, key=("name_key",))

    claimed = await asyncio.gather(*(claim(number) for number in range(1, 9)))
    assert sorted(claimed) == [False] * 7 + [True]


@pytest.mark.usefixtures("no_deadlock")
async def test_locks_taken_in_any_order_do_not_deadlock(database: Database) -> None:
    """Two who lock the same rows, each naming them the other way round, go one after the other."""
    ids = [UUID(int=number) for number in range(1, 51)]
    async with database.transaction(SYSTEM, START) as tx:
        await upsert(tx, TEAM, [team(i.int, title="0") for i in ids], key=("id",))

    async def count(order: list[UUID]) -> None:
        for _ in range(5):
            async with database.transaction(SYSTEM, START) as tx:
                await lock_sorted(tx, TEAM.c.id, order)
                known = await titles(tx)
                for each in order:
                    raised = str(int(known[each.int] or 0) + 1)
                    await tx.connection.execute(update(TEAM).where(TEAM.c.id == each).values(title=raised))

    await asyncio.gather(count(ids), count(ids[::-1]))
    async with database.transaction(SYSTEM, START) as tx:
        assert set((await titles(tx)).values()) == {"10"}


async def test_rows_are_locked_in_the_order_of_their_ids(database: Database) -> None:
    """Said to PostgreSQL, which else takes them as they lie; SQLite has one writer and needs no locks."""
    async with database.transaction(SYSTEM, START) as tx:
        with statements(database) as seen:
            await lock_sorted(tx, TEAM.c.id, [UUID(int=2), UUID(int=1)])
    orders = [statement.partition(" ORDER BY ")[2] for statement in seen]
    assert orders == ([] if database.is_sqlite else ["team.id FOR UPDATE"])


async def test_locking_nothing_or_what_is_not_there_is_fine(database: Database) -> None:
    """No row, no lock, no error."""
    async with database.transaction(SYSTEM, START) as tx:
        await lock_sorted(tx, TEAM.c.id, [])
        await lock_sorted(tx, TEAM.c.id, {UUID(int=404)})
        assert await titles(tx) == {}


@pytest.mark.parametrize(("count", "size", "lengths"), [(0, 3, []), (3, 3, [3]), (7, 3, [3, 3, 1]), (2, 5, [2])])
def test_chunks_have_everything_in_order(count: int, size: int, lengths: list[int]) -> None:
    """Of the size asked for, but for the last."""
    chunks = list(in_chunks(range(count), size))
    assert [len(chunk) for chunk in chunks] == lengths
    assert [item for chunk in chunks for item in chunk] == list(range(count))


async def test_many_rows_are_inserted_in_their_order_with_defaults_for_what_they_do_not_name(
    database: Database,
) -> None:
    """Ids that the database counts up follow it; one statement."""
    timeline, incidents = metadata.tables["incident_timeline"], metadata.tables["incident"]
    count, id_ = 300, UUID(int=1)
    async with database.transaction(SYSTEM, START) as tx:
        await insert_all(tx, incidents, [{**ROWS["incident"], "id": id_}])
        rows = [{**ROWS["incident_timeline"], "incident_id": id_, "actor": f"{number}"} for number in range(count)]
        with statements(database) as seen:
            await insert_all(tx, timeline, rows)
            await insert_all(tx, timeline, [])
        assert len(seen) == 1
        found = (await tx.connection.execute(select(timeline.c.actor).order_by(timeline.c.id))).scalars().all()
        version = (await tx.connection.execute(select(incidents.c.version))).scalar_one()
    assert found == [f"{number}" for number in range(count)]
    assert version == 1


async def test_many_rows_are_updated_by_their_key_and_no_others(database: Database) -> None:
    """Each gets its own values; columns that are not named stay; one statement."""
    async with database.transaction(SYSTEM, START) as tx:
        await insert_all(tx, TEAM, [team(number, title="old") for number in range(1, 5)])
        with statements(database) as seen:
            await update_all(tx, TEAM, [{"id": UUID(int=number), "title": f"new {number}"} for number in (3, 1)])
            await update_all(tx, TEAM, [])
        assert len(seen) == 1
        assert await titles(tx) == {1: "new 1", 2: "old", 3: "new 3", 4: "old"}
