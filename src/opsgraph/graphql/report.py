"""The platform report: the state of all services at a glance."""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import strawberry

from opsgraph.domains.alerts.model import AlertFilter
from opsgraph.domains.alerts.queries import pages as alert_pages
from opsgraph.domains.cost import queries as cost
from opsgraph.domains.governance.model import GovernanceStatus
from opsgraph.domains.health import model, queries
from opsgraph.domains.health.model import HealthStatus
from opsgraph.domains.health.queries import MOST_SUMMARIES
from opsgraph.graphql.alerts import Alert, alert_of
from opsgraph.graphql.catalog import Service
from opsgraph.graphql.context import Context
from opsgraph.graphql.cost import Money, MonthlyCost, amount, monthly_cost
from opsgraph.graphql.edges import edge
from opsgraph.graphql.nodes import to_node
from opsgraph.graphql.rights import query
from opsgraph.kernel.money import to_cents
from opsgraph.kernel.refusals import Invalid


@strawberry.type(description="One service's line in the platform report.")
class ServiceSummary:
    """One line."""

    service_key: strawberry.Private[UUID]
    name: str = strawberry.field(description="The service's name.")
    team: str | None = strawberry.field(description="The name of the team that owns it.")
    health: HealthStatus = strawberry.field(description="How it is doing.")
    reliability_score: float | None = strawberry.field(description="0 to 100; null while nothing is known.")
    governance: GovernanceStatus = strawberry.field(description="How it keeps the organisation's rules.")
    monthly_cost: Decimal = strawberry.field(description="What its newest month was billed at.")
    monthly_cost_currency: str | None = strawberry.field(description="ISO 4217 code of that.")
    slos_met: int = strawberry.field(description="How many of its SLOs are met; unknown ones are not.")
    slos_total: int = strawberry.field(description="How many SLOs it has.")
    service: Service = to_node("Service", key="service_key", description="The service itself.")


MOST_ALERTS = 20
"""How many alerts the report shows."""

First = Annotated[int | None, strawberry.argument(description="At most how many, up to 500, which it is if left out.")]


async def _unallocated_cost(context: Context, keys: Collection[datetime]) -> Mapping[datetime, list[Money]]:
    async with context.reading() as session:
        found = await cost.unallocated_latest(session)
    return {key: [amount(money.rounded()) for money in found] for key in keys}


async def _unallocated_entries(context: Context, keys: Collection[datetime]) -> Mapping[datetime, list[MonthlyCost]]:
    async with context.reading() as session:
        found = await cost.unallocated_by_month(session)
    return {key: [monthly_cost(entry) for entry in found] for key in keys}


async def _alert_count(context: Context, keys: Collection[datetime]) -> Mapping[datetime, int]:
    async with context.reading() as session:
        return dict.fromkeys(keys, await alert_pages.count_alerts(session, AlertFilter()))


async def _newest_alerts(context: Context, keys: Collection[datetime]) -> Mapping[datetime, list[Alert]]:
    async with context.reading() as session:
        found = await alert_pages.newest_alerts(session, MOST_ALERTS)
    return {key: [alert_of(alert) for alert in found] for key in keys}


async def _services(
    context: Context, keys: Collection[datetime], *, first: First = None
) -> Mapping[datetime, list[ServiceSummary]]:
    if first is not None and not 0 <= first <= MOST_SUMMARIES:
        raise Invalid(f"first is {first}; it takes 0 to {MOST_SUMMARIES}", "first")
    async with context.reading() as session:
        found = await queries.summaries(session, MOST_SUMMARIES if first is None else first)
    return {key: [_summary(line) for line in found] for key in keys}


@strawberry.type(description="The state of all services that are not archived.")
class PlatformReport:
    """The platform report."""

    generated_at: datetime = strawberry.field(description="When this was put together.")
    total_services: int = strawberry.field(description="How many services there are.")
    healthy: int = strawberry.field(description="How many are HEALTHY.")
    degraded: int = strawberry.field(description="How many are DEGRADED.")
    critical: int = strawberry.field(description="How many are CRITICAL.")
    down: int = strawberry.field(description="How many are DOWN.")
    unknown: int = strawberry.field(description="About how many nothing is known.")
    overall_health: HealthStatus = strawberry.field(
        description="The worst of all; UNKNOWN counts only when there is nothing else."
    )
    slo_breaches: int = strawberry.field(description="How many services miss an SLO.")
    over_budget: int = strawberry.field(description="How many services are over their budget.")
    governance_compliant: int = strawberry.field(description="How many services pass every governance check.")
    total_monthly_cost: list[Money] = strawberry.field(
        description="What the services' newest months were billed at, per currency, to two decimals."
    )
    avg_reliability_score: float = strawberry.field(
        description="The mean score of those that have one, to one decimal; 0 when none has."
    )
    alert_count: int = edge(
        _alert_count, key="generated_at", description="How many alerts are stored, whether they fire or not."
    )
    alerts: list[Alert] = edge(
        _newest_alerts,
        key="generated_at",
        description="The newest alerts, at most 20; the alerts connection has them all.",
    )
    unallocated_cost: list[Money] = edge(
        _unallocated_cost,
        key="generated_at",
        description="What no service could be found for: the newest month of each currency, to two decimals.",
    )
    unallocated_entries: list[MonthlyCost] = edge(
        _unallocated_entries,
        key="generated_at",
        description="What no service could be found for, every month of it, exactly.",
    )
    services: list[ServiceSummary] = edge(
        _services,
        key="generated_at",
        description="The services, worst first, ties by name, at most 500; the services connection has them all.",
    )


@strawberry.type
class ReportQueries:
    """What can be asked about the platform."""

    @query(description="The state of all services at a glance; zeros on an empty platform.")
    async def platform_report(self, info: strawberry.Info[Context, None]) -> PlatformReport:
        """The platform report."""
        context = info.context
        async with context.reading() as session:
            report = await queries.platform_report(session, context.settings.currency)
        return platform_report(report, context.now)


def platform_report(value: model.PlatformReport, now: datetime) -> PlatformReport:
    """The report as the schema has it."""
    counts = value.by_status
    return PlatformReport(
        generated_at=now,
        total_services=value.total_services,
        healthy=counts[HealthStatus.HEALTHY],
        degraded=counts[HealthStatus.DEGRADED],
        critical=counts[HealthStatus.CRITICAL],
        down=counts[HealthStatus.DOWN],
        unknown=counts[HealthStatus.UNKNOWN],
        overall_health=value.overall,
        slo_breaches=value.slo_breaches,
        over_budget=value.over_budget,
        governance_compliant=value.governance_compliant,
        total_monthly_cost=[amount(money) for money in value.monthly_cost],
        avg_reliability_score=value.mean_reliability_score,
    )


def _summary(value: model.ServiceSummary) -> ServiceSummary:
    figures = value.summary
    return ServiceSummary(
        service_key=value.service_id,
        name=value.name,
        team=value.team,
        health=value.status,
        reliability_score=figures.reliability_score,
        governance=figures.governance,
        monthly_cost=to_cents(figures.monthly_cost),
        monthly_cost_currency=figures.currency,
        slos_met=figures.slos_met,
        slos_total=figures.slos_total,
    )
