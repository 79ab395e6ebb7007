"""What services cost."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from uuid import UUID

import strawberry

from opsgraph.domains.cost import model, queries
from opsgraph.graphql.context import Context
from opsgraph.kernel import money


@strawberry.type(description="An exact amount in one currency.")
class Money:
    """An exact amount in one currency."""

    amount: Decimal = strawberry.field(description="How much.")
    currency: str = strawberry.field(description="ISO 4217 code.")


@strawberry.type(description="What one month cost in one currency.")
class MonthlyCost:
    """What one month cost."""

    month: str = strawberry.field(description="`YYYY-MM`.")
    amount: Decimal = strawberry.field(description="What was billed; credits make it smaller.")
    currency: str = strawberry.field(description="ISO 4217 code.")
    effective: Decimal | None = strawberry.field(description="Amortised cost, where it is known.")


@strawberry.type(description="The current month runs ahead of the one before it.")
class CostAnomaly:
    """The current month runs ahead."""

    severity: model.AnomalySeverity = strawberry.field(description="How far.")
    expected: Decimal = strawberry.field(description="What the month before had reached by this day, linearly.")
    actual: Decimal = strawberry.field(description="What this month has reached.")
    excess_pct: float = strawberry.field(description="How much more that is, in percent of what was expected.")


@strawberry.type(description="What a service costs, judged in one currency.")
class CostProfile:
    """What a service costs."""

    currency: str | None = strawberry.field(description="ISO 4217 code of the amounts here that name no other.")
    latest: Decimal = strawberry.field(description="What was billed in the newest month; 0 without entries.")
    latest_month: str | None = strawberry.field(description="The newest month, `YYYY-MM`.")
    average: Decimal = strawberry.field(description="The mean of all months; 0 without entries.")
    budget_monthly: Decimal | None = strawberry.field(description="What it may cost a month.")
    budget_currency: str | None = strawberry.field(description="ISO 4217 code of the budget.")
    trend: model.CostTrend = strawberry.field(description="From the two newest months, amortised where known.")
    change_pct: float | None = strawberry.field(
        description="The newest month against the one before it, in percent of the latter; null without one."
    )
    gap_months: int = strawberry.field(description="How many months without an entry lie between these two.")
    over_budget: bool = strawberry.field(description="Whether the newest month was billed above a budget above 0.")
    entries: list[MonthlyCost] = strawberry.field(description="Every month in every currency, oldest first.")
    other_currencies: list[Money] = strawberry.field(
        description="The newest month of each other currency; amounts of different currencies are never added."
    )
    forecast: Decimal | None = strawberry.field(
        description="What the current month will come to at its pace so far; null without an entry for it."
    )
    budget_runway_days: float | None = strawberry.field(
        description="Days until the budget is used up at the current month's pace; null without either."
    )
    anomaly: CostAnomaly | None = strawberry.field(description="Set when the current month runs ahead of the last.")


async def load_costs(context: Context, keys: Collection[UUID]) -> Mapping[UUID, CostProfile]:
    """The cost profiles of services."""
    async with context.reading() as session:
        found = await queries.profiles_by_service(session, keys, context.settings.currency, context.now.date())
    return {key: cost_profile(value) for key, value in found.items()}


def cost_profile(value: model.CostProfile) -> CostProfile:
    """A cost profile as the schema has it."""
    anomaly = value.anomaly
    return CostProfile(
        currency=value.currency,
        latest=value.latest,
        latest_month=value.latest_month,
        average=value.average,
        budget_monthly=value.budget_monthly,
        budget_currency=value.budget_currency,
        trend=value.trend,
        change_pct=value.change_pct,
        gap_months=value.gap_months,
        over_budget=value.over_budget,
        entries=[monthly_cost(entry) for entry in value.entries],
        other_currencies=[amount(other) for other in value.other_currencies],
        forecast=value.forecast,
        budget_runway_days=value.budget_runway_days,
        anomaly=CostAnomaly(
            severity=anomaly.severity, expected=anomaly.expected, actual=anomaly.actual, excess_pct=anomaly.excess_pct
        )
        if anomaly
        else None,
    )


def monthly_cost(value: model.MonthlyCost) -> MonthlyCost:
    """A month's cost as the schema has it."""
    return MonthlyCost(month=value.month, amount=value.amount, currency=value.currency, effective=value.effective)


def amount(value: money.Money) -> Money:
    """An amount as the schema has it."""
    return Money(amount=value.amount, currency=value.currency)
