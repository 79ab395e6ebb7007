"""Silences and maintenance windows."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from opsgraph.domains.alerts import model
from opsgraph.domains.alerts.queries import silences as queries
from opsgraph.domains.alerts.rules.silencing import in_force
from opsgraph.graphql.connections import After, Connection, First, connect, whole_list
from opsgraph.graphql.context import Context
from opsgraph.graphql.nodes import Node, finds
from opsgraph.graphql.rights import query
from opsgraph.kernel.pages import page_request


@strawberry.type(description="A condition on one label of an alert; a label that is absent counts as empty.")
class Matcher:
    """A condition on one label."""

    label: str = strawberry.field(description="The name of the label.")
    value: str = strawberry.field(description="What its value is, or a regular expression for it.")
    regex: bool = strawberry.field(
        description="Whether `value` is a regular expression in RE2's syntax, which matches the whole value."
    )
    negative: bool = strawberry.field(description="Whether the value must not be that.")


def _is_in_force(root: Any, info: strawberry.Info[Context, None]) -> bool:
    return in_force(root.value, info.context.now)


@strawberry.type(description="Alerts that fulfil every matcher are stored without an incident while it is in force.")
class Silence(Node):
    """A silence."""

    value: strawberry.Private[model.Silence]
    matchers: list[Matcher] = strawberry.field(
        description="What an alert's labels fulfil; `service` and `severity` are added where they are absent."
    )
    reason: str = strawberry.field(description="Why it is quiet.")
    created_by: str = strawberry.field(description="Who made it.")
    starts_at: datetime = strawberry.field(description="When it begins.")
    ends_at: datetime = strawberry.field(description="When it ends.")
    active: bool = strawberry.field(resolver=_is_in_force, description="Whether it is in force now.")


@strawberry.type(
    description="Planned work: alerts of its services, and those that fulfil every matcher, make no incident."
)
class MaintenanceWindow(Node):
    """A maintenance window."""

    value: strawberry.Private[model.MaintenanceWindow]
    services: list[str] = strawberry.field(description="The names of the services that are worked on.")
    matchers: list[Matcher] = strawberry.field(
        description="What the labels of other alerts fulfil that it means; none if this is empty."
    )
    reason: str = strawberry.field(description="What is done.")
    starts_at: datetime = strawberry.field(description="When it begins.")
    ends_at: datetime = strawberry.field(description="When it ends.")
    created_by: str = strawberry.field(description="Who made it.")
    exclude_from_slos: bool = strawberry.field(
        description="Whether its time is meant to be left out of the SLOs of its services."
    )
    active: bool = strawberry.field(resolver=_is_in_force, description="Whether it is in force now.")


def silence_of(value: model.Silence) -> Silence:
    """A silence as the schema has it."""
    return Silence(
        key=value.id,
        value=value,
        matchers=_matchers(value.matchers),
        reason=value.reason,
        created_by=value.created_by,
        starts_at=value.starts_at,
        ends_at=value.ends_at,
    )


def window_of(value: model.MaintenanceWindow) -> MaintenanceWindow:
    """A maintenance window as the schema has it."""
    return MaintenanceWindow(
        key=value.id,
        value=value,
        services=list(value.services),
        matchers=_matchers(value.matchers),
        reason=value.reason,
        starts_at=value.starts_at,
        ends_at=value.ends_at,
        created_by=value.created_by,
        exclude_from_slos=value.exclude_from_slos,
    )


def _matchers(values: Sequence[model.Matcher]) -> list[Matcher]:
    return [Matcher(label=m.label, value=m.value, regex=m.regex, negative=m.negative) for m in values]


@finds("Silence")
async def _find_silences(context: Context, keys: Collection[UUID]) -> Mapping[UUID, Silence]:
    async with context.reading() as session:
        found = await queries.silences_by_id(session, keys)
    return {key: silence_of(value) for key, value in found.items()}


@finds("MaintenanceWindow")
async def _find_windows(context: Context, keys: Collection[UUID]) -> Mapping[UUID, MaintenanceWindow]:
    async with context.reading() as session:
        found = await queries.windows_by_id(session, keys)
    return {key: window_of(value) for key, value in found.items()}


SILENCES = whole_list("silences", queries.silences_page, queries.count_silences, silence_of)
WINDOWS = whole_list("maintenance windows", queries.windows_page, queries.count_windows, window_of)
Active = Annotated[
    bool | None, strawberry.argument(description="Only those in force, or only the others; all if left out.")
]


@strawberry.type
class SilenceQueries:
    """What can be asked about silences and maintenance windows."""

    @query(description="Silences, newest first.")
    async def silences(
        self, info: strawberry.Info[Context, None], first: First = None, after: After = None, active: Active = None
    ) -> Connection[Silence]:
        """A page of silences."""
        return connect(SILENCES, None, page_request(SILENCES.order, first, after), (active, info.context.now))

    @query(description="Maintenance windows, newest first.")
    async def maintenance_windows(
        self, info: strawberry.Info[Context, None], first: First = None, after: After = None, active: Active = None
    ) -> Connection[MaintenanceWindow]:
        """A page of maintenance windows."""
        return connect(WINDOWS, None, page_request(WINDOWS.order, first, after), (active, info.context.now))
