"""What each file of a whole export holds, record by record, in an order that no database decides."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.access import queries as access
from opsgraph.domains.catalog.model import Deployment, DeploymentOutcome, Service
from opsgraph.domains.catalog.queries import deployments as catalog_deployments
from opsgraph.domains.catalog.queries import relations as catalog_relations
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.catalog.queries import teams as catalog_teams
from opsgraph.domains.cost import queries as cost
from opsgraph.domains.cost.model import Contribution
from opsgraph.domains.governance import queries as governance
from opsgraph.domains.readiness.queries import manifests as readiness
from opsgraph.domains.reliability import queries as reliability
from opsgraph.kernel.clock import rfc3339
from opsgraph.kernel.pages import Page, PageRequest
from opsgraph.kernel.text import name_key
from opsgraph.storage.keyset import empty_page
from opsgraph.storage.rows import AnyRow
from opsgraph.workflows.batches import batches, service_batches

Record = dict[str, Any]
"""One line; JSON-compatible."""

_DEPLOYMENTS_AT_ONCE = 100


async def teams(session: AsyncConnection) -> AsyncIterator[Record]:
    """Every team, by name."""
    async for rows in batches(partial(catalog_teams.teams_page, session)):
        origins = await catalog_teams.team_origins(session, [row.name for row in rows], ())
        for row in rows:
            yield {"name": row.name, "title": row.title, "origin": origins[row.name]}


async def users(session: AsyncConnection) -> AsyncIterator[Record]:
    """Every user with the teams they are a member of, by name."""
    async for rows in batches(partial(access.users_page, session)):
        origins = await access.user_origins(session, [row.name for row in rows], ())
        memberships = await catalog_teams.teams_by_user(session, [row.id for row in rows])
        for row in rows:
            yield {
                "name": row.name,
                "email": row.email,
                "timeZone": row.time_zone,
                "origin": origins[row.name],
                "teams": [team.name for team in memberships.get(row.id, [])],
            }


async def services(session: AsyncConnection) -> AsyncIterator[Record]:
    """Every service with its tags, links and dependencies: by name, archived ones last."""
    async for batch in every_service(session):
        origins = await catalog_services.service_origins(session, [service.name for service in batch], ())
        owners = await catalog_teams.teams_by_id(session, {service.team_id for service in batch if service.team_id})
        parts = await _parts(session, [service.id for service in batch])
        for service in batch:
            yield {
                **_service_record(service),
                "team": owners[service.team_id].name if service.team_id else None,
                **{name: by_service.get(service.id, []) for name, by_service in parts.items()},
                "origin": origins[service.name],
                "archivedAt": rfc3339(service.archived_at) if service.archived_at else None,
            }


async def budgets(session: AsyncConnection) -> AsyncIterator[Record]:
    """Every monthly budget, by service."""
    async for service, budget in _facts(session, cost.budgets_by_service):
        yield {"service": service, "amount": format(budget.amount, "f"), "currency": budget.currency}


async def costs(session: AsyncConnection) -> AsyncIterator[Record]:
    """Every contribution: by origin, service (none last), month and currency."""
    async for rows in batches(partial(cost.origins_page, session)):
        for row in rows:
            parts = await cost.contributions_of(session, row.id, row.name)
            named = await catalog_services.services_by_id(
                session, {part.service_id for part in parts if part.service_id}
            )
            names = {id_: service.name for id_, service in named.items()}
            for part in sorted(parts, key=partial(_cost_order, names)):
                yield _cost_record(part, names.get(part.service_id) if part.service_id else None)


async def duties(session: AsyncConnection) -> AsyncIterator[Record]:
    """What the organisation added to the built-in duties, or changed of them, by key."""
    for duty in await governance.saved_duties(session):
        yield asdict(duty)


async def governance_checks(session: AsyncConnection) -> AsyncIterator[Record]:
    """Every recorded check of a duty that is enabled, by service, in the order of duties."""
    async for service, recorded in _facts(session, governance.recorded_by_service):
        for check, passed in recorded.items():
            yield {"service": service, "check": check, "passed": passed}


async def declarations(session: AsyncConnection) -> AsyncIterator[Record]:
    """What was declared about reliability, by service."""
    async for service, declared in _facts(session, reliability.declared_by_service):
        yield {
            "service": service,
            "uptimePct": declared.uptime_pct,
            "mttrMinutes": declared.mttr_minutes,
            "incidents30d": declared.incidents_30d,
            "changeFailureRatePct": declared.change_failure_rate_pct,
        }


async def manifests(session: AsyncConnection) -> AsyncIterator[Record]:
    """What each service declares now, by service."""
    async for service, declaration in _facts(session, readiness.declarations_by_service):
        yield {"service": service, "values": declaration.values}


async def deployments(session: AsyncConnection) -> AsyncIterator[Record]:
    """Every deployment, by service, newest first."""
    async for batch in every_service(session):
        ids = [service.id for service in batch]
        newest = await catalog_deployments.deployments_by_service(session, ids, PageRequest(_DEPLOYMENTS_AT_ONCE))
        for service in batch:
            if service.id in newest:
                async for deployment in _deployments_from(session, service.id, newest[service.id]):
                    yield _deployment_record(service, deployment)


async def every_service(session: AsyncConnection) -> AsyncIterator[list[Service]]:
    """All services by name, archived ones last."""
    for archived in (False, True):
        async for batch in service_batches(session, archived=archived):
            yield batch


async def _facts(
    session: AsyncConnection, by_service: Callable[[AsyncConnection, Sequence[UUID]], Awaitable[Mapping[UUID, Any]]]
) -> AsyncIterator[tuple[str, Any]]:
    """What a domain knows of each service of which it knows anything, with the service's name."""
    async for batch in every_service(session):
        found = await by_service(session, [service.id for service in batch])
        for service in batch:
            if service.id in found:
                yield service.name, found[service.id]


