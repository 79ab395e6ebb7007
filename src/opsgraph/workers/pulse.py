"""Keeping a demonstration moving: only `opsgraph demo` runs it."""

from datetime import datetime

from opsgraph.kernel.actor import SYSTEM
from opsgraph.workers.evaluate import WorkerContext
from opsgraph.workflows.demo import pulse


class Pulse:
    """A worker that records what happens in a demonstration, once a beat."""

    def __init__(self) -> None:
        self._last: int | None = None

    async def __call__(self, context: WorkerContext, now: datetime) -> int:
        """Do this beat's work, unless that was done."""
        beat = pulse.beat_of(now)
        if beat == self._last:
            return 0  # without taking SQLite's only write lock
        async with context.database.transaction(SYSTEM, now) as tx:
            await pulse.beat(tx, context.alerting)
        self._last = beat
        return 1
