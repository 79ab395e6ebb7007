"""What time does to alerts: each at its instant, and not a moment before."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from opsgraph.domains.alerts.commands.silences import expire_silence
from opsgraph.domains.alerts.model import AlertOutcome, AlertPolicy, AlertStatus, ResolvedBy, Severity
from opsgraph.domains.alerts.tables import alerts
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import ServiceInput
from opsgraph.domains.incidents.model import IncidentStatus
from opsgraph.domains.incidents.tables import incidents
from opsgraph.kernel.actor import SYSTEM
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.workers.settle import Settle
from tests.support.alerts import make_silence
from tests.support.clock import START, TestClock
from tests.support.intake import BY, Desk, opened, report, reports, resolved
from tests.support.statements import statements

MOMENT = timedelta(microseconds=1)
TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture
async def desk(settings: Settings, clock: TestClock, database: Database) -> AsyncIterator[Desk]:
    """One process that takes in alerts."""
    async with opened(settings, clock) as started:
        yield started


async def settled(desk: Desk) -> int:
    """How much a new worker finds to settle now."""
    return await Settle()(desk.worker(), desk.core.clock.now())


async def test_an_alert_ends_at_its_end_unless_it_is_sent_again(desk: Desk, clock: TestClock) -> None:
    """Prometheus says with each report until when it holds."""
    await desk.take(report(1, ends_at=START + TEN_MINUTES), report(2, ends_at=START + TEN_MINUTES), report(3))
    clock.move(minutes=5)
    await desk.take(report(2, ends_at=START + 2 * TEN_MINUTES))
    clock.move(minutes=5, microseconds=-1)
    assert await settled(desk) == 0
    clock.move(microseconds=1)
    assert await settled(desk) == 1
    first, second, third = await desk.alerts()
    assert (first.status, first.resolved_by, first.resolved_at) == (AlertStatus.RESOLVED, ResolvedBy.TIME, clock.now())
    assert second.status is third.status is AlertStatus.FIRING
    (incident,) = await desk.incidents()
    told = [("CREATED", BY), ("ALERT_ATTACHED", BY), ("ALERT_RESOLVED", "system")]
    assert await desk.timeline(incident.id) == told
    assert await settled(desk) == 0


async def test_an_end_is_taken_back_by_a_report_without_one(desk: Desk, clock: TestClock) -> None:
    """It was sent again, and holds until its source says otherwise."""
    await desk.take(report(ends_at=START + TEN_MINUTES))
    await desk.take(report())
    clock.move(minutes=30)
    assert await settled(desk) == 0


async def test_alerts_that_nobody_sends_again_are_over_after_the_timeout(
    settings: Settings, clock: TestClock, database: Database
) -> None:
    """If there is one: by default an alert without an end fires until its source says otherwise."""
    async with opened(settings, clock, AlertPolicy(resolve_timeout=TEN_MINUTES)) as desk:
        await desk.take(*reports(2))
        clock.move(minutes=5)
        await desk.take(report(2))
        clock.move(minutes=5)
        assert await settled(desk) == 1
        assert [alert.status for alert in await desk.alerts()] == [AlertStatus.RESOLVED, AlertStatus.FIRING]


async def test_an_incident_resolves_with_its_last_alert_if_the_policy_says_so(
    settings: Settings, clock: TestClock, database: Database
) -> None:
    """In the same transaction, and the timeline says why."""
    async with opened(settings, clock, AlertPolicy(auto_resolve=timedelta(0))) as desk:
        await desk.take(*reports(2))
        clock.move(minutes=3)
        await desk.take(resolved(1))
        assert [incident.status for incident in await desk.incidents()] == [IncidentStatus.OPEN]
        await desk.take(resolved(2))
        (incident,) = await desk.incidents()
        assert (incident.status, incident.mttr_seconds, incident.mtta_seconds) == (IncidentStatus.RESOLVED, 180, 180)
        assert (await desk.timeline(incident.id))[-2:] == [("ALERT_RESOLVED", BY), ("STATUS_CHANGED", "system")]


async def test_an_incident_may_resolve_a_while_after_its_last_alert(
    settings: Settings, clock: TestClock, database: Database
) -> None:
    """Unless another one comes in time."""
    async with opened(settings, clock, AlertPolicy(auto_resolve=TEN_MINUTES)) as desk:
        await desk.take(report(1), resolved(1), report(2, service="web"), resolved(2, service="web"))
        clock.move(minutes=4)
        await desk.take(report(3))
        clock.move(minutes=6)
        assert await settled(desk) == 1
        api, web = await desk.incidents()
        assert (api.status, web.status) == (IncidentStatus.OPEN, IncidentStatus.RESOLVED)


async def test_without_a_policy_incidents_are_for_people_to_resolve(desk: Desk, clock: TestClock) -> None:
    """However long ago their alerts ended."""
    await desk.take(report(), resolved())
    clock.move(days=30)
    assert await settled(desk) == 0
    assert [incident.status for incident in await desk.incidents()] == [IncidentStatus.OPEN]


async def test_a_silenced_alert_is_heard_when_the_silence_ends(desk: Desk, clock: TestClock) -> None:
    """It is kept without an incident until then; if it ended meanwhile, nobody hears of it."""
    async with desk.core.database.transaction(SYSTEM, clock.now()) as tx:
        await make_silence(tx, ends_at=START + TEN_MINUTES)
    assert await desk.take(report(1), report(2), resolved(2)) == ["SILENCED", "SILENCED", "RESOLVED"]
    assert [alert.silenced for alert in await desk.alerts()] == [True, True]
    assert await desk.incidents() == []
    clock.move(minutes=10, microseconds=-1)
    assert await settled(desk) == 0
    clock.move(microseconds=1)
    assert await settled(desk) == 1
    (incident,) = await desk.incidents()
    first, second = await desk.alerts()
    assert (first.incident_id, first.silenced, second.incident_id) == (incident.id, False, None)
    assert incident.alert_count == 1
    assert await desk.take(report(3)) == [AlertOutcome.ATTACHED]


async def test_a_silence_that_is_ended_by_hand_is_noticed(desk: Desk, clock: TestClock) -> None:
    """By a worker that has looked before, and that does not look at all alerts again while nothing has changed."""
    async with desk.core.database.transaction(SYSTEM, clock.now()) as tx:
        silence = await make_silence(tx)
    await desk.take(report())
    worker = Settle()
    assert await worker(desk.worker(), clock.now()) == 0
    with statements(desk.core.database) as seen:
        assert await worker(desk.worker(), clock.now()) == 0
    assert not [statement for statement in seen if "alert.silenced" in statement and "LIMIT" in statement]
    async with desk.core.database.transaction(SYSTEM, clock.now()) as tx:
        await expire_silence(tx, silence.id)
    assert await worker(desk.worker(), clock.now()) == 1
    assert len(await desk.incidents()) == 1


async def test_an_alert_stored_while_its_silence_ended_is_heard_within_a_minute(desk: Desk, clock: TestClock) -> None:
    """Though nothing in force has changed since the worker looked."""
    worker = Settle()
    assert await worker(desk.worker(), clock.now()) == 0
    await desk.take(report(severity=Severity.INFO))
    async with desk.core.database.transaction(SYSTEM, clock.now()) as tx:
        await tx.connection.exec_driver_sql("UPDATE alert SET silenced = true, severity = 'HIGH'")
    assert await worker(desk.worker(), clock.move(seconds=59)) == 0
    assert await worker(desk.worker(), clock.move(seconds=1)) == 1
    assert len(await desk.incidents()) == 1


async def test_what_came_while_its_service_was_registered_becomes_its_own(desk: Desk, clock: TestClock) -> None:
    """The registration did not see it yet, and it did not see the service."""
    await desk.take(report())
    async with desk.core.database.transaction(SYSTEM, clock.now()) as tx:
        service = (await catalog.save_service(tx, ServiceInput("api"))).value
    async with desk.core.database.transaction(SYSTEM, clock.now()) as tx:
        for table in (alerts, incidents):
            await tx.connection.execute(update(table).values(service_id=None))
    assert await settled(desk) == 1
    (alert,), (incident,) = await desk.alerts(), await desk.incidents()
    assert alert.service_id == incident.service_id == service.id
    assert await settled(desk) == 0
