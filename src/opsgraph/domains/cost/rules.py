"""What is accepted as cost, and how the cost of a service is judged."""

import re
from calendar import monthrange
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import TypeVar

from opsgraph.domains.cost.model import (
    Anomaly,
    AnomalySeverity,
    Contribution,
    CostProfile,
    CostTrend,
    MonthlyCost,
)
from opsgraph.kernel.money import FRACTION_DIGITS, Money, amount_of, currency_of, to_cents
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import free_text, shown

ORIGIN_LENGTH = 500
FIRST_YEAR, LAST_YEAR = 1970, 2199

SPIKING_ABOVE_PCT = 20
INCREASING_ABOVE_PCT = 5
DECREASING_BELOW_PCT = -5

ANOMALY_FROM_DAY = 3
ANOMALY_ABOVE_UNITS = 1
ANOMALY_ABOVE_PCT = 10
MAJOR_FROM_PCT = 20
CRITICAL_FROM_PCT = 50

_PRECISION = 60
"""Digits that sums, differences and products of amounts never fill, so that thresholds are decided exactly."""

_FINEST = Decimal(1).scaleb(-FRACTION_DIGITS)
_NOTHING: tuple[Decimal, Decimal | None] = (Decimal(0), Decimal(0))

KeyT = TypeVar("KeyT")

_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


def month(value: str, field: str = "month") -> str:
    """Accept a month written `YYYY-MM`, from 1970-01 to 2199-12.

    Raises:
        Invalid: another form, a month that no year has, or a year out of range.
    """
    written = _MONTH.fullmatch(value)
    if written is None:
        raise Invalid(f"{field} {shown(value)} is not written YYYY-MM, such as 2024-03", field)
    if not 1 <= int(written[2]) <= 12:
        raise Invalid(f"{field} {shown(value)} does not exist: months are 01 to 12", field)
    if not FIRST_YEAR <= int(written[1]) <= LAST_YEAR:
        raise Invalid(f"{field} {shown(value)} is out of range; years {FIRST_YEAR} to {LAST_YEAR} are accepted", field)
    return value


def origin(value: str) -> str:
    """Accept the name of an origin: 1 to 500 characters.

    Raises:
        Invalid: empty, too long, or with a control character.
    """
    if not value.strip():
        raise Invalid(f"origin is empty; it takes 1 to {ORIGIN_LENGTH} characters", "origin")
    return free_text(value, "origin", ORIGIN_LENGTH)


def contribution(wanted: Contribution) -> Contribution:
    """Accept a contribution; gives its currency in capitals.

    Raises:
        Invalid: the month, an amount, the currency or the origin is not one; names the field.
    """
    amount_of(wanted.billed, "amount")
    if wanted.effective is not None:
        amount_of(wanted.effective, "effective_amount")
    return replace(
        wanted, month=month(wanted.month), currency=currency_of(wanted.currency), origin=origin(wanted.origin)
    )


def budget(amount: Decimal, currency: str) -> Money:
    """Accept a monthly budget of 0 or more.

    Raises:
        Invalid: negative, not finite, too large or too fine, or not a currency; names the field.
    """
    if amount_of(amount, "budget_monthly") < 0:
        raise Invalid(f"budget_monthly is {amount}; a budget is 0 or more", "budget_monthly")
    return Money(amount.copy_abs(), currency_of(currency))


def summed(contributions: Iterable[Contribution]) -> list[Contribution]:
    """Add up contributions of the same service, month, currency and origin, exactly.

    The effective cost of a sum is known where that of every part is.
    """
    parts = (((c.service_id, c.month, c.currency, c.origin), c.billed, c.effective) for c in contributions)
    return [Contribution(*key, *amounts) for key, amounts in _added(parts).items()]


def replacement(origins: Collection[str], contributions: Iterable[Contribution]) -> list[Contribution]:
    """Accept what is to replace whole origins; what is given twice is added up.

    Raises:
        Invalid: a contribution is not one or of another origin, or a sum is too large; names the field.
    """
    checked = [contribution(part) for part in contributions]
    for part in checked:
        if part.origin not in origins:
            raise Invalid(f"origin {shown(part.origin)} is not among those that are replaced", "origin")
    sums = summed(checked)
    return sums if len(sums) == len(checked) else [contribution(part) for part in sums]


def monthly(contributions: Iterable[Contribution]) -> tuple[MonthlyCost, ...]:
    """The entries that contributions of one service (or of none) make: by month, then by currency."""
    parts = (((c.month, c.currency), c.billed, c.effective) for c in contributions)
    return tuple(
        MonthlyCost(month, billed, currency, effective)
        for (month, currency), (billed, effective) in sorted(_added(parts).items())
    )


def newest(entries: Iterable[MonthlyCost]) -> tuple[Money, ...]:
    """What the newest month of each currency was billed at, by currency. Takes entries by month."""
    latest = {entry.currency: Money(entry.amount, entry.currency) for entry in entries}
    return tuple(latest[currency] for currency in sorted(latest))


