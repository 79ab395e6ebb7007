"""Reads of the governance domain, batched."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.governance import rules
from opsgraph.domains.governance.model import Governance
from opsgraph.domains.governance.tables import governance_checks

_RECORDED = (governance_checks.c.service_id, governance_checks.c.check_key, governance_checks.c.passed)


async def by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Governance]:
    """The governance of each service, judged, also where nothing was recorded; ids of nothing are absent."""
    services = await catalog_services.services_by_id(session, ids)
    recorded = await recorded_by_service(session, ids)
    return {id_: rules.judge(service.name, recorded.get(id_, {})) for id_, service in services.items()}


async def recorded_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, dict[str, bool]]:
    """What was recorded for each service for which anything was: whether it passes, by check key."""
    recorded: dict[UUID, dict[str, bool]] = {}
    for row in await session.execute(select(*_RECORDED).where(governance_checks.c.service_id.in_(ids))):
        recorded.setdefault(row.service_id, {})[row.check_key] = row.passed
    return recorded
