"""Changing teams, users, services and deployments."""

from datetime import datetime
from typing import Annotated

import strawberry

from opsgraph.domains.catalog import commands, model
from opsgraph.graphql.catalog import Deployment, Service, deployment_of, service_of
from opsgraph.graphql.context import Context
from opsgraph.graphql.inputs import Input, given
from opsgraph.graphql.problems import Problem
from opsgraph.graphql.rights import mutation
from opsgraph.graphql.teams import Team, team_of
from opsgraph.kernel.actor import Role

SaveTeamResult = Annotated[Team | Problem, strawberry.union("SaveTeamResult", description="The team, or why not.")]
SaveServiceResult = Annotated[
    Service | Problem, strawberry.union("SaveServiceResult", description="The service, or why not.")
]
RecordDeploymentResult = Annotated[
    Deployment | Problem, strawberry.union("RecordDeploymentResult", description="The deployment, or why not.")
]
ServiceName = Annotated[str, strawberry.argument(description="The service's name.")]


@strawberry.input(description="A team to create or update; what is left out stays as it is.")
class SaveTeamInput:
    """A team."""

    name: str = strawberry.field(description="Its name: 1 to 200 characters, unique without case.")
    title: str | None = strawberry.field(default=strawberry.UNSET, description="What people call it; null clears.")


@strawberry.input(description="A web address of a service.")
class LinkInput:
    """A link."""

    title: str = strawberry.field(description="What is there.")
    url: str = strawberry.field(description="An http or https address.")


@strawberry.input(description="A service to create or update; what is left out stays as it is, null clears.")
class SaveServiceInput:
    """A service."""

    name: str = strawberry.field(description="Its name: an RFC 1123 label, unique without case.")
    title: str | None = strawberry.field(default=strawberry.UNSET, description="What people call it.")
    description: str | None = strawberry.field(default=strawberry.UNSET, description="What it does.")
    team: str | None = strawberry.field(default=strawberry.UNSET, description="The name of the team that owns it.")
    tier: int | None = strawberry.field(default=strawberry.UNSET, description="1 (most critical) to 4; 3 by default.")
    lifecycle: model.Lifecycle | None = strawberry.field(
        default=strawberry.UNSET, description="How far it has come; PRODUCTION by default."
    )
    tags: list[str] | None = strawberry.field(default=strawberry.UNSET, description="All its tags.")
    depends_on: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="The names of all services it depends on."
    )
    links: list[LinkInput] | None = strawberry.field(default=strawberry.UNSET, description="All its links.")


@strawberry.input(description="A service's new name.")
class RenameServiceInput:
    """A rename."""

    name: str = strawberry.field(description="The name it has.")
    new_name: str = strawberry.field(description="The name it gets; its id and history stay.")


@strawberry.input(description="A deployment that happened.")
class RecordDeploymentInput:
    """A deployment."""

    service: str = strawberry.field(description="The service's name.")
    version: str = strawberry.field(description="What was deployed.")
    deployed_at: datetime | None = strawberry.field(default=strawberry.UNSET, description="When; now if left out.")
    committed_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When its newest commit was made, for the lead time."
    )
    failed: bool | None = strawberry.field(default=strawberry.UNSET, description="Whether it failed in production.")
    idempotency_key: str | None = strawberry.field(
        default=strawberry.UNSET, description="A replay with the same key returns the first deployment."
    )
    environment: str | None = strawberry.field(
        default=strawberry.UNSET, description="Where to; production if left out. Others do not count for reliability."
    )
    rework: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether it repairs an earlier one, unplanned."
    )


def service_input(source: SaveServiceInput) -> model.ServiceInput:
    """The input as the domain has it."""
    values = given(source)
    if values.get("links") is not None:
        values["links"] = [model.Link(link.title, link.url) for link in values["links"]]
    return model.ServiceInput(**values)


@strawberry.type
class CatalogMutations:
    """What can be changed in the catalog."""

    @mutation(Role.EDITOR, description="Create or update a team by its name.")
    async def save_team(self, info: strawberry.Info[Context, None], input: Input[SaveTeamInput]) -> SaveTeamResult:
        """Save a team."""
        async with info.context.writing() as tx:
            return team_of((await commands.save_team(tx, model.TeamInput(**given(input)))).value)

    @mutation(Role.EDITOR, description="Create or update a service by its name.")
    async def save_service(
        self, info: strawberry.Info[Context, None], input: Input[SaveServiceInput]
    ) -> SaveServiceResult:
        """Save a service."""
        async with info.context.writing() as tx:
            return service_of((await commands.save_service(tx, service_input(input))).value)

    @mutation(Role.EDITOR, description="Give a service another name; its id and history stay.")
    async def rename_service(
        self, info: strawberry.Info[Context, None], input: Input[RenameServiceInput]
    ) -> SaveServiceResult:
        """Rename a service."""
        async with info.context.writing() as tx:
            return service_of(await commands.rename_service(tx, input.name, input.new_name))

    @mutation(Role.EDITOR, description="Take a service out of lists and reports; its history stays readable.")
    async def archive_service(self, info: strawberry.Info[Context, None], name: ServiceName) -> SaveServiceResult:
        """Archive a service."""
        async with info.context.writing() as tx:
            return service_of(await commands.archive_service(tx, name))

    @mutation(Role.EDITOR, description="Bring an archived service back.")
    async def restore_service(self, info: strawberry.Info[Context, None], name: ServiceName) -> SaveServiceResult:
        """Restore a service."""
        async with info.context.writing() as tx:
            return service_of(await commands.restore_service(tx, name))

    @mutation(Role.EDITOR, Role.INGEST, description="Record that a version of a service was deployed.")
    async def record_deployment(
        self, info: strawberry.Info[Context, None], input: Input[RecordDeploymentInput]
    ) -> RecordDeploymentResult:
        """Record a deployment."""
        async with info.context.writing() as tx:
            wanted = model.DeploymentInput(**given(input, nulls=False))
            return deployment_of(await commands.record_deployment(tx, wanted))
