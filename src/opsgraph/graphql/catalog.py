"""Services with everything that hangs on them, and what was deployed."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from opsgraph.domains.catalog import model
from opsgraph.domains.catalog.queries import deployments as catalog_deployments
from opsgraph.domains.catalog.queries import relations as catalog_relations
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.graphql.alerts import Alert, alerts_of_service
from opsgraph.graphql.connections import Connection, forward, of_parents
from opsgraph.graphql.context import Context
from opsgraph.graphql.cost import CostProfile, load_costs
from opsgraph.graphql.edges import edge
from opsgraph.graphql.governance import Governance, load_governance
from opsgraph.graphql.health import ServiceHealth, load_health
from opsgraph.graphql.incident_lists import incidents_of_service
from opsgraph.graphql.incidents import Incident
from opsgraph.graphql.manifests import MANIFESTS_OF_SERVICE, ServiceManifest, load_manifests
from opsgraph.graphql.nodes import Node, finds, shown_as, shows, to_node
from opsgraph.graphql.readiness import VERDICTS_OF_SERVICE, ReadinessVerdict, load_readiness, load_refusals
from opsgraph.graphql.readiness_permits import (
    OVERRIDES_OF_SERVICE,
    ReadinessExemption,
    ReadinessOverride,
    load_exemptions,
)
from opsgraph.graphql.reliability import Reliability, load_reliability
from opsgraph.graphql.slo import SLOS_OF_SERVICE, Slo

if TYPE_CHECKING:
    from opsgraph.graphql.teams import Team

_Team = Annotated["Team", strawberry.lazy("opsgraph.graphql.teams")]


@strawberry.type(description="A web address that belongs to a service.")
class Link:
    """A web address."""

    title: str = strawberry.field(description="What is there.")
    url: str = strawberry.field(description="An http or https address.")


async def _tags(context: Context, keys: Collection[UUID]) -> Mapping[UUID, list[str]]:
    async with context.reading() as session:
        found = await catalog_relations.tags_by_service(session, keys)
    return {key: found.get(key, []) for key in keys}


async def _links(context: Context, keys: Collection[UUID]) -> Mapping[UUID, list[Link]]:
    async with context.reading() as session:
        found = await catalog_relations.links_by_service(session, keys)
    return {key: [Link(title=link.title, url=link.url) for link in found.get(key, [])] for key in keys}


DEPENDENCIES = of_parents(
    "dependencies",
    catalog_relations.dependencies_of,
    catalog_relations.count_dependencies,
    shown_as("Service", catalog_services.service_of),
)
DEPENDENTS = of_parents(
    "dependents",
    catalog_relations.dependents_of,
    catalog_relations.count_dependents,
    shown_as("Service", catalog_services.service_of),
)
DEPLOYMENTS = of_parents(
    "deployments",
    catalog_deployments.deployments_by_service,
    catalog_deployments.count_deployments,
    lambda row: deployment_of(catalog_deployments.deployment_of(row)),
)


@strawberry.type(description="Something that is run and owned.")
class Service(Node):
    """A service."""

    team_key: strawberry.Private[UUID | None]
    name: str = strawberry.field(description="Unique, without case: an RFC 1123 label.")
    title: str | None = strawberry.field(description="What people call it.")
    description: str | None = strawberry.field(description="What it does.")
    tier: int = strawberry.field(description="How critical it is: 1 (most) to 4.")
    lifecycle: model.Lifecycle = strawberry.field(description="How far it has come.")
    archived_at: datetime | None = strawberry.field(description="When it was archived; null while it is in use.")
    tags: list[str] = edge(_tags, key="key", description="Free labels, in the order given.")
    links: list[Link] = edge(_links, key="key", description="Web addresses that belong to it.")
    team: _Team | None = to_node("Team", key="team_key", description="Who owns it.")
    health: ServiceHealth = edge(load_health, key="key", description="How it is doing, all things considered.")
    cost: CostProfile = edge(load_costs, key="key", description="What it costs.")
    reliability: Reliability = edge(load_reliability, key="key", description="How reliable it was in 30 days.")
    governance: Governance = edge(load_governance, key="key", description="How it keeps the organisation's rules.")
    readiness: ReadinessVerdict | None = edge(
        load_readiness,
        key="key",
        description="The newest verdict on whether it is ready for production; null if there is none, or if the last "
        "evaluation was refused.",
    )
    readiness_refusal: str | None = edge(
        load_refusals,
        key="key",
        description="Why there is no verdict now, such as too few checks that apply; null unless the last evaluation "
        "was refused.",
    )
    readiness_verdicts: Connection[ReadinessVerdict] = forward(
        VERDICTS_OF_SERVICE, description="Every verdict on it, newest first."
    )
    readiness_overrides: Connection[ReadinessOverride] = forward(
        OVERRIDES_OF_SERVICE, description="Every override that was asked for, whatever became of it, newest first."
    )
    readiness_exemptions: list[ReadinessExemption] = edge(
        load_exemptions, key="key", description="The checks that it is, or wants to be, exempt from; none that ended."
    )
    manifest: ServiceManifest | None = edge(
        load_manifests, key="key", description="What it declares about itself; null if it never did."
    )
    manifests: Connection[ServiceManifest] = forward(
        MANIFESTS_OF_SERVICE, description="Every snapshot of what it declared, newest first."
    )
    slos: Connection[Slo] = forward(SLOS_OF_SERVICE, description="Its service level objectives, by name.")
    alerts: Connection[Alert] = alerts_of_service()
    incidents: Connection[Incident] = incidents_of_service()
    deployments: Connection["Deployment"] = forward(DEPLOYMENTS, description="What was deployed, newest first.")
    dependencies: Connection["Service"] = forward(DEPENDENCIES, description="The services it depends on, by name.")
    dependents: Connection["Service"] = forward(DEPENDENTS, description="The services that depend on it, by name.")


@strawberry.type(description="One version of a service brought to one environment; never changed.")
class Deployment(Node):
    """A deployment."""

    service_key: strawberry.Private[UUID]
    version: str = strawberry.field(description="What was deployed.")
    environment: str = strawberry.field(description="Where to, such as production.")
    committed_at: datetime | None = strawberry.field(description="When its newest commit was made.")
    deployed_at: datetime = strawberry.field(description="When it was brought there.")
    failed: bool = strawberry.field(description="Whether it failed in production.")
    rework: bool = strawberry.field(description="Whether it repaired an earlier one, unplanned.")
    service: Service = to_node("Service", key="service_key", description="Whose version it is.")


@shows("Service")
def service_of(value: model.Service) -> Service:
    """A service as the schema has it."""
    return Service(
        key=value.id,
        team_key=value.team_id,
        name=value.name,
        title=value.title,
        description=value.description,
        tier=value.tier,
        lifecycle=value.lifecycle,
        archived_at=value.archived_at,
    )


def deployment_of(value: model.Deployment) -> Deployment:
    """A deployment as the schema has it."""
    return Deployment(
        key=value.id,
        service_key=value.service_id,
        version=value.version,
        environment=value.environment,
        committed_at=value.committed_at,
        deployed_at=value.deployed_at,
        failed=value.outcome is model.DeploymentOutcome.FAILED,
        rework=value.rework,
    )


@finds("Service")
async def _find_services(context: Context, keys: Collection[UUID]) -> Mapping[UUID, Service]:
    async with context.reading() as session:
        found = await catalog_services.services_by_id(session, keys)
    return {key: service_of(value) for key, value in found.items()}


@finds("Deployment")
async def _find_deployments(context: Context, keys: Collection[UUID]) -> Mapping[UUID, Deployment]:
    async with context.reading() as session:
        found = await catalog_deployments.deployments_by_id(session, keys)
    return {key: deployment_of(value) for key, value in found.items()}
