"""What is accepted as an SLO and as events of one."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from opsgraph.domains.slo.model import (
    DEFAULT_SLICE_SECONDS,
    BudgetingMethod,
    Definition,
    IndicatorKind,
    SloEventsInput,
    SloInput,
)
from opsgraph.kernel.changes import UNSET, Maybe
from opsgraph.kernel.refusals import Conflict, Invalid
from opsgraph.kernel.text import free_name, free_text, shown
from opsgraph.kernel.windows import CalendarWindow, time_zone

DEFAULT_DAYS = 28
MOST_DAYS = 90
DEFAULT_ZONE = "UTC"
PCT_DECIMALS = 6
LARGEST_COUNT = 1e15
"""Floats count exactly up to here, and sums of a window's minutes still do not overflow."""

SOURCE_LENGTH = 100_000
CLOCK_SKEW = timedelta(minutes=5)
"""How far in the future events may lie before they are refused: clocks of senders differ."""

OLDEST_EVENTS = timedelta(days=90)

ValueT = TypeVar("ValueT")


def define(wanted: SloInput, kept: Definition | None) -> Definition:
    """Decide how an SLO is defined after a save; what was left out stays, null clears or brings back the default.

    Values that the chosen indicator or method does not use are checked and kept all the same, but for `current`.

    Args:
        wanted: what is to change.
        kept: the definition so far; None creates one.

    Raises:
        Invalid: a value breaks a rule, one is missing that the indicator or method needs, or two exclude each other.
    """
    base = kept or Definition(name=free_name(wanted.name), target=math.nan, window_days=DEFAULT_DAYS)
    return replace(
        base,
        target=_target(wanted.target, kept),
        description=_text(wanted.description, base.description, "description"),
        good_query=_text(wanted.good_query, base.good_query, "good_query"),
        total_query=_text(wanted.total_query, base.total_query, "total_query"),
        **_indicator(wanted, base),
        **_window(wanted, base),
        **_slices(wanted, base),
    )


def events(wanted: SloEventsInput, now: datetime) -> tuple[float, float, datetime]:
    """Accept counts of events; gives good, total and when. What lies up to 5 minutes ahead is taken as now.

    Raises:
        Invalid: a count is negative, not finite or over 10^15, more are good than there are, or the time is more than
            5 minutes in the future or over 90 days ago.
    """
    good, total = _count(wanted.good, "good"), _count(wanted.total, "total")
    if good > total:
        raise Invalid(f"good is {good} of a total of {total}; at most all events are good", "good")
    at = wanted.at or now
    if at > now + CLOCK_SKEW:
        raise Invalid("at lies more than 5 minutes in the future", "at")
    if at < now - OLDEST_EVENTS:
        raise Invalid(f"at lies more than {OLDEST_EVENTS.days} days in the past", "at")
    return good, total, min(at, now)


def takes_events(slo: Definition) -> None:
    """Let an SLO pass to which events can be reported.

    Raises:
        Conflict: its indicator is not EXTERNAL.
    """
    if slo.indicator is not IndicatorKind.EXTERNAL:
        raise Conflict(
            f"SLO {shown(slo.name)} has the indicator {slo.indicator.value}; events are reported to EXTERNAL ones only",
            "slo",
            {"indicator": slo.indicator.value},
        )


