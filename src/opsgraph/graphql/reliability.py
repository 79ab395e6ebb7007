"""How reliable services were."""

from collections.abc import Collection, Mapping
from uuid import UUID

import strawberry

from opsgraph.domains.reliability import model, queries
from opsgraph.graphql.context import Context
from opsgraph.graphql.edges import edge


@strawberry.type(description="One part of the reliability score.")
class ScorePart:
    """One part of the score."""

    name: str = strawberry.field(description="uptime, mttr, incidents or change_failure_rate.")
    points: float | None = strawberry.field(description="Points reached; null while unknown.")
    max_points: float = strawberry.field(description="Points that can be reached.")
    measured: bool = strawberry.field(description="Whether it was measured.")
    basis: model.Basis = strawberry.field(description="Where the figure comes from.")
    sample_size: int = strawberry.field(description="Of how many samples it is made; 0 when declared.")


@strawberry.type(description="The DORA keys over 30 days of deployments to production; null without samples.")
class DoraKeys:
    """The DORA keys."""

    deployments_per_day: float | None = strawberry.field(description="Deployment frequency.")
    lead_time_seconds_median: float | None = strawberry.field(description="From commit to deployment, in seconds.")
    change_failure_rate_pct: float | None = strawberry.field(description="Failed deployments, in percent of all.")
    recovery_seconds_median: float | None = strawberry.field(
        description="From a failed deployment to the next that succeeded, in seconds."
    )
    rework_rate_pct: float | None = strawberry.field(description="Unplanned repairs, in percent of all deployments.")
    deployments: int = strawberry.field(description="How many there were.")
    failures: int = strawberry.field(description="How many of them failed.")
    lead_time_samples: int = strawberry.field(description="Of how many deployments the commit time is known.")
    recovery_samples: int = strawberry.field(description="How many failures were followed by a success.")


async def load_dora(context: Context, keys: Collection[UUID]) -> Mapping[UUID, DoraKeys]:
    """The DORA keys of services."""
    async with context.reading() as session:
        found = await queries.dora_by_service(session, keys, context.now)
    return {key: _dora(value) for key, value in found.items()}


@strawberry.type(description="How reliable a service was over 30 days.")
class Reliability:
    """Reliability over 30 days."""

    service_key: strawberry.Private[UUID]
    score: float | None = strawberry.field(
        description="0 to 100: points reached of those that the known parts can give; null when none is known."
    )
    uptime_pct: float | None = strawberry.field(description="Share of health checks passed, in percent.")
    mttr_minutes: float | None = strawberry.field(description="Mean minutes from an incident's creation to its end.")
    incidents_30d: int | None = strawberry.field(name="incidents30d", description="How many incidents there were.")
    change_failure_rate_pct: float | None = strawberry.field(description="Failed deployments, in percent of all.")
    parts: list[ScorePart] = strawberry.field(description="What the score is made of.")
    dora: DoraKeys = edge(load_dora, key="service_key", description="The DORA keys with their sample sizes.")


async def load_reliability(context: Context, keys: Collection[UUID]) -> Mapping[UUID, Reliability]:
    """The reliability of services."""
    async with context.reading() as session:
        found = await queries.reliability_by_service(session, keys, context.now)
    return {key: _reliability(key, value) for key, value in found.items()}


def _reliability(key: UUID, value: model.Reliability) -> Reliability:
    return Reliability(
        service_key=key,
        score=value.score,
        uptime_pct=value.uptime_pct,
        mttr_minutes=value.mttr_minutes,
        incidents_30d=value.incidents_30d,
        change_failure_rate_pct=value.change_failure_rate_pct,
        parts=[_part(part) for part in value.parts],
    )


def _part(value: model.ScorePart) -> ScorePart:
    return ScorePart(
        name=value.name,
        points=value.points,
        max_points=value.max_points,
        measured=value.measured,
        basis=value.basis,
        sample_size=value.sample_size,
    )


def _dora(value: model.DoraKeys) -> DoraKeys:
    return DoraKeys(
        deployments_per_day=value.deployments_per_day,
        lead_time_seconds_median=value.lead_time_seconds_median,
        change_failure_rate_pct=value.change_failure_rate_pct,
        recovery_seconds_median=value.recovery_seconds_median,
        rework_rate_pct=value.rework_rate_pct,
        deployments=value.deployments,
        failures=value.failures,
        lead_time_samples=value.lead_time_samples,
        recovery_samples=value.recovery_samples,
    )
