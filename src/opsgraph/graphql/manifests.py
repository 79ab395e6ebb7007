"""What services declare about themselves, every snapshot of it, and how two of them differ."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from opsgraph.domains.readiness.model.manifests import Declaration
from opsgraph.domains.readiness.queries import manifests as queries
from opsgraph.domains.readiness.rules import manifests as rules
from opsgraph.graphql.connections import of_parents
from opsgraph.graphql.context import Context
from opsgraph.graphql.edges import edge
from opsgraph.graphql.nodes import Node, finds, key_of, to_node
from opsgraph.graphql.rights import query
from opsgraph.graphql.scalars import JSON
from opsgraph.kernel.refusals import NotFound

if TYPE_CHECKING:
    from opsgraph.graphql.catalog import Service

_Service = Annotated["Service", strawberry.lazy("opsgraph.graphql.catalog")]


@strawberry.type(description="A difference between two snapshots.")
class ManifestChange:
    """A difference."""

    path: str = strawberry.field(description="The name of the field; for those in maps, the names that lead there.")
    before: JSON | None = strawberry.field(description="Its value in the earlier one; null if it had none.")
    after: JSON | None = strawberry.field(description="Its value in the later one; null if it has none.")


async def _changes(context: Context, keys: Collection[UUID]) -> Mapping[UUID, list[ManifestChange]]:
    async with context.reading() as session:
        found = await queries.with_predecessors(session, keys)
    return {key: _differences(before.values if before else {}, after.values) for key, (before, after) in found.items()}


@strawberry.type(description="What a service declared about itself; never changed: the next one takes its place.")
class ServiceManifest(Node):
    """A snapshot of what a service declared."""

    service_key: strawberry.Private[UUID]
    values: JSON = strawberry.field(description="What was declared, by field; free ones are under `custom`.")
    declared_by: str = strawberry.field(description="Who did.")
    declared_at: datetime = strawberry.field(description="When.")
    changes: list[ManifestChange] = edge(_changes, key="key", description="What differs from the snapshot before it.")
    service: _Service = to_node("Service", key="service_key", description="Whose it is.")


def manifest_of(value: Declaration) -> ServiceManifest:
    """A snapshot as the schema has it."""
    return ServiceManifest(
        key=value.id,
        service_key=value.service_id,
        values=JSON(value.values),
        declared_by=value.declared_by,
        declared_at=value.declared_at,
    )


def _differences(before: Mapping[str, object], after: Mapping[str, object]) -> list[ManifestChange]:
    return [
        ManifestChange(path=found.path, before=JSON(found.before), after=JSON(found.after))
        for found in rules.differences(before, after)
    ]


@finds("ServiceManifest")
async def _find_manifests(context: Context, keys: Collection[UUID]) -> Mapping[UUID, ServiceManifest]:
    async with context.reading() as session:
        found = await queries.declarations_by_id(session, keys)
    return {key: manifest_of(value) for key, value in found.items()}


async def load_manifests(context: Context, keys: Collection[UUID]) -> Mapping[UUID, ServiceManifest]:
    """The newest declarations of services."""
    async with context.reading() as session:
        found = await queries.declarations_by_service(session, keys)
    return {key: manifest_of(value) for key, value in found.items()}


MANIFESTS_OF_SERVICE = of_parents(
    "manifests of a service",
    queries.manifests_by_service,
    queries.count_by_service,
    lambda row: manifest_of(queries.declaration_of(row)),
)


@strawberry.type
class ManifestQueries:
    """What can be asked about manifests."""

    @query(description="What services can declare, as a JSON Schema of the values that `declareManifest` takes.")
    async def manifest_schema(self, info: strawberry.Info[Context, None]) -> JSON:  # noqa: ARG002 - every root field takes it
        """The published schema."""
        return JSON(rules.json_schema())

    @query(description="How one snapshot differs from another; null if either is not there.")
    async def manifest_diff(
        self,
        info: strawberry.Info[Context, None],
        earlier: Annotated[strawberry.ID, strawberry.argument(name="from", description="The global id of one.")],
        later: Annotated[strawberry.ID, strawberry.argument(name="to", description="The global id of the other.")],
    ) -> list[ManifestChange] | None:
        """The differences between two snapshots."""
        try:
            keys = [key_of("ServiceManifest", earlier, "from"), key_of("ServiceManifest", later, "to")]
        except NotFound:
            return None
        async with info.context.reading() as session:
            found = await queries.declarations_by_id(session, keys)
        if len(found) < len(set(keys)):
            return None
        return _differences(found[keys[0]].values, found[keys[1]].values)
