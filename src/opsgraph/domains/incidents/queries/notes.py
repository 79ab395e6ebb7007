"""Reads of notes."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.incidents.model import Note
from opsgraph.domains.incidents.tables import notes
from opsgraph.kernel.pages import Page, PageRequest
from opsgraph.storage.counting import count_by
from opsgraph.storage.keyset import Sort, pages_by_parent
from opsgraph.storage.rows import AnyRow

_NOTE = tuple(notes.c[name] for name in Note.__slots__)
_OLDEST_FIRST = (Sort(notes.c.id),)


def note_of(row: AnyRow) -> Note:
    """Read a note from a row that has its columns."""
    return Note(row.id, row.incident_id, row.author, row.content, row.created_at)


async def notes_by_id(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Note]:
    """Notes by id; ids of nothing are absent."""
    rows = await session.execute(select(*_NOTE).where(notes.c.id.in_(ids)))
    return {row.id: note_of(row) for row in rows}


async def notes_by_incident(
    session: AsyncConnection, ids: Collection[UUID], request: PageRequest
) -> dict[UUID, Page[AnyRow]]:
    """The same page of each incident's notes, oldest first."""
    return await pages_by_parent(session, select(*_NOTE), notes.c.incident_id, ids, _OLDEST_FIRST, request)


async def count_notes(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, int]:
    """How many notes each incident has; incidents without any are absent."""
    return await count_by(session, notes.c.incident_id, notes.c.incident_id.in_(ids))
