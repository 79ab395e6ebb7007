"""Verdicts on the readiness of services, with what people decided beside them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from opsgraph.domains.readiness.model.overrides import Beside
from opsgraph.domains.readiness.model.policies import ReadinessCategory
from opsgraph.domains.readiness.model.verdicts import CheckOutcome, CheckResult, ReadinessDecision, Verdict
from opsgraph.domains.readiness.queries import overrides, states, verdicts
from opsgraph.domains.readiness.rules import deciding
from opsgraph.graphql.complexity import LONGEST
from opsgraph.graphql.connections import of_parents
from opsgraph.graphql.context import Context
from opsgraph.graphql.edges import edge
from opsgraph.graphql.nodes import Node, finds, to_node
from opsgraph.graphql.readiness_permits import (
    ReadinessExemption,
    ReadinessOverride,
    load_exemptions,
    override_of,
)
from opsgraph.graphql.readiness_policy import (
    USUAL_CHECKS,
    CheckKey,
    ReadinessCheck,
    ReadinessPolicy,
    load_checks,
    load_policies,
)
from opsgraph.graphql.scalars import JSON

if TYPE_CHECKING:
    from opsgraph.graphql.catalog import Service

_Service = Annotated["Service", strawberry.lazy("opsgraph.graphql.catalog")]


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict by its key, with what it decided of which service."""

    key: UUID
    service_key: UUID
    decision: ReadinessDecision


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands beside a verdict, and what counts because of it."""

    override: ReadinessOverride | None
    effective: ReadinessDecision


async def _standings(context: Context, keys: Collection[Judged]) -> Mapping[Judged, Standing]:
    async with context.reading() as session:
        found = await overrides.overrides_of_verdicts(session, [judged.key for judged in keys], context.now)
    return {judged: _standing(judged, found.get(judged.key)) for judged in keys}


def _standing(judged: Judged, beside: Beside | None) -> Standing:
    if beside is None:
        return Standing(None, judged.decision)
    effective = beside.override.decision if beside.counts else judged.decision
    return Standing(override_of(beside.override), effective)


@strawberry.type(description="How a category of checks came out.")
class ReadinessCategoryResult:
    """A category's share of a verdict."""

    category: ReadinessCategory = strawberry.field(description="The category.")
    pass_rate: float = strawberry.field(description="The share of the weight that passed, 0 to 1.")
    passed: int = strawberry.field(description="How many checks passed.")
    total: int = strawberry.field(description="How many checks applied.")


@strawberry.type(description="What became of one check of one service.")
class ReadinessCheckResult:
    """What became of a check."""

    check_key: strawberry.Private[CheckKey]
    outcome: CheckOutcome = strawberry.field(description="What became of it.")
    message: str = strawberry.field(description="Why, for people.")
    check: ReadinessCheck = edge(
        load_checks, key="check_key", description="The check, as the policy of the verdict has it."
    )


