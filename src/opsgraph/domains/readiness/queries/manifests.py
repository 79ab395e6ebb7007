"""Reads of what services declare."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.readiness.model.manifests import Declaration
from opsgraph.domains.readiness.queries.texts import read
from opsgraph.domains.readiness.tables import manifests
from opsgraph.kernel.pages import Page, PageRequest
from opsgraph.storage.counting import count_by
from opsgraph.storage.keyset import Sort, pages_by_parent
from opsgraph.storage.many import among
from opsgraph.storage.rows import AnyRow, AnySelect

_NEWEST_FIRST = (Sort(manifests.c.id, descending=True),)


def declaration_of(row: AnyRow) -> Declaration:
    """Read a declaration from a row that has its columns."""
    return Declaration(row.id, row.service_id, read(row.declared), row.declared_by, row.created_at)


async def declarations_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Declaration]:
    """The newest declaration of each service that ever declared anything."""
    before = manifests.alias("before")
    newest = select(before.c.id).where(before.c.service_id == manifests.c.service_id)
    newest = newest.order_by(before.c.id.desc()).limit(1)
    query = _declarations().where(among(session, manifests.c.service_id, ids))
    rows = await session.execute(query.where(manifests.c.id == newest.scalar_subquery()))
    return {row.service_id: declaration_of(row) for row in rows}


async def declarations_by_id(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Declaration]:
    """Declarations by id; ids of nothing are absent."""
    rows = await session.execute(_declarations().where(among(session, manifests.c.id, ids)))
    return {row.id: declaration_of(row) for row in rows}


async def with_predecessors(
    session: AsyncConnection, ids: Collection[UUID]
) -> dict[UUID, tuple[Declaration | None, Declaration]]:
    """Declarations by id, each behind the one that it took the place of; None for a service's first. Two statements."""
    before = manifests.alias("before")
    previous = select(before.c.id).where(before.c.service_id == manifests.c.service_id, before.c.id < manifests.c.id)
    previous = previous.order_by(before.c.id.desc()).limit(1)
    query = _declarations().add_columns(previous.scalar_subquery().label("previous_id"))
    rows = (await session.execute(query.where(among(session, manifests.c.id, ids)))).all()
    earlier = await declarations_by_id(session, [row.previous_id for row in rows if row.previous_id is not None])
    return {row.id: (earlier.get(row.previous_id), declaration_of(row)) for row in rows}


async def manifests_by_service(
    session: AsyncConnection, ids: Collection[UUID], request: PageRequest
) -> dict[UUID, Page[AnyRow]]:
    """The same page of each service's declarations, newest first."""
    return await pages_by_parent(session, _declarations(), manifests.c.service_id, ids, _NEWEST_FIRST, request)


async def count_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, int]:
    """How many declarations each service ever made; services without any are absent."""
    return await count_by(session, manifests.c.service_id, among(session, manifests.c.service_id, ids))


def _declarations() -> AnySelect:
    return select(*manifests.c)
