"""Taking in alerts: what is new, what is known, what is the same episode, and which incident it belongs to."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from opsgraph.domains.alerts.model import Action, AlertOutcome, AlertStatus, ResolvedBy, Severity
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import ServiceInput
from opsgraph.domains.incidents.model import IncidentStatus
from opsgraph.kernel.actor import SYSTEM
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from tests.support.clock import START, TestClock
from tests.support.intake import BY, Desk, opened, report, reports, resolved
from tests.support.statements import statements

NEW, ATTACHED, AGAIN = AlertOutcome.NEW_INCIDENT, AlertOutcome.ATTACHED, AlertOutcome.DEDUPLICATED
RESOLVED, IGNORED = AlertOutcome.RESOLVED, AlertOutcome.IGNORED


@pytest.fixture
async def desk(settings: Settings, clock: TestClock, database: Database) -> AsyncIterator[Desk]:
    """One process that takes in alerts."""
    async with opened(settings, clock) as started:
        yield started


async def test_fifty_alerts_make_one_incident(desk: Desk) -> None:
    """With different messages they count fifty."""
    assert await desk.take(*reports(50)) == [NEW, *[ATTACHED] * 49]
    (incident,) = await desk.incidents()
    assert (incident.alert_count, incident.title, incident.version) == (50, "api is in trouble: 1", 1)
    assert {alert.incident_id for alert in await desk.alerts()} == {incident.id}
    assert await desk.timeline(incident.id) == [("CREATED", BY), ("ALERT_ATTACHED", BY)]


async def test_one_alert_fifty_times_counts_one(desk: Desk, clock: TestClock) -> None:
    """Whether it comes in one batch or in fifty."""
    assert await desk.take(*[report()] * 25) == [NEW, *[AGAIN] * 24]
    clock.move(minutes=1)
    for _ in range(25):
        assert await desk.take(report()) == [AGAIN]
    (alert,) = await desk.alerts()
    assert (alert.occurrences, alert.first_seen_at, alert.last_seen_at) == (50, START, clock.now())
    assert [incident.alert_count for incident in await desk.incidents()] == [1]


async def test_an_alert_joins_within_the_window_and_not_after_it(desk: Desk, clock: TestClock) -> None:
    """Which goes by the incident's newest alert: five minutes are within, a moment more is not."""
    await desk.take(report(1))
    clock.move(minutes=5)
    assert await desk.take(report(2)) == [ATTACHED]
    clock.move(minutes=5)
    assert await desk.take(report(1), report(3)) == [AGAIN, ATTACHED]
    clock.move(minutes=5, microseconds=1)
    assert await desk.take(report(1), report(4)) == [AGAIN, NEW]
    assert [incident.alert_count for incident in await desk.incidents()] == [3, 1]


async def test_services_and_severities_have_incidents_of_their_own(desk: Desk) -> None:
    """The case of a service's name makes no difference."""
    wanted = [report(1), report(2, service="web"), report(3, Severity.LOW), report(4, service="API", fingerprint="x")]
    assert await desk.take(*wanted) == [NEW, NEW, NEW, ATTACHED]


async def test_an_alert_of_a_service_that_nobody_registered_is_kept(desk: Desk) -> None:
    """As its source names it."""
    await desk.take(report(service="Nobody's"))
    (alert,), (incident,) = await desk.alerts(), await desk.incidents()
    assert (alert.service_name, alert.service_id) == ("Nobody's", None)
    assert (incident.service_name, incident.service_id) == ("Nobody's", None)


async def test_an_alert_of_a_registered_service_is_its_own(desk: Desk) -> None:
    """So is the incident."""
    async with desk.core.database.transaction(SYSTEM, START) as tx:
        saved = await catalog.save_service(tx, ServiceInput("api"))
    await desk.take(report(service="API"))
    (alert,), (incident,) = await desk.alerts(), await desk.incidents()
    assert alert.service_id == incident.service_id == saved.value.id


async def test_the_end_of_an_alert_is_told(desk: Desk) -> None:
    """The incident stays open, for people to close."""
    await desk.take(*reports(2))
    assert await desk.take(resolved(1), resolved(9)) == [RESOLVED, IGNORED]
    first, second = await desk.alerts()
    assert (first.status, first.resolved_at, first.resolved_by) == (AlertStatus.RESOLVED, START, ResolvedBy.SOURCE)
    assert second.status is AlertStatus.FIRING
    (incident,) = await desk.incidents()
    assert incident.status is IncidentStatus.OPEN
    assert await desk.timeline(incident.id) == [("CREATED", BY), ("ALERT_ATTACHED", BY), ("ALERT_RESOLVED", BY)]
    assert await desk.take(resolved(1)) == [IGNORED]


async def test_when_an_alert_ended_is_kept_beside_when_it_was_heard_of(desk: Desk, clock: TestClock) -> None:
    """A sender may have been cut off for a while."""
    await desk.take(report(), report(2))
    clock.move(minutes=20)
    await desk.take(resolved(ends_at=START + timedelta(minutes=3)), resolved(2))
    first, second = await desk.alerts()
    assert (first.ends_at, first.resolved_at) == (START + timedelta(minutes=3), clock.now())
    assert (second.ends_at, second.resolved_at) == (None, clock.now())