@strawberry.type(
    description="What was decided about a service, by which policy and from what; never changed. What people decided "
    "beside it (`override`, `exemptions`, `effectiveDecision`) is as of now."
)
class ReadinessVerdict(Node):
    """A verdict."""

    service_key: strawberry.Private[UUID]
    judged: strawberry.Private[Judged]
    decision: ReadinessDecision = strawberry.field(description="What the policy decides.")
    pass_rate: float = strawberry.field(
        description="The share of the weight that passed, 0 to 1, among the checks that applied."
    )
    pass_rate_shown: str = strawberry.field(
        description="The same as people read it, such as 88%; 100% only if everything passed."
    )
    evaluated_at: datetime = strawberry.field(description="When.")
    evaluated_by: str = strawberry.field(description="Who asked for it: a person, a key, or system.")
    policy_version: int = strawberry.field(description="Which version of the policy decided.")
    categories: list[ReadinessCategoryResult] = strawberry.field(description="How each category came out.")
    results: list[ReadinessCheckResult] = strawberry.field(
        description="Every check that was enabled, in their order.", metadata={LONGEST: USUAL_CHECKS}
    )
    blockers: list[ReadinessCheckResult] = strawberry.field(
        description="The hard blockers that failed or could not be evaluated: with any of them it is NO_GO."
    )
    conditions: list[str] = strawberry.field(description="What a CONDITIONAL_GO asks for, one line a check.")
    to_go: list[ReadinessCheckResult] = strawberry.field(
        description="The fewest checks that would have to pass for a GO; empty for a GO."
    )
    manifest: JSON = strawberry.field(
        description="What was judged: what the service declared and what was measured, each section with its age."
    )
    effective_decision: ReadinessDecision = edge(
        _standings,
        key="judged",
        pick=lambda standing: standing.effective,
        description="What counts: the decision of the override in force, else `decision`.",
    )
    override: ReadinessOverride | None = edge(
        _standings,
        key="judged",
        pick=lambda standing: standing.override,
        description="Of the verdict that there is now: the override in force, else the one that is asked for, else the "
        "last one that is over, for seven days, or if it stood in for this verdict or ended by it. Of any other one: "
        "what stood in for it. Null if there is none.",
    )
    exemptions: list[ReadinessExemption] = edge(
        load_exemptions, key="service_key", description="The checks that its service is, or wants to be, exempt from."
    )
    policy: ReadinessPolicy = edge(load_policies, key="policy_version", description="The policy that decided.")
    service: _Service = to_node("Service", key="service_key", description="Whose readiness it is about.")


def verdict_of(value: Verdict) -> ReadinessVerdict:
    """A verdict as the schema has it."""
    by_name = {result.name: _result(value, result) for result in value.results}
    return ReadinessVerdict(
        key=value.id,
        service_key=value.service_id,
        judged=Judged(value.id, value.service_id, value.decision),
        decision=value.decision,
        pass_rate=value.pass_rate,
        pass_rate_shown=deciding.shown(value.pass_rate),
        evaluated_at=value.evaluated_at,
        evaluated_by=value.evaluated_by,
        policy_version=value.policy_version,
        categories=_categories(value),
        results=list(by_name.values()),
        blockers=[by_name[name] for name in deciding.blockers(value.results)],
        conditions=list(value.conditions),
        to_go=[by_name[name] for name in value.to_go],
        manifest=JSON(value.manifest),
    )


def _result(verdict: Verdict, value: CheckResult) -> ReadinessCheckResult:
    key = CheckKey(verdict.policy_version, value.name)
    return ReadinessCheckResult(check_key=key, outcome=value.outcome, message=value.message)


def _categories(verdict: Verdict) -> list[ReadinessCategoryResult]:
    return [
        ReadinessCategoryResult(
            category=result.category, pass_rate=result.pass_rate, passed=result.passed, total=result.total
        )
        for result in deciding.categories(verdict.results)
    ]


@finds("ReadinessVerdict")
async def _find_verdicts(context: Context, keys: Collection[UUID]) -> Mapping[UUID, ReadinessVerdict]:
    async with context.reading() as session:
        found = await verdicts.verdicts_by_id(session, keys)
    return {key: verdict_of(value) for key, value in found.items()}


async def load_readiness(context: Context, keys: Collection[UUID]) -> Mapping[UUID, ReadinessVerdict]:
    """The verdicts that there are now on services."""
    async with context.reading() as session:
        found = await verdicts.newest_by_service(session, keys)
    return {key: verdict_of(value) for key, value in found.items()}


async def load_refusals(context: Context, keys: Collection[UUID]) -> Mapping[UUID, str | None]:
    """Why there are no verdicts now on services, where the last evaluation came to none."""
    async with context.reading() as session:
        found = await states.standings_by_service(session, keys)
    return {key: standing.refusal for key, standing in found.items()}


VERDICTS_OF_SERVICE = of_parents(
    "readiness verdicts of a service",
    verdicts.verdicts_by_service,
    verdicts.count_by_service,
    lambda row: verdict_of(verdicts.verdict_of(row)),
)
