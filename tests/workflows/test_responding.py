"""What people do about incidents, with the alerts, timelines and facts that come of it."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from opsgraph.domains.alerts.model import AlertStatus, ResolvedBy, Severity
from opsgraph.domains.incidents.commands import assigning, notes, rating
from opsgraph.domains.incidents.model import (
    AssignInput,
    BulkTransitionInput,
    Incident,
    IncidentStatus,
    NoteInput,
    SeverityInput,
    TransitionInput,
)
from opsgraph.domains.incidents.queries.notes import count_notes
from opsgraph.kernel.refusals import Conflict, Invalid, NotFound
from opsgraph.settings import Settings
from opsgraph.workflows import responding
from tests.support import databases
from tests.support.clock import TestClock
from tests.support.intake import BY, Desk, opened, report, reports, resolved
from tests.support.responding import done, only, told
from tests.support.statements import statements

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


async def test_resolving_ends_the_alerts_that_fire(desk: Desk) -> None:
    """Those that ended before stay as they ended; the timeline tells who did what, in order."""
    await desk.take(*reports(3))
    await desk.take(resolved(1))
    incident = await move(desk, await only(desk), RESOLVED)
    assert incident == await only(desk)
    assert [alert.resolved_by for alert in await desk.alerts()] == [
        ResolvedBy.SOURCE,
        ResolvedBy.PERSON,
        ResolvedBy.PERSON,
    ]
    ids = [str(alert.id) for alert in await desk.alerts()]
    assert await told(desk, incident) == [
        ("CREATED", BY, {"title": "api is in trouble: 1", "severity": "HIGH", "source": "generic"}),
        ("ALERT_ATTACHED", BY, {"count": 3, "alerts": ids}),
        ("ALERT_RESOLVED", BY, {"count": 1, "alerts": ids[:1]}),
        ("STATUS_CHANGED", "ada", {"from": "OPEN", "to": "RESOLVED"}),
        ("ALERT_RESOLVED", "ada", {"count": 2, "alerts": sorted(ids[1:])}),
    ]


async def test_repeating_the_present_status_changes_nothing_but_keeps_the_note(desk: Desk) -> None:
    """In every status, the last included: no entry, no version, the same times; a note makes one of each."""
    await desk.take(report())
    incident = await only(desk)
    for wish in (ACKNOWLEDGED, IN_PROGRESS, RESOLVED):
        incident = await move(desk, incident, wish)
        entries = await told(desk, incident)
        assert await move(desk, incident, wish) == incident == await only(desk)
        assert await told(desk, incident) == entries
        noted = await move(desk, incident, wish, note="still so")
        assert (noted.status, noted.version, noted.resolved_at) == (wish, incident.version + 1, incident.resolved_at)
        assert await told(desk, incident) == [*entries, ("NOTED", "ada", {"content": "still so"})]
        incident = noted
    async with desk.core.database.reading() as session:
        assert await count_notes(session, [incident.id]) == {incident.id: 3}


async def test_a_refused_transition_leaves_nothing_behind(desk: Desk) -> None:
    """Neither its note, nor an entry, nor a version; the alerts fire on."""
    await desk.take(report())
    incident = await move(desk, await only(desk), IN_PROGRESS)
    entries = await told(desk, incident)
    with pytest.raises(Conflict) as illegal:
        await move(desk, incident, ACKNOWLEDGED, note="seen")
    assert illegal.value.details == {"from": "IN_PROGRESS", "to": "ACKNOWLEDGED", "allowed": ["RESOLVED"]}
    with pytest.raises(Conflict, match="version 2, not 1") as outdated:
        await move(desk, incident, RESOLVED, expected_version=1, note="done")
    assert outdated.value.details == {"expected": 1, "actual": 2}
    with pytest.raises(Invalid, match="note is empty"):
        await move(desk, incident, RESOLVED, note=" ")
    assert (await only(desk), await told(desk, incident)) == (incident, entries)
    assert [alert.status for alert in await desk.alerts()] == [AlertStatus.FIRING]


async def test_the_version_is_checked_before_the_status(desk: Desk) -> None:
    """Who knows an older one is told so, whatever they wish."""
    await desk.take(report())
    incident = await move(desk, await only(desk), RESOLVED)
    with pytest.raises(Conflict) as outdated:
        await move(desk, incident, OPEN, expected_version=1)
    assert outdated.value.field == ("expected_version",)
    assert await move(desk, incident, RESOLVED, expected_version=incident.version) == incident


@pytest.mark.parametrize("key", [UUID(int=5), 12_345, 0, -1])
async def test_an_incident_that_is_not_there(desk: Desk, key: UUID | int) -> None:
    """By id and by number, for every command."""
    commands: list[tuple[Any, Any]] = [
        (responding.move, (TransitionInput(key), RESOLVED)),
        (assigning.assign, (AssignInput(key, None),)),
        (rating.set_severity, (SeverityInput(key, Severity.LOW),)),
        (notes.add_note, (NoteInput(key, "x"),)),
    ]
    for command, arguments in commands:
        with pytest.raises(NotFound) as missing:
            await done(desk, command, *arguments)
        assert missing.value.field == ("number" if isinstance(key, int) else "id",)


async def test_many_at_once(desk: Desk) -> None:
    """Those that may, move, each once and in the order of the numbers; the others are told why and stay."""
    for severity in Severity:
        await desk.take(report(1, severity, service=f"s-{severity}", fingerprint=severity.value))
    made = await desk.incidents()
    first, second, third, fourth = (incident.number for incident in made)
    await move(desk, made[1], RESOLVED)
    await move(desk, made[2], ACKNOWLEDGED)
    wanted = BulkTransitionInput((fourth, second, first, 9_999, third, first), "all seen")
    responded = await done(desk, responding.move_all, wanted, ACKNOWLEDGED)
    assert [incident.number for incident in responded.changed] == [fourth, first, third]
    assert {incident.status for incident in responded.changed} == {ACKNOWLEDGED}
    assert [(each.number, type(each.refusal)) for each in responded.refused] == [(second, Conflict), (9_999, NotFound)]
    assert [[kind for kind, _, _ in await told(desk, i)][2:] for i in made] == [
        ["STATUS_CHANGED", "NOTED"],
        ["STATUS_CHANGED", "ALERT_RESOLVED"],
        ["STATUS_CHANGED", "NOTED"],
        ["STATUS_CHANGED", "NOTED"],
    ]
    stored = {incident.number: incident for incident in await desk.incidents()}
    assert [stored[incident.number] for incident in responded.changed] == list(responded.changed)


async def test_many_at_once_take_a_constant_number_of_statements(desk: Desk) -> None:
    """However many incidents are resolved, with their alerts and a note for each; none at all is none."""
    counts = []
    for size in (1, 5, 40):
        await desk.take(*(report(size, service=f"{size}-{place}") for place in range(size)))
        numbers = [i.number for i in await desk.incidents() if i.status is OPEN]
        with statements(desk.core.database) as seen:
            responded = await done(desk, responding.move_all, BulkTransitionInput(tuple(numbers), "over"), RESOLVED)
        assert len(responded.changed) == size
        counts.append(len(seen))
    assert counts == counts[:1] * 3
    nothing = await done(desk, responding.move_all, BulkTransitionInput(()), RESOLVED)
    assert (nothing.changed, nothing.refused) == ([], [])
    with pytest.raises(Invalid, match="at most 200"):
        await done(desk, responding.move_all, BulkTransitionInput(tuple(range(201))), RESOLVED)
