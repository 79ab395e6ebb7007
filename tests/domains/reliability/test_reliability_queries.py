"""Reading reliability, on both databases."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import DeploymentInput
from opsgraph.domains.reliability import commands, queries
from opsgraph.domains.reliability.model import Basis, ReliabilityInput
from opsgraph.kernel.actor import SYSTEM
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx
from tests.support.catalog import make_service
from tests.support.clock import TestClock
from tests.support.statements import statements

MONTH = timedelta(days=30)
MOMENT = timedelta(microseconds=1)


async def deploy(tx: Tx, at: datetime, **values: Any) -> None:
    """Record a deployment of the service api."""
    await catalog.record_deployment(tx, DeploymentInput("api", "v1", deployed_at=at, **values))


async def test_what_is_measured_beats_what_is_declared(database: Database, clock: TestClock) -> None:
    """Of one service with deployments, one with declarations only, and an id of nothing."""
    now, nobody = clock.now(), uuid4()
    async with database.transaction(SYSTEM, now) as tx:
        api, web = (await make_service(tx)).id, (await make_service(tx, "web")).id
        for name in ("api", "web"):
            wanted = ReliabilityInput(
                name, uptime_pct=99.95, mttr_minutes=8, incidents_30d=1, change_failure_rate_pct=5
            )
            await commands.declare(tx, wanted)
        for number in range(4):
            await deploy(tx, now - timedelta(days=number), failed=number == 0)
    async with database.reading() as session:
        found = await queries.reliability_by_service(session, [api, web, nobody], now)
    assert (found[web].score, found[web].parts[3].basis) == (85.0, Basis.DECLARED)
    measured = found[api].parts[3]
    assert (measured.basis, measured.points, measured.sample_size) == (Basis.MEASURED, 5, 4)
    assert (found[api].change_failure_rate_pct, found[api].score) == (25.0, 75.0)
    assert found[nobody].score is None


async def test_only_production_within_thirty_days_counts(database: Database, clock: TestClock) -> None:
    """Both names of production; not staging, not exactly thirty days ago, not what a fast clock sent ahead."""
    now = clock.now()
    async with database.transaction(SYSTEM, now) as tx:
        api = (await make_service(tx)).id
        await deploy(tx, now)
        await deploy(tx, now - MONTH + MOMENT, environment="PROD", failed=True)
        await deploy(tx, now - MONTH, failed=True)
        await deploy(tx, now + MOMENT, failed=True)
        await deploy(tx, now, environment="staging", failed=True)
    async with database.reading() as session:
        keys = (await queries.dora_by_service(session, [api], now))[api]
        later = (await queries.dora_by_service(session, [api], now + MOMENT))[api]
    assert (keys.deployments, keys.failures, keys.change_failure_rate_pct) == (2, 1, 50.0)
    assert (later.deployments, later.failures) == (2, 1)


async def test_dora_keys_come_from_what_was_recorded(database: Database, clock: TestClock) -> None:
    """Lead time, recovery and rework survive the way through the database; an id of nothing has none."""
    now, nobody = clock.now(), uuid4()
    async with database.transaction(SYSTEM, now) as tx:
        api = (await make_service(tx)).id
        await deploy(tx, now - timedelta(hours=2), failed=True, committed_at=now - timedelta(hours=5))
        await deploy(tx, now - timedelta(hours=1), rework=True)
    async with database.reading() as session:
        found = await queries.dora_by_service(session, [api, nobody], now)
    keys = found[api]
    assert (keys.lead_time_seconds_median, keys.recovery_seconds_median, keys.rework_rate_pct) == (10_800, 3600, 50)
    assert (found[nobody].deployments, found[nobody].deployments_per_day) == (0, None)


@pytest.mark.parametrize("count", [1, 5])
async def test_reads_take_a_constant_number_of_statements(database: Database, clock: TestClock, count: int) -> None:
    """However many services are asked for."""
    now = clock.now()
    async with database.transaction(SYSTEM, now) as tx:
        ids = [(await make_service(tx, f"service-{number}")).id for number in range(count)]
    async with database.reading() as session:
        await session.begin()
        with statements(database) as seen:
            await queries.reliability_by_service(session, ids, now)
            await queries.dora_by_service(session, ids, now)
    assert len(seen) == 4
