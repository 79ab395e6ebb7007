"""Reads of deployments."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.catalog.model import (
    Deployment,
    DeploymentOutcome,
)
from opsgraph.domains.catalog.tables import (
    deployments,
)
from opsgraph.kernel.pages import Page, PageRequest
from opsgraph.storage.counting import count_by
from opsgraph.storage.keyset import Sort, pages_by_parent
from opsgraph.storage.many import among
from opsgraph.storage.rows import AnyRow

_DEPLOYMENT = (
    deployments.c.id,
    deployments.c.service_id,
    deployments.c.version,
    deployments.c.environment,
    deployments.c.committed_at,
    deployments.c.deployed_at,
    deployments.c.outcome,
    deployments.c.rework,
)


NEWEST_DEPLOYMENT = (Sort(deployments.c.deployed_at, descending=True), Sort(deployments.c.id, descending=True))


def deployment_of(row: AnyRow) -> Deployment:
    """Read a deployment from a row that has its columns."""
    return Deployment(
        row.id,
        row.service_id,
        row.version,
        row.environment,
        row.committed_at,
        row.deployed_at,
        DeploymentOutcome(row.outcome),
        row.rework,
    )


async def deployments_by_id(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Deployment]:
    """Deployments by id; ids of nothing are absent."""
    rows = await session.execute(select(*_DEPLOYMENT).where(deployments.c.id.in_(ids)))
    return {row.id: deployment_of(row) for row in rows}


async def deployments_by_service(
    session: AsyncConnection, ids: Collection[UUID], request: PageRequest
) -> dict[UUID, Page[AnyRow]]:
    """The same page of each service's deployments, newest first."""
    query = select(*_DEPLOYMENT)
    return await pages_by_parent(session, query, deployments.c.service_id, ids, NEWEST_DEPLOYMENT, request)


async def count_deployments(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, int]:
    """How many deployments each service ever had."""
    return await count_by(session, deployments.c.service_id, deployments.c.service_id.in_(ids))


async def deployments_since(
    session: AsyncConnection, ids: Collection[UUID], environments: Collection[str], since: datetime, until: datetime
) -> dict[UUID, list[Deployment]]:
    """Every deployment of each service to one of the environments in (since, until], oldest first."""
    query = select(*_DEPLOYMENT).where(
        deployments.c.service_id.in_(ids),
        deployments.c.environment.in_(environments),
        deployments.c.deployed_at > since,
        deployments.c.deployed_at <= until,
    )
    found: dict[UUID, list[Deployment]] = {}
    for row in await session.execute(query.order_by(deployments.c.deployed_at, deployments.c.id)):
        found.setdefault(row.service_id, []).append(deployment_of(row))
    return found


async def tallies(
    session: AsyncConnection, ids: Collection[UUID], environments: Collection[str], since: datetime, until: datetime
) -> dict[UUID, tuple[int, int]]:
    """How many deployments of each service to one of the environments there were in (since, until], and failed ones.

    Services without any are absent.
    """
    failed = func.count(case((deployments.c.outcome == DeploymentOutcome.FAILED.value, 1)))
    query = select(deployments.c.service_id, func.count(), failed).where(
        among(session, deployments.c.service_id, ids),
        deployments.c.environment.in_(environments),
        deployments.c.deployed_at > since,
        deployments.c.deployed_at <= until,
    )
    return {row[0]: (row[1], row[2]) for row in await session.execute(query.group_by(deployments.c.service_id))}
