"""Running workers in the background until they are told to stop."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import structlog

from opsgraph.kernel.clock import Clock
from opsgraph.workers import evaluate, prune, readiness, settle
from opsgraph.workers.evaluate import Tick, WorkerContext


def spaced(tick: Tick, interval: timedelta) -> Tick:
    """A tick that does nothing until so much time has passed since it last succeeded in this process."""
    last: datetime | None = None

    async def tick_in_time(context: WorkerContext, now: datetime) -> int:
        nonlocal last
        if last is not None and now - last < interval:
            return 0
        done = await tick(context, now)
        last = now
        return done

    return tick_in_time


def usual_workers() -> dict[str, Tick]:
    """Every worker by name, with a state of its own."""
    return {
        "evaluate": evaluate.tick,
        "readiness": readiness.tick,
        "settle": settle.Settle(),
        "prune": spaced(prune.tick, timedelta(hours=1)),
    }


_IDLE_SECONDS = 1.0
_AFTER_FAILURE_SECONDS = 5.0
_log = structlog.get_logger("opsgraph.workers")


@asynccontextmanager
async def running(context: WorkerContext, clock: Clock, workers: Mapping[str, Tick]) -> AsyncIterator[None]:
    """Run workers while the block lasts; a round that was begun is finished before it ends, also when it raises."""
    stopping = asyncio.Event()
    runs = [
        asyncio.create_task(_run(name, tick, context, clock, stopping), name=f"worker {name}")
        for name, tick in workers.items()
    ]
    try:
        yield
    finally:
        stopping.set()
        await asyncio.gather(*runs)


async def _run(name: str, tick: Tick, context: WorkerContext, clock: Clock, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        try:
            done = await tick(context, clock.now())
            pause = 0.0 if done else _IDLE_SECONDS
        except Exception:  # noqa: BLE001 - the next round may succeed; a worker never dies of one item
            _log.exception("worker_failed", worker=name)
            pause = _AFTER_FAILURE_SECONDS
        await _pause(stopping, pause)


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return
