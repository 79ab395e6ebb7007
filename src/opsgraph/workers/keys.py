"""Keys that are in use: noting it, and ending what was opened with one that is good no more."""

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from opsgraph.workers.evaluate import WorkerContext
from opsgraph.workflows.keys import look_after


class Keys:
    """The tick. It runs in every process that serves, for each has connections of its own.

    Args:
        used: when which key was used; what was noted is taken from there.
        held_open: gives the keys of connections that stay open.
        end: ends the connections of these keys.
    """

    def __init__(
        self,
        used: dict[UUID, datetime],
        held_open: Callable[[], Collection[UUID]],
        end: Callable[[Collection[UUID]], None],
    ) -> None:
        self._used = used
        self._held_open = held_open
        self._end = end

    async def __call__(self, context: WorkerContext, now: datetime) -> int:
        """Note what was used since the last round, and end what has to end; there is never more to do at once."""
        used = dict(self._used)
        self._used.clear()
        self._end(await look_after(context.database, now, used, self._held_open()))
        return 0
