"""Whatever is sent in whichever order, and whatever people and time do between: what is stored adds up."""

import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import orjson
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select

from opsgraph.domains.alerts.model import Action, AlertReport, AlertStatus, Severity
from opsgraph.domains.incidents.model import IncidentStatus
from opsgraph.domains.incidents.tables import timeline
from opsgraph.events.tables import events
from opsgraph.settings import Settings
from opsgraph.workers.settle import Settle
from tests.support import databases
from tests.support.clock import START, TestClock
from tests.support.intake import Desk, opened, report
from tests.support.scale import scaled

Step = Callable[[Desk, TestClock], Awaitable[object]]


def send(batch: list[AlertReport]) -> Step:
    """Sources report."""
    return lambda desk, _clock: desk.intake.submit(batch)


def wait(minutes: int) -> Step:
    """Time passes, and the worker settles what that makes due."""

    async def waited(desk: Desk, clock: TestClock) -> None:
        await Settle()(desk.worker(), clock.move(minutes=minutes))

    return waited


def resolve(which: int) -> Step:
    """A person resolves an incident, if there is one that is open."""

    async def resolved(desk: Desk, _clock: TestClock) -> None:
        open_ = [incident for incident in await desk.incidents() if incident.status is not IncidentStatus.RESOLVED]
        if open_:
            await desk.resolve(open_[which % len(open_)].id)

    return resolved


REPORTS = st.builds(
    report,
    st.integers(1, 3),
    st.sampled_from([Severity.CRITICAL, Severity.HIGH, Severity.INFO]),
    st.sampled_from(["api", "web"]),
    action=st.sampled_from([Action.FIRE, Action.FIRE, Action.RESOLVE, Action.ACKNOWLEDGE]),
    starts_at=st.sampled_from([None, START]),
    ends_at=st.sampled_from([None, START.replace(minute=20)]),
)
STEPS = st.lists(
    st.lists(REPORTS, min_size=1, max_size=8).map(send) | st.integers(1, 40).map(wait) | st.integers(0, 5).map(resolve),
    min_size=1,
    max_size=12,
)


async def attached(desk: Desk) -> dict[UUID, int]:
    """How many alerts each incident's timeline says were attached."""
    query = select(timeline.c.incident_id, timeline.c.detail).where(timeline.c.type == "ALERT_ATTACHED")
    found: Counter[UUID] = Counter()
    async with desk.core.database.reading() as session:
        for row in await session.execute(query):
            found[row.incident_id] += orjson.loads(row.detail)["count"]
    return dict(found)


async def told(desk: Desk) -> Counter[tuple[str, UUID]]:
    """How often the event log tells what of which alert."""
    query = select(events.c.kind, events.c.subject_id).where(events.c.topic == "alerts")
    async with desk.core.database.reading() as session:
        return Counter((row.kind, row.subject_id) for row in await session.execute(query))


async def adds_up(desk: Desk) -> None:
    """At most one alert of a fingerprint fires; counts, timelines and events agree with the alerts."""
    alerts, incidents = await desk.alerts(), await desk.incidents()
    firing = Counter(alert.fingerprint for alert in alerts if alert.status is AlertStatus.FIRING)
    assert all(count == 1 for count in firing.values())
    assert await desk.counts_agree()
    assert await attached(desk) == {incident.id: incident.alert_count for incident in incidents if incident.alert_count}
    log = await told(desk)
    assert {id_ for kind, id_ in log if kind == "FIRED"} == {alert.id for alert in alerts}
    ended = {alert.id for alert in alerts if alert.status is AlertStatus.RESOLVED}
    assert {id_ for kind, id_ in log if kind == "RESOLVED"} == ended
    assert set(log.values()) <= {1}
    by_id = {incident.id: incident for incident in incidents}
    for alert in alerts:
        incident = by_id.get(alert.incident_id) if alert.incident_id else None
        over = incident is not None and incident.status is IncidentStatus.RESOLVED
        assert not (over and alert.status is AlertStatus.FIRING)


@hypothesis_settings(max_examples=scaled(1000, 15), suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
async def test_everything_adds_up_after_each_step(sqlite_template: Path, tmp_path: Path, steps: list[Step]) -> None:
    """On SQLite, for speed; what PostgreSQL adds is several writers, which the races are about."""
    clock = TestClock()
    url = databases.copied(sqlite_template, Path(tempfile.mkdtemp(dir=tmp_path)))
    async with opened(Settings(database_url=url, workers="off"), clock) as desk:
        for step in steps:
            await step(desk, clock)
            await adds_up(desk)
