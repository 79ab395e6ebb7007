"""Reads of where things belong that name a service: for filters by service and by team, archived ones included."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.catalog.model import Home
from opsgraph.domains.catalog.queries.services import services_by_name
from opsgraph.domains.catalog.tables import services, teams
from opsgraph.kernel.text import name_key
from opsgraph.storage.rows import AnySelect


def ids_named(names: Collection[str]) -> AnySelect:
    """A select of the ids of the services that have one of these names now, without case."""
    return select(services.c.id).where(services.c.name_key.in_([name_key(name) for name in names]))


def ids_of_teams(names: Collection[str]) -> AnySelect:
    """A select of the ids of the services that one of these teams owns, by its name without case."""
    named = select(teams.c.id).where(teams.c.name_key.in_([name_key(name) for name in names]))
    return select(services.c.id).where(services.c.team_id.in_(named))


async def of_services(session: AsyncConnection, table: Table, names: Collection[str]) -> ColumnElement[bool]:
    """The rows of what names a service by `service_id` and, as it was sent, by `service_key`, of one of these names.

    Of services by the names that they have now; of what is not registered, by the name as it was sent. Services are
    looked up beforehand: by their ids and by the names of what is not registered, indexes are entered.
    """
    found = await services_by_name(session, names)
    unknown = sorted({name_key(name) for name in names} - found.keys())
    parts: list[ColumnElement[bool]] = []
    if found or not unknown:
        parts.append(table.c.service_id.in_(sorted(service.id for service in found.values())))
    if unknown:
        # Spelt out, and without a type, or the partial index is out of reach.
        unregistered: ColumnElement[Any] = literal_column(f"{table.name}.service_id IS NULL")
        parts.append(and_(unregistered, table.c.service_key.in_(unknown)))
    return or_(*parts)


async def homes_by_id(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Home]:
    """The present names of services and of the teams that own them, by the services' ids."""
    columns = (services.c.id, services.c.name_key, teams.c.name_key.label("team_key"))
    query = select(*columns).select_from(services.outerjoin(teams, teams.c.id == services.c.team_id))
    return {
        row.id: Home(row.name_key, row.team_key) for row in await session.execute(query.where(services.c.id.in_(ids)))
    }
