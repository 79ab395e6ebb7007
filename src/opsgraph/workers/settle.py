"""Settling what time does to alerts: those whose end has passed, silences that end, incidents that are done."""

from datetime import datetime, timedelta
from uuid import UUID

from opsgraph.domains.alerts.rules.silencing import CompiledSilences
from opsgraph.kernel.actor import SYSTEM
from opsgraph.workers.evaluate import WorkerContext
from opsgraph.workflows import settling
from opsgraph.workflows.adopting import adopt, adopters
from opsgraph.workflows.health import refresh

_AT_LEAST_EVERY = timedelta(minutes=1)


class Settle:
    """A worker that settles what is due.

    All silenced alerts are looked at when what is in force has changed since the last time, and every minute: an alert
    that was stored while its silence ended is then heard, too.
    """

    def __init__(self) -> None:
        self._in_force: settling.InForce | None = None
        self._walked: datetime | None = None
        self._adopted: datetime | None = None

    async def __call__(self, context: WorkerContext, now: datetime) -> int:
        """Settle what is due at this instant, each batch in a transaction of its own; gives how much that was."""
        ended, resolved = await _end(context, now), await _resolve(context, now)
        return ended + resolved + await self._hear(context, now) + await self._adopt(context, now)

    async def _hear(self, context: WorkerContext, now: datetime) -> int:
        async with context.database.reading() as session:
            in_force = await settling.in_force(session, now)
        if in_force == self._in_force and self._walked is not None and now - self._walked < _AT_LEAST_EVERY:
            return 0
        quiet, after, more, heard = CompiledSilences(*in_force), None, True, 0
        while more:
            ids, after = await _heard_again(context, quiet, now, after)
            if ids:
                async with context.database.transaction(SYSTEM, now) as tx:
                    heard += await settling.hear(tx, ids, context.alerting)
            more = after is not None
        self._in_force, self._walked = in_force, now
        return heard

    async def _adopt(self, context: WorkerContext, now: datetime) -> int:
        """Once a minute, until nothing is left: a service gets what its registration did not see or left for later."""
        if self._adopted is not None and now - self._adopted < _AT_LEAST_EVERY:
            return 0
        async with context.database.reading() as session:
            found = await adopters(session)
        if found:
            async with context.database.transaction(SYSTEM, now) as tx:
                await adopt(tx, found, context.policy)
                await refresh(tx, found, context.policy)
        self._adopted = None if found else now
        return len(found)


async def _heard_again(
    context: WorkerContext, quiet: CompiledSilences, now: datetime, after: UUID | None
) -> tuple[list[UUID], UUID | None]:
    async with context.database.reading() as session:
        return await settling.heard_again(session, quiet, now, after)


async def _end(context: WorkerContext, now: datetime) -> int:
    async with context.database.reading() as session:
        found = await settling.over(session, now, context.alerting.policy)
    if not found:
        return 0  # without taking SQLite's only write lock
    async with context.database.transaction(SYSTEM, now) as tx:
        return await settling.end_what_is_over(tx, found, context.alerting)


async def _resolve(context: WorkerContext, now: datetime) -> int:
    async with context.database.reading() as session:
        found = await settling.done(session, now, context.alerting.policy)
    if not found:
        return 0
    async with context.database.transaction(SYSTEM, now) as tx:
        return await settling.resolve_what_is_done(tx, found, context.alerting.policy)
