"""A service that cannot be evaluated stops nobody else."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import structlog

from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import ServiceInput
from opsgraph.domains.health import commands as health
from opsgraph.domains.health import queries
from opsgraph.kernel.actor import SYSTEM
from opsgraph.workers import evaluate
from opsgraph.workers.evaluate import WorkerContext
from tests.support.api import Api
from tests.support.clock import TestClock


@pytest.mark.parametrize("mistake", [ValueError, AttributeError, RuntimeError, AssertionError])
async def test_the_others_are_evaluated_and_the_failure_is_logged(
    api: Api, clock: TestClock, monkeypatch: pytest.MonkeyPatch, mistake: type[Exception]
) -> None:
    """Of three due services one cannot be judged: it is put off, the other two are fresh."""
    core = api.core
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        bad, *good = [(await catalog.save_service(tx, ServiceInput(name))).value.id for name in ("bad", "one", "two")]
    judge = health.evaluate

    async def failing(tx: Any, service_ids: Collection[UUID], *rest: Any) -> Any:
        if bad in service_ids:
            raise mistake("this one cannot be judged")
        return await judge(tx, service_ids, *rest)

    monkeypatch.setattr(health, "evaluate", failing)
    later = clock.move(minutes=2)
    with structlog.testing.capture_logs() as logged:
        assert await evaluate.tick(WorkerContext(core.database, core.policy), later) == 3
    assert [(line["event"], line["service_id"]) for line in logged] == [("service_not_evaluated", str(bad))]
    async with core.database.reading() as session:
        stored = await queries.health_by_service(session, [bad, *good])
        assert {stored[service_id].evaluated_at for service_id in good} == {later}
        assert stored[bad].evaluated_at < later
        assert await queries.due_services(session, later + timedelta(minutes=5), 10) == sorted(good)
