"""Stored health stays fresh when many write at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from itertools import combinations
from random import Random

import pytest
from sqlalchemy import text

from opsgraph.app import Core
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.governance import commands as governance
from opsgraph.domains.governance.model import DutyInput
from opsgraph.domains.governance.rules import KEYS
from opsgraph.domains.slo import commands as slo
from opsgraph.kernel.actor import SYSTEM
from opsgraph.settings import Settings
from opsgraph.workers import evaluate
from opsgraph.workers.evaluate import WorkerContext
from opsgraph.workflows.health import refresh, refresh_due
from tests.support import databases
from tests.support.clock import TestClock
from tests.support.health import (
    SERVICES,
    Write,
    allow,
    assert_fresh,
    bill,
    declare,
    deploy,
    import_costs,
    reacting,
    report,
    save,
    save_slo,
    spell,
    start,
    stored_health,
)
from tests.support.scale import scaled

pytestmark = pytest.mark.usefixtures("no_deadlock")

JUST_NOW = timedelta(0)
CHANGES = {
    "events": Write(report, ("api", 100)),
    "objective": Write(save_slo, ("api", "y", {"current": 90.0})),
    "objective removed": Write(slo.delete_slo, ("api", "y")),
    "check": Write(governance.set_check, ("api", "monitoring", True)),
    "cost": Write(bill, ("api", "2024-02", 90, "USD")),
    "budget": Write(allow, ("api", 500)),
    "declaration": Write(declare, ("api", {"incidents_30d": 6})),
    "deployment": Write(deploy, ("api", JUST_NOW, True)),
    "name": Write(spell, ("api", True)),
}
"""Writes that each change another input of one service."""

WAIT_ANYWAY = {("objective", "objective removed"), ("deployment", "name")}
"""Of these the second cannot write before the first has committed: they want the same row."""

PAIRS = sorted(set(combinations(CHANGES, 2)) - WAIT_ANYWAY)


@pytest.fixture
async def core(settings: Settings, clock: TestClock, database_kind: str) -> AsyncIterator[Core]:
    """A database that reacts, with the usual services."""
    async with reacting(settings, clock) as opened:
        await start(opened)
        yield opened
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


@pytest.fixture
def several_writers(core: Core) -> Core:
    """The same where two transactions can write at the same time."""
    if core.database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    return core


async def commit(core: Core, *writes: Write) -> None:
    """Run writes in a transaction of their own."""
    async with core.database.transaction(SYSTEM, core.clock.now()) as tx:
        for write in writes:
            await write(tx)


async def test_two_inputs_changed_at_once(several_writers: Core) -> None:
    """Each of two transactions writes before either evaluates: the later one sees what the earlier one wrote."""
    core = several_writers
    for one, other in PAIRS:
        both_wrote = asyncio.Barrier(2)

        async def change(name: str, barrier: asyncio.Barrier = both_wrote) -> None:
            async with core.database.transaction(SYSTEM, core.clock.now()) as tx:
                await CHANGES[name](tx)
                await barrier.wait()

        await asyncio.wait_for(asyncio.gather(change(one), change(other)), timeout=30)
        await assert_fresh(core)
        await commit(core, *back_to_the_start())


def back_to_the_start() -> Sequence[Write]:
    """Writes after which each of the changes is one again."""
    return (
        Write(spell, ("api", False)),
        Write(governance.set_check, ("api", "monitoring", False)),
        Write(save_slo, ("api", "y", {"target": 99.0, "current": 99.5})),
        Write(bill, ("api", "2024-02", 101, "USD")),
        Write(allow, ("api", 100)),
        Write(declare, ("api", {"incidents_30d": None})),
    )


async def test_who_evaluates_second_waits_for_the_first(several_writers: Core) -> None:
    """One has written and evaluated and is about to commit: others do not evaluate by what was before."""
    core = several_writers
    async with core.database.transaction(SYSTEM, core.clock.now()) as tx:
        await CHANGES["check"](tx)
        service = await catalog_services.require_service(tx.connection, "api")
        await refresh(tx, [service.id], core.policy)
        others = [asyncio.create_task(commit(core, CHANGES[name])) for name in ("events", "budget", "deployment")]
        await until_waiting(core, others)
    await asyncio.wait_for(asyncio.gather(*others), timeout=30)
    await assert_fresh(core)


async def test_the_worker_does_not_overwrite_what_is_written_meanwhile(several_writers: Core, clock: TestClock) -> None:
    """A round of the worker has evaluated everything and is about to commit when something else is recorded."""
    core = several_writers
    async with core.database.transaction(SYSTEM, clock.move(hours=1)) as tx:
        assert await refresh_due(tx, core.policy) == len(SERVICES)
        others = [asyncio.create_task(commit(core, CHANGES[name])) for name in ("cost", "declaration")]
        await until_waiting(core, others)
    await asyncio.wait_for(asyncio.gather(*others), timeout=30)
    await assert_fresh(core)


async def test_duties_that_change_while_services_are_evaluated(several_writers: Core) -> None:
    """Whoever evaluated by what was asked before is due again: all of them, in one order, however many there are."""
    core = several_writers
    change = Write(governance.save_duty, (DutyInput("runbook", enabled=False),))
    async with core.database.transaction(SYSTEM, core.clock.now()) as tx:
        await CHANGES["check"](tx)
        service = await catalog_services.require_service(tx.connection, "api")
        await refresh(tx, [service.id], core.policy)
        other = asyncio.create_task(commit(core, change))
        await until_waiting(core, [other])
    await asyncio.wait_for(other, timeout=30)
    async with core.database.transaction(SYSTEM, core.clock.now()) as tx:
        assert await refresh_due(tx, core.policy) == len(SERVICES)
    await assert_fresh(core)


async def test_an_import_beside_small_writes(several_writers: Core) -> None:
    """Small ones commit while it is at work and others wait for its rows; all of them count when it is done."""
    core = several_writers
    free = [CHANGES["events"], Write(save_slo, ("web", "y", {"current": 90.0})), Write(allow, ("db", 500))]
    waiting = [Write(governance.set_check, (name, "monitoring", False)) for name in SERVICES]
    async with core.database.transaction(SYSTEM, core.clock.now()) as tx:
        for write in imported():
            await write(tx)
        await asyncio.wait_for(asyncio.gather(*(commit(core, write) for write in free)), timeout=30)
        late = [asyncio.create_task(commit(core, write)) for write in waiting]
        await until_waiting(core, late)
    await asyncio.wait_for(asyncio.gather(*late), timeout=30)
    await assert_fresh(core)


def imported() -> Sequence[Write]:
    """What an import of all kinds writes for the usual services and a new one."""
    names = (*SERVICES, "new")
    return [
        *(Write(save, (name, {"title": "Imported", "tier": 1})) for name in names),
        *(Write(save_slo, (name, "z", {"target": 99.0, "current": 10.0})) for name in names),
        *(Write(governance.set_check, (name, "monitoring", True)) for name in names),
        Write(import_costs, ("file", [(name, "2024-03", 500) for name in names])),
    ]


async def until_waiting(core: Core, tasks: Sequence[asyncio.Task[None]]) -> None:
    """Come back when each transaction of these tasks waits for a lock; at once where one has ended instead."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(30), core.database.reading() as session:
        while (await session.execute(waiting)).scalar_one() < len(tasks):
            assert not any(task.done() for task in tasks), "it did not wait"
            await session.rollback()


