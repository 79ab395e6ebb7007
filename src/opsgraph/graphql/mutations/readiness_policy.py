"""Changing the policy by which readiness is judged, and its checks."""

from typing import Annotated, Any

import strawberry

from opsgraph.domains.catalog.model import Lifecycle
from opsgraph.domains.readiness.commands import policies as commands
from opsgraph.domains.readiness.model import policies as model
from opsgraph.graphql.context import Context
from opsgraph.graphql.inputs import Input, given
from opsgraph.graphql.problems import Problem
from opsgraph.graphql.readiness_policy import ReadinessPolicy, policy_of
from opsgraph.graphql.rights import mutation
from opsgraph.kernel.actor import Role
from opsgraph.kernel.refusals import Invalid

ReadinessPolicyResult = Annotated[
    ReadinessPolicy | Problem, strawberry.union("ReadinessPolicyResult", description="The policy, or why not.")
]

_CLEARED = frozenset({"description", "why", "how_to_fix", "tiers", "tags", "lifecycles"})
"""What an explicit null clears; of the rest of a check there is nothing to clear."""


@strawberry.input(description="The weight of a category.")
class CategoryWeightInput:
    """The weight of a category."""

    category: model.ReadinessCategory = strawberry.field(description="The category.")
    weight: float = strawberry.field(description="What the weight of each of its checks is multiplied by; above 0.")


@strawberry.input(description="What to change of the policy; what is left out stays as it is.")
class SaveReadinessPolicyInput:
    """What to change of the policy."""

    go_threshold_pct: float | None = strawberry.field(
        default=strawberry.UNSET, description="The pass rate for GO, in percent: 1 to 100."
    )
    conditional_threshold_pct: float | None = strawberry.field(
        default=strawberry.UNSET, description="The pass rate for CONDITIONAL_GO, in percent: 1 to that for GO."
    )
    minimum_checks: int | None = strawberry.field(
        default=strawberry.UNSET, description="How many checks must apply for a verdict; 3 or more."
    )
    category_weights: list[CategoryWeightInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Weights of categories; those that are not named keep theirs."
    )


@strawberry.input(
    description="A check to create, or to change by its name; what is left out stays as it is. Category and expression "
    "of a check that is built in cannot be changed."
)
class SaveReadinessCheckInput:
    """A check."""

    name: str = strawberry.field(description="Its name: 1 to 200 characters, unique without case.")
    category: model.ReadinessCategory | None = strawberry.field(
        default=strawberry.UNSET, description="What it is about; required for a new one."
    )
    expression: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="CEL over `manifest` that is true where it passes; required for a new one. `manifestSchema` has "
        "what services declare in it.",
    )
    enabled: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether it is asked at all; true by default."
    )
    weight: float | None = strawberry.field(
        default=strawberry.UNSET, description="How much it counts: above 0, at most 1,000; 1 by default."
    )
    hard_blocker: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whether its failure is NO_GO whatever the pass rate; always so for SECURITY.",
    )
    description: str | None = strawberry.field(default=strawberry.UNSET, description="What it asks; null clears.")
    why: str | None = strawberry.field(default=strawberry.UNSET, description="Why that matters; null clears.")
    how_to_fix: str | None = strawberry.field(
        default=strawberry.UNSET, description="What to do so that it passes; null clears."
    )
    tiers: list[int] | None = strawberry.field(
        default=strawberry.UNSET, description="Ask services of these tiers alone; null clears."
    )
    tags: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Ask services with one of these tags alone; null clears."
    )
    lifecycles: list[Lifecycle] | None = strawberry.field(
        default=strawberry.UNSET, description="Ask services in these lifecycles alone; null clears."
    )


@strawberry.type
class ReadinessPolicyMutations:
    """What can be changed about the policy."""

    @mutation(
        Role.ADMIN,
        description="Change thresholds and weights: the next version of the policy, if it differs.",
        audited=True,
    )
    async def save_readiness_policy(
        self, info: strawberry.Info[Context, None], input: Input[SaveReadinessPolicyInput]
    ) -> ReadinessPolicyResult:
        """Save the policy."""
        wanted = _policy(input)
        async with info.context.writing() as tx:
            return policy_of(await commands.save_policy(tx, wanted))

    @mutation(
        Role.ADMIN,
        description="Create or change a check by its name: the next version of the policy, if it differs.",
        audited=True,
    )
    async def save_readiness_check(
        self, info: strawberry.Info[Context, None], input: Input[SaveReadinessCheckInput]
    ) -> ReadinessPolicyResult:
        """Save a check; its expression is compiled first."""
        wanted = _check(input)
        await info.context.readiness.accept(wanted)
        async with info.context.writing() as tx:
            return policy_of(await commands.save_check(tx, wanted))


def _policy(source: SaveReadinessPolicyInput) -> model.PolicyInput:
    values = given(source, nulls=False)
    if "category_weights" in values:
        weights = {one.category: one.weight for one in source.category_weights or ()}
        if len(weights) < len(values["category_weights"]):
            raise Invalid("category_weights names a category twice", "category_weights")
        values["category_weights"] = weights
    return model.PolicyInput(**values)


def _check(source: SaveReadinessCheckInput) -> model.CheckInput:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given(source).items()
        if value is not None or name in _CLEARED
    }
    if "how_to_fix" in values:
        values["fix"] = values.pop("how_to_fix")
    return model.CheckInput(**values)
