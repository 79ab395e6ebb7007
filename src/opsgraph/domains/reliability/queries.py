"""Reads of the reliability domain, batched."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.catalog.model import PRODUCTION_ENVIRONMENTS, Deployment
from opsgraph.domains.catalog.queries import deployments as catalog_deployments
from opsgraph.domains.incidents.queries import figures as incident_figures
from opsgraph.domains.reliability import rules
from opsgraph.domains.reliability.model import WINDOW, Declared, DoraKeys, Reliability
from opsgraph.domains.reliability.tables import declarations

_DECLARED = (
    declarations.c.uptime_pct,
    declarations.c.mttr_minutes,
    declarations.c.incidents_30d,
    declarations.c.change_failure_rate_pct,
)


async def reliability_by_service(
    session: AsyncConnection, ids: Collection[UUID], now: datetime
) -> dict[UUID, Reliability]:
    """The reliability of each service over the 30 days before `now`; every id gets one. Three statements."""
    declared = await declared_by_service(session, ids)
    deployed = await _deployments(session, ids, now)
    trouble = await incident_figures.trouble_by_service(session, ids, now - WINDOW, now)
    return {
        id_: rules.judge(declared.get(id_, Declared()), rules.measured(deployed.get(id_, ()), trouble.get(id_)))
        for id_ in ids
    }


async def declared_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Declared]:
    """What was declared for each service for which anything was."""
    query = select(declarations.c.service_id, *_DECLARED).where(declarations.c.service_id.in_(ids))
    return {row[0]: Declared(*row[1:]) for row in await session.execute(query)}


async def declared_at_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, datetime]:
    """When what was declared for each service changed last, for which anything was."""
    query = select(declarations.c.service_id, declarations.c.updated_at).where(declarations.c.service_id.in_(ids))
    return {row.service_id: row.updated_at for row in await session.execute(query)}


async def dora_by_service(session: AsyncConnection, ids: Collection[UUID], now: datetime) -> dict[UUID, DoraKeys]:
    """The DORA keys of each service over the 30 days before `now`; every id gets them. One statement."""
    deployed = await _deployments(session, ids, now)
    return {id_: rules.dora(deployed.get(id_, ())) for id_ in ids}


async def _deployments(session: AsyncConnection, ids: Collection[UUID], now: datetime) -> dict[UUID, list[Deployment]]:
    """Deployments to production within the window, oldest first."""
    return await catalog_deployments.deployments_since(session, ids, PRODUCTION_ENVIRONMENTS, now - WINDOW, now)
