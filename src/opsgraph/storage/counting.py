"""Counting rows by a column, for the counts of many parents in one statement."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection


async def count_by(
    session: AsyncConnection, by: ColumnElement[Any], *conditions: ColumnElement[bool]
) -> dict[UUID, int]:
    """How many rows fulfil the conditions, by the values of a column."""
    query = select(by, func.count()).where(*conditions).group_by(by)
    return {row[0]: row[1] for row in await session.execute(query)}
