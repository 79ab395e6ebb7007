"""Reads of services."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.catalog.model import (
    Lifecycle,
    Service,
    ServiceFilter,
    ServiceOrder,
)
from opsgraph.domains.catalog.tables import (
    service_tags,
    services,
    teams,
)
from opsgraph.kernel.pages import Page, PageRequest
from opsgraph.kernel.refusals import NotFound
from opsgraph.kernel.text import name_key, shown
from opsgraph.storage.keyset import Sort, page_of
from opsgraph.storage.many import among, among_given
from opsgraph.storage.origins import origins_by_name
from opsgraph.storage.prepared import Prepared
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


BY_NAME = (Sort(services.c.name_key),)


BY_TIER = (Sort(services.c.tier), Sort(services.c.name_key))


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


def service_rows() -> AnySelect:
    """A select of the columns that `service_of` reads, for others to join and narrow."""
    return select(*_SERVICE)


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
    rows = await session.execute(select(*_SERVICE).where(among(session, services.c.id, ids)))
    return {row.id: service_of(row) for row in rows}


async def services_by_name(session: AsyncConnection, names: Collection[str]) -> dict[str, Service]:
    """Services by `name_key`, archived ones included; names of nothing are absent."""
    keys = {name_key(name) for name in names}
    return {name_key(row.name): service_of(row) for row in await _BY_NAMES.run(session, keys=list(keys))}


_BY_NAMES = Prepared(lambda dialect: service_rows().where(among_given(dialect, services.c.name_key, "keys")))


async def hold(session: AsyncConnection, ids: Collection[UUID], *, alone: bool = False) -> None:
    """Keep services from being renamed until the transaction ends, in the order of their ids.

    Whoever goes on to write what refers to them waits here for that, rather than with locks that a rename wants.

    Args:
        session: the connection of a transaction.
        ids: whose.
        alone: keep others from doing the same that want to be alone, too.
    """
    if session.dialect.name == "sqlite":
        return  # a write transaction is alone
    query = select(services.c.id).where(among(session, services.c.id, ids)).order_by(services.c.id)
    await session.execute(query.with_for_update(read=not alone, key_share=True))


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
