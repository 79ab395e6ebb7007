"""Reads of the health domain."""

from collections.abc import Collection
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

import orjson
from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.cost import queries as cost
from opsgraph.domains.governance import queries as governance
from opsgraph.domains.governance.model import GovernanceStatus
from opsgraph.domains.health import rules
from opsgraph.domains.health.model import (
    Health,
    HealthStatus,
    PlatformReport,
    ServiceFacts,
    ServiceSummary,
    Signal,
    Summary,
)
from opsgraph.domains.health.tables import stored
from opsgraph.domains.reliability import queries as reliability
from opsgraph.domains.slo import queries as slo
from opsgraph.kernel.money import Money, add_up
from opsgraph.storage.keyset import Sort
from opsgraph.storage.rows import AnyRow, AnySelect

MOST_SUMMARIES = 500


async def facts_by_service(
    session: AsyncConnection, service_ids: Collection[UUID], currency: str, now: datetime
) -> dict[UUID, ServiceFacts]:
    """All that is known about services; ids of nothing are absent. A constant number of statements."""
    services = await catalog_services.services_by_id(session, service_ids)
    ids = list(services)
    slos = await slo.states_by_service(session, ids)
    costs = await cost.profiles_by_service(session, ids, currency, now.date())
    scores = await reliability.reliability_by_service(session, ids, now)
    checks = await governance.by_service(session, ids)
    return {
        key: ServiceFacts(
            service=services[key],
            slos=tuple(slos.get(key, ())),  # a subsystem cannot change what the next one is asked
            cost=costs[key],
            reliability=scores[key],
            governance=checks[key],
            telemetry=HealthStatus.UNKNOWN,
            now=now,
        )
        for key in ids
    }


async def health_by_service(session: AsyncConnection, service_ids: Collection[UUID]) -> dict[UUID, Health]:
    """The stored health of services; those never evaluated are absent."""
    columns = (
        stored.c.service_id,
        stored.c.status,
        stored.c.composite,
        stored.c.telemetry,
        stored.c.points,
        stored.c.signals,
        stored.c.evaluated_at,
    )
    rows = await session.execute(select(*columns).where(stored.c.service_id.in_(service_ids)))
    return {row.service_id: _health(row) for row in rows}


async def due_services(session: AsyncConnection, now: datetime, limit: int) -> list[UUID]:
    """The services whose health the evaluating worker has to look at again, longest due first; no archived ones."""
    live = catalog_services.service_ids().subquery()
    query = select(stored.c.service_id).join(live, live.c.service_id == stored.c.service_id)
    query = query.where(stored.c.due_at <= now).order_by(stored.c.due_at).limit(limit)
    return list((await session.execute(query)).scalars())


def in_status(statuses: Collection[HealthStatus]) -> AnySelect:
    """A select of the ids of services in one of the statuses, for `catalog_services.services_page`."""
    return select(stored.c.service_id).where(stored.c.status.in_([status.value for status in statuses]))


def in_governance(statuses: Collection[GovernanceStatus]) -> AnySelect:
    """A select of the ids of services with one of the governance statuses, for `catalog_services.services_page`."""
    return select(stored.c.service_id).where(stored.c.governance.in_([status.value for status in statuses]))


def worst_first() -> catalog_services.Rank:
    """The order of services by health, worst first."""
    return catalog_services.Rank(stored, (Sort(stored.c.rank),))


def cost_highest_first() -> catalog_services.Rank:
    """The order of services by the number of their latest monthly cost, whatever its currency."""
    return catalog_services.Rank(stored, (Sort(stored.c.cost_rank, descending=True),))


async def platform_report(session: AsyncConnection, currency: str) -> PlatformReport:
    """The state of all services that are not archived; zeros, in the given currency, when there are none."""
    live = catalog_services.service_ids().subquery()
    joined = stored.join(live, live.c.service_id == stored.c.service_id)
    counted = select(
        stored.c.status,
        func.count(),
        func.sum(case((stored.c.slos_unmet > 0, 1), else_=0)),
        func.sum(case((stored.c.over_budget, 1), else_=0)),
        func.sum(case((stored.c.governance == GovernanceStatus.COMPLIANT.value, 1), else_=0)),
        func.coalesce(func.sum(stored.c.reliability_score), 0.0),
        func.count(stored.c.reliability_score),
    )
    rows = (await session.execute(counted.select_from(joined).group_by(stored.c.status))).all()
    costs = select(stored.c.monthly_cost, stored.c.currency, stored.c.other_costs).select_from(joined)
    amounts = [money for row in await session.execute(costs) for money in _costs(row)]
    return _report(rows, add_up([Money(Decimal(0), currency), *amounts]), currency)


async def summaries(session: AsyncConnection, limit: int) -> list[ServiceSummary]:
    """One line for each service that is not archived, worst first, ties by name; at most ``limit``."""
    named = catalog_services.named_services().subquery()
    query = select(named, *_SUMMARY).join(stored, stored.c.service_id == named.c.service_id)
    rows = await session.execute(query.order_by(stored.c.rank, named.c.name_key).limit(limit))
    return [ServiceSummary(row.service_id, row.name, row.team, HealthStatus(row.status), _summary(row)) for row in rows]


_SUMMARY = (
    stored.c.status,
    stored.c.reliability_score,
    stored.c.governance,
    stored.c.monthly_cost,
    stored.c.currency,
    stored.c.other_costs,
    stored.c.over_budget,
    stored.c.slos_met,
    stored.c.slos_unmet,
    stored.c.slos_total,
)


def _summary(row: AnyRow) -> Summary:
    return Summary(
        row.reliability_score,
        GovernanceStatus(row.governance),
        row.monthly_cost,
        row.currency,
        _other_costs(row),
        row.over_budget,
        row.slos_met,
        row.slos_unmet,
        row.slos_total,
    )


def _costs(row: AnyRow) -> list[Money]:
    main = [Money(row.monthly_cost, row.currency)] if row.currency else []
    return [*main, *_other_costs(row)]


def _other_costs(row: AnyRow) -> list[Money]:
    return [Money(Decimal(amount), currency) for amount, currency in orjson.loads(row.other_costs)]


def _health(row: AnyRow) -> Health:
    return Health(
        HealthStatus(row.status),
        HealthStatus(row.composite),
        HealthStatus(row.telemetry),
        row.points,
        tuple(Signal(*parts) for parts in orjson.loads(row.signals)),
        row.evaluated_at,
    )


def _report(rows: Collection[AnyRow], costs: Collection[Money], currency: str) -> PlatformReport:
    by_status = dict.fromkeys(HealthStatus, 0) | {HealthStatus(row[0]): row[1] for row in rows}
    breaches, over_budget, compliant, score_sum, scored = (sum(row[n] for row in rows) for n in range(2, 7))
    spent = [money.rounded() for money in costs if money.amount]
    return PlatformReport(
        by_status=by_status,
        overall=rules.overall(by_status),
        slo_breaches=breaches,
        over_budget=over_budget,
        governance_compliant=compliant,
        monthly_cost=spent or [Money(Decimal("0.00"), currency)],
        mean_reliability_score=_mean(score_sum, scored),
    )


def _mean(score_sum: float, scored: int) -> float:
    """To one decimal, halves up, whatever the order of adding: scores have one decimal, so their sum has one."""
    if not scored:
        return 0.0
    mean = Decimal(round(score_sum * 10)) / (10 * scored)
    return float(mean.quantize(Decimal("0.1"), ROUND_HALF_UP))
