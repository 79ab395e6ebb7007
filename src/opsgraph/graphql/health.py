"""How services are doing."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

import strawberry

from opsgraph.domains.health import model, queries
from opsgraph.graphql.context import Context


@strawberry.type(description="Points that a subsystem adds to a service's health, and why; more are worse.")
class HealthSignal:
    """Points and why."""

    subsystem: str = strawberry.field(description="Who adds them: slo, reliability, governance, cost or a plug-in.")
    points: int = strawberry.field(description="How many.")
    message: str = strawberry.field(description="Why.")


@strawberry.type(description="How a service is doing, all things considered. Stored; `evaluatedAt` tells its age.")
class ServiceHealth:
    """A service's health."""

    status: model.HealthStatus = strawberry.field(description="The worse of `composite` and `telemetry`.")
    composite: model.HealthStatus = strawberry.field(description="By points: 4 CRITICAL, 2 DEGRADED, else HEALTHY.")
    telemetry: model.HealthStatus = strawberry.field(description="By its traffic; UNKNOWN does not worsen `status`.")
    points: int = strawberry.field(description="The sum of the signals' points.")
    signals: list[HealthSignal] = strawberry.field(description="Where each point comes from.")
    evaluated_at: datetime | None = strawberry.field(description="When this was computed; null if it never was.")


async def load_health(context: Context, keys: Collection[UUID]) -> Mapping[UUID, ServiceHealth]:
    """The stored health of services."""
    async with context.reading() as session:
        found = await queries.health_by_service(session, keys)
    return {key: _health(found[key]) if key in found else _never_evaluated() for key in keys}


def _health(value: model.Health) -> ServiceHealth:
    return ServiceHealth(
        status=value.status,
        composite=value.composite,
        telemetry=value.telemetry,
        points=value.points,
        signals=[HealthSignal(subsystem=s.subsystem, points=s.points, message=s.message) for s in value.signals],
        evaluated_at=value.evaluated_at,
    )


def _never_evaluated() -> ServiceHealth:
    unknown = model.HealthStatus.UNKNOWN
    return ServiceHealth(status=unknown, composite=unknown, telemetry=unknown, points=0, signals=[], evaluated_at=None)
