"""Reads of exemptions."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.readiness.model.overrides import Exemption
from opsgraph.domains.readiness.tables import exemptions
from opsgraph.kernel.pages import Page, PageRequest
from opsgraph.storage.counting import count_by
from opsgraph.storage.keyset import Sort, pages_by_parent
from opsgraph.storage.many import among
from opsgraph.storage.rows import AnyRow, AnySelect

_NEWEST_FIRST = (Sort(exemptions.c.id, descending=True),)


def exemption_of(row: AnyRow) -> Exemption:
    """Read an exemption from a row that has its columns."""
    return Exemption(
        id=row.id,
        service_id=row.service_id,
        check=row.check_name,
        reason=row.reason,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        ends_at=row.ends_at,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        ended_by=row.ended_by,
        ended_at=row.ended_at,
    )


def exemption_rows() -> AnySelect:
    """A select of the columns that `exemption_of` reads."""
    return select(*exemptions.c)


async def exemptions_by_service(
    session: AsyncConnection, ids: Collection[UUID], now: datetime
) -> dict[UUID, list[Exemption]]:
    """The exemptions of each service that are in force or asked for, oldest first; services without any are absent."""
    query = exemption_rows().where(
        among(session, exemptions.c.service_id, ids), exemptions.c.ended_at.is_(None), exemptions.c.ends_at > now
    )
    found: dict[UUID, list[Exemption]] = {}
    for row in await session.execute(query.order_by(exemptions.c.id)):
        found.setdefault(row.service_id, []).append(exemption_of(row))
    return found


async def exemptions_page(
    session: AsyncConnection, ids: Collection[UUID], request: PageRequest
) -> dict[UUID, Page[AnyRow]]:
    """The same page of each service's exemptions, whatever became of them, newest first."""
    return await pages_by_parent(session, exemption_rows(), exemptions.c.service_id, ids, _NEWEST_FIRST, request)


async def count_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, int]:
    """How many exemptions were ever asked for or granted, for each service; services without any are absent."""
    return await count_by(session, exemptions.c.service_id, among(session, exemptions.c.service_id, ids))
