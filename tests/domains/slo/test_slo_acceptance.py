"""What is accepted as an SLO and as events of one."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opsgraph.domains.slo.model import BudgetingMethod, Definition, IndicatorKind, SloEventsInput, SloInput
from opsgraph.domains.slo.rules import acceptance
from opsgraph.kernel.refusals import Conflict, Invalid
from opsgraph.kernel.windows import CalendarWindow
from tests.support.slo import defined

NOW = datetime(2024, 3, 15, 12, 0, tzinfo=UTC)


def define(kept: Definition | None = None, **values: Any) -> Definition:
    """An SLO after a save; a new one has a target unless one is given."""
    wanted = {**({} if kept else {"target": 99.9}), **values}
    return acceptance.define(SloInput("api", "availability", **wanted), kept)


def test_only_a_target_is_needed() -> None:
    """A declared indicator over 28 rolling days, judged by occurrences."""
    assert define() == Definition(name="availability", target=99.9, window_days=28)


@pytest.mark.parametrize(
    ("values", "field", "reason"),
    [
        ({"target": 100}, "target", "because a budget of zero can never be spent"),
        ({"target": 100.0}, "target", "because a budget of zero can never be spent"),
        ({"target": 0}, "target", "more than 0 and less than 100"),
        ({"target": -1.0}, "target", "0 to 100"),
        ({"target": 100.5}, "target", "0 to 100"),
        ({"target": math.nan}, "target", "finite"),
        ({"target": math.inf}, "target", "finite"),
        ({"target": 99.1234567}, "target", "7 decimals"),
        ({"target": 1e-7}, "target", "7 decimals"),
        ({"target": None}, "target", "missing"),
        ({"current": -0.1}, "current", "0 to 100"),
        ({"current": 100.1}, "current", "0 to 100"),
        ({"current": math.nan}, "current", "finite"),
        ({"current": 99.0, "indicator": IndicatorKind.EXTERNAL}, "current", "EXTERNAL ones are measured"),
        ({"current": 99.0, "indicator": IndicatorKind.AVAILABILITY}, "current", "for DECLARED indicators only"),
        ({"indicator": IndicatorKind.LATENCY_UNDER}, "latency_threshold_ms", "LATENCY_UNDER needs one"),
        ({"latency_threshold_ms": 0}, "latency_threshold_ms", "more than 0"),
        ({"latency_threshold_ms": math.inf}, "latency_threshold_ms", "finite"),
        ({"window_days": 0}, "window_days", "1 to 90"),
        ({"window_days": 91}, "window_days", "1 to 90"),
        ({"window_days": -28}, "window_days", "1 to 90"),
        ({"window_days": 7, "calendar": CalendarWindow.WEEK}, "calendar", "exclude each other"),
        ({"calendar": CalendarWindow.WEEK, "time_zone": "Mars/Olympus"}, "time_zone", "not an IANA zone"),
        ({"window_days": 7, "time_zone": "UTC"}, "time_zone", "belongs to a calendar window"),
        ({"time_zone": "UTC"}, "time_zone", "belongs to a calendar window"),
        ({"budgeting_method": BudgetingMethod.TIMESLICES}, "slice_target", "TIMESLICES needs one"),
        ({"slice_target": 0}, "slice_target", "more than 0"),
        ({"slice_target": 100.5}, "slice_target", "100"),
        ({"slice_target": math.nan}, "slice_target", "finite"),
        ({"slice_seconds": 0}, "slice_seconds", "divide an hour"),
        ({"slice_seconds": 90}, "slice_seconds", "divide an hour"),
        ({"slice_seconds": 420}, "slice_seconds", "divide an hour"),
        ({"slice_seconds": 7200}, "slice_seconds", "divide an hour"),
        ({"slice_seconds": -60}, "slice_seconds", "divide an hour"),
        ({"description": "x" * 10_001}, "description", "at most 10000"),
        ({"good_query": "nul\0"}, "good_query", "U\\+0000"),
        ({"total_query": "x" * 10_001}, "total_query", "at most 10000"),
    ],
)
def test_bad_definitions_are_refused_with_field_and_reason(values: dict[str, Any], field: str, reason: str) -> None:
    """Each refusal names what was wrong and what would be right."""
    with pytest.raises(Invalid, match=reason) as caught:
        define(**values)
    assert caught.value.field == (field,)


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "nul\0", "line\nbreak", "\ud800"])
def test_bad_names_are_refused(name: str) -> None:
    """Names are 1 to 200 characters without control characters."""
    with pytest.raises(Invalid) as caught:
        acceptance.define(SloInput("api", name, target=99.0), None)
    assert caught.value.field == ("name",)


@pytest.mark.parametrize("seconds", [60, 120, 180, 240, 300, 360, 600, 720, 900, 1200, 1800, 3600])
def test_slices_are_whole_minutes_that_divide_an_hour(seconds: int) -> None:
    """Each of the twelve is accepted."""
    assert define(slice_seconds=seconds).slice_seconds == seconds


def test_what_is_left_out_stays() -> None:
    """A save without values changes nothing."""
    kept = define(
        target=99.5,
        description="x",
        indicator=IndicatorKind.LATENCY_UNDER,
        latency_threshold_ms=250,
        calendar=CalendarWindow.QUARTER,
        time_zone="Asia/Tokyo",
        budgeting_method=BudgetingMethod.TIMESLICES,
        slice_target=95,
        slice_seconds=300,
        good_query="good",
        total_query="total",
    )
    assert define(kept) == kept


def test_null_clears_or_brings_back_the_default() -> None:
    """Texts go, choices go back to their defaults, a calendar window becomes 28 rolling days."""
    kept = define(
        current=99.0, description="x", calendar=CalendarWindow.WEEK, budgeting_method=BudgetingMethod.RATIO_TIMESLICES
    )
    cleared = define(
        kept, current=None, description=None, calendar=None, budgeting_method=None, slice_seconds=None, indicator=None
    )
    assert cleared == Definition(name="availability", target=99.9, window_days=28)
    assert define(define(window_days=7), window_days=None).window_days == 28


def test_a_target_cannot_be_cleared() -> None:
    """An SLO always has one."""
    with pytest.raises(Invalid, match="missing"):
        define(define(), target=None)


def test_giving_one_kind_of_window_switches_from_the_other() -> None:
    """Rolling to calendar in UTC and back; a cleared zone is UTC again."""
    monthly = define(define(window_days=7), calendar=CalendarWindow.MONTH)
    assert (monthly.window_days, monthly.calendar, monthly.time_zone) == (None, CalendarWindow.MONTH, "UTC")
    tokyo = define(monthly, time_zone="Asia/Tokyo")
    assert (tokyo.calendar, tokyo.time_zone) == (CalendarWindow.MONTH, "Asia/Tokyo")
    assert define(tokyo, time_zone=None).time_zone == "UTC"
    rolling = define(tokyo, window_days=30)
    assert (rolling.window_days, rolling.calendar, rolling.time_zone) == (30, None, None)


def test_another_indicator_forgets_what_was_declared() -> None:
    """A number that someone set is not what is measured afterwards."""
    kept = define(current=99.0)
    measured = define(kept, indicator=IndicatorKind.EXTERNAL)
    assert measured.declared is None
    assert define(measured, indicator=IndicatorKind.DECLARED).declared is None


def test_slices_of_a_minute_are_the_default_where_there_are_slices() -> None:
    """RATIO_TIMESLICES needs no slice target; OCCURRENCES has no slices."""
    assert define(budgeting_method=BudgetingMethod.RATIO_TIMESLICES).slice_seconds == 60
    assert define(budgeting_method=BudgetingMethod.TIMESLICES, slice_target=90).slice_seconds == 60
    assert define().slice_seconds is None


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"good": -1}, "good"),
        ({"good": math.nan}, "good"),
        ({"good": 11}, "good"),
        ({"total": -1}, "total"),
        ({"total": math.inf}, "total"),
        ({"total": 1e16}, "total"),
        ({"at": NOW + timedelta(minutes=5, seconds=1)}, "at"),
        ({"at": NOW - timedelta(days=90, seconds=1)}, "at"),
        ({"at": datetime.min.replace(tzinfo=UTC)}, "at"),
        ({"at": datetime.max.replace(tzinfo=UTC)}, "at"),
    ],
)
def test_bad_events_are_refused(values: dict[str, Any], field: str) -> None:
    """Counts are finite, not negative and at most the total; times are of the last 90 days."""
    with pytest.raises(Invalid) as caught:
        acceptance.events(SloEventsInput("api", "availability", **{"good": 5, "total": 10, **values}), NOW)
    assert caught.value.field == (field,)


@pytest.mark.parametrize(
    ("at", "taken"),
    [
        (None, NOW),
        (NOW + timedelta(minutes=5), NOW),
        (NOW - timedelta(days=90), NOW - timedelta(days=90)),
        (NOW - timedelta(seconds=1), NOW - timedelta(seconds=1)),
    ],
)
def test_events_happened_when_they_say_but_not_after_now(at: datetime | None, taken: datetime) -> None:
    """Senders' clocks may be 5 minutes fast."""
    assert acceptance.events(SloEventsInput("api", "availability", 0, 0, at), NOW) == (0.0, 0.0, taken)


@pytest.mark.parametrize("kind", [kind for kind in IndicatorKind if kind is not IndicatorKind.EXTERNAL])
def test_events_are_reported_to_external_indicators_only(kind: IndicatorKind) -> None:
    """The others are set or measured; the refusal says which it is."""
    with pytest.raises(Conflict, match=kind.value) as caught:
        acceptance.takes_events(defined(indicator=kind))
    assert (caught.value.field, caught.value.details) == (("slo",), {"indicator": kind.value})


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ({"x": math.nan}, "cannot be written"),
        ({"at": NOW}, "cannot be written"),
        ({"x": "y" * 100_000}, "at most 100000"),
    ],
)
def test_sources_that_are_no_json_are_refused(source: dict[str, Any], reason: str) -> None:
    """NaN, other types, and too much of it."""
    with pytest.raises(Invalid, match=reason) as caught:
        acceptance.source_text(source)
    assert caught.value.field == ("source",)


def test_the_order_of_a_source_is_kept() -> None:
    """So that an export writes what was imported."""
    assert acceptance.source_text({"b": 1, "a": ["\0"]}) == '{"b":1,"a":["\\u0000"]}'
    assert acceptance.source_text(None) is None
