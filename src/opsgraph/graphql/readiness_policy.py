"""The policy by which readiness is judged, and its checks; every version of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated

import strawberry

from opsgraph.domains.catalog.model import Lifecycle
from opsgraph.domains.readiness.model import policies as model
from opsgraph.domains.readiness.queries import policies as queries
from opsgraph.graphql.complexity import LONGEST
from opsgraph.graphql.context import Context
from opsgraph.graphql.rights import query

USUAL_CHECKS = 25
"""How many checks a policy usually has: those that are built in, and some."""


@dataclass(frozen=True, slots=True)
class CheckKey:
    """A check as a version of the policy has it."""

    version: int
    name: str


@strawberry.type(description="A check of the policy, as one version of it has it.")
class ReadinessCheck:
    """A check."""

    name: str = strawberry.field(description="Unique, without case.")
    category: model.ReadinessCategory = strawberry.field(description="What it is about.")
    weight: float = strawberry.field(description="How much it counts; multiplied by the weight of its category.")
    hard_blocker: bool = strawberry.field(
        description="Whether a failure or an error of it is NO_GO, whatever the pass rate; always so for SECURITY."
    )
    expression: str | None = strawberry.field(
        description="CEL over `manifest` that is true where it passes; null for a check that is built in."
    )
    description: str | None = strawberry.field(description="What it asks.")
    why: str | None = strawberry.field(description="Why that matters.")
    how_to_fix: str | None = strawberry.field(description="What to do so that it passes.")
    enabled: bool = strawberry.field(description="Whether it is asked of anything.")
    built_in: bool = strawberry.field(description="Whether it came with opsgraph.")
    tiers: list[int] = strawberry.field(description="Only services of these tiers are asked; all if there are none.")
    tags: list[str] = strawberry.field(description="Only services with one of these tags; all if there are none.")
    lifecycles: list[Lifecycle] = strawberry.field(
        description="Only services in these lifecycles; all if there are none."
    )


@strawberry.type(description="How much the checks of a category count.")
class CategoryWeight:
    """The weight of a category."""

    category: model.ReadinessCategory = strawberry.field(description="The category.")
    weight: float = strawberry.field(description="What the weight of each of its checks is multiplied by.")


@strawberry.type(description="A version of the policy by which readiness is judged; never changed.")
class ReadinessPolicy:
    """A version of the policy."""

    go_threshold_pct: float = strawberry.field(
        description="The pass rate for GO, in percent; no less than the other one."
    )
    conditional_threshold_pct: float = strawberry.field(description="The pass rate for CONDITIONAL_GO, in percent.")
    minimum_checks: int = strawberry.field(
        description="How many checks must apply to a service for a verdict; 3 or more."
    )
    checks: list[ReadinessCheck] = strawberry.field(
        description="Every check, disabled ones included, in their order.", metadata={LONGEST: USUAL_CHECKS}
    )
    version: int = strawberry.field(description="Counted from 1; each change makes the next one.")
    category_weights: list[CategoryWeight] = strawberry.field(description="The weight of every category.")


def policy_of(value: model.Policy) -> ReadinessPolicy:
    """A version of the policy as the schema has it."""
    return ReadinessPolicy(
        go_threshold_pct=value.go_threshold_pct,
        conditional_threshold_pct=value.conditional_threshold_pct,
        minimum_checks=value.minimum_checks,
        checks=[_check(check) for check in value.checks],
        version=value.version,
        category_weights=[
            CategoryWeight(category=category, weight=value.category_weights.get(category, 1.0))
            for category in model.ReadinessCategory
        ],
    )


def _check(value: model.Check) -> ReadinessCheck:
    return ReadinessCheck(
        name=value.name,
        category=value.category,
        weight=value.weight,
        hard_blocker=value.hard_blocker,
        expression=value.expression,
        description=value.description or None,
        why=value.why or None,
        how_to_fix=value.fix or None,
        enabled=value.enabled,
        built_in=value.expression is None,
        tiers=list(value.tiers),
        tags=list(value.tags),
        lifecycles=list(value.lifecycles),
    )


async def load_policies(context: Context, keys: Collection[int]) -> Mapping[int, ReadinessPolicy]:
    """Versions of the policy."""
    async with context.reading() as session:
        found = await queries.policies_of_versions(session, keys)
    return {version: policy_of(value) for version, value in found.items()}


async def load_checks(context: Context, keys: Collection[CheckKey]) -> Mapping[CheckKey, ReadinessCheck]:
    """Checks as versions of the policy have them."""
    async with context.reading() as session:
        found = await queries.policies_of_versions(session, {key.version for key in keys})
    return {
        CheckKey(version, check.name): _check(check) for version, policy in found.items() for check in policy.checks
    }


@strawberry.type
class ReadinessPolicyQueries:
    """What can be asked about the policy."""

    @query(description="The policy by which readiness is judged now.")
    async def readiness_policy(self, info: strawberry.Info[Context, None]) -> ReadinessPolicy:
        """The newest version."""
        async with info.context.reading() as session:
            return policy_of(await queries.policy_now(session))

    @query(description="A version of the policy, such as the one that a verdict names; null if there is none.")
    async def readiness_policy_version(
        self,
        info: strawberry.Info[Context, None],
        version: Annotated[int, strawberry.argument(description="Its number, from 1.")],
    ) -> ReadinessPolicy | None:
        """One version."""
        return (await load_policies(info.context, [version])).get(version)
