"""What is stored of health, and the events it records."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from opsgraph.domains.governance import commands as governance
from opsgraph.domains.health import commands, queries
from opsgraph.domains.health.model import Health, HealthChanged, HealthStatus, ServiceFacts, Signal, Subsystem
from opsgraph.domains.health.rules import BUILT_IN
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.events import Entry, Event, Topic
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx
from tests.support.catalog import make_service
from tests.support.clock import TestClock
from tests.support.health import allow, bill, stored_health
from tests.support.slo import make_slo
from tests.support.statements import statements

HEALTHY, DEGRADED, CRITICAL, _, UNKNOWN = HealthStatus
EVERY = timedelta(seconds=60)


class Says:
    """A subsystem that gives as many points as it is told."""

    name = "told"

    def __init__(self, points: int) -> None:
        self.points = points

    def evaluate(self, facts: ServiceFacts) -> Sequence[Signal]:
        """So many points."""
        return [Signal(self.name, self.points, facts.service.name)]


async def evaluate(tx: Tx, ids: Sequence[UUID], subsystems: Sequence[Subsystem] = BUILT_IN) -> dict[UUID, Health]:
    """Evaluate services as reactions and workers do."""
    await commands.lock(tx, ids)
    return await commands.evaluate(tx, ids, subsystems, "USD", EVERY)


async def told(database: Database, clock: TestClock, ids: Sequence[UUID], points: int) -> list[Event]:
    """The events of a transaction in which services get so many points."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await evaluate(tx, ids, [Says(points)])
        return list(tx.recorded)


async def test_an_event_is_recorded_only_when_the_status_changed(database: Database, clock: TestClock) -> None:
    """With what it was and is; other points with the same status are no news, nor is a new service that is UNKNOWN."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        api = (await make_service(tx)).id
    steps = [
        (0, []),
        (1, [HealthChanged(api, UNKNOWN, HEALTHY)]),
        (1, []),
        (2, [HealthChanged(api, HEALTHY, DEGRADED)]),
        (3, []),
        (4, [HealthChanged(api, DEGRADED, CRITICAL)]),
        (9, []),
        (0, [HealthChanged(api, CRITICAL, UNKNOWN)]),
    ]
    for points, events in steps:
        clock.move(minutes=1)
        assert await told(database, clock, [api], points) == events


async def test_events_name_the_services_that_changed(database: Database, clock: TestClock) -> None:
    """Of many that are evaluated together, those alone."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        api, web = (await make_service(tx)).id, (await make_service(tx, "web")).id
    await told(database, clock, [api], 2)
    assert await told(database, clock, [api, web], 2) == [HealthChanged(web, UNKNOWN, DEGRADED)]


async def test_an_event_that_is_not_committed_comes_again(database: Database, clock: TestClock) -> None:
    """A rolled back evaluation leaves the status as it was, so that the next one is a change again."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        api = (await make_service(tx)).id
    async with database.transaction(SYSTEM, clock.now(), dry_run=True) as tx:
        await evaluate(tx, [api], [Says(2)])
    assert await told(database, clock, [api], 2) == [HealthChanged(api, UNKNOWN, DEGRADED)]


async def test_every_column_is_stored(database: Database, clock: TestClock) -> None:
    """Status and points with where they come from, the figures of lists, and when it is looked at again."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        api = (await make_service(tx)).id
        await make_slo(tx, current=99.0)
        await make_slo(tx, "latency", current=99.95)
        await make_slo(tx, "unknown")
        await governance.set_check(tx, "api", "runbook", passed=False)
        await allow(tx, "api", 100)
        for month, amount, currency in (("2024-01", 50, "USD"), ("2024-02", 150, "USD"), ("2024-02", 7, "EUR")):
            await bill(tx, "api", month, amount, currency)
        health = (await evaluate(tx, [api]))[api]
    async with database.reading() as session:
        row = (await stored_health(session))[api]
        assert await queries.health_by_service(session, [api]) == {api: health}
    assert [signal[:2] for signal in row.pop("signals")] == [["slo", 2], ["governance", 2], ["cost", 1]]
    assert row == {
        "service_id": api,
        "status": "CRITICAL",
        "rank": 1,
        "composite": "CRITICAL",
        "telemetry": "UNKNOWN",
        "points": 5,
        "reliability_score": None,
        "governance": "NON_COMPLIANT",
        "monthly_cost": Decimal(150),
        "currency": "USD",
        "other_costs": [["7", "EUR"]],
        "cost_rank": 150.0,
        "over_budget": True,
        "slos_met": 1,
        "slos_unmet": 1,
        "slos_total": 3,
        "evaluated_at": clock.now(),
        "due_at": clock.now() + EVERY,
    }


async def test_locking_tells_when_they_were_last_evaluated(database: Database, clock: TestClock) -> None:
    """The newest of all, its own instant for those that never were, also where that lies ahead."""
    began = clock.now()
    async with database.transaction(SYSTEM, began) as tx:
        ids = [(await make_service(tx, name)).id for name in ("api", "web")]
        assert await commands.lock(tx, ids) == began
    later = clock.move(hours=1)
    await told(database, clock, ids[:1], 2)
    async with database.transaction(SYSTEM, began) as tx:
        assert await commands.lock(tx, ids[1:]) == began
        assert await commands.lock(tx, ids) == later


@pytest.mark.parametrize("count", [1, 7])
async def test_an_evaluation_takes_a_constant_number_of_statements(
    database: Database, clock: TestClock, count: int
) -> None:
    """However many services there are."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        ids = [(await make_service(tx, f"s{number}")).id for number in range(count)]
        with statements(database) as seen:
            await evaluate(tx, ids)
    assert len(seen) == (14 if database.is_sqlite else 15)


async def test_a_service_that_was_never_evaluated_has_no_health(database: Database, clock: TestClock) -> None:
    """Nothing is stored, and nothing breaks."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        api = (await make_service(tx)).id
        assert await queries.health_by_service(tx.connection, [api]) == {}
        assert await commands.evaluate(tx, [], BUILT_IN, "USD", EVERY) == {}


def test_a_change_is_told_to_who_follows_health() -> None:
    """From what to what; which service and when, the log knows of each event."""
    changed = HealthChanged(UUID(int=7), HEALTHY, CRITICAL)
    facts = {"previous": "HEALTHY", "current": "CRITICAL"}
    assert changed.entry() == Entry(Topic.SERVICE_HEALTH, "CHANGED", UUID(int=7), facts)
