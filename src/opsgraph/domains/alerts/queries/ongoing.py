"""Reads of what fires now, walked through in the order of ids."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, literal_column
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.alerts.model import Alert
from opsgraph.domains.alerts.queries.alerts import alert_of, alert_rows
from opsgraph.domains.alerts.tables import FIRING, alerts

_SILENCED: ColumnElement[Any] = literal_column("alert.silenced")


async def firing_alerts(session: AsyncConnection, limit: int, after: UUID | None = None) -> list[Alert]:
    """The alerts that fire, oldest first.

    Args:
        session: the connection.
        limit: at most how many.
        after: only those behind the one with this id.
    """
    return await _walk(session, [FIRING], limit, after)


async def firing_silenced(session: AsyncConnection, limit: int, after: UUID | None = None) -> list[Alert]:
    """The alerts that fire and are marked as silenced, likewise: whether they still are, is for `rules.silencing`."""
    return await _walk(session, [FIRING, _SILENCED], limit, after)


async def _walk(
    session: AsyncConnection, conditions: Sequence[ColumnElement[Any]], limit: int, after: UUID | None
) -> list[Alert]:
    behind = [] if after is None else [alerts.c.id > after]
    query = alert_rows().where(*conditions, *behind).order_by(alerts.c.id).limit(limit)
    return [alert_of(row) for row in await session.execute(query)]
