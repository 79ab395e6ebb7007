"""The newest events in memory: gapless, bounded, and honest about how far back it reaches."""

from collections.abc import Sequence
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from opsgraph.events.log import LoggedEvent
from opsgraph.events.window import Window
from opsgraph.kernel.events import Topic
from tests.support.clock import START

POSITIONS = st.lists(st.integers(1, 60), unique=True, max_size=40).map(sorted)
"""Places of a log; those of transactions that were rolled back are left out on PostgreSQL."""


def event(position: int) -> LoggedEvent:
    """An event at a place."""
    return LoggedEvent(position, Topic.ALERTS, "NOTED", UUID(int=position), {}, START)


def places(events: Sequence[LoggedEvent]) -> list[int]:
    """Where events are."""
    return [event.position for event in events]


def filled(positions: Sequence[int], size: int, step: int) -> Window:
    """A window from the beginning of a log on, moved over its events in steps."""
    window = Window(0, size)
    for start in range(0, len(positions), step):
        window.add([event(position) for position in positions[start : start + step]])
    return window


@given(POSITIONS, st.integers(1, 50), st.integers(1, 7), st.integers(0, 61), st.integers(1, 50))
def test_what_it_gives_is_all_there_is(positions: list[int], size: int, step: int, after: int, limit: int) -> None:
    """Either the first events of the log after a place, without a gap, or it does not reach back so far."""
    found = filled(positions, size, step).after(after, limit)
    expected = [position for position in positions if position > after]
    if found is None:
        assert len(expected) > size
    else:
        assert places(found) == expected[:limit]


@given(POSITIONS, st.integers(1, 50), st.integers(1, 7))
def test_it_holds_the_newest_and_no_more_than_its_size(positions: list[int], size: int, step: int) -> None:
    """From its floor, which is the newest event that it let go, or its beginning."""
    window = filled(positions, size, step)
    assert places(window.after(window.floor, 100) or []) == positions[-size:]
    assert window.position == (positions[-1] if positions else 0)
    assert window.floor == ([0, *positions][-size - 1] if len(positions) >= size else 0)


def test_it_begins_at_a_place_of_the_log() -> None:
    """Of what was before it knows nothing; who stands there or beyond waits for what is to come."""
    window = Window(7, 3)
    assert window.after(6, 10) is None
    assert window.after(7, 10) == window.after(9, 10) == []
    window.add([])
    assert window.position == 7
