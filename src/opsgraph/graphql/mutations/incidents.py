"""Responding to incidents."""

from typing import Annotated, Any

import strawberry

from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.incidents import model
from opsgraph.domains.incidents.commands import assigning, notes, rating
from opsgraph.domains.incidents.model import IncidentStatus
from opsgraph.domains.incidents.rules.acceptance import MOST_AT_ONCE
from opsgraph.graphql.complexity import LONGEST
from opsgraph.graphql.context import Context
from opsgraph.graphql.incident_lists import key_of_incident
from opsgraph.graphql.incidents import Incident, incident_of
from opsgraph.graphql.inputs import Input, given
from opsgraph.graphql.nodes import global_id
from opsgraph.graphql.problems import Problem, problem_of
from opsgraph.graphql.rights import mutation
from opsgraph.kernel.actor import Role
from opsgraph.kernel.refusals import Invalid
from opsgraph.workflows import responding

IncidentResult = Annotated[
    Incident | Problem, strawberry.union("IncidentResult", description="The incident, or why not.")
]

_ID = "Its global id; either this or its number is given."
_NUMBER = "Its number; either this or its id is given."
_EXPECTED_VERSION = "The version it has to have: if it was changed meanwhile, this is refused."
_NOTE = "What to write about it besides: 1 to 10,000 characters."
_KEY = "A replay with the same key returns the first result."


@strawberry.type(description="An incident that stays as it is.")
class RefusedIncident:
    """An incident that stays as it is."""

    id: strawberry.ID = strawberry.field(
        description="Its global id; the number as it was given if there is no such incident."
    )
    problem: Problem = strawberry.field(description="Why.")


@strawberry.type(description="What became of many incidents.")
class BulkIncidents:
    """What became of many incidents."""

    changed: list[Incident] = strawberry.field(
        description="Those that are where they were wanted, in the order of their numbers as given.",
        metadata={LONGEST: MOST_AT_ONCE},
    )
    refused: list[RefusedIncident] = strawberry.field(
        description="Those that stay as they are.", metadata={LONGEST: MOST_AT_ONCE}
    )


BulkIncidentResult = Annotated[
    BulkIncidents | Problem,
    strawberry.union("BulkIncidentResult", description="What became of them, or why nothing was done."),
]


@strawberry.input(description="An incident to open by hand.")
class CreateIncidentInput:
    """An incident."""

    service: str = strawberry.field(description="The affected service's name; it has to be registered.")
    title: str = strawberry.field(description="What is the matter: one line of 1 to 1,024 characters.")
    severity: Severity = strawberry.field(description="How bad it is.")
    idempotency_key: str | None = strawberry.field(default=strawberry.UNSET, description=_KEY)


@strawberry.input(description="An incident to move; where it stands already, nothing changes.")
class TransitionInput:
    """A transition."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description=_ID)
    number: int | None = strawberry.field(default=strawberry.UNSET, description=_NUMBER)
    note: str | None = strawberry.field(default=strawberry.UNSET, description=f"{_NOTE} It is kept in any case.")
    expected_version: int | None = strawberry.field(default=strawberry.UNSET, description=_EXPECTED_VERSION)


@strawberry.input(description="Whom an incident is assigned to.")
class AssignIncidentInput:
    """An assignment."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description=_ID)
    number: int | None = strawberry.field(default=strawberry.UNSET, description=_NUMBER)
    user: str | None = strawberry.field(
        default=strawberry.UNSET, description="The user's name; an explicit null assigns it to nobody."
    )
    expected_version: int | None = strawberry.field(default=strawberry.UNSET, description=_EXPECTED_VERSION)


@strawberry.input(description="A note to write about an incident, resolved or not.")
class AddIncidentNoteInput:
    """A note."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description=_ID)
    number: int | None = strawberry.field(default=strawberry.UNSET, description=_NUMBER)
    content: str = strawberry.field(description="1 to 10,000 characters.")
    idempotency_key: str | None = strawberry.field(default=strawberry.UNSET, description=_KEY)


@strawberry.input(description="How bad an incident is from now on.")
class SetIncidentSeverityInput:
    """A severity."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description=_ID)
    number: int | None = strawberry.field(default=strawberry.UNSET, description=_NUMBER)
    severity: Severity = strawberry.field(description="How bad it is.")
    note: str | None = strawberry.field(default=strawberry.UNSET, description=_NOTE)
    expected_version: int | None = strawberry.field(default=strawberry.UNSET, description=_EXPECTED_VERSION)


@strawberry.input(description="Incidents to move; one that is refused stops no other.")
class BulkTransitionInput:
    """A transition of many incidents."""

    numbers: list[int] = strawberry.field(description="Their numbers, at most 200; one that comes twice counts once.")
    note: str | None = strawberry.field(default=strawberry.UNSET, description=f"{_NOTE} Each of them gets it.")


