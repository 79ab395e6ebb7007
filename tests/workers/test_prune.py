"""What has been kept long enough goes, on both databases."""

from datetime import datetime, timedelta

from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import DeploymentInput, ServiceInput
from opsgraph.domains.catalog.queries import deployments as catalog_deployments
from opsgraph.kernel.actor import SYSTEM
from opsgraph.storage.database import Database
from opsgraph.workers import prune
from opsgraph.workers.evaluate import WorkerContext
from opsgraph.workers.running import spaced
from opsgraph.workflows.health import HealthPolicy
from tests.support.clock import TestClock

WANTED = DeploymentInput("api", "v1", idempotency_key="build-7")


async def _record(database: Database, now: datetime) -> None:
    async with database.transaction(SYSTEM, now) as tx:
        await catalog.record_deployment(tx, WANTED)


async def test_a_key_is_recognised_for_seven_days(database: Database, clock: TestClock) -> None:
    """A replay within the week returns the first deployment; after it, the key is free again."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        service = (await catalog.save_service(tx, ServiceInput("api"))).value
    await _record(database, clock.now())
    context = WorkerContext(database, HealthPolicy())
    assert await prune.tick(context, clock.move(days=7)) == 0
    await _record(database, clock.now())
    assert await prune.tick(context, clock.move(seconds=1)) == 1
    await _record(database, clock.now())
    async with database.reading() as session:
        assert await catalog_deployments.count_deployments(session, [service.id]) == {service.id: 2}


async def test_a_spaced_tick_waits_for_its_time(database: Database, clock: TestClock) -> None:
    """It runs at once, then not before the interval has passed."""
    rounds = []

    async def tick(_context: WorkerContext, now: datetime) -> int:
        rounds.append(now)
        return 1

    hourly = spaced(tick, timedelta(hours=1))
    context = WorkerContext(database, HealthPolicy())
    done = [await hourly(context, now) for now in (clock.now(), clock.move(minutes=59), clock.move(minutes=1))]
    assert done == [1, 0, 1]
    assert len(rounds) == 2
