"""Changing what services cost."""

from decimal import Decimal

import strawberry

from opsgraph.domains.cost import commands, model
from opsgraph.graphql.catalog import service_of
from opsgraph.graphql.context import Context
from opsgraph.graphql.inputs import Input, given
from opsgraph.graphql.mutations.catalog import SaveServiceResult
from opsgraph.graphql.rights import mutation
from opsgraph.kernel.actor import Role
from opsgraph.kernel.refusals import Invalid


@strawberry.input(description="What a service cost in a month; recording it again replaces it.")
class RecordCostInput:
    """A month's cost."""

    service: str = strawberry.field(description="The service's name.")
    month: str = strawberry.field(description="`YYYY-MM`.")
    amount: Decimal = strawberry.field(description="What was billed; negative for credits.")
    currency: str | None = strawberry.field(
        default=strawberry.UNSET, description="ISO 4217 code; the installation's currency if left out."
    )
    effective_amount: Decimal | None = strawberry.field(
        default=strawberry.UNSET, description="Amortised cost, where it is known."
    )


@strawberry.input(description="What a service may cost a month.")
class SetCostBudgetInput:
    """A budget."""

    service: str = strawberry.field(description="The service's name.")
    budget_monthly: Decimal | None = strawberry.field(
        default=strawberry.UNSET, description="How much, and it has to be said; null takes the budget away."
    )
    currency: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="ISO 4217 code; that of the budget before, else the installation's, if left out.",
    )


@strawberry.type
class CostMutations:
    """What can be changed about costs."""

    @mutation(Role.EDITOR, Role.INGEST, description="Record what a service cost in a month.")
    async def record_cost(
        self, info: strawberry.Info[Context, None], input: Input[RecordCostInput]
    ) -> SaveServiceResult:
        """Record a month's cost."""
        async with info.context.writing() as tx:
            wanted = model.CostInput(**given(input, nulls=False))
            return service_of((await commands.record_cost(tx, wanted, info.context.settings.currency)).value)

    @mutation(Role.EDITOR, description="Set or take away a service's monthly budget.")
    async def set_cost_budget(
        self, info: strawberry.Info[Context, None], input: Input[SetCostBudgetInput]
    ) -> SaveServiceResult:
        """Set a budget."""
        if input.budget_monthly is strawberry.UNSET:
            raise Invalid("budget_monthly is missing; null takes the budget away", "budget_monthly")
        values = given(input, nulls=False)
        default = info.context.settings.currency
        async with info.context.writing() as tx:
            amount, currency = values.get("budget_monthly"), values.get("currency")
            return service_of((await commands.set_budget(tx, input.service, amount, currency, default)).value)
