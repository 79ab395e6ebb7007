"""The evaluating worker and the passing of time, on both databases."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from opsgraph.app import Core
from opsgraph.domains.governance import commands as governance
from opsgraph.domains.health import rules
from opsgraph.domains.health.model import Health, ServiceFacts
from opsgraph.domains.slo.model import IndicatorKind
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.windows import CalendarWindow
from opsgraph.settings import Settings
from opsgraph.workers import evaluate
from opsgraph.workers.evaluate import WorkerContext
from tests.support import databases
from tests.support.catalog import make_service
from tests.support.clock import START, TestClock
from tests.support.contents import contents
from tests.support.health import assert_fresh, deploy, reacting, report, store, stored_health
from tests.support.slo import make_slo
from tests.support.statements import statements
from tests.support.waiting import LONG_ENOUGH_SECONDS

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture
async def core(settings: Settings, clock: TestClock, database_kind: str) -> AsyncIterator[Core]:
    """A database that reacts and looks at everything again each second."""
    async with reacting(replace(settings, evaluate_seconds=1), clock) as opened:
        yield opened
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


async def tick(core: Core) -> int:
    """One round of the worker."""
    return await evaluate.tick(WorkerContext(core.database, core.policy), core.clock.now())


async def stored(core: Core, column: str) -> list[Any]:
    """A column of what is stored, in no particular order."""
    async with core.database.reading() as session:
        return [row[column] for row in (await stored_health(session)).values()]


async def test_only_what_is_due_is_evaluated(core: Core, clock: TestClock) -> None:
    """What a write has just evaluated waits for its own time."""
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx, "api")
        await make_service(tx, "web")
    async with core.database.transaction(SYSTEM, clock.move(milliseconds=500)) as tx:
        await governance.set_check(tx, "web", "runbook", passed=True)
    assert await tick(core) == 0
    clock.move(milliseconds=500)
    assert await tick(core) == 1
    assert sorted(await stored(core, "evaluated_at")) == [START + SECOND / 2, START + SECOND]
    assert sorted(await stored(core, "due_at")) == [START + SECOND * 3 / 2, START + 2 * SECOND]


async def test_many_are_evaluated_in_batches(core: Core, clock: TestClock) -> None:
    """500 a transaction, those longest due first, until nothing is due."""
    old, new = START - 2 * SECOND, START - SECOND
    async with core.database.transaction(SYSTEM, START) as tx:
        lines = [{"name": f"s{number}", "evaluated_at": new, "due_at": new} for number in range(499)]
        lines += [{"name": f"t{number}", "evaluated_at": old, "due_at": old} for number in range(2)]
        await store(tx.connection, *lines)
    assert [await tick(core) for _ in range(2)] == [500, 1]
    assert await tick(core) == 0
    assert set(await stored(core, "evaluated_at")) == {START}


async def test_one_that_cannot_be_evaluated_stops_nobody(
    core: Core, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is logged, keeps what was stored of it, and is tried again after ten minutes; all others are evaluated."""
    await a_platform(core)
    before = clock.now()
    judge = rules.judge

    def fail_for_web(facts: ServiceFacts, *others: Any) -> Health:
        if facts.service.name == "web":
            raise ValueError("something is wrong with it")
        return judge(facts, *others)

    monkeypatch.setattr(rules, "judge", fail_for_web)
    clock.move(seconds=1)
    with capture_logs() as logs:
        assert await tick(core) == 2
    assert [(line["event"], line["log_level"]) for line in logs] == [("service_not_evaluated", "error")]
    assert sorted(await stored(core, "evaluated_at")) == [before, clock.now()]
    assert max(await stored(core, "due_at")) == clock.now() + timedelta(minutes=10)
    monkeypatch.undo()
    clock.move(minutes=9)
    assert await tick(core) == 1
    clock.move(minutes=1)
    assert await tick(core) == 2
    await assert_fresh(core)