async def _parts(session: AsyncConnection, ids: Sequence[UUID]) -> dict[str, Mapping[UUID, list[Any]]]:
    """What services have several of, by the name that it has in a record."""
    links = await catalog_relations.links_by_service(session, ids)
    return {
        "tags": await catalog_relations.tags_by_service(session, ids),
        "links": {id_: [{"title": link.title, "url": link.url} for link in own] for id_, own in links.items()},
        "dependsOn": await catalog_relations.dependency_names(session, ids),
    }


async def _deployments_from(
    session: AsyncConnection, service_id: UUID, first: Page[AnyRow]
) -> AsyncIterator[Deployment]:
    """The deployments of a service from its first page on."""

    async def page(request: PageRequest) -> Page[AnyRow]:
        found = await catalog_deployments.deployments_by_service(session, [service_id], request)
        return found.get(service_id, empty_page(request))

    for row in first.rows:
        yield catalog_deployments.deployment_of(row)
    if first.has_next:
        async for rows in batches(page, after=first.keys[-1]):
            for row in rows:
                yield catalog_deployments.deployment_of(row)


def _service_record(service: Service) -> Record:
    return {
        "name": service.name,
        "title": service.title,
        "description": service.description,
        "tier": service.tier,
        "lifecycle": service.lifecycle.value,
    }


def _cost_order(names: Mapping[UUID, str], part: Contribution) -> tuple[bool, str, str, str]:
    name = "" if part.service_id is None else name_key(names[part.service_id])
    return part.service_id is None, name, part.month, part.currency


def _cost_record(part: Contribution, service: str | None) -> Record:
    return {
        "origin": part.origin,
        "service": service,
        "month": part.month,
        "currency": part.currency,
        "billed": format(part.billed, "f"),
        "effective": None if part.effective is None else format(part.effective, "f"),
    }


def _deployment_record(service: Service, deployment: Deployment) -> Record:
    return {
        "id": str(deployment.id),
        "service": service.name,
        "version": deployment.version,
        "environment": deployment.environment,
        "committedAt": rfc3339(deployment.committed_at) if deployment.committed_at else None,
        "deployedAt": rfc3339(deployment.deployed_at),
        "failed": deployment.outcome is DeploymentOutcome.FAILED,
        "rework": deployment.rework,
    }
