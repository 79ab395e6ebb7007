"""Evaluating health where only time has passed: windows that move on, periods that begin."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from opsgraph.domains.health.queries import due_services
from opsgraph.kernel.actor import SYSTEM
from opsgraph.storage.database import Database
from opsgraph.storage.failures import is_passing
from opsgraph.workflows.correlating import Alerting
from opsgraph.workflows.health import AT_ONCE, HealthPolicy, put_off, refresh, refresh_due
from opsgraph.workflows.readiness.evaluating import Readiness
from opsgraph.workflows.retention import Retention

_AFTER_FAILURE = timedelta(minutes=10)
_log = structlog.get_logger("opsgraph.workers")


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What workers have at hand; where nobody judges the readiness of services, `readiness` is None."""

    database: Database
    policy: HealthPolicy
    retention: Retention = field(default_factory=Retention)
    alerting: Alerting = field(default_factory=Alerting)
    readiness: Readiness | None = None


Tick = Callable[[WorkerContext, datetime], Awaitable[int]]
"""One round of a worker: does what is due at this instant; gives how many items it did, 0 when nothing was due."""


async def tick(context: WorkerContext, now: datetime) -> int:
    """Evaluate the services that are due, one batch in one transaction.

    If that fails, each is evaluated in a transaction of its own: one that cannot be evaluated is logged, looked at
    again later, and stops nobody else.
    """
    async with context.database.reading() as session:
        if not await due_services(session, now, limit=1):
            return 0  # without taking SQLite's only write lock
    try:
        async with context.database.transaction(SYSTEM, now) as tx:
            return await refresh_due(tx, context.policy)
    except Exception as error:
        if is_passing(error):
            raise  # the database is away, which is nobody's fault among the services
        return await _one_by_one(context, now)


async def _one_by_one(context: WorkerContext, now: datetime) -> int:
    async with context.database.reading() as session:
        due = await due_services(session, now, limit=AT_ONCE)
    for service_id in due:
        try:
            async with context.database.transaction(SYSTEM, now) as tx:
                await refresh(tx, [service_id], context.policy)
        except Exception:  # noqa: BLE001 - whatever is wrong with one service, the others go on
            _log.exception("service_not_evaluated", service_id=str(service_id))
            async with context.database.transaction(SYSTEM, now) as tx:
                await put_off(tx, service_id, _AFTER_FAILURE)
    return len(due)