async def test_an_alert_that_fires_again_after_its_end_is_a_new_one(desk: Desk) -> None:
    """Which joins the incident while that is open; one batch may tell of all of it, in its order."""
    assert await desk.take(report(), resolved(), report(), resolved()) == [NEW, RESOLVED, ATTACHED, RESOLVED]
    assert [incident.alert_count for incident in await desk.incidents()] == [2]
    assert await desk.counts_agree()


async def test_what_a_person_resolved_does_not_page_again(desk: Desk, clock: TestClock) -> None:
    """Prometheus sends the same start again each minute: the same episode, counted, for an hour."""
    await desk.take(report(starts_at=START))
    (incident,) = await desk.incidents()
    await desk.resolve(incident.id)
    clock.move(minutes=59)
    assert await desk.take(report(starts_at=START), report(starts_at=START)) == [IGNORED, IGNORED]
    (alert,) = await desk.alerts()
    assert (alert.status, alert.resolved_by) == (AlertStatus.RESOLVED, ResolvedBy.PERSON)
    assert (alert.occurrences, alert.last_seen_at) == (3, clock.now())
    clock.move(minutes=1)
    assert await desk.take(report(starts_at=START)) == [NEW]


@pytest.mark.parametrize("another_start", [START + timedelta(seconds=1), None])
async def test_a_new_start_is_a_new_episode(desk: Desk, another_start: object) -> None:
    """A new alert and a new incident; so it is where the source says no start."""
    await desk.take(report(starts_at=START))
    (incident,) = await desk.incidents()
    await desk.resolve(incident.id)
    assert await desk.take(report(starts_at=another_start)) == [NEW]
    assert len(await desk.incidents()) == 2


async def test_a_resolve_in_between_starts_anew(desk: Desk) -> None:
    """Though it finds nothing open: what fires with the same start afterwards is another episode."""
    await desk.take(report(starts_at=START))
    (incident,) = await desk.incidents()
    await desk.resolve(incident.id)
    assert await desk.take(resolved(), report(starts_at=START)) == [IGNORED, NEW]


async def test_an_alert_that_gets_worse_raises_its_incident(desk: Desk, clock: TestClock) -> None:
    """And never moves it, nor does it lower it again; a person sees the version change."""
    await desk.take(report(1), report(2))
    clock.move(seconds=30)
    assert await desk.take(report(1, Severity.CRITICAL)) == [AGAIN]
    (incident,) = await desk.incidents()
    assert (incident.severity, incident.version) == (Severity.CRITICAL, 2)
    assert await desk.take(report(1, Severity.LOW)) == [AGAIN]
    assert [i.severity for i in await desk.incidents()] == [Severity.CRITICAL]
    assert [alert.severity for alert in await desk.alerts()] == [Severity.LOW, Severity.HIGH]
    told = await desk.timeline(incident.id)
    assert told == [("CREATED", BY), ("ALERT_ATTACHED", BY), ("SEVERITY_CHANGED", BY)]


async def test_an_incident_is_joined_by_alerts_of_the_severity_it_has_now(desk: Desk) -> None:
    """What was raised to CRITICAL is joined by critical alerts; a high one opens another."""
    await desk.take(report(1))
    await desk.take(report(1, Severity.CRITICAL))
    assert await desk.take(report(2, Severity.CRITICAL), report(3)) == [ATTACHED, NEW]


async def test_alerts_for_information_make_no_incident(desk: Desk) -> None:
    """Until they get worse: then they belong to one."""
    assert await desk.take(report(1, Severity.INFO)) == [IGNORED]
    assert await desk.incidents() == []
    assert await desk.take(report(1, Severity.LOW)) == [NEW]
    (alert,), (incident,) = await desk.alerts(), await desk.incidents()
    assert (alert.incident_id, alert.severity, alert.occurrences) == (incident.id, Severity.LOW, 2)
    assert await desk.counts_agree()


async def test_a_source_acknowledges_an_incident(desk: Desk) -> None:
    """In its own name; a second time, and for what nobody knows, nothing happens."""
    await desk.take(report())
    calling = report(action=Action.ACKNOWLEDGE)
    assert await desk.take(calling, report(9, action=Action.ACKNOWLEDGE)) == [AGAIN, IGNORED]
    assert await desk.take(calling) == [AGAIN]
    (incident,) = await desk.incidents()
    assert (incident.status, incident.version) == (IncidentStatus.ACKNOWLEDGED, 2)
    assert await desk.timeline(incident.id) == [("CREATED", BY), ("ALERT_ATTACHED", BY), ("STATUS_CHANGED", BY)]


async def test_the_number_of_statements_does_not_grow_with_the_batch(desk: Desk) -> None:
    """Neither for new alerts, nor for known ones, nor for their ends."""
    counted = []
    for size in (1, 50, 500):
        numbers, services = range(1, size + 1), [f"s{size}-{number % 40}" for number in range(size)]
        each = list(zip(numbers, services, strict=True))
        firing = [report(number, service=service) for number, service in each]
        acks = [report(number, service=service, action=Action.ACKNOWLEDGE) for number, service in each]
        for step in (firing, firing, acks, [resolved(number, service=service) for number, service in each]):
            with statements(desk.core.database) as seen:
                await desk.take(*step)
            counted.append(len(seen))
    assert counted[8:] == counted[4:8]
    new, known, *_ = counted[4:]
    assert known < new
