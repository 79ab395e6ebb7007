"""Instants and clocks."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.kernel.clock import SystemClock, rfc3339

ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=ZONES)  # noqa: DTZ001 - see timezones
FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", re.ASCII)


@given(INSTANTS)
def test_an_instant_is_read_back_as_it_was(instant: datetime) -> None:
    """To the microsecond, from any zone, always in UTC and in one form."""
    text = rfc3339(instant)
    assert datetime.fromisoformat(text) == instant
    assert FORM.fullmatch(text)
    assert rfc3339(datetime.fromisoformat(text)) == text


@given(INSTANTS, INSTANTS)
def test_whole_seconds_sort_as_text(one: datetime, other: datetime) -> None:
    """As their instants do."""
    seconds = [instant.astimezone(UTC).replace(microsecond=0) for instant in (one, other)]
    assert sorted(map(rfc3339, seconds)) == [rfc3339(instant) for instant in sorted(seconds)]


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2024, 5, 1, 12, tzinfo=UTC), "2024-05-01T12:00:00Z"),
        (datetime(2024, 5, 1, 12, 0, 0, 1_500, tzinfo=UTC), "2024-05-01T12:00:00.001500Z"),
        (datetime(2024, 5, 1, 0, 30, tzinfo=timezone(timedelta(hours=2))), "2024-04-30T22:30:00Z"),
        (datetime(2024, 5, 1, 12, tzinfo=timezone(timedelta(0), "GMT")), "2024-05-01T12:00:00Z"),
        (datetime(800, 12, 25, tzinfo=UTC), "0800-12-25T00:00:00Z"),
    ],
)
def test_how_instants_are_written(instant: datetime, text: str) -> None:
    """Fractions only where there are any."""
    assert rfc3339(instant) == text


def test_the_system_clock_tells_the_present_in_utc() -> None:
    """Aware, and moving on."""
    clock = SystemClock()
    before = datetime.now(UTC)
    now = clock.now()
    assert now.tzinfo is UTC
    assert before <= now <= datetime.now(UTC)
