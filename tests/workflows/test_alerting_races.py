"""Two processes take in one burst at once, round after round: one incident, and no deadlock."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from opsgraph.domains.alerts.model import Action, AlertStatus, Severity, Taken
from opsgraph.kernel.clock import SystemClock
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from tests.packaging import ROOT
from tests.packaging.environments import surroundings
from tests.support.intake import Desk, opened, reports
from tests.support.racer import EACH, SHARED
from tests.support.scale import scaled

pytestmark = pytest.mark.usefixtures("no_deadlock")

ROUNDS = scaled(1000)
ANSWERS_WITHIN_SECONDS = 60


@dataclass(slots=True)
class Racer:
    """A process that takes in alerts when it is told to."""

    process: asyncio.subprocess.Process

    async def run(self, step: str, service: str) -> Counter[str]:
        """Take a step; gives how often it got which outcome."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{step} {service}\n".encode())
        await self.process.stdin.drain()
        async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
            return Counter(json.loads(await self.process.stdout.readline()))


@asynccontextmanager
async def racer(url: str, first: int) -> AsyncIterator[Racer]:
    """A process on the database at this address, whose own alerts begin with this number; ended with the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.racer", url, str(first)),
        cwd=ROOT,
        env=surroundings({}),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Racer(process)
    finally:
        assert process.stdin
        process.stdin.close()
        await process.wait()


async def both(racers: list[Racer], step: str, service: str) -> Counter[str]:
    """Have both take a step at the same time; gives the outcomes of both together."""
    one, other = await asyncio.gather(*(each.run(step, service) for each in racers))
    return one + other


async def race(desk: Desk, racers: list[Racer], service: str) -> None:
    """A burst, a person who resolves it while it fires, the same episode again, and then a new one."""
    burst = await both(racers, "burst", service)
    assert burst == {"NEW_INCIDENT": 1, "ATTACHED": 2 * EACH, "DEDUPLICATED": 2 * EACH - 1}
    (incident,) = [incident for incident in await desk.incidents() if incident.service_name == service]
    assert incident.alert_count == 2 * EACH + 1
    again, _ = await asyncio.gather(both(racers, "again", service), desk.resolve(incident.id))
    assert again.keys() <= {"DEDUPLICATED", "IGNORED"}
    assert await both(racers, "again", service) == {"IGNORED": 2 * EACH}
    assert await both(racers, "anew", service) == {"NEW_INCIDENT": 1, "DEDUPLICATED": 2 * EACH - 1}


@pytest.mark.long
async def test_no_burst_makes_two_incidents(settings: Settings, database: Database) -> None:
    """However two processes and a person come between each other; all that was sent is counted."""
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(opened(settings, SystemClock()))
        racers = [await stack.enter_async_context(racer(settings.database_url, first)) for first in (1, 101)]
        for number in range(ROUNDS):
            await race(desk, racers, f"service-{number}")
        incidents, alerts = await desk.incidents(), await desk.alerts()
        assert len(incidents) == 2 * ROUNDS
        assert await desk.counts_agree()
        firing = [alert.fingerprint for alert in alerts if alert.status is AlertStatus.FIRING]
        assert sorted(firing) == sorted(f"service-{number}:{SHARED}" for number in range(ROUNDS))
        shared = [alert for alert in alerts if alert.fingerprint.endswith(f":{SHARED}")]
        assert sum(alert.occurrences for alert in shared) == ROUNDS * 4 * 2 * EACH


@pytest.mark.long
async def test_an_alert_that_gets_worse_gets_one_incident(settings: Settings, database: Database) -> None:
    """Two processes say so at once, with one severity or two, while its source ends it or not."""
    async with AsyncExitStack() as stack:
        one, other = [await stack.enter_async_context(opened(settings, SystemClock())) for _ in range(2)]
        for number in range(ROUNDS):
            service = f"service-{number}"
            quiet = reports(5, service=service, severity=Severity.INFO)
            await one.take(*quiet)
            loud = [replace(each, severity=Severity.CRITICAL) for each in quiet]
            second = loud if number % 2 else [replace(each, severity=Severity.HIGH) for each in reversed(quiet)]
            ends = [replace(each, action=Action.RESOLVE) for each in quiet[:2]]
            answers = await asyncio.gather(
                one.intake.submit(loud), other.intake.submit(second), other.intake.submit(ends if number % 3 else [])
            )
            assert all(isinstance(answer, Taken) for given in answers for answer in given)
            assert await one.counts_agree()
            of_service = [incident for incident in await one.incidents() if incident.service_name == service]
            if number % 2 and not number % 3:  # one severity, and nothing that ends and fires anew
                assert [incident.alert_count for incident in of_service] == [5]
            firing = [a for a in await one.alerts() if a.service_name == service and a.status is AlertStatus.FIRING]
            assert all(alert.incident_id for alert in firing)
