"""The newest events in memory: a gapless stretch of the log that moves on."""

from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter

from opsgraph.events.log import LoggedEvent


class Window:
    """All events of the log after `floor` and up to `position`, at most `size` of them.

    Args:
        position: the place it begins at, with nothing in it.
        size: how many events it holds; the oldest leave first.
    """

    def __init__(self, position: int, size: int) -> None:
        self.floor = position
        self.position = position
        self._size = size
        self._events: list[LoggedEvent] = []

    def add(self, events: Sequence[LoggedEvent]) -> None:
        """Move on over the events that follow in the log."""
        if not events:
            return
        self._events.extend(events)
        self.position = events[-1].position
        if (surplus := len(self._events) - self._size) > 0:
            self.floor = self._events[surplus - 1].position
            del self._events[:surplus]

    def after(self, position: int, limit: int) -> Sequence[LoggedEvent] | None:
        """The first events after a place; None where the window does not reach back so far."""
        if position < self.floor:
            return None
        start = bisect_right(self._events, position, key=attrgetter("position"))
        return self._events[start : start + limit]
