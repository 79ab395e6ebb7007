"""Reads of incidents of names that nobody had registered when they came."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.incidents.tables import incidents


async def adopters(session: AsyncConnection, limit: int) -> list[UUID]:
    """Services whose names incidents have that belong to nobody yet; at most so many."""
    named = catalog_services.named_services().subquery()
    query = select(named.c.service_id).join(incidents, incidents.c.service_key == named.c.name_key)
    query = query.where(incidents.c.service_id.is_(None)).distinct().limit(limit)
    return list((await session.execute(query)).scalars())
