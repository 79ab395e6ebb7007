"""Declaring reliability where it is not measured."""

import strawberry

from opsgraph.domains.reliability import commands, model
from opsgraph.graphql.catalog import service_of
from opsgraph.graphql.context import Context
from opsgraph.graphql.inputs import Input, given
from opsgraph.graphql.mutations.catalog import SaveServiceResult
from opsgraph.graphql.rights import mutation
from opsgraph.kernel.actor import Role


@strawberry.input(
    description="What someone knows of a service's reliability over 30 days, used where nothing is measured; "
    "what is left out stays as it is, null clears."
)
class DeclareReliabilityInput:
    """Declared reliability."""

    service: str = strawberry.field(description="The service's name.")
    uptime_pct: float | None = strawberry.field(default=strawberry.UNSET, description="Percent, 0 to 100.")
    mttr_minutes: float | None = strawberry.field(default=strawberry.UNSET, description="Minutes to repair, mean.")
    incidents_30d: int | None = strawberry.field(
        default=strawberry.UNSET, name="incidents30d", description="How many incidents."
    )
    change_failure_rate_pct: float | None = strawberry.field(
        default=strawberry.UNSET, description="Failed deployments in percent, 0 to 100."
    )


@strawberry.type
class ReliabilityMutations:
    """What can be changed about reliability."""

    @mutation(Role.EDITOR, description="Declare what is known of a service's reliability.")
    async def declare_reliability(
        self, info: strawberry.Info[Context, None], input: Input[DeclareReliabilityInput]
    ) -> SaveServiceResult:
        """Declare reliability."""
        async with info.context.writing() as tx:
            return service_of((await commands.declare(tx, model.ReliabilityInput(**given(input)))).value)
