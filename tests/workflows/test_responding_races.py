"""People and sources at the same incidents at the same time: one after the other, and nobody waits in a circle."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from random import Random
from typing import Any

import pytest

from opsgraph.domains.alerts.model import AlertStatus, Severity
from opsgraph.domains.incidents.model import Incident, IncidentInput, IncidentStatus, TransitionInput
from opsgraph.kernel.refusals import Conflict
from opsgraph.settings import Settings
from opsgraph.workflows import responding
from tests.support import databases
from tests.support.actors import Cast, enter
from tests.support.clock import TestClock
from tests.support.intake import PERSON, Desk, opened, report, reports
from tests.support.responding import only
from tests.support.scale import scaled
from tests.support.stories import assert_final, assert_told, look
from tests.support.waiting import someone_waits

pytestmark = pytest.mark.usefixtures("no_deadlock")

OPEN, ACKNOWLEDGED, IN_PROGRESS, RESOLVED = IncidentStatus


@pytest.fixture
async def desk(settings: Settings, clock: TestClock, database_kind: str) -> AsyncIterator[Desk]:
    """A process that takes in alerts, on an empty database."""
    async with opened(settings, clock) as started:
        yield started
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


async def move(desk: Desk, incident: Incident, wish: IncidentStatus, version: int | None = None) -> Incident:
    """Move an incident in a transaction of its own."""
    async with desk.core.database.transaction(PERSON, desk.core.clock.now()) as tx:
        return await responding.move(tx, TransitionInput(incident.id, expected_version=version), wish)


async def both(*acts: Any) -> list[Any]:
    """What came of acts that happen at the same time; a refusal is what came of it, too."""
    return await asyncio.wait_for(asyncio.gather(*acts, return_exceptions=True), timeout=30)


async def test_of_two_who_know_the_same_version_one_loses(desk: Desk) -> None:
    """Whoever comes second is told which version there is; their wish is not done, legal or not."""
    await desk.take(report())
    incident = await only(desk)
    results = await both(*(move(desk, incident, wish, incident.version) for wish in (ACKNOWLEDGED, RESOLVED)))
    won = [result for result in results if isinstance(result, Incident)]
    lost = [result for result in results if isinstance(result, Conflict)]
    assert [conflict.details for conflict in lost] == [{"expected": 1, "actual": 2}]
    assert won == [await only(desk)]


async def test_two_who_wish_the_same_both_succeed(desk: Desk) -> None:
    """Without a version the status machine decides: the second repeats what is, which changes nothing."""
    await desk.take(report())
    incident = await only(desk)
    results = await both(*(move(desk, incident, RESOLVED) for _ in range(4)))
    assert results == [await only(desk)] * 4
    assert [kind for kind, _ in await desk.timeline(incident.id)].count("STATUS_CHANGED") == 1


async def test_who_comes_too_late_is_told_what_is_allowed(desk: Desk) -> None:
    """Both wishes are legal before; the one that is not any more is refused by where the other one led."""
    await desk.take(report())
    incident = await only(desk)
    results = await both(move(desk, incident, ACKNOWLEDGED), move(desk, incident, RESOLVED))
    conflicts = [result for result in results if isinstance(result, Conflict)]
    assert all(c.details == {"from": "RESOLVED", "to": "ACKNOWLEDGED", "allowed": []} for c in conflicts)
    assert (await only(desk)).status is RESOLVED
    await assert_told(desk, await look(desk))


async def test_the_second_waits_for_the_first_to_commit(desk: Desk) -> None:
    """And then sees what it did: here, that the incident is over."""
    if desk.core.database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    await desk.take(report())
    incident = await only(desk)
    async with desk.core.database.transaction(PERSON, desk.core.clock.now()) as tx:
        await responding.move(tx, TransitionInput(incident.id), RESOLVED)
        second = asyncio.create_task(both(move(desk, incident, IN_PROGRESS)))
        await someone_waits(desk.core.database)
    (refused,) = await second
    assert isinstance(refused, Conflict)


async def test_alerts_that_come_while_a_person_resolves(desk: Desk, clock: TestClock) -> None:
    """Each either joined in time and ended with the incident, or opened another one: none fires on a resolved one."""
    for burst in range(scaled(100, 10)):
        clock.move(minutes=10)
        before = await look(desk)
        await desk.take(*reports(3, first=1000 * burst))
        incident = (await desk.incidents())[-1]
        await both(
            move(desk, incident, RESOLVED), *(desk.take(report(1000 * burst + 10 + place)) for place in range(4))
        )
        after = await look(desk)
        await assert_told(desk, after)
        assert_final(before, after)
        resolved = {i.id for i in after.incidents.values() if i.status is RESOLVED}
        firing = {a.incident_id for a in after.alerts.values() if a.status is AlertStatus.FIRING}
        assert not resolved & firing


async def test_one_opened_by_hand_once_however_often_it_is_sent(desk: Desk) -> None:
    """Four requests with one key at the same time make one incident, and all get it."""
    await enter(desk)

    async def create() -> Incident:
        async with desk.core.database.transaction(PERSON, desk.core.clock.now()) as tx:
            return await responding.create(tx, IncidentInput("api", "It is slow", Severity.HIGH, "k-1"))

    assert await both(*(create() for _ in range(4))) == [await only(desk)] * 4


@pytest.mark.long
async def test_many_actors_of_two_processes(desk: Desk, settings: Settings, clock: TestClock) -> None:
    """Sources and people at few incidents at once, round after round: no deadlock, and every story is told."""
    chance = Random(7)  # noqa: S311 - it has to be repeatable
    cast = Cast(chance, count())
    await enter(desk)
    async with opened(settings, clock) as other:
        for _ in range(scaled(200, 10)):
            clock.move(seconds=chance.randrange(0, 200))
            before = await look(desk)
            numbers = [incident.number for incident in before.incidents.values()][-6:]
            results = await both(*(cast.act(numbers)(chance.choice((desk, other))) for _ in range(12)))
            assert [result for result in results if isinstance(result, BaseException)] == []
            after = await look(desk)
            await assert_told(desk, after)
            assert_final(before, after)
