"""Idempotency keys: a replay gets the first result, also while the first is still at work."""

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.refusals import Conflict, Invalid
from opsgraph.metadata import metadata
from opsgraph.storage.database import Database
from opsgraph.storage.idempotency import first_result
from tests.support.clock import START
from tests.support.waiting import someone_waits

KEYS = metadata.tables["idempotency_key"]
REQUEST = {"service": "api", "at": START, "day": date(2024, 3, 15), "amount": Decimal("20.52022672899"), "note": None}


async def claim(database: Database, number: int, key: str | None = "k-1", **changed: Any) -> UUID | None:
    """Claim a key in a transaction of its own for a request that makes the thing of this number."""
    operation = changed.pop("operation", "recordDeployment")
    async with database.transaction(SYSTEM, START) as tx:
        return await first_result(tx, operation, key, {**REQUEST, **changed}, UUID(int=number))


async def kept(database: Database) -> int:
    """How many keys are stored."""
    async with database.reading() as session:
        return (await session.execute(select(func.count()).select_from(KEYS))).scalar_one()


async def test_a_replay_gets_the_first_result(database: Database) -> None:
    """Nothing for the first request, its id for every later one."""
    assert await claim(database, 1) is None
    assert await claim(database, 2) == UUID(int=1)
    assert await claim(database, 3) == UUID(int=1)


async def test_without_a_key_every_request_is_new(database: Database) -> None:
    """And nothing is stored."""
    assert [await claim(database, number, None) for number in (1, 2)] == [None, None]
    assert await kept(database) == 0


async def test_keys_of_different_operations_do_not_meet(database: Database) -> None:
    """The same key may be used for each of them."""
    assert await claim(database, 1) is None
    assert await claim(database, 2, operation="recordSloEvents") is None
    assert await claim(database, 3, "K-1") is None


@pytest.mark.parametrize("changed", [{"service": "web"}, {"amount": Decimal("20.6")}, {"note": ""}, {"more": 1}])
async def test_a_key_cannot_be_used_for_something_else(database: Database, changed: dict[str, Any]) -> None:
    """A refusal, not the result of another request; the first one keeps its key."""
    await claim(database, 1)
    with pytest.raises(Conflict) as caught:
        await claim(database, 2, **changed)
    assert caught.value.field == ("idempotencyKey",)
    assert await claim(database, 3) == UUID(int=1)


async def test_the_order_of_a_request_does_not_matter(database: Database) -> None:
    """The same values in another order are the same request."""
    await claim(database, 1)
    turned = dict(reversed(REQUEST.items()))
    async with database.transaction(SYSTEM, START) as tx:
        assert await first_result(tx, "recordDeployment", "k-1", turned, UUID(int=2)) == UUID(int=1)


@pytest.mark.parametrize("key", ["", "   ", "x" * 201, "a\x00b", "\ud800"])
async def test_a_key_has_to_be_one(database: Database, key: str) -> None:
    """Empty, too long or with characters that no database takes: refused, by the name clients know it by."""
    with pytest.raises(Invalid, match="idempotencyKey"):
        await claim(database, 1, key, idempotency_key=key)


async def test_a_rollback_gives_the_key_back(database: Database) -> None:
    """What failed may be tried again with the same key."""
    with pytest.raises(ZeroDivisionError):
        async with database.transaction(SYSTEM, START) as tx:
            raise ZeroDivisionError(await first_result(tx, "recordDeployment", "k-1", REQUEST, UUID(int=1)))
    assert await claim(database, 2) is None
    assert await claim(database, 3) == UUID(int=2)


async def test_of_many_at_once_one_is_the_first(database: Database) -> None:
    """All others get its result."""
    results = await asyncio.gather(*(claim(database, number) for number in range(1, 11)))
    (first,) = [number for number, result in enumerate(results, 1) if result is None]
    assert [result for result in results if result is not None] == [UUID(int=first)] * 9
    assert await kept(database) == 1


@pytest.mark.parametrize("undone", [False, True])
async def test_a_replay_waits_for_the_first_to_end(database: Database, undone: bool) -> None:
    """It then gets its result, or takes its place."""
    if database.is_sqlite:
        pytest.skip("SQLite has one writer: a second does not begin before the first has ended")
    async with database.transaction(SYSTEM, START, dry_run=undone) as tx:
        assert await first_result(tx, "recordDeployment", "k-1", REQUEST, UUID(int=1)) is None
        replay = asyncio.create_task(claim(database, 2))
        await someone_waits(database)
    assert await replay == (None if undone else UUID(int=1))
