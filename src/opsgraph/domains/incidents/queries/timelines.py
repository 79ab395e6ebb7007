"""Reads of timelines."""

from collections.abc import Collection
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.incidents.model import TimelineEntry, TimelineEntryType
from opsgraph.domains.incidents.tables import timeline
from opsgraph.kernel.pages import Page, PageRequest
from opsgraph.storage.counting import count_by
from opsgraph.storage.keyset import Sort, pages_by_parent
from opsgraph.storage.rows import AnyRow

_ENTRY = tuple(timeline.c[name] for name in TimelineEntry.__slots__)
_OLDEST_FIRST = (Sort(timeline.c.id),)


def entry_of(row: AnyRow) -> TimelineEntry:
    """Read a timeline entry from a row that has its columns."""
    return TimelineEntry(
        row.id, row.incident_id, TimelineEntryType(row.type), row.actor, orjson.loads(row.detail), row.created_at
    )


async def entries_by_id(session: AsyncConnection, ids: Collection[int]) -> dict[int, TimelineEntry]:
    """Timeline entries by id; ids of nothing are absent."""
    rows = await session.execute(select(*_ENTRY).where(timeline.c.id.in_(ids)))
    return {row.id: entry_of(row) for row in rows}


async def entries_by_incident(
    session: AsyncConnection, ids: Collection[UUID], request: PageRequest
) -> dict[UUID, Page[AnyRow]]:
    """The same page of each incident's timeline, oldest first."""
    return await pages_by_parent(session, select(*_ENTRY), timeline.c.incident_id, ids, _OLDEST_FIRST, request)


async def count_entries(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, int]:
    """How many entries each incident's timeline has."""
    return await count_by(session, timeline.c.incident_id, timeline.c.incident_id.in_(ids))
