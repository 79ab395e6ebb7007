"""Reads of teams and their members."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.access import queries as access
from opsgraph.domains.catalog.model import (
    Team,
)
from opsgraph.domains.catalog.tables import (
    memberships,
    teams,
)
from opsgraph.kernel.pages import Page, PageRequest
from opsgraph.kernel.text import name_key
from opsgraph.storage.counting import count_by
from opsgraph.storage.keyset import Sort, page_of, ranked_pages_by_parent
from opsgraph.storage.origins import origins_by_name
from opsgraph.storage.rows import AnyRow

_TEAM = (teams.c.id, teams.c.name, teams.c.title)


def team_of(row: AnyRow) -> Team:
    """Read a team from a row that has its columns."""
    return Team(row.id, row.name, row.title)


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
    return await ranked_pages_by_parent(session, narrowed, memberships.c.team_id, access.sorted_by_name(), request)


async def count_members(session: AsyncConnection, team_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many members each team has."""
    return await count_by(session, memberships.c.team_id, memberships.c.team_id.in_(team_ids))


async def teams_by_user(session: AsyncConnection, user_ids: Collection[UUID]) -> dict[UUID, list[Team]]:
    """The teams of each user who has any, by name."""
    query = select(*_TEAM, memberships.c.user_id).join(memberships, memberships.c.team_id == teams.c.id)
    found: dict[UUID, list[Team]] = {}
    for row in await session.execute(query.where(memberships.c.user_id.in_(user_ids)).order_by(teams.c.name_key)):
        found.setdefault(row.user_id, []).append(team_of(row))
    return found
