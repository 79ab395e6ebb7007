"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

START = datetime(2024, 3, 15, 12, 0, tzinfo=UTC)


class TestClock:
    """A clock that tells the same instant until it is moved."""

    __test__ = False

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        """The instant the test has come to."""
        return self._now

    def move(self, **amount: float) -> datetime:
        """Go forward by a timedelta's arguments; gives the new instant."""
        self._now += timedelta(**amount)
        return self._now
