"""Reads of the catalog domain, batched by default."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.access import queries as access
from opsgraph.domains.catalog.model import (
    Deployment,
    DeploymentOutcome,
    Lifecycle,
    Link,
    Service,
    ServiceFilter,
    ServiceOrder,
    Team,
)
from opsgraph.domains.catalog.tables import (
    dependencies,
    deployments,
    memberships,
    service_links,
    service_tags,
    services,
    teams,
)
from opsgraph.kernel.pages import Page, PageRequest
from opsgraph.kernel.refusals import NotFound
from opsgraph.kernel.text import name_key, shown
from opsgraph.storage.keyset import Sort, page_of, pages_by_parent
from opsgraph.storage.origins import origins_by_name
from opsgraph.storage.rows import AnyRow, AnySelect

_SERVICE = (
    services.c.id,
    services.c.name,
    services.c.title,
    services.c.description,
    services.c.tier,
    services.c.lifecycle,
    services.c.team_id,
    services.c.archived_at,
)
_TEAM = (teams.c.id, teams.c.name, teams.c.title)
_DEPLOYMENT = (
    deployments.c.id,
    deployments.c.service_id,
    deployments.c.version,
    deployments.c.environment,
    deployments.c.committed_at,
    deployments.c.deployed_at,
    deployments.c.outcome,
    deployments.c.rework,
)
BY_NAME = (Sort(services.c.name_key),)
BY_TIER = (Sort(services.c.tier), Sort(services.c.name_key))
NEWEST_DEPLOYMENT = (Sort(deployments.c.deployed_at, descending=True), Sort(deployments.c.id, descending=True))


@dataclass(frozen=True, slots=True)
class Rank:
    """An order of services by something that a higher domain knows.

    Attributes:
        source: has one row a service, with a column `service_id`.
        sorts: columns of it to sort by; the service's name breaks ties.
    """

    source: FromClause
    sorts: Sequence[Sort]


def service_of(row: AnyRow) -> Service:
    """Read a service from a row that has its columns."""
    return Service(
        row.id, row.name, row.title, row.description, row.tier, Lifecycle(row.lifecycle), row.team_id, row.archived_at
    )


def team_of(row: AnyRow) -> Team:
    """Read a team from a row that has its columns."""
    return Team(row.id, row.name, row.title)


def deployment_of(row: AnyRow) -> Deployment:
    """Read a deployment from a row that has its columns."""
    return Deployment(
        row.id,
        row.service_id,
        row.version,
        row.environment,
        row.committed_at,
        row.deployed_at,
        DeploymentOutcome(row.outcome),
        row.rework,
    )


async def service_by_name(session: AsyncConnection, name: str) -> Service | None:
    """The service of that name, whatever its case, archived or not."""
    row = (await session.execute(select(*_SERVICE).where(services.c.name_key == name_key(name)))).one_or_none()
    return service_of(row) if row else None


async def require_service(session: AsyncConnection, name: str, field: str = "service") -> Service:
    """The service of that name, archived or not.

    Raises:
        NotFound: there is none; names the field it was asked by.
    """
    service = await service_by_name(session, name)
    if service is None:
        raise NotFound(f"there is no service called {shown(name)}", field)
    return service


async def services_by_id(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Service]:
    """Services by id, archived ones included; ids of nothing are absent."""
    rows = await session.execute(select(*_SERVICE).where(services.c.id.in_(ids)))
    return {row.id: service_of(row) for row in rows}


async def services_by_name(session: AsyncConnection, names: Collection[str]) -> dict[str, Service]:
    """Services by `name_key`, archived ones included; names of nothing are absent."""
    keys = {name_key(name) for name in names}
    rows = await session.execute(select(*_SERVICE).where(services.c.name_key.in_(keys)))
    return {name_key(row.name): service_of(row) for row in rows}


async def service_by_origin(session: AsyncConnection, origin: str) -> Service | None:
    """The service that was imported from this entity."""
    row = (await session.execute(select(*_SERVICE).where(services.c.origin == origin))).one_or_none()
    return service_of(row) if row else None


async def service_origins(
    session: AsyncConnection, names: Collection[str], origins: Collection[str]
) -> dict[str, str | None]:
    """The origin, or None, of each service that has one of the names or one of the origins, by name."""
    return await origins_by_name(session, services, names, origins)


async def services_page(
    session: AsyncConnection,
    wanted: ServiceFilter,
    request: PageRequest,
    order: ServiceOrder | Rank = ServiceOrder.NAME,
    among: Sequence[AnySelect] = (),
) -> Page[AnyRow]:
    """A page of services.

    Args:
        session: the connection.
        wanted: the catalog's own conditions.
        request: the page.
        order: one of the catalog's own, or a rank by another domain.
        among: selects of service ids by other domains; a service must be in each.
    """
    query = select(*_SERVICE).where(*_conditions(wanted), *_memberships(among))
    if isinstance(order, Rank):
        query = query.join(order.source, order.source.c.service_id == services.c.id)
        return await page_of(session, query, (*order.sorts, *BY_NAME), request)
    return await page_of(session, query, BY_TIER if order is ServiceOrder.TIER else BY_NAME, request)


async def count_services(session: AsyncConnection, wanted: ServiceFilter, among: Sequence[AnySelect] = ()) -> int:
    """How many services a filter finds."""
    query = select(func.count()).select_from(services).where(*_conditions(wanted), *_memberships(among))
    return (await session.execute(query)).scalar_one()


async def services_by_team(
    session: AsyncConnection, team_ids: Collection[UUID], request: PageRequest
) -> dict[UUID, Page[AnyRow]]:
    """The same page of each team's services by name; archived ones are left out."""
    query = select(*_SERVICE).where(services.c.team_id.in_(team_ids), services.c.archived_at.is_(None))
    return await pages_by_parent(session, query, services.c.team_id, BY_NAME, request)


