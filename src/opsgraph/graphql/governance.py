"""How services keep the organisation's rules."""

from collections.abc import Collection, Mapping
from uuid import UUID

import strawberry

from opsgraph.domains.governance import model, queries
from opsgraph.domains.governance.rules import BUILT_IN
from opsgraph.graphql.context import Context
from opsgraph.graphql.rights import query


@strawberry.type(description="One governance check of a service.")
class GovernanceCheck:
    """One check."""

    name: str = strawberry.field(description="Its key, such as `runbook`.")
    passed: bool = strawberry.field(
        description="Whether it passes: as it was recorded, else as the service's manifest implies, else not."
    )
    message: str = strawberry.field(description="What was found, with the service's name.")


@strawberry.type(description="How a service keeps the organisation's rules.")
class Governance:
    """The governance of a service."""

    status: model.GovernanceStatus = strawberry.field(description="By the number of failed checks.")
    checks: list[GovernanceCheck] = strawberry.field(
        description="One for each duty that is enabled, in their order; empty while none was recorded."
    )


@strawberry.type(description="What the organisation asks of every service.")
class GovernanceDuty:
    """One duty."""

    key: str = strawberry.field(description="What `setGovernanceCheck` calls it, such as `runbook`.")
    description: str = strawberry.field(description="What it asks, for people.")
    evidence: str = strawberry.field(description='What a service that passes has, such as "a runbook".')
    enabled: bool = strawberry.field(description="Whether it is asked; one that is not is no check of any service.")
    built_in: bool = strawberry.field(description="Whether opsgraph brings it along.")


def duty_of(value: model.Duty) -> GovernanceDuty:
    """A duty as the schema has it."""
    return GovernanceDuty(
        key=value.key,
        description=value.description,
        evidence=value.evidence,
        enabled=value.enabled,
        built_in=value.key in BUILT_IN,
    )


@strawberry.type
class GovernanceQueries:
    """What can be asked about the organisation's rules."""

    @query(description="Every duty, disabled ones included: the built-in ones, then those that were added, by key.")
    async def governance_duties(self, info: strawberry.Info[Context, None]) -> list[GovernanceDuty]:
        """All duties."""
        async with info.context.reading() as session:
            return [duty_of(duty) for duty in await queries.duties(session)]


async def load_governance(context: Context, keys: Collection[UUID]) -> Mapping[UUID, Governance]:
    """The governance of services."""
    async with context.reading() as session:
        found = await queries.by_service(session, keys)
    return {key: _governance(value) for key, value in found.items()}


def _governance(value: model.Governance) -> Governance:
    checks = [GovernanceCheck(name=check.name, passed=check.passed, message=check.message) for check in value.checks]
    return Governance(status=value.status, checks=checks)
