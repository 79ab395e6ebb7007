"""Live feeds: what happens, as it happens, and from a cursor on what has happened since.

Scalars in an event are as of the event, and stored in it; relations are read when it is delivered. Identical
subscriptions share a stream; what a filter asks of the catalog is looked up once a batch.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import Annotated, Any, TypeVar
from uuid import UUID

import strawberry

from opsgraph.domains.access import queries as access
from opsgraph.domains.alerts import model as alerts
from opsgraph.domains.alerts.queries.alerts import alert_from
from opsgraph.domains.alerts.rules import filtering as alert_filtering
from opsgraph.domains.catalog.model import Home
from opsgraph.domains.catalog.queries.homes import homes_by_id
from opsgraph.domains.health.model import HealthStatus
from opsgraph.domains.incidents import model as incidents
from opsgraph.domains.incidents.queries.incidents import incident_from
from opsgraph.domains.incidents.rules import filtering as incident_filtering
from opsgraph.domains.readiness.model.verdicts import ReadinessDecision, ReadinessEventKind
from opsgraph.events.feed import Feed
from opsgraph.events.log import LoggedEvent
from opsgraph.graphql.alerts import Alert, alert_of
from opsgraph.graphql.alerts import Filter as AlertFilter
from opsgraph.graphql.catalog import Service
from opsgraph.graphql.context import Context
from opsgraph.graphql.incident_lists import Filter as IncidentFilter
from opsgraph.graphql.incidents import Incident, incident_of
from opsgraph.graphql.inputs import MOST_VALUES, frozen
from opsgraph.graphql.marks import Mark
from opsgraph.graphql.nodes import to_node
from opsgraph.graphql.readiness import ReadinessVerdict
from opsgraph.graphql.rights import query, subscription
from opsgraph.kernel.actor import Role
from opsgraph.kernel.events import Topic
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import name_key

After = Annotated[
    str | None,
    strawberry.argument(description="The cursor of the last event seen, or `feedCursor`; from now on if left out."),
]
Services = Annotated[
    list[str] | None, strawberry.argument(description="Of services of these names alone; of all if left out.")
]
Read = Callable[[Sequence[LoggedEvent]], Awaitable[list[Any]]]
"""Makes the events that are wanted of a batch."""

FoundT = TypeVar("FoundT")


@strawberry.type(description="Something happened to an alert. A new one makes one FIRED, its end one RESOLVED.")
class AlertEvent:
    """Something happened to an alert. `position` is its place."""

    position: strawberry.Private[int]
    cursor: str = strawberry.field(description="Its place: a subscription `after` it goes on behind it.")
    at: datetime = strawberry.field(description="When it happened.")
    kind: alerts.AlertEventKind = strawberry.field(description="What happened.")
    alert: Alert = strawberry.field(description="The alert as it was right afterwards; its relations are as of now.")


@strawberry.type(description="Something happened to an incident.")
class IncidentEvent:
    """Something happened to an incident. `position` is its place."""

    position: strawberry.Private[int]
    cursor: str = strawberry.field(description="Its place: a subscription `after` it goes on behind it.")
    at: datetime = strawberry.field(description="When it happened.")
    kind: incidents.IncidentEventKind = strawberry.field(description="What happened.")
    incident: Incident = strawberry.field(
        description="The incident as it was right afterwards; its relations are as of now."
    )


@strawberry.type(description="A service's health became another one.")
class ServiceHealthEvent:
    """A service's health became another one. `position` is its place."""

    position: strawberry.Private[int]
    service_key: strawberry.Private[UUID]
    cursor: str = strawberry.field(description="Its place: a subscription `after` it goes on behind it.")
    at: datetime = strawberry.field(description="When it happened.")
    service: Service = to_node("Service", key="service_key", description="The service as it is now.")
    previous: HealthStatus = strawberry.field(description="Its status before.")
    current: HealthStatus = strawberry.field(description="Its status since.")


