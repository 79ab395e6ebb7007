"""Old verdicts go; what is still needed stays, on both databases."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from opsgraph.app import Core
from opsgraph.domains.readiness.tables import verdicts
from opsgraph.settings import Settings
from opsgraph.workers import prune
from opsgraph.workers.evaluate import WorkerContext
from opsgraph.workflows.retention import Retention
from tests.support import databases
from tests.support.clock import TestClock
from tests.support.verdicts import GO, judge, judging, make, override


@pytest.fixture
async def core(settings: Settings, clock: TestClock, database_kind: str) -> AsyncIterator[Core]:
    """A process that judges, with two services."""
    async with judging(settings, clock) as opened:
        await make(opened)
        await make(opened, "quiet")
        yield opened
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


async def pruned(core: Core, days: int = 400) -> None:
    """Remove what was kept long enough."""
    context = WorkerContext(core.database, core.policy, Retention(readiness=timedelta(days=days)))
    await prune.tick(context, core.clock.now())


async def left(core: Core) -> set[UUID]:
    """The verdicts that are there."""
    async with core.database.reading() as session:
        return set((await session.execute(select(verdicts.c.id))).scalars())


async def test_old_verdicts_are_removed(core: Core, clock: TestClock) -> None:
    """After 400 days, but for the newest on each service, and for what an override took the place of."""
    quiet = await judge(core, "quiet")
    first = await judge(core)
    clock.move(days=1)
    overridden = await judge(core)
    await override(core, GO)
    clock.move(days=1)
    second = await judge(core)
    clock.move(days=398)
    newest = await judge(core)
    everything = {quiet.id, first.id, overridden.id, second.id, newest.id}
    await pruned(core)
    assert await left(core) == everything
    clock.move(milliseconds=1)
    await pruned(core)
    assert await left(core) == everything - {first.id}
    clock.move(days=800)
    await pruned(core)
    assert await left(core) == {quiet.id, overridden.id, newest.id}


async def test_how_long_is_a_setting(core: Core, clock: TestClock) -> None:
    """OPSGRAPH_RETENTION_READINESS_DAYS."""
    old, newest = await judge(core), await judge(core)
    clock.move(days=8)
    await pruned(core, days=9)
    assert await left(core) == {old.id, newest.id}
    await pruned(core, days=7)
    assert await left(core) == {newest.id}
