"""The loop around the workers: failures, rounds, stopping."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.workers import running
from opsgraph.workers.evaluate import WorkerContext
from opsgraph.workflows.health import HealthPolicy
from tests.support.clock import START, TestClock
from tests.support.waiting import LONG_ENOUGH_SECONDS

LIMIT = LONG_ENOUGH_SECONDS
"""Seconds after which a test has failed; none of them waits."""


@pytest.fixture
def context(tmp_path: Path) -> WorkerContext:
    """What workers have at hand; nobody opens the database."""
    return WorkerContext(Database(Settings(database_url=f"sqlite:///{tmp_path}/none.db")), HealthPolicy())


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that workers make, in seconds; they are not waited for."""
    made: list[float] = []

    async def pause(_stopping: asyncio.Event, seconds: float) -> None:
        made.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr(running, "_pause", pause)
    return made


class Worker:
    """A worker whose rounds do what they are told; `done` is set by each round after these, which find nothing due."""

    def __init__(self, *rounds: int | Exception) -> None:
        self._rounds = iter(rounds)
        self.begun: list[datetime] = []
        self.done = asyncio.Event()

    async def __call__(self, _context: WorkerContext, now: datetime) -> int:
        """One round."""
        self.begun.append(now)
        outcome = next(self._rounds, None)
        if isinstance(outcome, Exception):
            raise outcome
        if outcome is None:
            self.done.set()
        return outcome or 0


class Slow:
    """A worker whose rounds take until they are let go."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.finished = 0

    async def __call__(self, _context: WorkerContext, _now: datetime) -> int:
        """One round."""
        self.begun.set()
        await self.go.wait()
        self.finished += 1
        return 1


async def test_a_failing_round_is_logged_and_the_next_one_runs(
    context: WorkerContext, clock: TestClock, pauses: list[float]
) -> None:
    """After a pause of its own; another worker never notices."""
    broken, fine = Worker(LookupError("gone"), 0, ValueError()), Worker(0, 0, 0)
    with capture_logs() as logs:
        async with asyncio.timeout(LIMIT), running.running(context, clock, {"broken": broken, "fine": fine}):
            await asyncio.gather(broken.done.wait(), fine.done.wait())
    failures = [(line["event"], line["worker"], line["log_level"], line["exc_info"]) for line in logs]
    assert failures == [("worker_failed", "broken", "error", True)] * 2
    assert (len(broken.begun) >= 4, len(fine.begun) >= 4) == (True, True)
    assert pauses.count(5.0) == 2


async def test_pauses_follow_what_a_round_did(context: WorkerContext, clock: TestClock, pauses: list[float]) -> None:
    """None after work, since there may be more; a second when nothing was due; five after a failure."""
    worker = Worker(500, 1, 0, RuntimeError(), 0)
    with capture_logs():
        async with asyncio.timeout(LIMIT), running.running(context, clock, {"worker": worker}):
            await worker.done.wait()
    assert pauses[:5] == [0.0, 0.0, 1.0, 5.0, 1.0]


async def test_each_round_is_told_the_present(context: WorkerContext, clock: TestClock, pauses: list[float]) -> None:
    """The clock is read again each time."""
    worker = Worker()
    async with asyncio.timeout(LIMIT), running.running(context, clock, {"worker": worker}):
        await worker.done.wait()
        later = clock.move(hours=1)
        worker.done.clear()
        await worker.done.wait()
    assert set(worker.begun) == {START, later}


async def test_idle_workers_stop_at_once(
    context: WorkerContext, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever stops does not wait for the end of a pause, and no further round begins."""
    monkeypatch.setattr(running, "_IDLE_SECONDS", 3600.0)
    worker = Worker()
    async with asyncio.timeout(LIMIT):
        async with running.running(context, clock, {"worker": worker}):
            await worker.done.wait()
    assert worker.begun == [START]


async def test_a_pause_ends_by_itself() -> None:
    """When nobody stops, the next round follows."""
    async with asyncio.timeout(LIMIT):
        await running._pause(asyncio.Event(), 0.0)


@pytest.mark.parametrize("raised", [None, ZeroDivisionError()])
async def test_a_round_that_was_begun_is_finished(
    context: WorkerContext, clock: TestClock, raised: Exception | None
) -> None:
    """Also when the block raises, whose exception comes out as it is; no further round begins."""
    worker, met = Slow(), None
    try:
        async with asyncio.timeout(LIMIT), running.running(context, clock, {"worker": worker}):
            await worker.begun.wait()
            asyncio.get_running_loop().call_soon(worker.go.set)
            if raised is not None:
                raise raised
    except ZeroDivisionError as error:
        met = error
    assert worker.finished == 1
    assert met is raised


async def test_a_block_that_is_cancelled_finishes_the_round(context: WorkerContext, clock: TestClock) -> None:
    """As when a server is told to stop in the middle of something."""
    worker = Slow()

    async def serve() -> None:
        async with running.running(context, clock, {"worker": worker}):
            await asyncio.Event().wait()

    serving = asyncio.create_task(serve())
    async with asyncio.timeout(LIMIT):
        await worker.begun.wait()
        serving.cancel()
        await asyncio.sleep(0)
        worker.go.set()
        with pytest.raises(asyncio.CancelledError):
            await serving
    assert worker.finished == 1


async def test_a_spaced_worker_that_failed_is_tried_again(context: WorkerContext, clock: TestClock) -> None:
    """It waits for its interval only after a round that succeeded."""
    worker = Worker(LookupError(), 3)
    hourly = running.spaced(worker, timedelta(hours=1))
    with pytest.raises(LookupError):
        await hourly(context, clock.now())
    assert await hourly(context, clock.move(seconds=5)) == 3
    assert await hourly(context, clock.move(minutes=59)) == 0
    assert len(worker.begun) == 2


def test_the_usual_workers() -> None:
    """Health and readiness are kept fresh, what time does to alerts is settled, and what is old is removed."""
    assert set(running.usual_workers()) == {"evaluate", "readiness", "settle", "prune"}
