"""Lists of services: their orders, their filter, and what can be asked about the catalog."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.catalog import model
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.governance.model import GovernanceStatus
from opsgraph.domains.health import queries as health
from opsgraph.domains.health.model import HealthStatus
from opsgraph.domains.readiness.model.verdicts import ReadinessDecision
from opsgraph.domains.readiness.queries import states as readiness
from opsgraph.graphql.catalog import Service, service_of
from opsgraph.graphql.connections import After, Before, Connection, First, Last, Relation, connect, whole_list
from opsgraph.graphql.context import Context
from opsgraph.graphql.enums import expose
from opsgraph.graphql.inputs import frozen
from opsgraph.graphql.rights import query
from opsgraph.kernel.pages import Page, PageRequest, page_request
from opsgraph.storage.rows import AnyRow, AnySelect


class ServiceOrder(StrEnum):
    """The orders of services."""

    NAME = "NAME"
    HEALTH_WORST_FIRST = "HEALTH_WORST_FIRST"
    TIER = "TIER"
    COST_HIGHEST_FIRST = "COST_HIGHEST_FIRST"


expose(
    ServiceOrder,
    "How services are ordered; ties go by name.",
    NAME="By name.",
    HEALTH_WORST_FIRST="DOWN, CRITICAL, DEGRADED, UNKNOWN, HEALTHY.",
    TIER="The most critical first.",
    COST_HIGHEST_FIRST="By the number of the latest monthly cost, whatever its currency.",
)


@strawberry.input(description="Which services: all conditions hold, any value of a list does.")
class ServiceFilter:
    """Which services are wanted."""

    names: list[str] | None = strawberry.field(default=strawberry.UNSET, description="Of one of these names.")
    teams: list[str] | None = strawberry.field(default=strawberry.UNSET, description="Owned by one of these teams.")
    tiers: list[int] | None = strawberry.field(default=strawberry.UNSET, description="Of one of these tiers.")
    tags: list[str] | None = strawberry.field(default=strawberry.UNSET, description="With at least one of these tags.")
    health: list[HealthStatus] | None = strawberry.field(
        default=strawberry.UNSET, description="Whose health is one of these."
    )
    search: str | None = strawberry.field(
        default=strawberry.UNSET, description="Whose name, title or description contains this, without case."
    )
    lifecycles: list[model.Lifecycle] | None = strawberry.field(
        default=strawberry.UNSET, description="In one of these lifecycles."
    )
    governance: list[GovernanceStatus] | None = strawberry.field(
        default=strawberry.UNSET, description="Whose governance is one of these."
    )
    readiness: list[ReadinessDecision] | None = strawberry.field(
        default=strawberry.UNSET,
        description="About which one of these decisions counts, that of the override in force included; services "
        "without a verdict are not among them.",
    )
    archived: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Archived ones instead of those in use."
    )


Filter = Annotated[
    ServiceFilter | None, strawberry.argument(description="Which ones; all that are in use if left out.")
]
Order = Annotated[ServiceOrder | None, strawberry.argument(description="In which order; by name if left out.")]

_RANKS: dict[ServiceOrder, Callable[[], model.ServiceOrder | catalog_services.Rank]] = {
    ServiceOrder.NAME: lambda: model.ServiceOrder.NAME,
    ServiceOrder.TIER: lambda: model.ServiceOrder.TIER,
    ServiceOrder.HEALTH_WORST_FIRST: health.worst_first,
    ServiceOrder.COST_HIGHEST_FIRST: health.cost_highest_first,
}


@dataclass(frozen=True, slots=True)
class Beyond:
    """What a filter asks of services that is not the catalog's to know, at an instant."""

    now: datetime
    health: tuple[HealthStatus, ...] | None = None
    governance: tuple[GovernanceStatus, ...] | None = None
    readiness: tuple[ReadinessDecision, ...] | None = None

    def among(self) -> list[AnySelect]:
        """A select of ids for each condition."""
        found = []
        if self.health is not None:
            found.append(health.in_status(self.health))
        if self.governance is not None:
            found.append(health.in_governance(self.governance))
        if self.readiness is not None:
            found.append(readiness.in_decision(self.readiness, self.now))
        return found


def _all_services(order: ServiceOrder) -> Relation:
    async def page(
        session: AsyncConnection, wanted: model.ServiceFilter, beyond: Beyond, request: PageRequest
    ) -> Page[AnyRow]:
        return await catalog_services.services_page(session, wanted, request, _RANKS[order](), beyond.among())

    async def count(session: AsyncConnection, wanted: model.ServiceFilter, beyond: Beyond) -> int:
        return await catalog_services.count_services(session, wanted, beyond.among())

    return whole_list(f"services {order.value}", page, count, lambda row: service_of(catalog_services.service_of(row)))


SERVICES = {order: _all_services(order) for order in ServiceOrder}
"""All services, in each order."""


@strawberry.type
class CatalogQueries:
    """What can be asked about the catalog."""

    @query(description="The service of that name, whatever its case, archived or not; null if there is none.")
    async def service(
        self,
        info: strawberry.Info[Context, None],
        name: Annotated[str, strawberry.argument(description="Its name.")],
    ) -> Service | None:
        """One service by its natural key."""
        async with info.context.reading() as session:
            found = await catalog_services.service_by_name(session, name)
        return service_of(found) if found else None

    @query(description="Services, by name unless another order is asked for.")
    async def services(
        self,
        info: strawberry.Info[Context, None],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Filter = None,
        order_by: Order = None,
    ) -> Connection[Service]:
        """A page of services."""
        relation = SERVICES[order_by or ServiceOrder.NAME]
        request = page_request(relation.order, first, after, last, before)
        return connect(relation, None, request, _narrowed(filter, info.context.now))


_BEYOND = ("health", "governance", "readiness")


def _narrowed(wanted: ServiceFilter | None, now: datetime) -> tuple[model.ServiceFilter, Beyond]:
    """What the catalog knows of a filter, and the rest."""
    ours = frozen(wanted, model.ServiceFilter, *_BEYOND)
    given = {name: getattr(wanted, name, None) for name in _BEYOND}
    return ours, Beyond(now, **{name: tuple(value) for name, value in given.items() if isinstance(value, list)})
