"""What incidents do to stored health: at once where people act, within a round of the worker where opsgraph does."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from opsgraph.app import Core
from opsgraph.domains.incidents.model import IncidentStatus
from opsgraph.kernel.actor import LOCAL, SYSTEM, Actor
from opsgraph.settings import Settings
from opsgraph.workers import evaluate
from opsgraph.workers.evaluate import WorkerContext
from tests.support import databases
from tests.support.clock import TestClock
from tests.support.health import assert_fresh, reacting, save, start, stored_health
from tests.support.incident_writes import move, trouble


@pytest.fixture
async def core(settings: Settings, clock: TestClock, database_kind: str) -> AsyncIterator[Core]:
    """A database that reacts, with the usual services."""
    async with reacting(settings, clock) as opened:
        await start(opened)
        yield opened
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


async def open_one(core: Core, actor: Actor, service: str = "api") -> None:
    """Open an incident on behalf of someone."""
    async with core.database.transaction(actor, core.clock.now()) as tx:
        await trouble(tx, service)


async def due(core: Core) -> int:
    """How many services the worker has to look at now."""
    async with core.database.reading() as session:
        return sum(row["due_at"] <= core.clock.now() for row in (await stored_health(session)).values())


async def test_what_people_do_shows_at_once(core: Core, clock: TestClock) -> None:
    """Opening and resolving are evaluated in their own transactions."""
    await open_one(core, LOCAL)
    await assert_fresh(core)
    clock.move(seconds=30)
    async with core.database.transaction(LOCAL, clock.now()) as tx:
        await move(tx, 0, IncidentStatus.RESOLVED)
    async with core.database.reading() as session:
        evaluated = [row for row in (await stored_health(session)).values() if row["evaluated_at"] == clock.now()]
    assert len(evaluated) == 1
    assert await due(core) == 0


async def test_what_opsgraph_does_waits_for_the_worker(core: Core) -> None:
    """Intake marks the services of its incidents; the next round of the worker evaluates them, and no others."""
    await open_one(core, SYSTEM)
    assert await due(core) == 1
    assert await evaluate.tick(WorkerContext(core.database, core.policy), core.clock.now()) == 1
    await assert_fresh(core)
    assert await due(core) == 0


async def test_a_service_that_nobody_registered_has_no_health(core: Core) -> None:
    """Its incidents concern no service until someone registers it: then they do, at once."""
    await open_one(core, SYSTEM, "new")
    await open_one(core, LOCAL, "NEW")
    await assert_fresh(core)
    async with core.database.transaction(LOCAL, core.clock.now()) as tx:
        await save(tx, "new", {})
    await assert_fresh(core)
    async with core.database.reading() as session:
        scores = [row["reliability_score"] for row in (await stored_health(session)).values()]
    assert [score for score in scores if score is not None] == [88.9]  # 25 + 15 of 45 points


async def test_a_mark_beside_an_evaluation_is_not_lost(core: Core, clock: TestClock) -> None:
    """The worker evaluates while intake adds an incident: whoever comes first, it is evaluated with it in the end."""
    context = WorkerContext(core.database, core.policy)
    for _ in range(10):
        clock.move(minutes=2)
        await asyncio.gather(open_one(core, SYSTEM), evaluate.tick(context, clock.now()))
        while await evaluate.tick(context, clock.now()):
            pass
        await assert_fresh(core)


async def test_what_changes_no_figure_marks_nothing(core: Core) -> None:
    """To acknowledge an incident makes its service neither better nor worse."""
    await open_one(core, LOCAL)
    async with core.database.transaction(SYSTEM, core.clock.now()) as tx:
        await move(tx, 0, IncidentStatus.ACKNOWLEDGED)
    assert await due(core) == 0
