"""Incidents, with their notes and timelines."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.catalog.queries import relations as catalog_relations
from opsgraph.domains.catalog.queries.services import service_of as read_service
from opsgraph.domains.incidents import model
from opsgraph.domains.incidents.queries import incidents as incident_queries
from opsgraph.domains.incidents.queries import notes, timelines
from opsgraph.domains.incidents.rules.transitions import ALLOWED
from opsgraph.graphql.alerts import ALERTS_OF_INCIDENT, Alert
from opsgraph.graphql.connections import Connection, forward, of_parents
from opsgraph.graphql.context import Context
from opsgraph.graphql.nodes import Node, finds, global_id, shown_as, to_node
from opsgraph.graphql.scalars import JSON
from opsgraph.kernel.pages import Page, PageRequest
from opsgraph.storage.rows import AnyRow

if TYPE_CHECKING:
    from opsgraph.graphql.catalog import Service
    from opsgraph.graphql.teams import User

_Service = Annotated["Service", strawberry.lazy("opsgraph.graphql.catalog")]
_User = Annotated["User", strawberry.lazy("opsgraph.graphql.teams")]

MTTA_TARGET = "Good under 5 minutes, bad over 30."
MTTR_TARGET = "Of a CRITICAL one: good under 1 hour, bad over 4."


@strawberry.type(description="What someone wrote about an incident; never changed.")
class IncidentNote(Node):
    """A note."""

    author: str = strawberry.field(description="Who wrote it.")
    content: str = strawberry.field(description="What they wrote: 1 to 10,000 characters.")
    created_at: datetime = strawberry.field(description="When they wrote it.")


@strawberry.type(description="Something that happened to an incident; never changed.")
class TimelineEntry(Node):
    """An entry of a timeline."""

    type: model.TimelineEntryType = strawberry.field(description="What kind of thing happened.")
    actor: str = strawberry.field(description="Who did it: a person, an integration as integration:NAME, or system.")
    detail: JSON = strawberry.field(description="What exactly, such as from which status to which, or why.")
    created_at: datetime = strawberry.field(description="When it happened.")


def note_of(value: model.Note) -> IncidentNote:
    """A note as the schema has it."""
    return IncidentNote(key=value.id, author=value.author, content=value.content, created_at=value.created_at)


def entry_of(value: model.TimelineEntry) -> TimelineEntry:
    """A timeline entry as the schema has it; its key is its number in the form of an id."""
    return TimelineEntry(
        key=UUID(int=value.id),
        type=value.type,
        actor=value.actor,
        detail=JSON(_shown(value.detail)),
        created_at=value.created_at,
    )


def _shown(detail: Mapping[str, Any]) -> dict[str, Any]:
    """The detail with alerts named by their global ids."""
    named = {"alerts": [global_id("Alert", UUID(id_)) for id_ in detail["alerts"]]} if "alerts" in detail else {}
    return {**detail, **named}


async def _impact(
    session: AsyncConnection, parents: Collection[UUID | None], request: PageRequest
) -> Mapping[UUID, Page[AnyRow]]:
    return await catalog_relations.impacted_by(session, _registered(parents), request)


async def _count_impact(session: AsyncConnection, parents: Collection[UUID | None]) -> Mapping[UUID, int]:
    return await catalog_relations.count_impacted(session, _registered(parents))


def _registered(service_ids: Collection[UUID | None]) -> list[UUID]:
    return [id_ for id_ in service_ids if id_ is not None]


IMPACT = of_parents("impact", _impact, _count_impact, shown_as("Service", read_service))
NOTES = of_parents(
    "notes of an incident", notes.notes_by_incident, notes.count_notes, lambda row: note_of(notes.note_of(row))
)
TIMELINE = of_parents(
    "timeline of an incident",
    timelines.entries_by_incident,
    timelines.count_entries,
    lambda row: entry_of(timelines.entry_of(row)),
)


@strawberry.type(description="What people work on when alerts fire, from its opening to its resolution.")
class Incident(Node):
    """An incident."""

    service_key: strawberry.Private[UUID | None]
    assignee_key: strawberry.Private[UUID | None]
    number: int = strawberry.field(description="A short number for people to say aloud, unique.")
    title: str = strawberry.field(description="What is the matter, in a line.")
    service_name: str = strawberry.field(description="The name of the affected service, as it was when it began.")
    severity: Severity = strawberry.field(description="How bad it is.")
    status: model.IncidentStatus = strawberry.field(description="How far the work on it has come.")
    allowed_transitions: list[model.IncidentStatus] = strawberry.field(
        description="Where it may move from here; what it is already counts as done."
    )
    alert_count: int = strawberry.field(description="How many distinct alerts it has.")
    version: int = strawberry.field(
        description="Raised by each change that somebody makes; `expectedVersion` of a mutation refers to it."
    )
    source: str | None = strawberry.field(
        description="Where it came from: the kind of source of the alert that opened it, or manual."
    )
    created_at: datetime = strawberry.field(description="When it was opened.")
    updated_at: datetime = strawberry.field(description="When something about it changed last.")
    acknowledged_at: datetime | None = strawberry.field(description="When someone first took it on.")
    resolved_at: datetime | None = strawberry.field(description="When it was resolved.")
    mtta_seconds: float | None = strawberry.field(
        description=f"Seconds from its creation until someone took it on, or resolved it at once. {MTTA_TARGET}"
    )
    mttr_seconds: float | None = strawberry.field(
        description=f"Seconds from its creation to its resolution. {MTTR_TARGET}"
    )
    service: _Service | None = to_node(
        "Service", key="service_key", description="The affected service; null if none of that name is registered."
    )
    assignee: _User | None = to_node("User", key="assignee_key", description="Who works on it; null if nobody does.")
    alerts: Connection[Alert] = forward(ALERTS_OF_INCIDENT, description="Its alerts, newest first.")
    notes: Connection[IncidentNote] = forward(NOTES, description="What people wrote about it, oldest first.")
    timeline: Connection[TimelineEntry] = forward(TIMELINE, description="What happened to it, oldest first.")
    impact: Connection[_Service] = forward(
        IMPACT,
        key="service_key",
        description="The services that depend on the affected one, directly or through others, by name.",
    )


def incident_of(value: model.Incident) -> Incident:
    """An incident as the schema has it."""
    return Incident(
        key=value.id,
        service_key=value.service_id,
        assignee_key=value.assignee_id,
        number=value.number,
        title=value.title,
        service_name=value.service_name,
        severity=value.severity,
        status=value.status,
        allowed_transitions=list(ALLOWED[value.status]),
        alert_count=value.alert_count,
        version=value.version,
        source=value.source,
        created_at=value.created_at,
        updated_at=value.updated_at,
        acknowledged_at=value.acknowledged_at,
        resolved_at=value.resolved_at,
        mtta_seconds=value.mtta_seconds,
        mttr_seconds=value.mttr_seconds,
    )


@finds("Incident")
async def _find_incidents(context: Context, keys: Collection[UUID]) -> Mapping[UUID, Incident]:
    async with context.reading() as session:
        found = await incident_queries.incidents_by_id(session, keys)
    return {key: incident_of(value) for key, value in found.items()}


@finds("IncidentNote")
async def _find_notes(context: Context, keys: Collection[UUID]) -> Mapping[UUID, IncidentNote]:
    async with context.reading() as session:
        found = await notes.notes_by_id(session, keys)
    return {key: note_of(value) for key, value in found.items()}


@finds("TimelineEntry")
async def _find_entries(context: Context, keys: Collection[UUID]) -> Mapping[UUID, TimelineEntry]:
    ids = [key.int for key in keys if key.int < _FIRST_BEYOND]
    async with context.reading() as session:
        found = await timelines.entries_by_id(session, ids)
    return {UUID(int=id_): entry_of(value) for id_, value in found.items()}


_FIRST_BEYOND = 2**63
"""No database counts entries that far."""
