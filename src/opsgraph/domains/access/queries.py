"""Reads of the access domain."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.access.model import User
from opsgraph.domains.access.tables import users
from opsgraph.kernel.pages import Page, PageRequest
from opsgraph.kernel.text import name_key
from opsgraph.storage.keyset import Sort, page_of
from opsgraph.storage.origins import origins_by_name
from opsgraph.storage.rows import AnyRow, AnySelect

_COLUMNS = (users.c.id, users.c.name, users.c.email, users.c.time_zone, users.c.active)


def user_of(row: AnyRow) -> User:
    """Read a user from a row with the columns of `user_rows`."""
    return User(row.id, row.name, row.email, row.time_zone, row.active)


def user_rows() -> AnySelect:
    """A select of the columns that `user_of` reads, for others to join by `user_id_column`."""
    return select(*_COLUMNS)


def sorted_by_name() -> tuple[Sort, ...]:
    """The order of users everywhere: by name, without case."""
    return (Sort(users.c.name_key),)


def user_id_column() -> Any:
    """The column that memberships refer to."""
    return users.c.id


async def users_by_id(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, User]:
    """Users by id; ids of nobody are absent."""
    rows = await session.execute(user_rows().where(users.c.id.in_(ids)))
    return {row.id: user_of(row) for row in rows}


async def user_by_name(session: AsyncConnection, name: str) -> User | None:
    """The user of that name, whatever its case."""
    row = (await session.execute(user_rows().where(users.c.name_key == name_key(name)))).one_or_none()
    return user_of(row) if row else None


def ids_named(names: Collection[str]) -> AnySelect:
    """A select of the ids of the users who have one of these names, without case."""
    return select(users.c.id).where(users.c.name_key.in_([name_key(name) for name in names]))


async def user_origins(
    session: AsyncConnection, names: Collection[str], origins: Collection[str]
) -> dict[str, str | None]:
    """The origin, or None, of each user who has one of the names or one of the origins, by name."""
    return await origins_by_name(session, users, names, origins)


async def users_page(session: AsyncConnection, request: PageRequest) -> Page[AnyRow]:
    """A page of all users by name."""
    return await page_of(session, user_rows(), sorted_by_name(), request)


async def count_users(session: AsyncConnection) -> int:
    """How many users there are."""
    return (await session.execute(select(func.count()).select_from(users))).scalar_one()