def source_text(source: Mapping[str, Any] | None) -> str | None:
    """Write what a document says beyond our values as JSON text, its order kept.

    Raises:
        Invalid: it is not JSON-compatible, or longer than 100,000 characters.
    """
    if source is None:
        return None
    try:
        text = json.dumps(source, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise Invalid(f"source cannot be written as JSON: {error}", "source") from error
    if len(text) > SOURCE_LENGTH:
        raise Invalid(f"source has {len(text)} characters as JSON; at most {SOURCE_LENGTH} are accepted", "source")
    return text


def _target(wanted: Maybe[float | None], kept: Definition | None) -> float:
    if wanted is UNSET and kept is not None:
        return kept.target
    if wanted is UNSET or wanted is None:
        raise Invalid("target is missing; an SLO needs one, in percent", "target")
    if wanted == 100:
        raise Invalid("target is 100; it must be under 100, because a budget of zero can never be spent", "target")
    return _inner_pct(wanted, "target")


def _indicator(wanted: SloInput, base: Definition) -> dict[str, Any]:
    kind = _chosen(wanted.indicator, base.indicator, IndicatorKind.DECLARED)
    threshold = _threshold(_chosen(wanted.latency_threshold_ms, base.latency_threshold_ms, None))
    if kind is IndicatorKind.LATENCY_UNDER and threshold is None:
        raise Invalid("latency_threshold_ms is missing; LATENCY_UNDER needs one", "latency_threshold_ms")
    declared = _declared(wanted.current, kind, base.declared)
    return {"indicator": kind, "latency_threshold_ms": threshold, "declared": declared}


def _threshold(value: float | None) -> float | None:
    if value is None:
        return None
    if _finite(value, "latency_threshold_ms") <= 0:
        raise Invalid(f"latency_threshold_ms is {value}; it takes more than 0", "latency_threshold_ms")
    return float(value)


def _declared(wanted: Maybe[float | None], kind: IndicatorKind, kept: float | None) -> float | None:
    if kind is IndicatorKind.DECLARED:
        current = _chosen(wanted, kept, None)
        return None if current is None else _pct(current, "current")
    if wanted is not UNSET and wanted is not None:
        raise Invalid(f"current can be set for DECLARED indicators only; {kind.value} ones are measured", "current")
    return None


def _window(wanted: SloInput, base: Definition) -> dict[str, Any]:
    days, period = _length_and_period(wanted, base)
    if period is not None:
        zone = _chosen(wanted.time_zone, base.time_zone, None) or DEFAULT_ZONE
        return {"window_days": None, "calendar": period, "time_zone": time_zone(zone)}
    if wanted.time_zone is not UNSET and wanted.time_zone is not None:
        raise Invalid("time_zone belongs to a calendar window; a rolling one is the same in every zone", "time_zone")
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise Invalid(f"window_days is {days}; it takes 1 to {MOST_DAYS}", "window_days")
    return {"window_days": days or DEFAULT_DAYS, "calendar": None, "time_zone": None}


def _length_and_period(wanted: SloInput, base: Definition) -> tuple[int | None, CalendarWindow | None]:
    """Days or a calendar period: giving one switches from the other, clearing the period leaves the default days."""
    days, period = _chosen(wanted.window_days, None, None), _chosen(wanted.calendar, None, None)
    if days is not None and period is not None:
        raise Invalid("a rolling window and a calendar one exclude each other; give one of them", "calendar")
    if days is not None or period is not None:
        return days, period
    return _chosen(wanted.window_days, base.window_days, None), _chosen(wanted.calendar, base.calendar, None)


def _slices(wanted: SloInput, base: Definition) -> dict[str, Any]:
    method = _chosen(wanted.budgeting_method, base.budgeting_method, BudgetingMethod.OCCURRENCES)
    target = _chosen(wanted.slice_target, base.slice_target, None)
    if method is BudgetingMethod.TIMESLICES and target is None:
        raise Invalid("slice_target is missing; TIMESLICES needs one, in percent", "slice_target")
    default = None if method is BudgetingMethod.OCCURRENCES else DEFAULT_SLICE_SECONDS
    seconds = _chosen(wanted.slice_seconds, base.slice_seconds, None)
    return {
        "budgeting_method": method,
        "slice_target": None if target is None else _slice_target(target),
        "slice_seconds": default if seconds is None else _slice_seconds(seconds),
    }


def _slice_target(value: float) -> float:
    """A percentage above 0; 100 asks that a slice has no bad event at all."""
    return 100.0 if value == 100 else _inner_pct(value, "slice_target")


def _slice_seconds(value: int) -> int:
    if not 60 <= value <= 3600 or value % 60 or 3600 % value:
        raise Invalid(f"slice_seconds is {value}; it takes whole minutes that divide an hour", "slice_seconds")
    return value


def _chosen(wanted: Maybe[ValueT | None], kept: ValueT, default: ValueT) -> ValueT:
    """The given value; what was kept if it was left out; the default if it was cleared."""
    if wanted is UNSET:
        return kept
    return default if wanted is None else wanted


def _text(wanted: Maybe[str | None], kept: str | None, field: str) -> str | None:
    text = _chosen(wanted, kept, None)
    return None if text is None else free_text(text, field)


def _finite(value: float, field: str) -> float:
    if not math.isfinite(value):
        raise Invalid(f"{field} is {value}; it takes a finite number", field)
    return float(value)


def _count(value: float, field: str) -> float:
    count = _finite(value, field)
    if not 0 <= count <= LARGEST_COUNT:
        raise Invalid(f"{field} is {count}; it takes 0 to 10^15", field)
    return count


def _pct(value: float, field: str) -> float:
    if not 0 <= _finite(value, field) <= 100:
        raise Invalid(f"{field} is {value}; it takes 0 to 100 (percent)", field)
    return float(value)


def _inner_pct(value: float, field: str) -> float:
    """A percentage strictly between 0 and 100 with at most six decimals."""
    if not 0 < _pct(value, field) < 100:
        raise Invalid(f"{field} is {value}; it takes more than 0 and less than 100 (percent)", field)
    exponent = Decimal(repr(float(value))).normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > PCT_DECIMALS:
        raise Invalid(f"{field} has {-exponent} decimals; at most {PCT_DECIMALS} are accepted", field)
    return float(value)
