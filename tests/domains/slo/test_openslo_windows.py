"""Durations, windows and slices of OpenSLO documents."""

import pytest

from opsgraph.domains.slo.formats.openslo_windows import Window, read_slice, read_window
from opsgraph.kernel.documents import Document, read_documents
from opsgraph.kernel.fields import Fields, Misfit


def fields(text: str) -> Fields:
    """The fields of a text."""
    (document,) = read_documents(text, "a.yaml")
    assert isinstance(document, Document)
    return Fields.of(document)


def window(text: str) -> tuple[Window, list[str]]:
    """The window that a text in flow style gives, and the warnings."""
    warnings: list[str] = []
    return read_window(fields(f"timeWindow: [{{{text}}}]"), lambda _, reason: warnings.append(reason)), warnings


def slice_seconds(length: str) -> int:
    """The seconds of a slice."""
    return read_slice(fields(f"timeSliceWindow: {length}"), lambda _, __: None)


@pytest.mark.parametrize(
    ("duration", "days"), [("1d", 1), ("90d", 90), ("2w", 14), ("1M", 30), ("1Q", 90), ("48h", 2), ("1440m", 1)]
)
def test_rolling_windows(duration: str, days: int) -> None:
    """Whole days from 1 to 90, however they are written."""
    found, warnings = window(f"duration: {duration}, isRolling: true")
    assert found == Window(days=days)
    assert bool(warnings) == (duration[-1] in "MQ")


@pytest.mark.parametrize(
    ("duration", "calendar"), [("1w", "WEEK"), ("1M", "MONTH"), ("1Q", "QUARTER"), ("1m", "MONTH")]
)
def test_calendar_windows(duration: str, calendar: str) -> None:
    """A week, a month, a quarter, and the minute that means a month."""
    found, warnings = window(f"duration: {duration}, calendar: {{timeZone: Asia/Tokyo}}")
    assert (found.calendar, found.time_zone, found.days) == (calendar, "Asia/Tokyo", None)
    assert bool(warnings) == (duration == "1m")


@pytest.mark.parametrize(("length", "seconds"), [("1m", 60), ("5", 300), ("60m", 3600), ("1h", 3600), ("15m", 900)])
def test_slice_lengths(length: str, seconds: int) -> None:
    """Durations and plain numbers of minutes."""
    assert slice_seconds(length) == seconds


@pytest.mark.parametrize("length", ["7m", "2h", "0", "90", "1.5", "1w", "{}"])
def test_slices_divide_an_hour(length: str) -> None:
    """Slices that the hourly sums could not hold are refused."""
    with pytest.raises(Misfit, match=r"^timeSliceWindow .*(is not|not a number)"):
        slice_seconds(length)


@pytest.mark.parametrize(
    ("period", "start", "warned"),
    [
        ("1w", "2024-01-01 00:00:00", False),
        ("1w", "2024-01-02 00:00:00", True),
        ("1M", "2024-02-01 00:00:00", False),
        ("1M", "2024-02-01 12:00:00", True),
        ("1Q", "2024-04-01T00:00:00", False),
        ("1Q", "2024-02-01 00:00:00", True),
        ("1M", "soon", True),
    ],
)
def test_calendar_starts_within_a_period_are_warned_of(period: str, start: str, *, warned: bool) -> None:
    """Periods begin at midnight of their first day, whatever a document says, and it is told."""
    found, warnings = window(f"duration: {period}, calendar: {{startTime: {start}, timeZone: UTC}}")
    assert bool(warnings) == warned
    assert found.time_zone == "UTC"
