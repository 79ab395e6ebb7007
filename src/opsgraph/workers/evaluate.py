"""Evaluating health where only time has passed: windows that move on, periods that begin."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from opsgraph.domains.health.queries import due_services
from opsgraph.kernel.actor import SYSTEM
from opsgraph.storage.database import Database
from opsgraph.workflows.health import HealthPolicy, refresh_due


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What workers have at hand."""

    database: Database
    policy: HealthPolicy


Tick = Callable[[WorkerContext, datetime], Awaitable[int]]
"""One round of a worker: does what is due at this instant; gives how many items it did, 0 when nothing was due."""


async def tick(context: WorkerContext, now: datetime) -> int:
    """Evaluate the services that are due, one batch in one transaction."""
    async with context.database.reading() as session:
        if not await due_services(session, now, limit=1):
            return 0  # without taking SQLite's only write lock
    async with context.database.transaction(SYSTEM, now) as tx:
        return await refresh_due(tx, context.policy)