@strawberry.type(description="The decision about a service, or what stands in for it, became another one.")
class ReadinessEvent:
    """The readiness of a service became another one. `position` is its place."""

    position: strawberry.Private[int]
    service_key: strawberry.Private[UUID]
    verdict_key: strawberry.Private[UUID]
    cursor: str = strawberry.field(description="Its place: a subscription `after` it goes on behind it.")
    at: datetime = strawberry.field(description="When it happened.")
    kind: ReadinessEventKind = strawberry.field(description="What happened.")
    decision: ReadinessDecision = strawberry.field(description="What the verdict decides since.")
    effective_decision: ReadinessDecision = strawberry.field(description="What counts since.")
    previous_decision: ReadinessDecision | None = strawberry.field(
        description="What counted before, or was decided; null where there was no verdict."
    )
    service: Service = to_node("Service", key="service_key", description="The service as it is now.")
    verdict: ReadinessVerdict = to_node(
        "ReadinessVerdict", key="verdict_key", description="The verdict; what is beside it is as of now."
    )


@strawberry.type
class FeedQueries:
    """What can be asked about feeds."""

    @query(
        description="The end of all feeds: whoever reads it, then a list, then follows `after` it, has missed nothing."
    )
    async def feed_cursor(self, info: strawberry.Info[Context, None]) -> str:
        """The cursor of what happened last."""
        async with info.context.reading() as session:
            return await _feed(info.context).head_cursor(session)


@strawberry.type
class FeedSubscriptions:
    """What can be followed."""

    @subscription(Role.VIEWER, shared=True, description="What happens to alerts; repeats make no event.")
    def alert_feed(
        self, info: strawberry.Info[Context, None], after: After = None, filter: AlertFilter = None
    ) -> AsyncGenerator[AlertEvent, None]:
        """Alerts fire and end."""
        read = partial(_alerts, info.context, frozen(filter, alerts.AlertFilter))
        return _followed(info.context, Topic.ALERTS, after, read)

    @subscription(Role.VIEWER, shared=True, description="What happens to incidents.")
    def incident_feed(
        self, info: strawberry.Info[Context, None], after: After = None, filter: IncidentFilter = None
    ) -> AsyncGenerator[IncidentEvent, None]:
        """Incidents are opened, worked on and resolved."""
        read = partial(_incidents, info.context, frozen(filter, incidents.IncidentFilter))
        return _followed(info.context, Topic.INCIDENTS, after, read)

    @subscription(Role.VIEWER, shared=True, description="How the health of services changes.")
    def service_health_feed(
        self,
        info: strawberry.Info[Context, None],
        after: After = None,
        services: Services = None,
    ) -> AsyncGenerator[ServiceHealthEvent, None]:
        """Services get worse, and better."""
        read = partial(_health, info.context, _bounded(services))
        return _followed(info.context, Topic.SERVICE_HEALTH, after, read)

    @subscription(Role.VIEWER, shared=True, description="How the readiness of services changes.")
    def readiness_feed(
        self, info: strawberry.Info[Context, None], after: After = None, services: Services = None
    ) -> AsyncGenerator[ReadinessEvent, None]:
        """Verdicts decide otherwise, and overrides begin and end."""
        read = partial(_readiness, info.context, _bounded(services))
        return _followed(info.context, Topic.READINESS, after, read)


def _bounded(services: list[str] | None) -> list[str] | None:
    if services is not None and len(services) > MOST_VALUES:
        raise Invalid(f"services has {len(services):,} values; at most {MOST_VALUES:,} are accepted", "services")
    return services


async def _followed(context: Context, topic: Topic, after: str | None, read: Read) -> AsyncGenerator[Any, None]:
    feed, start = _feed(context), context.resume_after or after
    position = None if start is None else await _position(context, start)
    async with aclosing(feed.steps({topic}, position)) as steps:
        async for step in steps:
            for event in await read(step.events):
                yield event
            yield Mark(step.position, step.caught_up)