@strawberry.type
class IncidentMutations:
    """What people can do about incidents."""

    @mutation(Role.RESPONDER, description="Open an incident by hand.")
    async def create_incident(
        self, info: strawberry.Info[Context, None], input: Input[CreateIncidentInput]
    ) -> IncidentResult:
        """Open an incident."""
        wanted, followers = model.IncidentInput(**given(input, nulls=False)), info.context.intake.alerting.followers
        async with info.context.writing() as tx:
            return incident_of(await responding.create(tx, wanted, followers))

    @mutation(Role.RESPONDER, description="Say that someone has seen an incident.")
    async def acknowledge_incident(
        self, info: strawberry.Info[Context, None], input: Input[TransitionInput]
    ) -> IncidentResult:
        """Acknowledge an incident."""
        return await _move(info.context, input, IncidentStatus.ACKNOWLEDGED)

    @mutation(Role.RESPONDER, description="Say that someone works on an incident.")
    async def start_incident(
        self, info: strawberry.Info[Context, None], input: Input[TransitionInput]
    ) -> IncidentResult:
        """Start work on an incident."""
        return await _move(info.context, input, IncidentStatus.IN_PROGRESS)

    @mutation(Role.RESPONDER, description="Say that an incident is over; alerts of it that still fire end with it.")
    async def resolve_incident(
        self, info: strawberry.Info[Context, None], input: Input[TransitionInput]
    ) -> IncidentResult:
        """Resolve an incident."""
        return await _move(info.context, input, IncidentStatus.RESOLVED)

    @mutation(Role.RESPONDER, description="Assign an incident to a user, or to nobody.")
    async def assign_incident(
        self, info: strawberry.Info[Context, None], input: Input[AssignIncidentInput]
    ) -> IncidentResult:
        """Assign an incident."""
        if input.user is strawberry.UNSET:
            raise Invalid("user is missing: give a name, or null for nobody", "user")
        wanted = model.AssignInput(**{"user": None, **_named(input)})
        async with info.context.writing() as tx:
            return incident_of(await assigning.assign(tx, wanted))

    @mutation(Role.RESPONDER, description="Write a note about an incident.")
    async def add_incident_note(
        self, info: strawberry.Info[Context, None], input: Input[AddIncidentNoteInput]
    ) -> IncidentResult:
        """Add a note."""
        wanted = model.NoteInput(**_named(input))
        async with info.context.writing() as tx:
            return incident_of(await notes.add_note(tx, wanted))

    @mutation(Role.RESPONDER, description="Say how bad an incident is.")
    async def set_incident_severity(
        self, info: strawberry.Info[Context, None], input: Input[SetIncidentSeverityInput]
    ) -> IncidentResult:
        """Set an incident's severity."""
        wanted = model.SeverityInput(**_named(input))
        async with info.context.writing() as tx:
            return incident_of(await rating.set_severity(tx, wanted))

    @mutation(Role.RESPONDER, description="Say that someone has seen each of these incidents.")
    async def acknowledge_incidents(
        self, info: strawberry.Info[Context, None], input: Input[BulkTransitionInput]
    ) -> BulkIncidentResult:
        """Acknowledge incidents."""
        return await _move_all(info.context, input, IncidentStatus.ACKNOWLEDGED)

    @mutation(Role.RESPONDER, description="Say that each of these incidents is over; their alerts end with them.")
    async def resolve_incidents(
        self, info: strawberry.Info[Context, None], input: Input[BulkTransitionInput]
    ) -> BulkIncidentResult:
        """Resolve incidents."""
        return await _move_all(info.context, input, IncidentStatus.RESOLVED)


async def _move(context: Context, wanted: TransitionInput, wish: IncidentStatus) -> Incident:
    transition = model.TransitionInput(**_named(wanted))
    async with context.writing() as tx:
        return incident_of(await responding.move(tx, transition, wish))


async def _move_all(context: Context, wanted: BulkTransitionInput, wish: IncidentStatus) -> BulkIncidents:
    values = given(wanted, nulls=False)
    transition = model.BulkTransitionInput(**{**values, "numbers": tuple(wanted.numbers)})
    async with context.writing() as tx:
        responded = await responding.move_all(tx, transition, wish)
    return BulkIncidents(
        changed=[incident_of(incident) for incident in responded.changed],
        refused=[_refused(each) for each in responded.refused],
    )


def _refused(value: responding.Refused) -> RefusedIncident:
    named = str(value.number) if value.incident is None else global_id("Incident", value.incident.id)
    return RefusedIncident(id=strawberry.ID(named), problem=problem_of(value.refusal, ["input"]))


def _named(wanted: Any) -> dict[str, Any]:
    """What an input gives, with the incident that it names by id or number."""
    values = given(wanted, nulls=False)
    incident = key_of_incident(values.pop("id", None), values.pop("number", None))
    return {"incident": incident, **values}
