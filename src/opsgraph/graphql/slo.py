"""Service level objectives."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from opsgraph.domains.slo import model, queries
from opsgraph.graphql.connections import After, Connection, First, connect, of_parents, whole_list
from opsgraph.graphql.context import Context
from opsgraph.graphql.edges import edge
from opsgraph.graphql.inputs import frozen
from opsgraph.graphql.nodes import Node, finds, to_node
from opsgraph.graphql.rights import query
from opsgraph.kernel.pages import page_request
from opsgraph.kernel.windows import CalendarWindow

if TYPE_CHECKING:
    from opsgraph.graphql.catalog import Service

_Service = Annotated["Service", strawberry.lazy("opsgraph.graphql.catalog")]
WindowMinutes = Annotated[
    int | None, strawberry.argument(description="Length of the window in minutes; the SLO's own window if left out.")
]


async def _burn_rates(
    context: Context, keys: Collection[model.Slo], *, window_minutes: WindowMinutes = None
) -> Mapping[model.Slo, float | None]:
    if window_minutes is None:
        return {slo: slo.state.burn_rate for slo in keys}
    async with context.reading() as session:
        found = await queries.burn_rates(session, keys, window_minutes, context.now)
    return {slo: found[slo.id] for slo in keys}


@strawberry.type(description="A service level objective.")
class Slo(Node):
    """A service level objective with its state as last evaluated."""

    value: strawberry.Private[model.Slo]
    service_key: strawberry.Private[UUID]
    name: str = strawberry.field(description="Unique within the service, without case.")
    description: str | None = strawberry.field(description="What it promises, for people.")
    target: float = strawberry.field(description="What is promised, in percent; above 0 and under 100.")
    current: float | None = strawberry.field(
        description="What was reached over the window, in percent; null while it is unknown."
    )
    is_met: bool | None = strawberry.field(description="Whether `current` reaches `target`; null while unknown.")
    indicator: model.IndicatorKind = strawberry.field(description="What it measures.")
    budgeting_method: model.BudgetingMethod = strawberry.field(description="How its budget is spent.")
    window_days: int | None = strawberry.field(description="Length of a rolling window in days; null on a calendar.")
    calendar: CalendarWindow | None = strawberry.field(description="The calendar's window; null on a rolling one.")
    time_zone: str | None = strawberry.field(description="IANA zone in which the calendar's window begins.")
    budget_remaining_pct: float | None = strawberry.field(
        description="What is left of the error budget, in percent of it, to one decimal; never below 0."
    )
    budget_remaining_signed_pct: float | None = strawberry.field(
        description="The same, negative once more than the budget was spent."
    )
    budget_remaining_minutes: float | None = strawberry.field(
        description="Minutes of complete failure that the budget still allows; never below 0."
    )
    exhausts_at: datetime | None = strawberry.field(
        description="When the budget will be spent at the window's burn rate; null when never or unknown."
    )
    coverage_pct: float | None = strawberry.field(description="The share of the window that was measured, in percent.")
    evaluated_at: datetime | None = strawberry.field(description="When its state was computed.")
    latency_threshold_ms: float | None = strawberry.field(
        description="For LATENCY_UNDER: requests that take less are good, in milliseconds."
    )
    slice_target: float | None = strawberry.field(description="For TIMESLICES: the percentage that makes a slice good.")
    slice_seconds: int | None = strawberry.field(description="The length of a slice in seconds.")
    good_query: str | None = strawberry.field(description="For EXTERNAL: how good events are counted at their source.")
    total_query: str | None = strawberry.field(description="For EXTERNAL: how all events are counted at their source.")
    burn_rate: float | None = edge(
        _burn_rates,
        key="value",
        description="How fast the budget is spent: 1 spends it exactly over the SLO's window; null without events.",
    )
    service: _Service = to_node("Service", key="service_key", description="Whose objective it is.")


def slo_of(value: model.Slo) -> Slo:
    """An SLO as the schema has it."""
    state = value.state
    return Slo(
        key=value.id,
        value=value,
        service_key=value.service_id,
        name=value.name,
        description=value.description,
        target=value.target,
        current=state.current,
        is_met=state.is_met,
        indicator=value.indicator,
        budgeting_method=value.budgeting_method,
        window_days=value.window_days,
        calendar=value.calendar,
        time_zone=value.time_zone,
        budget_remaining_pct=state.budget_remaining_pct,
        budget_remaining_signed_pct=state.budget_remaining_signed_pct,
        budget_remaining_minutes=state.budget_remaining_minutes,
        exhausts_at=state.exhausts_at,
        coverage_pct=state.coverage_pct,
        evaluated_at=state.evaluated_at,
        latency_threshold_ms=value.latency_threshold_ms,
        slice_target=value.slice_target,
        slice_seconds=value.slice_seconds,
        good_query=value.good_query,
        total_query=value.total_query,
    )


@finds("Slo")
async def _find_slos(context: Context, keys: Collection[UUID]) -> Mapping[UUID, Slo]:
    async with context.reading() as session:
        found = await queries.slos_by_id(session, keys)
    return {key: slo_of(value) for key, value in found.items()}


SLOS_OF_SERVICE = of_parents(
    "slos of a service", queries.slos_by_service, queries.count_by_service, lambda row: slo_of(queries.slo_of(row))
)
SLOS = whole_list("slos", queries.slos_page, queries.count_slos, lambda row: slo_of(queries.slo_of(row)))


@strawberry.input(description="Which SLOs: all conditions hold.")
class SloFilter:
    """Which SLOs are wanted."""

    services: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Of one of the services of these names."
    )
    is_met: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Met, or missed; unknown ones are neither."
    )


@strawberry.type
class SloQueries:
    """What can be asked about SLOs."""

    @query(description="SLOs of services in use, by name.")
    async def slos(
        self,
        info: strawberry.Info[Context, None],  # noqa: ARG002 - every root field takes it
        first: First = None,
        after: After = None,
        filter: Annotated[SloFilter | None, strawberry.argument(description="Which ones; all if left out.")] = None,
    ) -> Connection[Slo]:
        """A page of SLOs."""
        return connect(SLOS, None, page_request(SLOS.order, first, after), (frozen(filter, model.SloFilter),))
