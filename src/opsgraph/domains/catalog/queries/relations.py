"""Reads of what hangs on services: teams' services, dependencies both ways, tags and links."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.catalog.model import (
    Link,
)
from opsgraph.domains.catalog.queries.services import BY_NAME, service_rows
from opsgraph.domains.catalog.tables import (
    dependencies,
    service_links,
    service_tags,
    services,
)
from opsgraph.kernel.pages import Page, PageRequest
from opsgraph.storage.counting import count_by
from opsgraph.storage.keyset import ranked_pages_by_parent
from opsgraph.storage.rows import AnyRow


async def services_by_team(
    session: AsyncConnection, team_ids: Collection[UUID], request: PageRequest
) -> dict[UUID, Page[AnyRow]]:
    """The same page of each team's services by name; archived ones are left out."""
    query = service_rows().where(services.c.team_id.in_(team_ids), services.c.archived_at.is_(None))
    return await ranked_pages_by_parent(session, query, services.c.team_id, BY_NAME, request)


async def count_by_team(session: AsyncConnection, team_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many services each team has that are not archived."""
    return await count_by(
        session, services.c.team_id, services.c.team_id.in_(team_ids), services.c.archived_at.is_(None)
    )


async def dependencies_of(
    session: AsyncConnection, ids: Collection[UUID], request: PageRequest
) -> dict[UUID, Page[AnyRow]]:
    """The same page of what each service depends on, by name; archived ones are left out."""
    return await _neighbours(session, dependencies.c.service_id, dependencies.c.depends_on_id, ids, request)


async def dependents_of(
    session: AsyncConnection, ids: Collection[UUID], request: PageRequest
) -> dict[UUID, Page[AnyRow]]:
    """The same page of what depends on each service, by name; archived ones are left out."""
    return await _neighbours(session, dependencies.c.depends_on_id, dependencies.c.service_id, ids, request)


async def count_dependencies(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, int]:
    """How many services each service depends on."""
    return await _count_neighbours(session, dependencies.c.service_id, dependencies.c.depends_on_id, ids)


async def count_dependents(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, int]:
    """How many services depend on each service."""
    return await _count_neighbours(session, dependencies.c.depends_on_id, dependencies.c.service_id, ids)


async def impacted_by(
    session: AsyncConnection, ids: Collection[UUID], request: PageRequest
) -> dict[UUID, Page[AnyRow]]:
    """The same page of what depends on each service, directly or through others, by name, itself left out.

    Archived ones are left out, and so is what depends on a service through them alone. Cycles do no harm.
    """
    reached = _reached(ids)
    query = service_rows().join(reached, reached.c.service_id == services.c.id).where(_is_another(reached))
    return await ranked_pages_by_parent(session, query, reached.c.root_id, BY_NAME, request)


async def count_impacted(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, int]:
    """How many services depend on each service, directly or through others."""
    reached = _reached(ids)
    return await count_by(session, reached.c.root_id, _is_another(reached))


async def dependency_names(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """The names of all that each service depends on, archived ones included, by name; absent where there is nothing."""
    query = select(dependencies.c.service_id, services.c.name).join(
        services, dependencies.c.depends_on_id == services.c.id
    )
    found: dict[UUID, list[str]] = {}
    for row in await session.execute(query.where(dependencies.c.service_id.in_(ids)).order_by(services.c.name_key)):
        found.setdefault(row.service_id, []).append(row.name)
    return found


async def tags_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """The tags of each service that has any, in their order."""
    query = select(service_tags).where(service_tags.c.service_id.in_(ids))
    found: dict[UUID, list[str]] = {}
    for row in await session.execute(query.order_by(service_tags.c.service_id, service_tags.c.position)):
        found.setdefault(row.service_id, []).append(row.tag)
    return found


async def links_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, list[Link]]:
    """The links of each service that has any, in their order."""
    query = select(service_links).where(service_links.c.service_id.in_(ids))
    found: dict[UUID, list[Link]] = {}
    for row in await session.execute(query.order_by(service_links.c.service_id, service_links.c.position)):
        found.setdefault(row.service_id, []).append(Link(row.title, row.url))
    return found


def _reached(ids: Collection[UUID]) -> CTE:
    """Each of these services with every service that is reached from it against the direction of dependencies."""
    step = dependencies.join(services, services.c.id == dependencies.c.service_id)
    direct = select(dependencies.c.depends_on_id.label("root_id"), dependencies.c.service_id).select_from(step)
    reached = direct.where(dependencies.c.depends_on_id.in_(ids), services.c.archived_at.is_(None)).cte(
        "reached", recursive=True
    )
    farther = select(reached.c.root_id, dependencies.c.service_id).select_from(
        step.join(reached, reached.c.service_id == dependencies.c.depends_on_id)
    )
    # UNION, not UNION ALL: what was reached already leads nowhere new, which is where a cycle ends.
    return reached.union(farther.where(services.c.archived_at.is_(None)))


def _is_another(reached: CTE) -> ColumnElement[bool]:
    return reached.c.service_id != reached.c.root_id


async def _neighbours(
    session: AsyncConnection,
    near: ColumnElement[UUID],
    far: ColumnElement[UUID],
    ids: Collection[UUID],
    request: PageRequest,
) -> dict[UUID, Page[AnyRow]]:
    query = service_rows().join(dependencies, far == services.c.id)
    return await ranked_pages_by_parent(
        session, query.where(near.in_(ids), services.c.archived_at.is_(None)), near, BY_NAME, request
    )


async def _count_neighbours(
    session: AsyncConnection, near: ColumnElement[UUID], far: ColumnElement[UUID], ids: Collection[UUID]
) -> dict[UUID, int]:
    query = select(near, func.count()).join(services, far == services.c.id)
    query = query.where(near.in_(ids), services.c.archived_at.is_(None)).group_by(near)
    return {row[0]: row[1] for row in await session.execute(query)}
