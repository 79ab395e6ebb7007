"""Keeping alerts quiet: silences and maintenance windows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from opsgraph.domains.alerts import model
from opsgraph.domains.alerts.commands import silences as commands
from opsgraph.graphql.context import Context
from opsgraph.graphql.inputs import Input, given
from opsgraph.graphql.nodes import key_of
from opsgraph.graphql.problems import Problem
from opsgraph.graphql.rights import mutation
from opsgraph.graphql.silences import MaintenanceWindow, Silence, silence_of, window_of
from opsgraph.kernel.actor import Role

SilenceResult = Annotated[Silence | Problem, strawberry.union("SilenceResult", description="The silence, or why not.")]
MaintenanceWindowResult = Annotated[
    MaintenanceWindow | Problem,
    strawberry.union("MaintenanceWindowResult", description="The maintenance window, or why not."),
]


@strawberry.input(description="A condition on one label; a label that is absent counts as empty.")
class MatcherInput:
    """A matcher."""

    label: str = strawberry.field(description="The name of the label.")
    value: str = strawberry.field(description="What its value is, or a regular expression for the whole of it.")
    regex: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whether `value` is a regular expression in RE2's syntax; false if left out.",
    )
    negative: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether the value must not be that; false if left out."
    )


@strawberry.input(description="A silence to make.")
class CreateSilenceInput:
    """A silence."""

    matchers: list[MatcherInput] = strawberry.field(
        description="All of which an alert fulfils; at least one that an absent label does not."
    )
    reason: str = strawberry.field(description="Why it shall be quiet, for others.")
    ends_at: datetime = strawberry.field(description="When it ends; in the future.")
    starts_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When it begins; now if left out."
    )
    idempotency_key: str | None = strawberry.field(
        default=strawberry.UNSET, description="A replay with the same key returns the first silence."
    )


@strawberry.input(
    description="A maintenance window to make, or with its id to change; what is left out stays as it is, null clears."
)
class SaveMaintenanceWindowInput:
    """A maintenance window."""

    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Which one to change; a new one if left out."
    )
    services: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="The names of the services that are worked on."
    )
    matchers: list[MatcherInput] | None = strawberry.field(
        default=strawberry.UNSET, description="What other alerts fulfil that it means."
    )
    reason: str | None = strawberry.field(default=strawberry.UNSET, description="What is done; required for a new one.")
    starts_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When it begins; now by default."
    )
    ends_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When it ends; required for a new one, and in the future then."
    )
    exclude_from_slos: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whether its time is meant to be left out of the SLOs of its services; false by default.",
    )


@strawberry.type
class SilenceMutations:
    """What can be kept quiet."""

    @mutation(Role.RESPONDER, description="Keep alerts from making incidents for a while.")
    async def create_silence(
        self, info: strawberry.Info[Context, None], input: Input[CreateSilenceInput]
    ) -> SilenceResult:
        """Make a silence."""
        wanted = model.SilenceInput(**_with_matchers(given(input, nulls=False)))
        async with info.context.writing() as tx:
            return silence_of(await commands.create_silence(tx, wanted))

    @mutation(
        Role.RESPONDER,
        description="End a silence now; what it kept quiet and fires still gets its incident. Again changes nothing.",
    )
    async def expire_silence(
        self,
        info: strawberry.Info[Context, None],
        id: Annotated[strawberry.ID, strawberry.argument(description="Its global id.")],
    ) -> SilenceResult:
        """End a silence."""
        key = key_of("Silence", id)
        async with info.context.writing() as tx:
            return silence_of(await commands.expire_silence(tx, key))

    @mutation(Role.EDITOR, description="Announce planned work, or change what was announced.")
    async def save_maintenance_window(
        self, info: strawberry.Info[Context, None], input: Input[SaveMaintenanceWindowInput]
    ) -> MaintenanceWindowResult:
        """Save a maintenance window."""
        values = _with_matchers(given(input))
        if values.get("services") is not None:
            values["services"] = tuple(values["services"])
        key: UUID | None = None if values.get("id") is None else key_of("MaintenanceWindow", values["id"])
        async with info.context.writing() as tx:
            wanted = model.MaintenanceWindowInput(**{**values, "id": key})
            return window_of(await commands.save_maintenance_window(tx, wanted))


def _with_matchers(values: dict[str, Any]) -> dict[str, Any]:
    """The same with matchers as the domain has them."""
    if values.get("matchers") is None:
        return values
    return {**values, "matchers": _matchers(values["matchers"])}


def _matchers(wanted: Sequence[MatcherInput]) -> tuple[model.Matcher, ...]:
    return tuple(model.Matcher(**given(matcher, nulls=False)) for matcher in wanted)