async def test_a_round_that_was_done_does_nothing_again(core: Core, clock: TestClock) -> None:
    """Two processes that find the same due store what one would have stored."""
    await a_platform(core)
    clock.move(seconds=1)
    both = await asyncio.gather(tick(core), tick(core))
    assert max(both) == 2
    before = await contents(core.database)
    assert await tick(core) == 0
    assert await contents(core.database) == before
    await assert_fresh(core)


async def a_platform(core: Core) -> None:
    """Two services, one with an SLO that is missed."""
    async with core.database.transaction(SYSTEM, core.clock.now()) as tx:
        await make_service(tx, "web")
        await make_service(tx, "api")
        await make_slo(tx, "x", indicator=IndicatorKind.EXTERNAL, window_days=1)
        await report(tx, "api", 100)


async def test_nothing_due_writes_nothing_and_waits_for_nobody(core: Core, clock: TestClock) -> None:
    """It does not even ask for SQLite's only write lock, which somebody else may hold for long."""
    await a_platform(core)
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        await governance.set_check(tx, "api", "runbook", passed=True)
        with statements(core.database) as seen:
            assert await asyncio.wait_for(tick(core), timeout=LONG_ENOUGH_SECONDS) == 0
    assert [statement for statement in seen if not statement.startswith(("SELECT", "BEGIN"))] == []
    assert "BEGIN IMMEDIATE" not in seen


async def points(core: Core, clock: TestClock, after: timedelta) -> int:
    """The points of the one service when the worker has done what is due, so long after the start."""
    clock.move(seconds=(START + after - clock.now()).total_seconds())
    while await tick(core):
        pass
    await assert_fresh(core)
    (found,) = await stored(core, "points")
    return int(found)


@pytest.mark.parametrize(
    ("window", "lapses"),
    [
        ({"window_days": 1}, DAY),
        ({"window_days": 90}, 90 * DAY),
        ({"calendar": CalendarWindow.WEEK}, timedelta(days=2, hours=12)),
        ({"calendar": CalendarWindow.MONTH, "time_zone": "Asia/Kathmandu"}, timedelta(days=16, hours=6, minutes=15)),
    ],
)
async def test_a_window_that_moves_on_changes_health(
    core: Core, clock: TestClock, window: dict[str, Any], lapses: timedelta
) -> None:
    """Bad events count up to the second at which they leave the window, and no longer."""
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        await make_slo(tx, "x", indicator=IndicatorKind.EXTERNAL, **window)
        await report(tx, "api", 100)
    assert await points(core, clock, lapses - SECOND) == 2
    assert await points(core, clock, lapses) == 0
    assert await stored(core, "status") == ["UNKNOWN"]


async def test_a_deployment_that_is_thirty_days_old_counts_no_more(core: Core, clock: TestClock) -> None:
    """A failed one costs points up to the second at which it leaves the 30 days of reliability."""
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        await deploy(tx, "api", timedelta(0), failed=True)
    assert await points(core, clock, 30 * DAY - SECOND) == 2
    assert await points(core, clock, 30 * DAY) == 0


async def test_a_deployment_counts_from_its_time_on(core: Core, clock: TestClock) -> None:
    """One that was announced by a clock that runs ahead."""
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        await deploy(tx, "api", -timedelta(minutes=2), failed=True)
    assert await points(core, clock, timedelta(seconds=119)) == 0
    assert await points(core, clock, timedelta(seconds=120)) == 2


async def test_by_default_a_change_shows_within_a_minute(settings: Settings, core: Core, clock: TestClock) -> None:
    """A worker that looks every second finds each service due once a minute."""
    async with reacting(settings, clock) as usual:
        async with usual.database.transaction(SYSTEM, clock.now()) as tx:
            await make_service(tx)
            await deploy(tx, "api", -timedelta(seconds=30), failed=True)
        rounds = []
        for _ in range(120):
            clock.move(seconds=1)
            rounds.append(await tick(usual))
            if sum(rounds) == 1:
                assert await stored(usual, "points") == [2]
    assert [place for place, done in enumerate(rounds, start=1) if done] == [60, 120]
