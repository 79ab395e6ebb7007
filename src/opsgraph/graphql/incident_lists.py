"""Lists of incidents: their filter, their orders, their figures, and what can be asked about them."""

from datetime import datetime, timedelta
from typing import Annotated, Any

import strawberry
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.incidents import model
from opsgraph.domains.incidents.queries import figures, pages
from opsgraph.domains.incidents.queries import incidents as incident_queries
from opsgraph.domains.incidents.rules import acceptance
from opsgraph.graphql.connections import After, Before, Connection, First, Last, Relation, connect, whole_list
from opsgraph.graphql.context import Context
from opsgraph.graphql.incidents import MTTA_TARGET, MTTR_TARGET, Incident, incident_of
from opsgraph.graphql.inputs import frozen
from opsgraph.graphql.nodes import Node, key_of
from opsgraph.graphql.rights import query
from opsgraph.kernel.pages import Page, PageRequest, page_request
from opsgraph.kernel.refusals import Invalid, NotFound
from opsgraph.storage.rows import AnyRow

STATS_WINDOW = timedelta(days=30)
"""How far back figures look unless told otherwise."""


@strawberry.input(description="Which incidents: all conditions hold, any value of a list does.")
class IncidentFilter:
    """Which incidents are wanted."""

    statuses: list[model.IncidentStatus] | None = strawberry.field(
        default=strawberry.UNSET, description="In one of these statuses."
    )
    severities: list[Severity] | None = strawberry.field(
        default=strawberry.UNSET, description="Of one of these severities."
    )
    services: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Of one of these services, by the name that it has now; as sent if it is not registered.",
    )
    teams: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Of services that one of these teams owns."
    )
    since: datetime | None = strawberry.field(default=strawberry.UNSET, description="Created then or later.")
    until: datetime | None = strawberry.field(default=strawberry.UNSET, description="Created before.")
    assignees: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Assigned to one of these users, by name."
    )
    unassigned: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Assigned to nobody, or to somebody."
    )
    snoozed: bool | None = strawberry.field(default=strawberry.UNSET, description="Snoozed, or not.")
    search: str | None = strawberry.field(
        default=strawberry.UNSET, description="Whose title or service's name contains this, without case."
    )


Filter = Annotated[IncidentFilter | None, strawberry.argument(description="Which ones; all if left out.")]
Order = Annotated[
    model.IncidentOrder | None, strawberry.argument(description="In which order; newest first if left out.")
]


def _node(row: AnyRow) -> Incident:
    return incident_of(incident_queries.incident_of(row))


def _all_incidents(order: model.IncidentOrder) -> Relation:
    async def page(session: AsyncConnection, wanted: model.IncidentFilter, request: PageRequest) -> Page[AnyRow]:
        return await pages.incidents_page(session, wanted, request, order)

    return whole_list(f"incidents {order.value}", page, pages.count_incidents, _node)


INCIDENTS = {order: _all_incidents(order) for order in model.IncidentOrder}
"""All incidents, in each order."""

INCIDENTS_OF_SERVICE = Relation("incidents of a service", pages.incidents_by_service, pages.count_by_service, _node)


def incidents_of_service() -> Any:
    """Declare a service's connection to its incidents."""

    def resolve(root: Node, first: First = None, after: After = None, filter: Filter = None) -> Connection[Incident]:
        request = page_request(INCIDENTS_OF_SERVICE.order, first, after)
        return connect(INCIDENTS_OF_SERVICE, root.key, request, frozen(filter, model.IncidentFilter))

    return strawberry.field(
        resolver=resolve,
        description="What went wrong with it, newest first.",
        metadata={"opsgraph.relation": INCIDENTS_OF_SERVICE},
    )


@strawberry.type(description="How many incidents have a severity.")
class SeverityCount:
    """A count of incidents."""

    severity: Severity = strawberry.field(description="The severity.")
    count: int = strawberry.field(description="How many incidents have it.")