async def test_many_services_evaluated_at_once_in_any_order(several_writers: Core) -> None:
    """Everyone locks them in one order, whatever the order they come in: nobody deadlocks."""
    core = several_writers
    await commit(core, *(Write(save, (f"service-{number}", {})) for number in range(15)))
    async with core.database.reading() as session:
        ids = list(await stored_health(session))
    for chance in map(Random, range(4)):

        async def evaluate_all(chance: Random = chance) -> None:
            async with core.database.transaction(SYSTEM, core.clock.now()) as tx:
                await refresh(tx, chance.sample(ids, len(ids)), core.policy)

        await asyncio.wait_for(asyncio.gather(*(evaluate_all() for _ in range(6))), timeout=60)
    await assert_fresh(core)


async def test_the_same_service_made_twice_at_once(core: Core) -> None:
    """Both succeed, and its health is stored once."""
    await asyncio.gather(*(commit(core, Write(save, ("new", {"tier": tier}))) for tier in (1, 2)))
    await assert_fresh(core)


@pytest.mark.long
async def test_many_writers_of_two_processes(core: Core, settings: Settings, clock: TestClock) -> None:
    """All kinds of writes to few services at once, beside two evaluating workers: all succeed, nothing is stale."""
    chance = Random(11)  # noqa: S311 - it has to be repeatable
    async with reacting(settings, clock) as other:
        for _ in range(scaled(50)):
            clock.move(minutes=1)
            jobs = [commit(chance.choice((core, other)), some_write(chance)) for _ in range(40)]
            jobs += [tick(process) for process in (core, other) * 2]
            chance.shuffle(jobs)
            await asyncio.wait_for(asyncio.gather(*jobs), timeout=60)
            await assert_fresh(core)


async def tick(core: Core) -> None:
    """Do what the evaluating worker does."""
    context = WorkerContext(core.database, core.policy)
    while await evaluate.tick(context, core.clock.now()):
        pass


def some_write(chance: Random) -> Write:
    """One command with arguments by chance, on one of few services or on all."""
    name, some, flag = chance.choice(SERVICES), chance.randrange(100), chance.random() < 0.5
    return chance.choice(
        [
            Write(report, (name, some)),
            Write(save_slo, (name, chance.choice("yz"), {"target": 99.0, "current": float(some)})),
            Write(governance.set_check, (name, chance.choice(KEYS), flag)),
            Write(bill, (name, "2024-03", some, "USD", chance.choice(["manual", "file"]))),
            Write(allow, (name, some if flag else None)),
            Write(import_costs, ("file", [(each, "2024-02", some) for each in SERVICES])),
            Write(declare, (name, {"incidents_30d": some})),
            Write(deploy, (name, timedelta(minutes=some), flag)),
            Write(save, (name, {"tier": 1 + some % 4, "tags": [str(some)]})),
            Write(spell, (name, flag)),
            Write(catalog.restore_service, (name,)),
        ]
    )
