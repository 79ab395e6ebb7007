"""Alerts that all fire already are counted in one statement; whatever else is among them goes the long way."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from opsgraph.domains.alerts import sql_postgresql
from opsgraph.domains.alerts.commands.repeating import repeat_all
from opsgraph.domains.alerts.model import AlertOutcome, Severity, Taken
from opsgraph.domains.alerts.rules.absorbing import rounds
from opsgraph.domains.alerts.tables import alerts
from opsgraph.kernel.actor import SYSTEM
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from tests.support.clock import TestClock
from tests.support.intake import Desk, opened, report, reports, resolved
from tests.support.plans import rows_visited
from tests.support.statements import statements
from tests.support.waiting import someone_waits

MINUTE = timedelta(minutes=1)
FEW, MANY = 20, 2_000


@pytest.fixture
async def desk(settings: Settings, clock: TestClock, database: Database) -> AsyncIterator[Desk]:
    """One process that takes in alerts."""
    async with opened(settings, clock) as started:
        yield started


async def occurrences(desk: Desk) -> dict[str, int]:
    """How often each alert was reported."""
    return {alert.fingerprint: alert.occurrences for alert in await desk.alerts()}


async def test_alerts_that_all_fire_are_counted_in_one_statement(desk: Desk, clock: TestClock) -> None:
    """With the end that they are now told to have; those that come twice count twice."""
    first = await desk.taken(*reports(3))
    clock.move(minutes=1)
    end = clock.now() + MINUTE
    with statements(desk.core.database) as seen:
        again = await desk.taken(*reports(3, ends_at=end), report(2, ends_at=end))
    assert len(seen) == 1
    assert again == [Taken(AlertOutcome.DEDUPLICATED, each.alert_id, each.incident_id) for each in (*first, first[1])]
    assert await occurrences(desk) == {"api:1": 2, "api:2": 3, "api:3": 2}
    assert {(alert.last_seen_at, alert.ends_at) for alert in await desk.alerts()} == {(clock.now(), end)}


@pytest.mark.parametrize("other", [report(9), report(2, Severity.CRITICAL), report(2, Severity.LOW), resolved(2)])
async def test_anything_else_among_them_is_taken_in_with_them(desk: Desk, other: object) -> None:
    """A new alert, another severity or an end: each is counted once, whichever way it goes."""
    await desk.take(*reports(2))
    assert isinstance(other, type(report()))
    await desk.take(report(1), other)
    assert (await occurrences(desk))["api:1"] == 2


async def test_nothing_is_counted_unless_all_of_them_fire(desk: Desk, database: Database, clock: TestClock) -> None:
    """What is left would be counted again with those that were counted."""
    await desk.take(*reports(2))
    assert await repeat_all(database, rounds([*reports(2), report(3)])[0], clock.now()) == {}
    assert await repeat_all(database, rounds([report(1, Severity.LOW)])[0], clock.now()) == {}
    assert await occurrences(desk) == {"api:1": 1, "api:2": 1}


async def test_counts_stop_at_the_most_that_a_column_holds(desk: Desk) -> None:
    """A source that never stops fails no alert."""
    await desk.take(report())
    async with desk.core.database.transaction(SYSTEM, desk.core.clock.now()) as tx:
        await tx.connection.execute(alerts.update().values(occurrences=2**31 - 1))
    assert await desk.take(report()) == [AlertOutcome.DEDUPLICATED]
    assert await occurrences(desk) == {"api:1": 2**31 - 1}


async def test_an_alert_that_ends_while_it_is_counted_fires_anew(desk: Desk, settings: Settings) -> None:
    """Someone holds it as it is reported with another; the other is counted, and this one is not lost."""
    if desk.core.database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    await desk.take(*reports(2))
    held = select(alerts.c.id).where(alerts.c.fingerprint == "api:1").with_for_update()
    ended = alerts.update().where(alerts.c.fingerprint == "api:1")
    async with desk.core.database.transaction(SYSTEM, desk.core.clock.now()) as tx:
        await tx.connection.execute(held)
        reported = asyncio.create_task(desk.take(*reports(2)))
        await someone_waits(desk.core.database)
        await tx.connection.execute(ended.values(status="RESOLVED", resolved_by="SOURCE", resolved_at=tx.now))
    assert await reported == [AlertOutcome.ATTACHED, AlertOutcome.DEDUPLICATED]
    assert sorted(alert.occurrences for alert in await desk.alerts()) == [1, 1, 2]


async def test_each_is_found_by_its_fingerprint_though_the_table_was_counted_small(desk: Desk) -> None:
    """PostgreSQL keeps what it counted while alerts come in floods, and elsewhere the plans that it made of that."""
    database = desk.core.database
    if database.is_sqlite:
        pytest.skip("SQLite is told which index to take")
    await desk.take(*reports(FEW))
    async with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("VACUUM ANALYZE alert"))
    await desk.taken(*reports(MANY, first=FEW + 1))
    names = [f"api:{number}" for number in range(FEW + 1, FEW + 101)]
    values = (names, [1] * 100, ["HIGH"] * 100, [None] * 100, desk.core.clock.now())
    ((plan,),) = await database.at_once(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql_postgresql.REPEAT_ALL}", *values)
    assert rows_visited(plan[0]["Plan"]) < MANY
    assert await database.at_once("SHOW plan_cache_mode") == [("force_custom_plan",)]
