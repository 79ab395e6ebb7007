"""What people say about incidents: who has them, how bad they are, what is written about them, and new ones."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from opsgraph.domains.access import commands as access
from opsgraph.domains.access.model import UserInput
from opsgraph.domains.access.tables import users
from opsgraph.domains.alerts.model import AlertOutcome, Severity
from opsgraph.domains.incidents.commands import assigning, notes, rating
from opsgraph.domains.incidents.model import (
    AssignInput,
    Incident,
    IncidentInput,
    IncidentStatus,
    NoteInput,
    SeverityInput,
    TransitionInput,
)
from opsgraph.kernel.refusals import Conflict, NotFound
from opsgraph.settings import Settings
from opsgraph.storage.transactions import Tx
from opsgraph.workflows import responding
from tests.support import databases
from tests.support.catalog import make_service
from tests.support.clock import TestClock
from tests.support.intake import Desk, opened, report
from tests.support.responding import done, only, told

OPEN, ACKNOWLEDGED, IN_PROGRESS, RESOLVED = IncidentStatus


@pytest.fixture
async def desk(settings: Settings, clock: TestClock, database_kind: str) -> AsyncIterator[Desk]:
    """A process that takes in alerts, on an empty database."""
    async with opened(settings, clock) as started:
        yield started
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


async def move(desk: Desk, incident: Incident, wish: IncidentStatus, **values: Any) -> Incident:
    """Move an incident."""
    moved: Incident = await done(desk, responding.move, TransitionInput(incident.id, **values), wish)
    return moved


async def test_assigning_by_name_and_to_nobody(desk: Desk) -> None:
    """In any case; again changes nothing; unknown and deactivated users are refused; the last word stays."""
    await desk.take(report())
    incident = await only(desk)
    ana = (await done(desk, access.save_user, UserInput("Ana"))).value
    gone = (await done(desk, access.save_user, UserInput("Gone"))).value
    await done(desk, _deactivate, gone.id)
    taken = await done(desk, assigning.assign, AssignInput(incident.id, "ANA", 1))
    assert taken == await only(desk)
    assert (taken.assignee_id, taken.version) == (ana.id, 2)
    assert await done(desk, assigning.assign, AssignInput(incident.number, "ana")) == taken
    for name, refusal in (("nobody", NotFound), ("Gone", Conflict)):
        with pytest.raises(refusal) as refused:
            await done(desk, assigning.assign, AssignInput(incident.id, name))
        assert refused.value.field == ("user",)
    freed = await done(desk, assigning.assign, AssignInput(incident.id, None))
    assert (freed.assignee_id, freed.version) == (None, 3)
    assert (await told(desk, incident))[2:] == [
        ("ASSIGNED", "ada", {"from": None, "to": "Ana"}),
        ("ASSIGNED", "ada", {"from": "Ana", "to": None}),
    ]


async def _deactivate(tx: Tx, user_id: UUID) -> None:
    await tx.connection.execute(update(users).where(users.c.id == user_id).values(active=False, updated_at=tx.now))


async def test_another_severity_is_another_slot(desk: Desk) -> None:
    """Alerts of the severity it has now join it; those of the one it had open another."""
    await desk.take(report(1))
    incident = await only(desk)
    rated = await done(desk, rating.set_severity, SeverityInput(incident.id, Severity.LOW, "nobody notices", 1))
    assert (rated.severity, rated.version) == (Severity.LOW, 3)
    assert await done(desk, rating.set_severity, SeverityInput(incident.id, Severity.LOW)) == rated
    assert await desk.take(report(2, Severity.LOW)) == [AlertOutcome.ATTACHED]
    assert await desk.take(report(3)) == [AlertOutcome.NEW_INCIDENT]
    assert (await told(desk, incident))[2:4] == [
        ("SEVERITY_CHANGED", "ada", {"from": "HIGH", "to": "LOW"}),
        ("NOTED", "ada", {"content": "nobody notices"}),
    ]


async def test_what_is_resolved_takes_notes_and_nothing_else(desk: Desk) -> None:
    """Its severity and assignee are refused to change; to leave them as they are is not."""
    await desk.take(report())
    await done(desk, access.save_user, UserInput("Ana"))
    incident = await move(desk, await only(desk), RESOLVED)
    for command, wanted in (
        (assigning.assign, AssignInput(incident.id, "Ana")),
        (rating.set_severity, SeverityInput(incident.id, Severity.LOW, "was not that bad")),
    ):
        with pytest.raises(Conflict, match="is resolved") as refused:
            await done(desk, command, wanted)
        assert refused.value.details == {"status": "RESOLVED"}
    assert await done(desk, assigning.assign, AssignInput(incident.id, None)) == incident
    assert await done(desk, rating.set_severity, SeverityInput(incident.id, Severity.HIGH)) == incident
    noted = await done(desk, notes.add_note, NoteInput(incident.id, "looked into it"))
    assert (noted.version, noted.resolved_at, noted.mttr_seconds) == (
        incident.version + 1,
        incident.resolved_at,
        incident.mttr_seconds,
    )


async def test_a_note_with_a_key_is_written_once(desk: Desk) -> None:
    """A replay gives the incident as it is; the same key with another text is refused; without a key it is new."""
    await desk.take(report())
    incident = await only(desk)
    for _ in range(2):
        noted = await done(desk, notes.add_note, NoteInput(incident.number, "looked", "k-1"))
    assert noted.version == 2
    with pytest.raises(Conflict, match="different request"):
        await done(desk, notes.add_note, NoteInput(incident.number, "looked again", "k-1"))
    for _ in range(2):
        await done(desk, notes.add_note, NoteInput(incident.id, "looked"))
    assert (await only(desk)).version == 4


async def test_opening_one_by_hand(desk: Desk) -> None:
    """Of a registered service, under the name it has; with a key once; alerts that follow join it."""
    service = await done(desk, make_service, "Api")
    wanted = IncidentInput("aPI", " It is slow ", Severity.HIGH, "k-1")
    made = await done(desk, responding.create, wanted)
    assert (made.service_name, made.service_id, made.title, made.source) == ("Api", service.id, "It is slow", "manual")
    assert (made.status, made.version, made.alert_count) == (OPEN, 1, 0)
    assert await done(desk, responding.create, wanted) == made == await only(desk)
    assert await told(desk, made) == [
        ("CREATED", "ada", {"title": "It is slow", "severity": "HIGH", "source": "manual"})
    ]
    assert await desk.take(report()) == [AlertOutcome.ATTACHED]
    another = await done(desk, responding.create, IncidentInput("api", "It is slow", Severity.HIGH))
    assert another.number > made.number


async def test_opening_one_of_a_service_that_nobody_registered(desk: Desk) -> None:
    """Alerts of it would be taken, but a person has mistyped its name."""
    with pytest.raises(NotFound) as missing:
        await done(desk, responding.create, IncidentInput("apj", "It is slow", Severity.HIGH))
    assert missing.value.field == ("service",)
    assert await desk.incidents() == []


class _Failing:
    """A follower that fails."""

    name = "on call"

    async def follow(self, _tx: Tx, _opened: Any) -> None:
        """Fail."""
        raise LookupError("nobody is there")


async def test_what_follows_an_incident_cannot_undo_it(desk: Desk) -> None:
    """It is opened all the same, its timeline tells what failed, and a replay is not followed again."""
    await done(desk, make_service, "api")
    for _ in range(2):
        made = await done(desk, responding.create, IncidentInput("api", "It is slow", Severity.HIGH, "k"), [_Failing()])
    assert [kind for kind, _, _ in await told(desk, made)] == ["CREATED", "FAILED"]
