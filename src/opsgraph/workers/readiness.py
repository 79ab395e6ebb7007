"""Judging, each second, the services whose facts have changed or whose time has come."""

from datetime import datetime

from opsgraph.workers.evaluate import WorkerContext


async def tick(context: WorkerContext, now: datetime) -> int:
    """Judge the services that are due, many at once; see `Readiness.tick`."""
    return await context.readiness.tick(now) if context.readiness is not None else 0
