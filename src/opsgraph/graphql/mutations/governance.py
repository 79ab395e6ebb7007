"""Changing how services keep the organisation's rules."""

from typing import Annotated

import strawberry

from opsgraph.domains.governance import commands, model
from opsgraph.graphql.catalog import service_of
from opsgraph.graphql.context import Context
from opsgraph.graphql.governance import GovernanceDuty, duty_of
from opsgraph.graphql.inputs import Input, given
from opsgraph.graphql.mutations.catalog import SaveServiceResult
from opsgraph.graphql.problems import Problem
from opsgraph.graphql.rights import mutation
from opsgraph.kernel.actor import Role

GovernanceDutyResult = Annotated[
    GovernanceDuty | Problem, strawberry.union("GovernanceDutyResult", description="The duty, or why not.")
]


@strawberry.input(description="Whether a service passes a governance check.")
class SetGovernanceCheckInput:
    """One check."""

    service: str = strawberry.field(description="The service's name.")
    check: str = strawberry.field(
        description="The key of a duty that is enabled, such as runbook; see `governanceDuties`."
    )
    passed: bool = strawberry.field(description="Whether it passes.")


@strawberry.input(
    description="A duty to add or change; what is left out stays as it is, null takes back what is built in."
)
class SaveGovernanceDutyInput:
    """A duty."""

    key: str = strawberry.field(description="snake_case, 1 to 63 characters; a built-in one may be changed.")
    description: str | None = strawberry.field(
        default=strawberry.UNSET, description="What it asks; required for a new one."
    )
    evidence: str | None = strawberry.field(
        default=strawberry.UNSET,
        description='What a service that passes has; completes "api has ..."; required for a new one.',
    )
    enabled: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="False: it is asked of nobody, what was recorded is kept; true by default.",
    )


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

    @mutation(
        Role.ADMIN,
        description="Add a duty, or change one; every service is judged again by the result, soon.",
        audited=True,
    )
    async def save_governance_duty(
        self, info: strawberry.Info[Context, None], input: Input[SaveGovernanceDutyInput]
    ) -> GovernanceDutyResult:
        """Save a duty."""
        async with info.context.writing() as tx:
            return duty_of((await commands.save_duty(tx, model.DutyInput(**given(input)))).value)