async def _position(context: Context, cursor: str) -> int:
    async with context.database.reading() as session:
        return await _feed(context).position_of(session, cursor)


def _feed(context: Context) -> Feed:
    if context.feed is None:
        raise RuntimeError("nothing can be followed here")
    return context.feed


async def _alerts(context: Context, wanted: alerts.AlertFilter, events: Sequence[LoggedEvent]) -> list[AlertEvent]:
    found = [alert_from(event.facts) for event in events]
    homes = await _homes(context, [alert.service_id for alert in found]) if alert_filtering.needs_home(wanted) else {}
    return [
        AlertEvent(**_placed(context, event), kind=alerts.AlertEventKind(event.kind), alert=alert_of(alert))
        for event, alert in zip(events, found, strict=True)
        if alert_filtering.matches(wanted, alert, _at(homes, alert.service_id))
    ]


async def _incidents(
    context: Context, wanted: incidents.IncidentFilter, events: Sequence[LoggedEvent]
) -> list[IncidentEvent]:
    found = [incident_from(event.facts) for event in events]
    homes: dict[UUID, Home] = {}
    names: dict[UUID, str] = {}
    if incident_filtering.needs_home(wanted):
        homes = await _homes(context, [incident.service_id for incident in found])
    if incident_filtering.needs_assignee(wanted):
        names = await _names(context, [incident.assignee_id for incident in found])
    return [
        IncidentEvent(
            **_placed(context, event), kind=incidents.IncidentEventKind(event.kind), incident=incident_of(incident)
        )
        for event, incident in zip(events, found, strict=True)
        if incident_filtering.matches(
            wanted, incident, _at(homes, incident.service_id), _at(names, incident.assignee_id)
        )
    ]


async def _health(
    context: Context, names: Collection[str] | None, events: Sequence[LoggedEvent]
) -> list[ServiceHealthEvent]:
    return [
        ServiceHealthEvent(
            **_placed(context, event),
            service_key=event.subject_id,
            previous=HealthStatus(event.facts["previous"]),
            current=HealthStatus(event.facts["current"]),
        )
        for event in await _of_services(context, names, events)
    ]


async def _readiness(
    context: Context, names: Collection[str] | None, events: Sequence[LoggedEvent]
) -> list[ReadinessEvent]:
    return [
        ReadinessEvent(
            **_placed(context, event),
            service_key=event.subject_id,
            verdict_key=UUID(event.facts["verdict_id"]),
            kind=ReadinessEventKind(event.kind),
            decision=ReadinessDecision(event.facts["decision"]),
            effective_decision=ReadinessDecision(event.facts["effective"]),
            previous_decision=event.facts["previous"] and ReadinessDecision(event.facts["previous"]),
        )
        for event in await _of_services(context, names, events)
    ]


async def _of_services(
    context: Context, names: Collection[str] | None, events: Sequence[LoggedEvent]
) -> Sequence[LoggedEvent]:
    if names is None:
        return events
    keys = {name_key(name) for name in names}
    homes = await _homes(context, [event.subject_id for event in events])
    return [event for event in events if event.subject_id in homes and homes[event.subject_id].service in keys]


def _placed(context: Context, event: LoggedEvent) -> dict[str, Any]:
    cursor = _feed(context).cursor_of(event.position)
    return {"position": event.position, "cursor": cursor, "at": event.recorded_at}


async def _homes(context: Context, ids: Collection[UUID | None]) -> dict[UUID, Home]:
    # A connection of its own, given back at once: the context's would be kept for as long as the feed is followed.
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    async with context.database.reading() as session:
        return await homes_by_id(session, wanted)


async def _names(context: Context, ids: Collection[UUID | None]) -> dict[UUID, str]:
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    async with context.database.reading() as session:
        return {key: user.name for key, user in (await access.users_by_id(session, wanted)).items()}


def _at(found: Mapping[UUID, FoundT], key: UUID | None) -> FoundT | None:
    return None if key is None else found.get(key)
