"""Values and events of the cost domain."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from opsgraph.domains.catalog.model import ServiceEvent
from opsgraph.kernel.money import Money

MANUAL = "manual"
"""The origin of what people record by hand."""


class CostTrend(StrEnum):
    """Where the cost of a service is going."""

    DECREASING = "DECREASING"
    STABLE = "STABLE"
    INCREASING = "INCREASING"
    SPIKING = "SPIKING"


class AnomalySeverity(StrEnum):
    """How far the month so far is above what the month before had reached by this day."""

    MINOR = "MINOR"
    MAJOR = "MAJOR"
    CRITICAL = "CRITICAL"


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one origin says was spent in one month (`YYYY-MM`) and one currency (ISO 4217).

    Attributes:
        service_id: whose cost it is; None where that could not be told (unallocated).
        month: `YYYY-MM`.
        currency: of both amounts.
        origin: where it comes from: `manual`, or what an import was made of, such as provider, account and period.
        billed: what the invoice says; negative for credits.
        effective: amortised cost, where the origin knows it.
    """

    service_id: UUID | None
    month: str
    currency: str
    origin: str
    billed: Decimal
    effective: Decimal | None = None


@dataclass(frozen=True, slots=True)
class MonthlyCost:
    """The sum of a month's contributions in one currency; `effective` only where every contribution knows it."""

    month: str
    amount: Decimal
    currency: str
    effective: Decimal | None


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A month that runs ahead of the one before.

    Attributes:
        severity: how far.
        expected: what the month before had reached by this day, linearly, to two decimals.
        actual: what this month has reached.
        excess_pct: how much more that is, in percent of what was expected, to one decimal.
    """

    severity: AnomalySeverity
    expected: Decimal
    actual: Decimal
    excess_pct: float


@dataclass(frozen=True, slots=True)
class CostProfile:
    """The cost of one service, judged in one currency.

    Attributes:
        currency: the currency of every amount here that names no other.
        latest: what was billed in the newest month; 0 without entries.
        latest_month: the newest month, `YYYY-MM`.
        average: the mean of all months, as fine as amounts are kept (18 decimals); 0 without entries.
        budget_monthly: the budget, or None.
        budget_currency: its currency, or None.
        trend: from the two newest months.
        change_pct: the newest month against the one before it, in percent of the latter, to one decimal; None where
            there is nothing to compare.
        gap_months: how many months without an entry lie between the two.
        over_budget: the newest month was billed above a budget that is above zero.
        entries: every month in every currency, by month, then by currency.
        other_currencies: what the newest month of each other currency was billed at.
        forecast: what the current month will come to, linear by day, to two decimals; None without an entry for it.
        budget_runway_days: days until the budget is used up at the current month's pace, to one decimal; 0 when it is;
            None without budget or forecast, or when nothing is being spent.
        anomaly: the current month runs ahead of the one before.
    """

    currency: str
    latest: Decimal
    latest_month: str | None
    average: Decimal
    budget_monthly: Decimal | None
    budget_currency: str | None
    trend: CostTrend
    change_pct: float | None
    gap_months: int
    over_budget: bool
    entries: tuple[MonthlyCost, ...]
    other_currencies: tuple[Money, ...]
    forecast: Decimal | None
    budget_runway_days: float | None
    anomaly: Anomaly | None


@dataclass(frozen=True, slots=True)
class CostInput:
    """What `record_cost` takes; without a currency it is the default one."""

    service: str
    month: str
    amount: Decimal
    currency: str | None = None
    effective_amount: Decimal | None = None
    origin: str = MANUAL


@dataclass(frozen=True, slots=True)
class Replaced:
    """What replacing whole origins did, in contributions."""

    created: int
    changed: int
    unchanged: int
    removed: int


@dataclass(frozen=True, slots=True)
class CostChanged(ServiceEvent):
    """The cost or the budget of a service is another than before."""
