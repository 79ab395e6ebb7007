"""Changing how services keep the organisation's rules."""

import strawberry

from opsgraph.domains.governance import commands
from opsgraph.graphql.catalog import service_of
from opsgraph.graphql.context import Context
from opsgraph.graphql.inputs import Input
from opsgraph.graphql.mutations.catalog import SaveServiceResult
from opsgraph.graphql.rights import mutation
from opsgraph.kernel.actor import Role


@strawberry.input(description="Whether a service passes a governance check.")
class SetGovernanceCheckInput:
    """One check."""

    service: str = strawberry.field(description="The service's name.")
    check: str = strawberry.field(
        description="Its key: runbook, monitoring, ownership, documentation or incident_response."
    )
    passed: bool = strawberry.field(description="Whether it passes.")


@strawberry.type
class GovernanceMutations:
    """What can be changed about governance."""

    @mutation(Role.EDITOR, description="Record whether a service passes a governance check.")
    async def set_governance_check(
        self, info: strawberry.Info[Context, None], input: Input[SetGovernanceCheckInput]
    ) -> SaveServiceResult:
        """Record a check."""
        async with info.context.writing() as tx:
            return service_of((await commands.set_check(tx, input.service, input.check, input.passed)).value)
