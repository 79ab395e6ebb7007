"""What people do about incidents: acknowledge, start, resolve, one or many at once, each in one transaction.

Resolving an incident ends its alerts as well. Locks are taken in everyone's order: slots, incidents, alerts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opsgraph.domains.alerts.commands import resolving
from opsgraph.domains.incidents.commands import correlating, creating, locking, slots, transitions
from opsgraph.domains.incidents.commands.notes import annotate
from opsgraph.domains.incidents.model import (
    BulkTransitionInput,
    Incident,
    IncidentInput,
    IncidentStatus,
    TransitionInput,
)
from opsgraph.domains.incidents.queries.incidents import incidents_by_number
from opsgraph.domains.incidents.rules import acceptance
from opsgraph.domains.incidents.rules.transitions import transition
from opsgraph.kernel.refusals import NotFound, Refusal
from opsgraph.storage.saving import Outcome
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.followers import Follower, follow


@dataclass(frozen=True, slots=True)
class Refused:
    """An incident that stays as it is: its number, the incident if there is one, and why."""

    number: int
    incident: Incident | None
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Responded:
    """What became of many incidents: those that are where they were wanted, and those that were refused."""

    changed: Sequence[Incident]
    refused: Sequence[Refused]


async def create(tx: Tx, wanted: IncidentInput, followers: Sequence[Follower] = ()) -> Incident:
    """Open an incident by hand, see `creating.create`; what follows a new incident follows this one, too."""
    saved = await creating.create(tx, wanted)
    if saved.outcome is Outcome.CREATED:
        await follow(tx, followers, [saved.value])
    return saved.value


async def move(tx: Tx, wanted: TransitionInput, wish: IncidentStatus) -> Incident:
    """Move an incident; where it stands already, nothing changes but that the note is kept.

    Raises:
        NotFound: there is no such incident.
        Invalid: the note is empty or too long.
        Conflict: it has another version, or the status machine does not allow it.
    """
    content = None if wanted.note is None else acceptance.note(wanted.note, "note")
    ending = wish is IncidentStatus.RESOLVED
    incident = await locking.lock_one(tx, wanted.incident, wanted.expected_version, with_slots=ending)
    return (await _moved(tx, [incident], wish, content))[0]


async def move_all(tx: Tx, wanted: BulkTransitionInput, wish: IncidentStatus) -> Responded:
    """Move incidents by number, in a constant number of statements; one that is refused stops no other.

    Raises:
        Invalid: more than 200 numbers, or the note is empty or too long.
    """
    numbers = acceptance.numbers(wanted.numbers)
    content = None if wanted.note is None else acceptance.note(wanted.note, "note")
    found = await incidents_by_number(tx.connection, numbers)
    if wish is IncidentStatus.RESOLVED:
        await slots.lock_of(tx, found.values())
    locked = await locking.lock_incidents(tx, [incident.id for incident in found.values()])
    by_number = {incident.number: incident for incident in locked.values()}
    refused = _refused(tx, numbers, by_number, wish)
    accepted = [by_number[number] for number in numbers if number not in refused]
    return Responded(await _moved(tx, accepted, wish, content), list(refused.values()))


def _refused(tx: Tx, numbers: Sequence[int], found: Mapping[int, Incident], wish: IncidentStatus) -> dict[int, Refused]:
    refused = {}
    for number in numbers:
        incident = found.get(number)
        try:
            if incident is None:
                raise NotFound(f"there is no incident {number}", "numbers", {"number": number})
            transition(incident, wish, tx.now)
        except Refusal as refusal:
            refused[number] = Refused(number, incident, refusal)
    return refused


async def _moved(tx: Tx, locked: Sequence[Incident], wish: IncidentStatus, content: str | None) -> list[Incident]:
    moved = await transitions.move_all(tx, locked, wish, by=tx.actor.name)
    if wish is IncidentStatus.RESOLVED:
        await _end_alerts(tx, [after for before, after in zip(locked, moved, strict=True) if after is not before])
    return await annotate(tx, moved, content)


async def _end_alerts(tx: Tx, resolved: Sequence[Incident]) -> None:
    """End the alerts that still fire of incidents that were just resolved, and tell it in their timelines."""
    if not resolved:
        return
    ended = await resolving.resolve_of_incidents(tx, [incident.id for incident in resolved])
    told = {id_: ([alert.id for alert in ended[id_]], tx.actor.name) for id_ in sorted(ended)}
    await correlating.tell_resolved(tx, told)
