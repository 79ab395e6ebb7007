"""OpenSLO's durations, time windows and slices.

A duration is a count and a unit: ``m`` minute, ``h`` hour, ``d`` day, ``w`` week, ``M`` month, ``Q`` quarter or
``Y`` year.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from opsgraph.domains.slo.model import DEFAULT_SLICE_SECONDS
from opsgraph.domains.slo.rules.acceptance import DEFAULT_DAYS, MOST_DAYS
from opsgraph.kernel.fields import Fields, Warn
from opsgraph.kernel.text import free_name, shown
from opsgraph.kernel.windows import CalendarWindow, time_zone

UTC_ZONE = "UTC"

_MINUTES = {"m": 1, "h": 60, "d": 1_440, "w": 10_080, "M": 43_200, "Q": 129_600, "Y": 525_600}
_CALENDARS = {(1, "w"): CalendarWindow.WEEK, (1, "M"): CalendarWindow.MONTH, (1, "Q"): CalendarWindow.QUARTER}
_UNITS = {"minute": "m", "hour": "h", "day": "d", "week": "w", "month": "M", "quarter": "Q", "year": "Y"}
_DURATION = re.compile(r"([1-9][0-9]{0,5})([mhdwMQY])")
_ESTIMATED = ("M", "Q", "Y")


@dataclass(frozen=True, slots=True)
class Window:
    """Over which time an SLO is judged: rolling days, or a calendar period in a zone."""

    days: int | None = None
    calendar: CalendarWindow | None = None
    time_zone: str | None = None


def read_window(spec: Fields, warn: Warn) -> Window:
    """Read ``timeWindow``, or ``timeWindows`` of v1alpha; without one, 28 rolling days with a warning.

    Raises:
        Misfit: more than one window, a length that opsgraph does not have, an unknown zone, a wrong type.
    """
    key = "timeWindow" if spec.has("timeWindow") or not spec.has("timeWindows") else "timeWindows"
    windows = spec.mappings(key)
    if not windows:
        warn(spec.line(key), f"{spec.label(key)} is missing; {DEFAULT_DAYS} rolling days are assumed")
        return Window(days=DEFAULT_DAYS)
    if len(windows) > 1:
        raise windows[1].misfit(f"{spec.label(key)} has {len(windows)} windows; it takes one")
    window = windows[0]
    duration = _length(window)
    return _rolling(window, duration, warn) if _is_rolling(window, warn) else _calendar(window, duration, warn)


def read_slice(objective: Fields, warn: Warn) -> int:
    """Read ``timeSliceWindow`` in seconds: a duration, or a number of minutes; without one, a minute with a warning.

    Raises:
        Misfit: not a whole number of minutes by which an hour can be divided.
    """
    key = "timeSliceWindow"
    if not objective.has(key):
        warn(objective.line(), f"{objective.label(key)} is missing; slices of one minute are assumed")
        return DEFAULT_SLICE_SECONDS
    seconds = 60 * _slice_minutes(objective, key)
    if not 60 <= seconds <= 3600 or seconds % 60 or 3600 % seconds:
        wanted = "a whole number of minutes that divides an hour, such as 1m, 5m or 60m"
        raise objective.misfit(f"{objective.label(key)} {objective.values[key]} is not {wanted}", key)
    return int(seconds)


def _slice_minutes(objective: Fields, key: str) -> int:
    if not isinstance(objective.values[key], str):
        minutes = objective.number(key)
        return int(minutes) if minutes is not None and minutes == int(minutes) else 0
    count, unit = _duration(objective, key)
    return count * _MINUTES[unit]


def _duration(fields: Fields, key: str) -> tuple[int, str]:
    text = fields.required(key, free_name)
    match = _DURATION.fullmatch(text)
    if not match:
        raise fields.misfit(f"{fields.label(key)} {shown(text)} is not a duration such as 28d, 4w or 1M", key)
    return int(match[1]), match[2]


def _length(window: Fields) -> tuple[int, str]:
    """The count and unit of a window, also as v1alpha writes it."""
    if window.has("duration") or not window.has("unit"):
        return _duration(window, "duration")
    unit, count = window.required("unit", free_name), window.number("count")
    if unit.lower() not in _UNITS or count is None or count != int(count) or not 1 <= count < 10**6:
        raise window.misfit(f"{window.label()} takes a unit such as Day or Month and a whole count", "unit")
    return int(count), _UNITS[unit.lower()]


def _is_rolling(window: Fields, warn: Warn) -> bool:
    rolling = window.flag("isRolling")
    if rolling is None:
        return not window.has("calendar")
    if rolling and window.has("calendar"):
        warn(window.line("calendar"), f"{window.label('calendar')} was left out: the window is rolling")
    return rolling


def _rolling(window: Fields, duration: tuple[int, str], warn: Warn) -> Window:
    count, unit = duration
    minutes = count * _MINUTES[unit]
    days = minutes // 1_440
    if minutes % 1_440 or not 1 <= days <= MOST_DAYS:
        raise window.misfit(f"{window.label()} is {count}{unit}; a rolling window has 1 to {MOST_DAYS} whole days")
    if unit in _ESTIMATED:
        warn(window.line(), f"{window.label()} is {count}{unit} and rolling; it is read as {days} days")
    return Window(days=days)


def _calendar(window: Fields, duration: tuple[int, str], warn: Warn) -> Window:
    count, unit = duration
    if duration == (1, "m"):
        warn(window.line("duration"), f"{window.label('duration')} 1m is a minute; with a calendar it is read as 1M")
        unit = "M"
    period = _CALENDARS.get((count, unit))
    if period is None:
        wanted = "a week (1w), a month (1M) or a quarter (1Q)"
        raise window.misfit(f"{window.label()} is {count}{unit}; a calendar window is {wanted}")
    calendar = window.mapping("calendar")
    if calendar is None:
        warn(window.line(), f"{window.label('calendar')} is missing; periods begin at midnight {UTC_ZONE}")
        return Window(calendar=period, time_zone=UTC_ZONE)
    _check_start(calendar, period, warn)
    return Window(calendar=period, time_zone=_zone(calendar, warn))


def _zone(calendar: Fields, warn: Warn) -> str:
    zone = calendar.checked("timeZone", time_zone)
    if zone is None:
        warn(calendar.line(), f"{calendar.label('timeZone')} is missing; {UTC_ZONE} is assumed")
    return zone or UTC_ZONE


def _check_start(calendar: Fields, period: CalendarWindow, warn: Warn) -> None:
    """Warn of a start within a period: opsgraph's periods begin at midnight of their first day."""
    text = calendar.text("startTime")
    if text is None:
        return
    try:
        start = datetime.fromisoformat(text.strip())
    except ValueError:
        warn(calendar.line("startTime"), f"{calendar.label('startTime')} {shown(text)} is not a time; it was left out")
        return
    if not _begins(start, period):
        reason = f"{calendar.label('startTime')} {shown(text)} is not the start of a {period.lower()}; "
        warn(calendar.line("startTime"), f"{reason}periods begin at midnight of their first day")


def _begins(start: datetime, period: CalendarWindow) -> bool:
    if start.hour or start.minute or start.second or start.microsecond:
        return False
    if period is CalendarWindow.WEEK:
        return start.weekday() == 0
    return start.day == 1 and (period is CalendarWindow.MONTH or start.month in {1, 4, 7, 10})