@strawberry.type(description="Figures of the incidents that were created in a period.")
class IncidentStats:
    """Figures of incidents."""

    total: int = strawberry.field(description="How many there were.")
    open: int = strawberry.field(description="How many of them nobody has taken on yet.")
    acknowledged: int = strawberry.field(description="How many of them someone has seen.")
    in_progress: int = strawberry.field(description="How many of them someone works on.")
    resolved: int = strawberry.field(description="How many of them are resolved.")
    mtta_seconds_mean: float | None = strawberry.field(
        description=f"Mean seconds until someone took one on; null without any. {MTTA_TARGET}"
    )
    mtta_seconds_median: float | None = strawberry.field(description=f"The median of the same. {MTTA_TARGET}")
    mttr_seconds_mean: float | None = strawberry.field(
        description=f"Mean seconds until one was resolved; null without any. {MTTR_TARGET}"
    )
    mttr_seconds_median: float | None = strawberry.field(description=f"The median of the same. {MTTR_TARGET}")
    by_severity: list[SeverityCount] = strawberry.field(description="A count for every severity, worst first.")


def key_of_incident(id: str | None, number: int | None) -> model.IncidentKey:
    """What an incident is named by, of which exactly one is given.

    Raises:
        Invalid: both or neither is given, or the id is not one that opsgraph made.
        NotFound: it is the id of another kind of thing.
    """
    if id is not None and number is None:
        return key_of("Incident", id)
    if number is not None and id is None:
        return number
    raise Invalid("give either id or number, and exactly one of them", "id")


@strawberry.type
class IncidentQueries:
    """What can be asked about incidents."""

    @query(description="The incident with this id or number, of which exactly one is given; null if there is none.")
    async def incident(
        self,
        info: strawberry.Info[Context, None],
        id: Annotated[strawberry.ID | None, strawberry.argument(description="Its global id.")] = None,
        number: Annotated[int | None, strawberry.argument(description="Its number.")] = None,
    ) -> Incident | None:
        """One incident by its natural key."""
        try:
            key = key_of_incident(id, number)
        except NotFound:
            return None
        async with info.context.reading() as session:
            found = await incident_queries.find_incident(session, key)
        return incident_of(found) if found else None

    @query(description="Incidents, newest first unless another order is asked for.")
    async def incidents(
        self,
        info: strawberry.Info[Context, None],  # noqa: ARG002 - every root field takes it
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Filter = None,
        order_by: Order = None,
    ) -> Connection[Incident]:
        """A page of incidents."""
        relation = INCIDENTS[order_by or model.IncidentOrder.NEWEST]
        request = page_request(relation.order, first, after, last, before)
        return connect(relation, None, request, (frozen(filter, model.IncidentFilter),))

    @query(description="Figures of incidents by when they were created; the last 30 days unless told otherwise.")
    async def incident_stats(
        self,
        info: strawberry.Info[Context, None],
        since: Annotated[
            datetime | None, strawberry.argument(description="Created then or later; 30 days back if left out.")
        ] = None,
        until: Annotated[datetime | None, strawberry.argument(description="Created before.")] = None,
        service: Annotated[str | None, strawberry.argument(description="Of the service of this name alone.")] = None,
        team: Annotated[str | None, strawberry.argument(description="Of services that this team owns alone.")] = None,
    ) -> IncidentStats:
        """Figures of incidents."""
        acceptance.period(since, until)
        wanted = model.IncidentFilter(
            since=since or (until or info.context.now) - STATS_WINDOW,
            until=until,
            services=None if service is None else (service,),
            teams=None if team is None else (team,),
        )
        async with info.context.reading() as session:
            return _stats(await figures.stats(session, wanted))


def _stats(value: model.IncidentStats) -> IncidentStats:
    by_status = value.by_status
    return IncidentStats(
        total=value.total,
        open=by_status[model.IncidentStatus.OPEN],
        acknowledged=by_status[model.IncidentStatus.ACKNOWLEDGED],
        in_progress=by_status[model.IncidentStatus.IN_PROGRESS],
        resolved=by_status[model.IncidentStatus.RESOLVED],
        mtta_seconds_mean=value.mtta.mean,
        mtta_seconds_median=value.mtta.median,
        mttr_seconds_mean=value.mttr.mean,
        mttr_seconds_median=value.mttr.median,
        by_severity=[SeverityCount(severity=severity, count=count) for severity, count in value.by_severity.items()],
    )
