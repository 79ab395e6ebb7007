"""Changing SLOs and reporting their events."""

from datetime import datetime
from typing import Annotated

import strawberry

from opsgraph.domains.slo import commands, model, queries
from opsgraph.graphql.context import Context
from opsgraph.graphql.inputs import Input, given
from opsgraph.graphql.nodes import global_id
from opsgraph.graphql.problems import Problem
from opsgraph.graphql.rights import mutation
from opsgraph.graphql.slo import Slo, slo_of
from opsgraph.kernel.actor import Role
from opsgraph.kernel.windows import CalendarWindow


@strawberry.type(description="What was deleted.")
class Deleted:
    """What was deleted."""

    id: strawberry.ID = strawberry.field(description="The global id it had.")


SaveSloResult = Annotated[Slo | Problem, strawberry.union("SaveSloResult", description="The SLO, or why not.")]
DeleteResult = Annotated[
    Deleted | Problem, strawberry.union("DeleteResult", description="What was deleted, or why not.")
]


@strawberry.input(description="An SLO to create or update; what is left out stays as it is, null clears.")
class SaveSloInput:
    """An SLO."""

    service: str = strawberry.field(description="The service's name.")
    name: str = strawberry.field(description="Its name, unique within the service.")
    target: float | None = strawberry.field(
        default=strawberry.UNSET, description="Percent, above 0 and under 100; required for a new one."
    )
    description: str | None = strawberry.field(default=strawberry.UNSET, description="What it promises.")
    current: float | None = strawberry.field(
        default=strawberry.UNSET, description="For DECLARED: what was reached, in percent."
    )
    indicator: model.IndicatorKind | None = strawberry.field(
        default=strawberry.UNSET, description="What it measures; DECLARED by default."
    )
    latency_threshold_ms: float | None = strawberry.field(
        default=strawberry.UNSET, description="For LATENCY_UNDER, in milliseconds."
    )
    window_days: int | None = strawberry.field(
        default=strawberry.UNSET, description="Length of a rolling window, 1 to 90 days; 28 by default."
    )
    calendar: CalendarWindow | None = strawberry.field(
        default=strawberry.UNSET, description="A window of the calendar instead."
    )
    time_zone: str | None = strawberry.field(
        default=strawberry.UNSET, description="IANA zone of the calendar; UTC by default."
    )
    budgeting_method: model.BudgetingMethod | None = strawberry.field(
        default=strawberry.UNSET, description="How the budget is spent; OCCURRENCES by default."
    )
    slice_target: float | None = strawberry.field(
        default=strawberry.UNSET, description="For TIMESLICES: the percentage that makes a slice good."
    )
    slice_seconds: int | None = strawberry.field(
        default=strawberry.UNSET, description="Length of a slice: whole minutes that divide an hour; 60 by default."
    )
    good_query: str | None = strawberry.field(
        default=strawberry.UNSET, description="For EXTERNAL: how good events are counted at their source."
    )
    total_query: str | None = strawberry.field(
        default=strawberry.UNSET, description="For EXTERNAL: how all events are counted at their source."
    )


@strawberry.input(description="Events to add to an SLO with an EXTERNAL indicator.")
class RecordSloEventsInput:
    """Events."""

    service: str = strawberry.field(description="The service's name.")
    slo: str = strawberry.field(description="The SLO's name.")
    good: float = strawberry.field(description="How many of them were good.")
    total: float = strawberry.field(description="How many there were.")
    at: datetime | None = strawberry.field(default=strawberry.UNSET, description="When; now if left out.")
    idempotency_key: str | None = strawberry.field(
        default=strawberry.UNSET, description="A replay with the same key adds nothing."
    )


@strawberry.type
class SloMutations:
    """What can be changed about SLOs."""

    @mutation(Role.EDITOR, description="Create or update an SLO by its service and name.")
    async def save_slo(self, info: strawberry.Info[Context, None], input: Input[SaveSloInput]) -> SaveSloResult:
        """Save an SLO."""
        async with info.context.writing() as tx:
            saved = (await commands.save_slo(tx, model.SloInput(**given(input)))).value
        return await _as_evaluated(info.context, saved)

    @mutation(Role.EDITOR, Role.INGEST, description="Add events to an SLO with an EXTERNAL indicator.")
    async def record_slo_events(
        self, info: strawberry.Info[Context, None], input: Input[RecordSloEventsInput]
    ) -> SaveSloResult:
        """Record events."""
        async with info.context.writing() as tx:
            recorded = await commands.record_slo_events(tx, model.SloEventsInput(**given(input, nulls=False)))
        return await _as_evaluated(info.context, recorded)

    @mutation(Role.EDITOR, description="Delete an SLO with its events and history.")
    async def delete_slo(
        self,
        info: strawberry.Info[Context, None],
        service: Annotated[str, strawberry.argument(description="The service's name.")],
        name: Annotated[str, strawberry.argument(description="The SLO's name.")],
    ) -> DeleteResult:
        """Delete an SLO."""
        async with info.context.writing() as tx:
            deleted = await commands.delete_slo(tx, service, name)
        return Deleted(id=strawberry.ID(global_id("Slo", deleted)))


async def _as_evaluated(context: Context, saved: model.Slo) -> Slo:
    # Its state is evaluated with the service's health, just before the commit: only reading it again shows it.
    async with context.reading() as session:
        return slo_of((await queries.slos_by_id(session, [saved.id])).get(saved.id, saved))
