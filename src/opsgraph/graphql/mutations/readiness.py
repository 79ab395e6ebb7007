"""Declaring manifests, asking for verdicts, and deciding beside them."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

import strawberry

from opsgraph.domains.access.rules import held
from opsgraph.domains.catalog.queries.services import require_service
from opsgraph.domains.readiness.commands import declaring, exempting, overriding
from opsgraph.domains.readiness.model.overrides import Exemption, Override, Seen
from opsgraph.domains.readiness.model.verdicts import ReadinessDecision, Verdict
from opsgraph.domains.readiness.queries.verdicts import last_by_service
from opsgraph.graphql.catalog import service_of
from opsgraph.graphql.context import Context
from opsgraph.graphql.inputs import Input
from opsgraph.graphql.mutations.catalog import SaveServiceResult
from opsgraph.graphql.nodes import global_id, key_of
from opsgraph.graphql.problems import Problem
from opsgraph.graphql.readiness import ReadinessVerdict, verdict_of
from opsgraph.graphql.rights import mutation
from opsgraph.graphql.scalars import JSON
from opsgraph.kernel.actor import Role
from opsgraph.kernel.refusals import Conflict, Invalid
from opsgraph.storage.transactions import Tx

ReadinessResult = Annotated[
    ReadinessVerdict | Problem, strawberry.union("ReadinessResult", description="The verdict as it is now, or why not.")
]

_SERVICE = "The service's name."
_CHECK = "The name of the check."


@strawberry.input(
    description="All that a service declares about itself; it takes the place of what it declared before."
)
class DeclareManifestInput:
    """A manifest."""

    service: str = strawberry.field(description=_SERVICE)
    values: JSON = strawberry.field(
        description="An object of known fields, which `manifestSchema` has, and of free ones under `custom`."
    )


@strawberry.input(description="A decision that shall stand in for that of verdicts.")
class RequestOverrideInput:
    """A request for an override."""

    service: str = strawberry.field(description=_SERVICE)
    decision: ReadinessDecision = strawberry.field(description="What shall count.")
    reason: str = strawberry.field(description="Why: 1 to 10,000 characters.")
    expires_at: datetime = strawberry.field(description="When it shall end; within the next 90 days.")


@strawberry.input(description="The override of a service that is decided about.")
class ApproveOverrideInput:
    """A decision about an override."""

    service: str = strawberry.field(description=_SERVICE)
    note: str | None = strawberry.field(default=strawberry.UNSET, description="What to write about it.")
    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The override that was read; CONFLICT if it is about another one by now."
    )
    verdict: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The verdict that was read; CONFLICT if there is another one by now."
    )


@strawberry.input(description="A check that shall not be asked of a service for a while.")
class ExemptReadinessCheckInput:
    """An exemption."""

    service: str = strawberry.field(description=_SERVICE)
    check: str = strawberry.field(description=_CHECK)
    reason: str = strawberry.field(description="Why: 1 to 10,000 characters.")
    ends_at: datetime = strawberry.field(description="When it shall end; within the next 366 days.")


@strawberry.input(description="The exemption to end.")
class RevokeReadinessExemptionInput:
    """An exemption."""

    service: str = strawberry.field(description=_SERVICE)
    check: str = strawberry.field(description=_CHECK)


@strawberry.type
class ReadinessMutations:
    """What can be done about the readiness of services."""

    @mutation(Role.EDITOR, description="Declare what a service has; an equal declaration adds none.")
    async def declare_manifest(
        self, info: strawberry.Info[Context, None], input: Input[DeclareManifestInput]
    ) -> SaveServiceResult:
        """Declare a manifest."""
        if not isinstance(input.values, dict):
            raise Invalid("values is not an object of fields", "values")
        async with info.context.writing() as tx:
            return service_of((await declaring.declare(tx, input.service, input.values)).value)

    @mutation(Role.VIEWER, description="Judge a service now: a new verdict, by the policy and all facts as they are.")
    async def evaluate_readiness(
        self,
        info: strawberry.Info[Context, None],
        service: Annotated[str, strawberry.argument(description=_SERVICE)],
    ) -> ReadinessResult:
        """Make a verdict."""
        return verdict_of(await info.context.judge(service))

    @mutation(
        Role.EDITOR,
        description="Ask for an override; it has no effect until another person approves it.",
        audited=True,
    )
    async def request_readiness_override(
        self, info: strawberry.Info[Context, None], input: Input[RequestOverrideInput]
    ) -> ReadinessResult:
        """Ask for an override."""
        async with info.context.writing() as tx:
            override = await overriding.request(tx, input.service, input.decision, input.reason, input.expires_at)
        return await _newest(info.context, override.service_id)

    @mutation(
        Role.APPROVER,
        description="Approve the override that is asked for; nobody approves their own request.",
        audited=True,
    )
    async def approve_readiness_override(
        self, info: strawberry.Info[Context, None], input: Input[ApproveOverrideInput]
    ) -> ReadinessResult:
        """Approve an override."""
        return await _decide(info.context, overriding.approve, input)

    @mutation(
        Role.EDITOR,
        Role.APPROVER,
        description="Refuse the override that is asked for: an approver, or whoever asked for it, to take it back.",
        audited=True,
    )
    async def reject_readiness_override(
        self, info: strawberry.Info[Context, None], input: Input[ApproveOverrideInput]
    ) -> ReadinessResult:
        """Reject an override."""
        approving = Role.APPROVER in held(info.context.actor)
        return await _decide(info.context, partial(overriding.reject, approving=approving), input)

    @mutation(
        Role.APPROVER,
        description="End the override that is in force, so that the verdict counts again; or else the request for one.",
        audited=True,
    )
    async def revoke_readiness_override(
        self, info: strawberry.Info[Context, None], input: Input[ApproveOverrideInput]
    ) -> ReadinessResult:
        """Revoke an override."""
        return await _decide(info.context, overriding.revoke, input)

    @mutation(
        Role.EDITOR,
        Role.APPROVER,
        description="Ask that a check is not asked of a service. An approver grants what another person asked for. "
        "What nobody did, an approver grants alone, but for hard blockers, such as any check of SECURITY: an exemption "
        "from one of those takes two people, and what the first of them asks for is pending.",
        audited=True,
    )
    async def exempt_readiness_check(
        self, info: strawberry.Info[Context, None], input: Input[ExemptReadinessCheckInput]
    ) -> ReadinessResult:
        """Ask for an exemption, or grant one."""
        context, approving = info.context, Role.APPROVER in held(info.context.actor)
        await _ensure_verdict(context, input.service)
        async with context.writing() as tx:
            exemption = await exempting.exempt(
                tx, input.service, input.check, input.reason, input.ends_at, approving=approving
            )
        return await _judged_with(context, input.service, exemption)

    @mutation(Role.EDITOR, Role.APPROVER, description="End an exemption, or take a request for one back.", audited=True)
    async def revoke_readiness_exemption(
        self, info: strawberry.Info[Context, None], input: Input[RevokeReadinessExemptionInput]
    ) -> ReadinessResult:
        """End an exemption."""
        async with info.context.writing() as tx:
            exemption = await exempting.revoke(tx, input.service, input.check)
        return await _judged_with(info.context, input.service, exemption)


_Decide = Callable[[Tx, str, str | None, Seen], Awaitable[Override]]


async def _decide(context: Context, decide: _Decide, wanted: ApproveOverrideInput) -> ReadinessVerdict:
    note = wanted.note if isinstance(wanted.note, str) else None
    seen = Seen(_key("ReadinessOverride", wanted.id, "id"), _key("ReadinessVerdict", wanted.verdict, "verdict"))
    async with context.writing() as tx:
        override = await decide(tx, wanted.service, note, seen)
        context.record_also(
            override=global_id("ReadinessOverride", override.id),
            decision=override.decision.name,
            requestedBy=override.requested_by,
        )
    return await _newest(context, override.service_id)


def _key(kind: str, value: strawberry.ID | None, field: str) -> UUID | None:
    return key_of(kind, value, field) if isinstance(value, str) else None


async def _newest(context: Context, service_id: UUID) -> ReadinessVerdict:
    """The verdict on a service, or the last that there was: of what is done there is always something to show."""
    found = (await _last(context, service_id)).get(service_id)
    if found is None:
        raise Conflict("it is done; there is no verdict any more to show with it", "service")
    return verdict_of(found)


async def _last(context: Context, service_id: UUID) -> Mapping[UUID, Verdict]:
    async with context.reading() as session:
        return await last_by_service(session, [service_id])


async def _ensure_verdict(context: Context, service: str) -> None:
    """Judge a service that never was: what is refused after the exemption is stored would say that nothing was."""
    async with context.reading() as session:
        found = await require_service(session, service)
    if not await _last(context, found.id):
        await context.judge(service)


async def _judged_with(context: Context, service: str, exemption: Exemption) -> ReadinessVerdict:
    """The verdict with an exemption that began or ended; a request for one makes no difference yet."""
    if exemption.approved_by is None:
        return await _newest(context, exemption.service_id)
    try:
        return verdict_of(await context.judge(service))
    except Conflict:
        # Too few checks are left for a verdict: the last that there was shows the exemption beside it.
        return await _newest(context, exemption.service_id)
