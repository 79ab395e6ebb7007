"""How totals add up and what they say: the indicator, the error budget, how fast it burns, and the target that applied.

With t the target, c the current value and b = 100 - t the budget, in percent: consumed = 100 - c, remaining share =
(b - consumed) / b, burn rate = consumed / b = (1 - SLI) / (1 - target). Site Reliability Workbook, chapter 5.

Everything is decided on exact fractions. Given numbers stand for their shortest decimal; sums of floats for twelve
significant digits of it, which drops the noise of adding, unless they are whole and therefore exact.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import groupby

from opsgraph.domains.slo.model import (
    BudgetingMethod,
    Definition,
    IndicatorKind,
    MinuteSums,
    SloState,
    TargetSince,
    Totals,
)
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.windows import MINUTE, Window, calendar, minute_of, rolling

MINUTES_AN_HOUR = 60
LONGEST_BURN_WINDOW = 90 * 24 * MINUTES_AN_HOUR

KEEP_MINUTES = timedelta(days=93)
"""How long minutes are kept: the longest window, a quarter of 92 days, may begin within an hour that they make up."""

KEEP_HOURS = timedelta(days=400)
"""How long hours are kept: past periods stay readable beyond a year."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """A stretch of minutes cut at whole hours; hours and minutes are counted from 1970-01-01T00:00Z.

    Attributes:
        hours: the hours that lie wholly in it.
        rests: its minutes before and after them; one stretch if there is no whole hour.
    """

    hours: range
    rests: tuple[range, ...]


def window_at(slo: Definition, now: datetime) -> Window:
    """The whole window around an instant; the end of a calendar window lies ahead."""
    if slo.calendar is not None and slo.time_zone is not None:
        return calendar(now, slo.calendar, slo.time_zone)
    return rolling(now, timedelta(days=slo.window_days or 0))


def measured_minutes(slo: Definition, now: datetime) -> range:
    """The minutes of the window up to and with the current one, counted from 1970-01-01T00:00Z."""
    minutes = window_at(slo, now).minutes
    return range(minutes.start, min(minutes.stop, minute_of(now) + 1))


def burn_minutes(window_minutes: int, now: datetime) -> range:
    """The last minutes up to and with the current one, counted from 1970-01-01T00:00Z.

    Raises:
        Invalid: none, or more than 90 days.
    """
    if not 1 <= window_minutes <= LONGEST_BURN_WINDOW:
        raise Invalid(f"window_minutes is {window_minutes}; it takes 1 to {LONGEST_BURN_WINDOW}", "window_minutes")
    return rolling(now, window_minutes * MINUTE).minutes


def pieces(minutes: range) -> Pieces:
    """Cut a stretch of minutes so that whole hours can be read as such."""
    hours = range(-(-minutes.start // MINUTES_AN_HOUR), minutes.stop // MINUTES_AN_HOUR)
    if not hours:
        return Pieces(range(0), (minutes,))
    rests = (
        range(minutes.start, hours.start * MINUTES_AN_HOUR),
        range(hours.stop * MINUTES_AN_HOUR, minutes.stop),
    )
    return Pieces(hours, tuple(rest for rest in rests if rest))


def slice_totals(slo: Definition, good: float, total: float, minutes: int) -> Totals:
    """What one slice adds; a slice that lies partly in a window is judged by the minutes that lie in it."""
    is_good = slo.slice_target is not None and _summed(good) * 100 >= _summed(total) * _exact(slo.slice_target)
    return Totals(good, total, minutes, int(is_good), 1, min(good / total, 1.0))


def added(minutes: Iterable[MinuteSums], new: MinuteSums) -> list[MinuteSums]:
    """Minutes with the events of one more added, in order; events of total 0 are none."""
    sums = {each.minute: each for each in minutes}
    old = sums.get(new.minute, MinuteSums(new.minute, 0.0, 0.0))
    sums[new.minute] = MinuteSums(new.minute, old.good + new.good, old.total + new.total)
    return [sums[minute] for minute in sorted(sums) if sums[minute].total > 0]


def roll_up(slo: Definition, minutes: Iterable[MinuteSums]) -> Totals:
    """Add up minutes, each with events and in order, slice by slice."""
    slices = groupby(minutes, key=lambda each: each.minute // slo.slice_minutes)
    return sum((_slice(slo, list(members)) for _, members in slices), Totals())


def judge(slo: Definition, totals: Totals, now: datetime) -> SloState:
    """Judge an SLO by what happened in its window so far; unknown where nothing did.

    The budget is that of the whole window, also while a calendar window is not over.
    """
    coverage = _coverage_pct(slo, totals, now)
    current = _indicator_pct(slo, totals)
    if current is None:
        return SloState(coverage_pct=coverage, evaluated_at=now)
    length = window_at(slo, now).length
    remaining = 1 - _burn(slo, current)
    left = max(remaining, Fraction(0))
    return SloState(
        current=float(current),
        is_met=current >= _exact(slo.target),
        budget_remaining_pct=_to_tenth(left * 100),
        budget_remaining_signed_pct=_to_tenth(remaining * 100),
        budget_remaining_minutes=float(left * _budget(slo) / 100 * (length // MINUTE)),
        burn_rate=float(1 - remaining),
        exhausts_at=_exhausts_at(remaining, length, now),
        coverage_pct=coverage,
        evaluated_at=now,
    )


def burn_rate(slo: Definition, totals: Totals) -> float | None:
    """How fast the budget was spent in some stretch of time; None without events, the declared one where declared."""
    current = _indicator_pct(slo, totals)
    return None if current is None else float(_burn(slo, current))


def target_at(history: Sequence[TargetSince], instant: datetime) -> float | None:
    """The target that applied at an instant; None before the SLO existed. The history is in order of time."""
    place = bisect_right(history, instant, key=lambda entry: entry.since)
    return history[place - 1].target if place else None


def _slice(slo: Definition, minutes: Sequence[MinuteSums]) -> Totals:
    good, total = sum(each.good for each in minutes), sum(each.total for each in minutes)
    return slice_totals(slo, good, total, len(minutes))


def _indicator_pct(slo: Definition, totals: Totals) -> Fraction | None:
    if slo.indicator is IndicatorKind.DECLARED:
        return None if slo.declared is None else _exact(slo.declared)
    if totals.total <= 0 or totals.slices <= 0:
        return None
    match slo.budgeting_method:
        case BudgetingMethod.OCCURRENCES:
            share = _summed(totals.good) / _summed(totals.total)
        case BudgetingMethod.TIMESLICES:
            share = Fraction(totals.good_slices, totals.slices)
        case BudgetingMethod.RATIO_TIMESLICES:
            share = _summed(totals.ratio_sum) / totals.slices
    return min(share, Fraction(1)) * 100


def _budget(slo: Definition) -> Fraction:
    return 100 - _exact(slo.target)


def _burn(slo: Definition, current: Fraction) -> Fraction:
    return (100 - current) / _budget(slo)


def _exhausts_at(remaining: Fraction, length: timedelta, now: datetime) -> datetime | None:
    if remaining <= 0:
        return now
    if remaining == 1:
        return None
    try:
        return now + timedelta(seconds=float(remaining * int(length.total_seconds()) / (1 - remaining)))
    except OverflowError:
        return None


def _coverage_pct(slo: Definition, totals: Totals, now: datetime) -> float:
    if slo.indicator is IndicatorKind.DECLARED:
        return 0.0 if slo.declared is None else 100.0
    return min(100.0, totals.minutes / len(measured_minutes(slo, now)) * 100)


@lru_cache(maxsize=1_000)
def _exact(value: float) -> Fraction:
    return Fraction(repr(value))


def _summed(value: float) -> Fraction:
    return Fraction(value) if value.is_integer() else Fraction(f"{value:.12g}")


def _to_tenth(value: Fraction) -> float:
    rounded = (Decimal(value.numerator) / value.denominator).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return float(rounded) + 0.0  # which makes -0.0 a plain zero
