"""What people decide beside verdicts: overrides, and exemptions from checks."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from opsgraph.domains.readiness.model import overrides as model
from opsgraph.domains.readiness.model.verdicts import ReadinessDecision
from opsgraph.domains.readiness.queries import exemptions, overrides
from opsgraph.graphql.connections import of_parents
from opsgraph.graphql.context import Context
from opsgraph.graphql.nodes import Node, finds


def _is_in_force(root: Any, info: strawberry.Info[Context, None]) -> bool:
    in_force: bool = root.value.in_force(info.context.now)
    return in_force


def _state(root: Any, info: strawberry.Info[Context, None]) -> model.OverrideState:
    return _as_of(root.value, info.context.now).state


def _ended_at(root: Any, info: strawberry.Info[Context, None]) -> datetime | None:
    return _as_of(root.value, info.context.now).ended_at


def _ended_reason(root: Any, info: strawberry.Info[Context, None]) -> str | None:
    return _as_of(root.value, info.context.now).ended_reason


def _as_of(value: model.Override, now: datetime) -> model.Override:
    """The same at an instant: one that has expired, approved or only asked for, has ended also before that is noted."""
    if value.state not in model.STANDING or now < value.expires_at:
        return value
    return replace(value, state=model.OverrideState.ENDED, ended_at=value.expires_at, ended_reason="expired")


@strawberry.type(
    description="A decision that stands in for that of verdicts: one person asks for it, another one approves it."
)
class ReadinessOverride(Node):
    """An override."""

    value: strawberry.Private[model.Override]
    decision: ReadinessDecision = strawberry.field(description="What counts while it is in force.")
    reason: str = strawberry.field(description="Why somebody asks for it.")
    requested_by: str = strawberry.field(description="Who asks for it.")
    requested_at: datetime = strawberry.field(description="When they did.")
    approved_by: str | None = strawberry.field(description="Who approved it; never who asked for it.")
    approved_at: datetime | None = strawberry.field(description="When they did.")
    expires_at: datetime = strawberry.field(description="When it ends by itself.")
    active: bool = strawberry.field(resolver=_is_in_force, description="Whether it is in force now.")
    state: model.OverrideState = strawberry.field(resolver=_state, description="How far it has come.")
    decided_by: str | None = strawberry.field(description="Who approved or rejected it; null while nobody did.")
    note: str | None = strawberry.field(description="What they wrote.")
    ended_at: datetime | None = strawberry.field(
        resolver=_ended_at, description="When it ended; null while it has not, and where it was rejected."
    )
    ended_by: str | None = strawberry.field(description="Who ended it, if somebody did.")
    ended_reason: str | None = strawberry.field(
        resolver=_ended_reason, description="Why it ended, such as expired, or a new blocker by its name."
    )


@strawberry.type(description="A check that is not asked of a service for a while: one asks for it, another grants it.")
class ReadinessExemption:
    """An exemption."""

    value: strawberry.Private[model.Exemption]
    check: str = strawberry.field(description="The name of the check.")
    reason: str = strawberry.field(description="Why it shall not be asked.")
    requested_by: str | None = strawberry.field(description="Who asked for it; null if an approver granted it unasked.")
    requested_at: datetime = strawberry.field(description="When they did.")
    approved_by: str | None = strawberry.field(description="Who granted it; null while nobody has.")
    approved_at: datetime | None = strawberry.field(description="When they did.")
    ends_at: datetime = strawberry.field(description="When it ends.")
    active: bool = strawberry.field(resolver=_is_in_force, description="Whether the check is skipped now.")


def override_of(value: model.Override) -> ReadinessOverride:
    """An override as the schema has it."""
    approved = value.verdict_id is not None
    return ReadinessOverride(
        key=value.id,
        value=value,
        decision=value.decision,
        reason=value.reason,
        requested_by=value.requested_by,
        requested_at=value.requested_at,
        approved_by=value.decided_by if approved else None,
        approved_at=value.decided_at if approved else None,
        expires_at=value.expires_at,
        decided_by=value.decided_by,
        note=value.note,
        ended_by=value.ended_by,
    )


def _exemption(value: model.Exemption) -> ReadinessExemption:
    return ReadinessExemption(
        value=value,
        check=value.check,
        reason=value.reason,
        requested_by=value.requested_by,
        requested_at=value.requested_at,
        approved_by=value.approved_by,
        approved_at=value.approved_at,
        ends_at=value.ends_at,
    )


async def load_exemptions(context: Context, keys: Collection[UUID]) -> Mapping[UUID, list[ReadinessExemption]]:
    """The exemptions of services that are in force or asked for."""
    async with context.reading() as session:
        found = await exemptions.exemptions_by_service(session, keys, context.now)
    return {key: [_exemption(value) for value in found.get(key, ())] for key in keys}


@finds("ReadinessOverride")
async def _find_overrides(context: Context, keys: Collection[UUID]) -> Mapping[UUID, ReadinessOverride]:
    async with context.reading() as session:
        found = await overrides.overrides_by_id(session, keys)
    return {key: override_of(value) for key, value in found.items()}


OVERRIDES_OF_SERVICE = of_parents(
    "readiness overrides of a service",
    overrides.overrides_by_service,
    overrides.count_by_service,
    lambda row: override_of(overrides.override_of(row)),
)
