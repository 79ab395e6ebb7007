"""How services keep the organisation's rules."""

from collections.abc import Collection, Mapping
from uuid import UUID

import strawberry

from opsgraph.domains.governance import model, queries
from opsgraph.graphql.context import Context


@strawberry.type(description="One governance check of a service.")
class GovernanceCheck:
    """One check."""

    name: str = strawberry.field(description="Its key, such as `runbook`.")
    passed: bool = strawberry.field(description="Whether it passes; one that was never recorded fails.")
    message: str = strawberry.field(description="What was found; names the service when the check fails.")


@strawberry.type(description="How a service keeps the organisation's rules.")
class Governance:
    """The governance of a service."""

    status: model.GovernanceStatus = strawberry.field(description="By the number of failed checks.")
    checks: list[GovernanceCheck] = strawberry.field(description="Every check; empty while none was recorded.")


async def load_governance(context: Context, keys: Collection[UUID]) -> Mapping[UUID, Governance]:
    """The governance of services."""
    async with context.reading() as session:
        found = await queries.by_service(session, keys)
    return {key: _governance(value) for key, value in found.items()}


def _governance(value: model.Governance) -> Governance:
    checks = [GovernanceCheck(name=check.name, passed=check.passed, message=check.message) for check in value.checks]
    return Governance(status=value.status, checks=checks)
