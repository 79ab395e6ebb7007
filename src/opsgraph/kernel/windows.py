"""Windows of time: rolling ones, and calendar ones in an IANA zone, as pure functions of an instant.

The grain is a minute: a window that ends now takes in the whole of the current minute, so that what happened just now
counts and every window of the same length has the same number of minutes.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import shown

MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CalendarWindow(StrEnum):
    """A period of the calendar; weeks begin on Monday (ISO 8601)."""

    WEEK = "WEEK"
    MONTH = "MONTH"
    QUARTER = "QUARTER"


@dataclass(frozen=True, slots=True)
class Window:
    """The instants from `start`, included, to `end`, excluded; both in UTC and on a whole minute."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How much time passes in it: a day in which a clock is put back has 25 hours."""
        return self.end - self.start

    @property
    def minutes(self) -> range:
        """Its minutes, counted from 1970-01-01T00:00Z."""
        return range(minute_of(self.start), minute_of(self.end))


def minute_of(instant: datetime) -> int:
    """The number of the minute that an aware instant lies in, counted from 1970-01-01T00:00Z."""
    return (instant - _EPOCH) // MINUTE


def instant_of(minute: int) -> datetime:
    """The instant at which a minute begins that is counted from 1970-01-01T00:00Z."""
    return _EPOCH + minute * MINUTE


def rolling(now: datetime, length: timedelta) -> Window:
    """The window of that length, a whole number of minutes, that ends with the current minute."""
    end = instant_of(minute_of(now) + 1)
    return Window(end - length, end)


def calendar(now: datetime, period: CalendarWindow, zone: str) -> Window:
    """The calendar period around an instant, from local midnight to local midnight.

    Where midnight does not exist the period begins at the next existing minute, where it occurs twice at the first.
    """
    first = _first_day(now.astimezone(ZoneInfo(zone)).date(), period)
    following = _next_first_day(first, period)
    if _midnight(following, zone) <= now:
        # A clock put back over midnight shows the last hour of the old period again after the new one has begun.
        first, following = following, _next_first_day(following, period)
    return Window(_midnight(first, zone), _midnight(following, zone))


def local_instant(local: datetime, zone: str) -> datetime:
    """The UTC instant of a naive local time: the next existing minute if it was skipped, the first if it came twice."""
    placed = local.replace(tzinfo=ZoneInfo(zone))
    first, second = (placed.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return first if first <= second else _after_gap(local, zone, second, first)


def time_zone(value: str, field: str = "time_zone") -> str:
    """Accept the name of an IANA time zone, such as Europe/Lisbon.

    Raises:
        Invalid: no such zone is known here; names the field.
    """
    if value not in _zones():
        raise Invalid(f"time zone {shown(value)} is not an IANA zone such as Europe/Lisbon", field)
    return value


def _after_gap(local: datetime, zone: str, low: datetime, high: datetime) -> datetime:
    """The first minute in (low, high] at which local clocks show the skipped time or a later one."""
    passed = bisect_left(
        range((high - low) // MINUTE),
        True,
        key=lambda minutes: (low + minutes * MINUTE).astimezone(ZoneInfo(zone)).replace(tzinfo=None) >= local,
    )
    return low + passed * MINUTE


def _midnight(day: date, zone: str) -> datetime:
    return local_instant(datetime.combine(day, time()), zone)


def _first_day(day: date, period: CalendarWindow) -> date:
    if period is CalendarWindow.WEEK:
        return day - timedelta(days=day.weekday())
    month = day.month if period is CalendarWindow.MONTH else day.month - (day.month - 1) % 3
    return day.replace(month=month, day=1)


def _next_first_day(first: date, period: CalendarWindow) -> date:
    if period is CalendarWindow.WEEK:
        return first + timedelta(days=7)
    # The shortest month has 28 days and the longest three have 92: this lands in the first month after the period.
    return _first_day(first + timedelta(days=31 if period is CalendarWindow.MONTH else 92), period)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
