"""Rolling and calendar windows, and local times that do not exist or come twice."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.windows import CalendarWindow, calendar, instant_of, local_instant, minute_of, rolling, time_zone

ZONES = (
    "UTC",
    "Europe/Lisbon",
    "America/New_York",
    "America/Sao_Paulo",  # midnight does not exist on the day clocks go forward
    "America/Havana",  # midnight comes twice on the day they go back
    "America/Goose_Bay",  # clocks went back a minute after midnight, into the day before
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # half an hour
    "Pacific/Apia",  # skipped 2011-12-30
)
instants = st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - see timezones


def utc(text: str) -> datetime:
    """An instant from its ISO text without a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@given(instants, st.sampled_from(CalendarWindow), st.sampled_from(ZONES))
def test_calendar_windows_follow_each_other_without_gap(now: datetime, period: CalendarWindow, zone: str) -> None:
    """Each instant lies in exactly one window, whose end is the next one's start; its edges agree."""
    window = calendar(now, period, zone)
    assert window.start <= now < window.end
    assert calendar(window.end, period, zone).start == window.end
    assert calendar(window.end - timedelta(microseconds=1), period, zone) == window
    assert calendar(window.start, period, zone) == window


@given(instants, st.sampled_from(CalendarWindow), st.sampled_from(ZONES))
def test_calendar_windows_begin_with_a_day_of_their_kind(now: datetime, period: CalendarWindow, zone: str) -> None:
    """The local date changes at the start: to a Monday, the first of a month, the first of a quarter."""
    start = calendar(now, period, zone).start
    first, before = (
        instant.astimezone(ZoneInfo(zone)).date() for instant in (start, start - timedelta(microseconds=1))
    )
    assert before < first
    if period is CalendarWindow.WEEK:
        assert first.weekday() == 0
    else:
        assert first.day == 1
        assert period is CalendarWindow.MONTH or first.month in {1, 4, 7, 10}


@pytest.mark.parametrize(
    ("now", "period", "zone", "start", "end"),
    [
        ("2024-02-29T12:00", CalendarWindow.MONTH, "UTC", "2024-02-01T00:00", "2024-03-01T00:00"),
        ("2023-02-28T23:59", CalendarWindow.MONTH, "UTC", "2023-02-01T00:00", "2023-03-01T00:00"),
        ("2024-12-31T23:59", CalendarWindow.QUARTER, "UTC", "2024-10-01T00:00", "2025-01-01T00:00"),
        ("2024-12-31T12:00", CalendarWindow.WEEK, "UTC", "2024-12-30T00:00", "2025-01-06T00:00"),
        ("2024-03-15T12:00", CalendarWindow.MONTH, "Europe/Berlin", "2024-02-29T23:00", "2024-03-31T22:00"),
        ("2024-10-30T12:00", CalendarWindow.WEEK, "America/New_York", "2024-10-28T04:00", "2024-11-04T05:00"),
        ("2024-06-30T18:30", CalendarWindow.MONTH, "Asia/Kolkata", "2024-06-30T18:30", "2024-07-31T18:30"),
        ("2024-06-30T18:29", CalendarWindow.MONTH, "Asia/Kolkata", "2024-05-31T18:30", "2024-06-30T18:30"),
        ("2009-11-01T03:30", CalendarWindow.MONTH, "America/Goose_Bay", "2009-11-01T03:00", "2009-12-01T04:00"),
    ],
)
def test_calendar_windows(now: str, period: CalendarWindow, zone: str, start: str, end: str) -> None:
    """Months of every length, quarters, weeks over New Year, clocks that change within and back over the start."""
    window = calendar(utc(now), period, zone)
    assert (window.start, window.end) == (utc(start), utc(end))


def test_a_month_with_a_clock_change_is_an_hour_shorter_or_longer() -> None:
    """March and October in Berlin differ by two hours."""
    march, october = (
        calendar(datetime(2024, month, 15, tzinfo=UTC), CalendarWindow.MONTH, "Europe/Berlin") for month in (3, 10)
    )
    assert march.length == timedelta(days=31, hours=-1)
    assert october.length == timedelta(days=31, hours=1)
    assert len(march.minutes) == 31 * 1440 - 60


@pytest.mark.parametrize(
    ("local", "zone", "instant"),
    [
        ("2024-03-31T02:30", "Europe/Berlin", "2024-03-31T01:00"),  # skipped: the next existing minute
        ("2024-10-27T02:30", "Europe/Berlin", "2024-10-27T00:30"),  # twice: the first
        ("2018-11-04T00:00", "America/Sao_Paulo", "2018-11-04T03:00"),
        ("2024-11-03T00:30", "America/Havana", "2024-11-03T04:30"),
        ("2011-12-30T12:00", "Pacific/Apia", "2011-12-30T10:00"),  # a whole day was skipped
        ("2024-07-01T12:00", "Asia/Kathmandu", "2024-07-01T06:15"),
    ],
)
def test_local_times_that_are_skipped_or_come_twice(local: str, zone: str, instant: str) -> None:
    """The next existing minute, or the first of the two."""
    assert local_instant(datetime.fromisoformat(local), zone) == utc(instant)


@given(instants, st.integers(1, 129_600))
def test_a_rolling_window_ends_with_the_current_minute(now: datetime, minutes: int) -> None:
    """It has exactly the minutes asked for, and the present is in its last."""
    window = rolling(now, timedelta(minutes=minutes))
    assert len(window.minutes) == minutes
    assert window.minutes[-1] == minute_of(now)
    assert instant_of(window.minutes.start) == window.start


@pytest.mark.parametrize(
    "zone", ["", "Mars/Olympus", "europe/berlin", "../etc/passwd", "Europe", "UTC\0", "x" * 10_000]
)
def test_what_is_no_zone_is_refused(zone: str) -> None:
    """The refusal names the field and shows what was given."""
    with pytest.raises(Invalid, match="is not an IANA zone") as caught:
        time_zone(zone)
    assert caught.value.field == ("time_zone",)
