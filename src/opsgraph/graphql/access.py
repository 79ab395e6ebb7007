"""Keys and the audit log, for admins."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from opsgraph.domains.access import model, queries
from opsgraph.domains.access.rules import require
from opsgraph.domains.catalog.queries.services import services_by_id
from opsgraph.graphql.connections import After, Connection, First, connect, whole_list
from opsgraph.graphql.context import Context
from opsgraph.graphql.edges import edge
from opsgraph.graphql.nodes import Node, finds
from opsgraph.graphql.rights import query
from opsgraph.graphql.scalars import JSON
from opsgraph.kernel.actor import Role
from opsgraph.kernel.pages import page_request


async def _service_names(context: Context, keys: Collection[UUID]) -> Mapping[UUID, str]:
    async with context.reading() as session:
        found = await services_by_id(session, keys)
    return {key: service.name for key, service in found.items()}


@strawberry.type(description="A key: whoever presents its secret acts under its name, with its roles.")
class ApiKey(Node):
    """A key."""

    service_id: strawberry.Private[UUID | None]
    name: str = strawberry.field(description="Unique, without case, for good: history names it.")
    roles: list[Role] = strawberry.field(description="The roles that were granted; some bring others with them.")
    created_at: datetime = strawberry.field(description="When it was made.")
    created_by: str = strawberry.field(description="Who made it.")
    last_used_at: datetime | None = strawberry.field(description="When it was presented last, to the minute.")
    revoked_at: datetime | None = strawberry.field(description="Since when it is refused, once it was revoked.")
    prefix: str = strawberry.field(description="How the secret begins, to find the key that one has in hand.")
    expires_at: datetime | None = strawberry.field(description="From when on it is refused, if it expires.")
    service: str | None = edge(
        _service_names, key="service_id", description="The one service about which it may post facts; null for any."
    )


@strawberry.type(
    description="An act that needs a right: done, refused or denied. Kept for 400 days unless set otherwise."
)
class AuditEntry(Node):
    """An entry of the audit log."""

    at: datetime = strawberry.field(description="When.")
    actor: str = strawberry.field(description="Who, by name.")
    action: str = strawberry.field(description="What: the field of the API, or what was asked for in other ways.")
    allowed: bool = strawberry.field(description="Whether it was done.")
    detail: JSON = strawberry.field(
        description="What was asked for; `code` and `message` say why not, where it was not done."
    )
    address: str | None = strawberry.field(
        description="The network address that it came from; null for a command on the database."
    )


def key_of(value: model.ApiKey) -> ApiKey:
    """A key as the schema has it."""
    return ApiKey(
        key=value.id,
        service_id=value.service_id,
        name=value.name,
        roles=list(value.roles),
        created_at=value.created_at,
        created_by=value.created_by,
        last_used_at=value.last_used_at,
        revoked_at=value.revoked_at,
        prefix=value.prefix,
        expires_at=value.expires_at,
    )


def entry_of(value: model.AuditEntry) -> AuditEntry:
    """An entry of the audit log as the schema has it."""
    return AuditEntry(
        key=value.id,
        at=value.at,
        actor=value.actor,
        action=value.action,
        allowed=value.allowed,
        detail=JSON(value.detail),
        address=value.address,
    )


@finds("ApiKey")
async def _find_keys(context: Context, keys: Collection[UUID]) -> Mapping[UUID, ApiKey]:
    require(context.actor, {Role.ADMIN}, "reading keys")  # whoever may read finds nodes, and ids are no secret
    async with context.reading() as session:
        found = await queries.keys_by_id(session, keys)
    return {key: key_of(value) for key, value in found.items()}


@finds("AuditEntry")
async def _find_entries(context: Context, keys: Collection[UUID]) -> Mapping[UUID, AuditEntry]:
    require(context.actor, {Role.ADMIN}, "reading the audit log")
    async with context.reading() as session:
        found = await queries.entries_by_id(session, keys)
    return {key: entry_of(value) for key, value in found.items()}


KEYS = whole_list("API keys", queries.keys_page, queries.count_keys, lambda row: key_of(queries.key_of(row)))
ENTRIES = whole_list(
    "audit entries", queries.entries_page, queries.count_entries, lambda row: entry_of(queries.entry_of(row))
)


@strawberry.type
class AccessQueries:
    """What can be asked about who may do what, and who did."""

    @query(Role.ADMIN, description="Keys, newest first, those that are good no more included.")
    async def api_keys(
        self,
        info: strawberry.Info[Context, None],  # noqa: ARG002 - every root field takes it
        first: First = None,
        after: After = None,
    ) -> Connection[ApiKey]:
        """A page of keys."""
        return connect(KEYS, None, page_request(KEYS.order, first, after))

    @query(Role.ADMIN, description="The audit log, newest first.")
    async def audit_log(
        self,
        info: strawberry.Info[Context, None],  # noqa: ARG002 - every root field takes it
        first: First = None,
        after: After = None,
        actor: Annotated[str | None, strawberry.argument(description="Only of this actor, by name.")] = None,
        since: Annotated[datetime | None, strawberry.argument(description="Only of then or later.")] = None,
    ) -> Connection[AuditEntry]:
        """A page of the audit log."""
        return connect(ENTRIES, None, page_request(ENTRIES.order, first, after), (actor, since))