def judge(
    contributions: Iterable[Contribution], budget: Money | None, default_currency: str, today: date
) -> CostProfile:
    """Judge the cost of one service; the order in which contributions come does not matter.

    It is judged in the budget's currency, else that of its newest entry (the default one if the newest month has
    several, else the first by code), else the default. Nothing is ever converted.

    Args:
        contributions: all of the service.
        budget: what it may cost a month, 0 or more.
        default_currency: what a service without entries and budget is shown in.
        today: the present day in UTC; it counts as a whole day elapsed.
    """
    entries = monthly(contributions)
    currency = budget.currency if budget else _main_currency(entries, default_currency)
    judged = [entry for entry in entries if entry.currency == currency]
    latest = judged[-1] if judged else None
    with localcontext(prec=_PRECISION):
        change = _change(judged)
        current = _current_month(judged, today)
        return CostProfile(
            currency=currency,
            latest=latest.amount if latest else Decimal(0),
            latest_month=latest.month if latest else None,
            average=_average(judged),
            budget_monthly=budget.amount if budget else None,
            budget_currency=budget.currency if budget else None,
            trend=_trend(change),
            change_pct=None if change is None else _tenths(change),
            gap_months=_gap(judged),
            over_budget=latest is not None and budget is not None and latest.amount > budget.amount > 0,
            entries=entries,
            other_currencies=newest(entry for entry in entries if entry.currency != currency),
            forecast=current.forecast() if current else None,
            budget_runway_days=current.runway(budget.amount) if current and budget else None,
            anomaly=current.anomaly() if current else None,
        )


@dataclass(frozen=True, slots=True)
class _CurrentMonth:
    """What the current month was billed at so far, on which of how many days, and the month before if it is known."""

    so_far: Decimal
    day: int
    days: int
    before: Decimal | None
    days_before: int

    def forecast(self) -> Decimal:
        return to_cents(self.so_far * self.days / self.day)

    def runway(self, budget: Decimal) -> float | None:
        if self.so_far <= 0 or budget <= 0:
            return None
        return _tenths(max(budget - self.so_far, Decimal(0)) * self.day / self.so_far)

    def anomaly(self) -> Anomaly | None:
        if self.day < ANOMALY_FROM_DAY or self.before is None or self.before <= 0:
            return None
        expected = self.before * self.day / self.days_before
        excess = self.so_far - expected
        percent = excess * 100 / expected
        if excess <= ANOMALY_ABOVE_UNITS or percent <= ANOMALY_ABOVE_PCT:
            return None
        return Anomaly(_severity(percent), to_cents(expected), self.so_far, _tenths(percent))


def _severity(percent: Decimal) -> AnomalySeverity:
    if percent < MAJOR_FROM_PCT:
        return AnomalySeverity.MINOR
    return AnomalySeverity.MAJOR if percent < CRITICAL_FROM_PCT else AnomalySeverity.CRITICAL


def _current_month(judged: Sequence[MonthlyCost], today: date) -> _CurrentMonth | None:
    billed = {entry.month: entry.amount for entry in judged}
    this_month = f"{today:%Y-%m}"
    if this_month not in billed:
        return None
    last_month = today.replace(day=1) - timedelta(days=1)
    days = monthrange(today.year, today.month)[1]
    return _CurrentMonth(billed[this_month], today.day, days, billed.get(f"{last_month:%Y-%m}"), last_month.day)


def _main_currency(entries: Sequence[MonthlyCost], default_currency: str) -> str:
    newest_month = {entry.currency for entry in entries if entry.month == entries[-1].month}
    if not newest_month or default_currency in newest_month:
        return default_currency
    return min(newest_month)


def _change(judged: Sequence[MonthlyCost]) -> Decimal | None:
    """The newest month against the one before, in percent of the latter; effective cost where both know it."""
    if len(judged) < 2:
        return None
    before, after = judged[-2].amount, judged[-1].amount
    if judged[-2].effective is not None and judged[-1].effective is not None:
        before, after = judged[-2].effective, judged[-1].effective
    return (after - before) * 100 / before if before > 0 else None


def _trend(change: Decimal | None) -> CostTrend:
    if change is None:
        return CostTrend.STABLE
    if change > SPIKING_ABOVE_PCT:
        return CostTrend.SPIKING
    if change > INCREASING_ABOVE_PCT:
        return CostTrend.INCREASING
    return CostTrend.DECREASING if change < DECREASING_BELOW_PCT else CostTrend.STABLE


def _gap(judged: Sequence[MonthlyCost]) -> int:
    if len(judged) < 2:
        return 0
    return _months_since_year_0(judged[-1].month) - _months_since_year_0(judged[-2].month) - 1


def _months_since_year_0(written: str) -> int:
    return int(written[:4]) * 12 + int(written[5:])


def _average(judged: Sequence[MonthlyCost]) -> Decimal:
    if not judged:
        return Decimal(0)
    mean = sum((entry.amount for entry in judged), Decimal(0)) / len(judged)
    return _shortest(mean.quantize(_FINEST, rounding=ROUND_HALF_UP))


def _shortest(value: Decimal) -> Decimal:
    """The same without trailing zeros and without an exponent."""
    reduced = value.normalize()
    return reduced.quantize(Decimal(1)) if reduced == reduced.to_integral_value() else reduced


def _tenths(value: Decimal) -> float:
    return float(value.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP))


def _added(parts: Iterable[tuple[KeyT, Decimal, Decimal | None]]) -> dict[KeyT, tuple[Decimal, Decimal | None]]:
    """Billed and effective amounts added up by key; effective where every part knows it."""
    sums: dict[KeyT, tuple[Decimal, Decimal | None]] = {}
    with localcontext(prec=_PRECISION):
        for key, billed, effective in parts:
            before, known = sums.get(key, _NOTHING)
            sums[key] = before + billed, None if known is None or effective is None else known + effective
    return sums