async def count_by_team(session: AsyncConnection, team_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many services each team has that are not archived."""
    return await _counts(
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


async def team_by_name(session: AsyncConnection, name: str) -> Team | None:
    """The team of that name, whatever its case."""
    row = (await session.execute(select(*_TEAM).where(teams.c.name_key == name_key(name)))).one_or_none()
    return team_of(row) if row else None


async def team_origins(
    session: AsyncConnection, names: Collection[str], origins: Collection[str]
) -> dict[str, str | None]:
    """The origin, or None, of each team that has one of the names or one of the origins, by name."""
    return await origins_by_name(session, teams, names, origins)


async def teams_by_id(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Team]:
    """Teams by id; ids of nothing are absent."""
    return {row.id: team_of(row) for row in await session.execute(select(*_TEAM).where(teams.c.id.in_(ids)))}


async def teams_page(session: AsyncConnection, request: PageRequest) -> Page[AnyRow]:
    """A page of all teams by name."""
    return await page_of(session, select(*_TEAM), (Sort(teams.c.name_key),), request)


async def count_teams(session: AsyncConnection) -> int:
    """How many teams there are."""
    return (await session.execute(select(func.count()).select_from(teams))).scalar_one()


async def members_by_team(
    session: AsyncConnection, team_ids: Collection[UUID], request: PageRequest
) -> dict[UUID, Page[AnyRow]]:
    """The same page of each team's members by name."""
    query = access.user_rows().join(memberships, memberships.c.user_id == access.user_id_column())
    narrowed = query.where(memberships.c.team_id.in_(team_ids))
    return await pages_by_parent(session, narrowed, memberships.c.team_id, access.sorted_by_name(), request)


async def count_members(session: AsyncConnection, team_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many members each team has."""
    return await _counts(session, memberships.c.team_id, memberships.c.team_id.in_(team_ids))


async def teams_by_user(session: AsyncConnection, user_ids: Collection[UUID]) -> dict[UUID, list[Team]]:
    """The teams of each user who has any, by name."""
    query = select(*_TEAM, memberships.c.user_id).join(memberships, memberships.c.team_id == teams.c.id)
    found: dict[UUID, list[Team]] = {}
    for row in await session.execute(query.where(memberships.c.user_id.in_(user_ids)).order_by(teams.c.name_key)):
        found.setdefault(row.user_id, []).append(team_of(row))
    return found


async def deployments_by_id(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Deployment]:
    """Deployments by id; ids of nothing are absent."""
    rows = await session.execute(select(*_DEPLOYMENT).where(deployments.c.id.in_(ids)))
    return {row.id: deployment_of(row) for row in rows}


async def deployments_by_service(
    session: AsyncConnection, ids: Collection[UUID], request: PageRequest
) -> dict[UUID, Page[AnyRow]]:
    """The same page of each service's deployments, newest first."""
    query = select(*_DEPLOYMENT).where(deployments.c.service_id.in_(ids))
    return await pages_by_parent(session, query, deployments.c.service_id, NEWEST_DEPLOYMENT, request)


async def count_deployments(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, int]:
    """How many deployments each service ever had."""
    return await _counts(session, deployments.c.service_id, deployments.c.service_id.in_(ids))


async def deployments_since(
    session: AsyncConnection, ids: Collection[UUID], environments: Collection[str], since: datetime, until: datetime
) -> dict[UUID, list[Deployment]]:
    """Every deployment of each service to one of the environments in (since, until], oldest first."""
    query = select(*_DEPLOYMENT).where(
        deployments.c.service_id.in_(ids),
        deployments.c.environment.in_(environments),
        deployments.c.deployed_at > since,
        deployments.c.deployed_at <= until,
    )
    found: dict[UUID, list[Deployment]] = {}
    for row in await session.execute(query.order_by(deployments.c.deployed_at, deployments.c.id)):
        found.setdefault(row.service_id, []).append(deployment_of(row))
    return found


def service_ids() -> AnySelect:
    """A select of the ids of all services that are not archived, for other domains to join."""
    return select(services.c.id.label("service_id")).where(services.c.archived_at.is_(None))


def named_services() -> AnySelect:
    """A select of id, name and team name of all services that are not archived, for other domains to join."""
    columns = (services.c.id.label("service_id"), services.c.name, services.c.name_key, teams.c.name.label("team"))
    query = select(*columns).select_from(services.outerjoin(teams, teams.c.id == services.c.team_id))
    return query.where(services.c.archived_at.is_(None))


def _conditions(wanted: ServiceFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        services.c.archived_at.is_not(None) if wanted.archived else services.c.archived_at.is_(None)
    ]
    if wanted.names is not None:
        conditions.append(services.c.name_key.in_([name_key(name) for name in wanted.names]))
    if wanted.teams is not None:
        named = select(teams.c.id).where(teams.c.name_key.in_([name_key(name) for name in wanted.teams]))
        conditions.append(services.c.team_id.in_(named))
    if wanted.tiers is not None:
        conditions.append(services.c.tier.in_(wanted.tiers))
    if wanted.tags is not None:
        tagged = select(service_tags.c.service_id).where(service_tags.c.tag.in_(wanted.tags))
        conditions.append(services.c.id.in_(tagged))
    if wanted.lifecycles is not None:
        conditions.append(services.c.lifecycle.in_([lifecycle.value for lifecycle in wanted.lifecycles]))
    if wanted.search:
        conditions.append(_mentions(wanted.search))
    return conditions


def _mentions(text: str) -> ColumnElement[bool]:
    """Name, title or description contain the text, without case."""
    columns = (services.c.name_key, services.c.title, services.c.description)
    return or_(*(column.icontains(text, autoescape=True) for column in columns))


def _memberships(among: Sequence[AnySelect]) -> list[ColumnElement[bool]]:
    return [services.c.id.in_(ids) for ids in among]


async def _neighbours(
    session: AsyncConnection,
    near: ColumnElement[UUID],
    far: ColumnElement[UUID],
    ids: Collection[UUID],
    request: PageRequest,
) -> dict[UUID, Page[AnyRow]]:
    query = select(*_SERVICE).join(dependencies, far == services.c.id)
    return await pages_by_parent(
        session, query.where(near.in_(ids), services.c.archived_at.is_(None)), near, BY_NAME, request
    )


async def _count_neighbours(
    session: AsyncConnection, near: ColumnElement[UUID], far: ColumnElement[UUID], ids: Collection[UUID]
) -> dict[UUID, int]:
    query = select(near, func.count()).join(services, far == services.c.id)
    query = query.where(near.in_(ids), services.c.archived_at.is_(None)).group_by(near)
    return {row[0]: row[1] for row in await session.execute(query)}


async def _counts(
    session: AsyncConnection, by: ColumnElement[Any], *conditions: ColumnElement[bool]
) -> dict[UUID, int]:
    query = select(by, func.count()).where(*conditions).group_by(by)
    return {row[0]: row[1] for row in await session.execute(query)}
