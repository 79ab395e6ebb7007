"""Removing, once an hour, what has been kept long enough."""

from datetime import datetime

from opsgraph.kernel.actor import SYSTEM
from opsgraph.workers.evaluate import WorkerContext
from opsgraph.workflows.retention import prune


async def tick(context: WorkerContext, now: datetime) -> int:
    """Remove what is due, in transactions between which others have their turn."""
    total = 0
    while removed := await _round(context, now):
        total += removed
    return total


async def _round(context: WorkerContext, now: datetime) -> int:
    async with context.database.transaction(SYSTEM, now) as tx:
        return await prune(tx, context.retention)
