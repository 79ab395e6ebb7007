"""Alerts."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from opsgraph.domains.alerts import model
from opsgraph.domains.alerts.queries import alerts as alert_queries
from opsgraph.domains.alerts.queries import pages
from opsgraph.graphql.connections import (
    After,
    Before,
    Connection,
    First,
    Last,
    Relation,
    connect,
    of_parents,
    whole_list,
)
from opsgraph.graphql.context import Context
from opsgraph.graphql.inputs import frozen
from opsgraph.graphql.nodes import Node, finds, to_node
from opsgraph.graphql.rights import query
from opsgraph.graphql.scalars import JSON
from opsgraph.kernel.pages import page_request
from opsgraph.storage.rows import AnyRow

if TYPE_CHECKING:
    from opsgraph.graphql.catalog import Service
    from opsgraph.graphql.incidents import Incident

_Service = Annotated["Service", strawberry.lazy("opsgraph.graphql.catalog")]
_Incident = Annotated["Incident", strawberry.lazy("opsgraph.graphql.incidents")]


@strawberry.type(description="What a monitoring tool reports: one episode, from its first firing to its end.")
class Alert(Node):
    """An alert."""

    service_key: strawberry.Private[UUID | None]
    incident_key: strawberry.Private[UUID | None]
    fingerprint: str = strawberry.field(description="Its identity: the same again, while it fires, is counted.")
    service_name: str = strawberry.field(description="The name of the service as it was sent.")
    severity: model.Severity = strawberry.field(description="How bad it is, as it is understood here.")
    source_severity: str | None = strawberry.field(description="The source's own word for that.")
    severity_recognised: bool = strawberry.field(
        description="Whether that word is known here; if not, the severity is MEDIUM."
    )
    status: model.AlertStatus = strawberry.field(description="Whether it still fires.")
    message: str = strawberry.field(description="What it says.")
    labels: JSON = strawberry.field(description="Names and values that silences match, as they were sent.")
    annotations: JSON = strawberry.field(description="Names and texts for people, as they were sent.")
    source: str = strawberry.field(description="The kind of source: alertmanager, grafana, pagerduty, generic, api.")
    source_url: str | None = strawberry.field(description="Where the source shows it.")
    occurrences: int = strawberry.field(description="How many times it was reported.")
    starts_at: datetime = strawberry.field(
        description="When it began, as the source says; else when it was first seen."
    )
    first_seen_at: datetime = strawberry.field(description="When it was first reported.")
    last_seen_at: datetime = strawberry.field(description="When it was reported last.")
    ends_at: datetime | None = strawberry.field(
        description="When it is over unless it is reported again, if the source says so."
    )
    resolved_at: datetime | None = strawberry.field(description="When it ended; null while it fires.")
    silenced: bool = strawberry.field(
        description="Whether a silence or a maintenance window keeps it from an incident."
    )
    flapping: bool = strawberry.field(description="Whether it begins and ends again and again.")
    service: _Service | None = to_node(
        "Service", key="service_key", description="The service; null if none of that name is registered."
    )
    incident: _Incident | None = to_node(
        "Incident", key="incident_key", description="The incident that it belongs to, if it does to any."
    )


def alert_of(value: model.Alert) -> Alert:
    """An alert as the schema has it."""
    return Alert(
        key=value.id,
        service_key=value.service_id,
        incident_key=value.incident_id,
        fingerprint=value.fingerprint,
        service_name=value.service_name,
        severity=value.severity,
        source_severity=value.source_severity,
        severity_recognised=value.severity_recognised,
        status=value.status,
        message=value.message,
        labels=JSON(value.labels),
        annotations=JSON(value.annotations),
        source=value.source,
        source_url=value.source_url,
        occurrences=value.occurrences,
        starts_at=value.starts_at,
        first_seen_at=value.first_seen_at,
        last_seen_at=value.last_seen_at,
        ends_at=value.ends_at,
        resolved_at=value.resolved_at,
        silenced=value.silenced,
        flapping=value.flapping,
    )


@finds("Alert")
async def _find_alerts(context: Context, keys: Collection[UUID]) -> Mapping[UUID, Alert]:
    async with context.reading() as session:
        found = await alert_queries.alerts_by_id(session, keys)
    return {key: alert_of(value) for key, value in found.items()}


def _node(row: AnyRow) -> Alert:
    return alert_of(alert_queries.alert_of(row))


ALERTS = whole_list("alerts", pages.alerts_page, pages.count_alerts, _node)
ALERTS_OF_SERVICE = Relation("alerts of a service", pages.alerts_by_service, pages.count_by_service, _node)
ALERTS_OF_INCIDENT = of_parents("alerts of an incident", pages.alerts_by_incident, pages.count_by_incident, _node)


@strawberry.input(description="Which alerts: all conditions hold, any value of a list does.")
class AlertFilter:
    """Which alerts are wanted."""

    statuses: list[model.AlertStatus] | None = strawberry.field(
        default=strawberry.UNSET, description="In one of these statuses."
    )
    severities: list[model.Severity] | None = strawberry.field(
        default=strawberry.UNSET, description="Of one of these severities."
    )
    services: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Of one of these services, by the name that it has now; as sent if it is not registered.",
    )
    teams: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Of services that one of these teams owns."
    )
    since: datetime | None = strawberry.field(default=strawberry.UNSET, description="First seen then or later.")
    until: datetime | None = strawberry.field(default=strawberry.UNSET, description="First seen before.")
    sources: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="From one of these kinds of sources."
    )
    silenced: bool | None = strawberry.field(default=strawberry.UNSET, description="Silenced, or not.")
    search: str | None = strawberry.field(
        default=strawberry.UNSET, description="Whose message contains this, without case."
    )


Filter = Annotated[AlertFilter | None, strawberry.argument(description="Which ones; all if left out.")]


def alerts_of_service() -> Any:
    """Declare a service's connection to its alerts."""

    def resolve(root: Node, first: First = None, after: After = None, filter: Filter = None) -> Connection[Alert]:
        request = page_request(ALERTS_OF_SERVICE.order, first, after)
        return connect(ALERTS_OF_SERVICE, root.key, request, frozen(filter, model.AlertFilter))

    return strawberry.field(
        resolver=resolve,
        description="What was reported about it, newest first.",
        metadata={"opsgraph.relation": ALERTS_OF_SERVICE},
    )


@strawberry.type
class AlertQueries:
    """What can be asked about alerts."""

    @query(description="Alerts, newest first.")
    async def alerts(
        self,
        info: strawberry.Info[Context, None],  # noqa: ARG002 - every root field takes it
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Filter = None,
    ) -> Connection[Alert]:
        """A page of alerts."""
        request = page_request(ALERTS.order, first, after, last, before)
        return connect(ALERTS, None, request, (frozen(filter, model.AlertFilter),))
