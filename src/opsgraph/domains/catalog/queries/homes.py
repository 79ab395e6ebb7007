"""Reads of where things belong that name a service: for filters by service and by team, archived ones included."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.catalog.model import Home
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


async def homes_by_id(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Home]:
    """The present names of services and of the teams that own them, by the services' ids."""
    columns = (services.c.id, services.c.name_key, teams.c.name_key.label("team_key"))
    query = select(*columns).select_from(services.outerjoin(teams, teams.c.id == services.c.team_id))
    return {
        row.id: Home(row.name_key, row.team_key) for row in await session.execute(query.where(services.c.id.in_(ids)))
    }
