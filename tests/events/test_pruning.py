"""Pruning the log: a beginning of it goes, in pieces, and it is known through which place."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsgraph.events import pruning
from opsgraph.events.log import EventLog, LogState, read, state
from opsgraph.kernel.actor import SYSTEM
from opsgraph.storage.database import Database
from opsgraph.workers import prune
from opsgraph.workers.evaluate import WorkerContext
from opsgraph.workflows.health import HealthPolicy
from opsgraph.workflows.retention import Retention
from tests.support.clock import START
from tests.support.events import EVERYTHING, Noted
from tests.support.scale import scaled

DAY = timedelta(days=1)


@pytest.fixture
def logging(database: Database) -> Database:
    """The database under test, with the log."""
    database._log = EventLog()
    return database


async def note(database: Database, *numbers: int, days: float = 0) -> None:
    """Note numbers so many days after the start."""
    async with database.transaction(SYSTEM, START + days * DAY) as tx:
        for number in numbers:
            tx.record(Noted(number))


async def pruned(database: Database, days: float) -> int:
    """Remove what was noted before so many days after the start."""
    async with database.transaction(SYSTEM, START) as tx:
        return await pruning.prune(tx, START + days * DAY)


async def numbers(database: Database) -> list[int]:
    """What is left."""
    async with database.reading() as session:
        return [event.facts["number"] for event in await read(session, EVERYTHING, 0, 1_000)]


async def now(database: Database) -> LogState:
    """The log as a whole."""
    async with database.reading() as session:
        return await state(session)


async def test_what_is_old_enough_goes_and_what_is_not_stays(logging: Database) -> None:
    """An event of exactly the age that is kept stays; the place of the last one gone is noted."""
    await note(logging, 1, 2)
    through = (await now(logging)).head
    await note(logging, 3, days=1)
    assert await pruned(logging, 1) == 2
    assert await numbers(logging) == [3]
    assert (await now(logging)).pruned_through == through
    assert await pruned(logging, 1) == 0


async def test_nothing_is_noted_where_nothing_goes(logging: Database) -> None:
    """Whoever stands at the beginning of a young log has missed nothing."""
    assert await pruned(logging, 1) == 0
    await note(logging, 1, days=2)
    assert await pruned(logging, 1) == 0
    assert (await now(logging)).pruned_through == 0


async def test_the_head_of_a_log_stays_when_all_of_it_goes(logging: Database) -> None:
    """And what comes next comes after it: no place is given twice."""
    await note(logging, 1, 2)
    head = (await now(logging)).head
    assert await pruned(logging, 1) == 2
    assert await now(logging) == LogState((await now(logging)).log_id, head, head)
    await note(logging, 3, days=2)
    assert (await now(logging)).head == head + 1


async def test_an_event_waits_for_those_before_it(logging: Database) -> None:
    """A transaction that took long, or a clock that ran ahead, leaves no gap in the log."""
    await note(logging, 1)
    await note(logging, 2, days=2)
    await note(logging, 3)
    assert await pruned(logging, 1) == 1
    assert await numbers(logging) == [2, 3]
    assert await pruned(logging, 3) == 2


async def test_a_rollback_takes_a_pruning_back(logging: Database) -> None:
    """Events and the note of what is gone together."""
    await note(logging, 1)
    async with logging.transaction(SYSTEM, START, dry_run=True) as tx:
        assert await pruning.prune(tx, START + DAY) == 1
    assert await numbers(logging) == [1]
    assert (await now(logging)).pruned_through == 0


@settings(max_examples=scaled(1_000, least=20), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 5), max_size=12), st.lists(st.integers(0, 6), max_size=4), st.integers(1, 4))
async def test_what_is_left_is_an_end_of_what_was(
    logging: Database, days: list[int], befores: list[int], at_once: int
) -> None:
    """Whatever the ages, and in pieces of whatever size: no gap, nothing too young gone, the rest known to be gone."""
    await pruned(logging, 100)
    start = (await now(logging)).head
    for number, day in enumerate(days):
        await note(logging, number, days=day)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pruning, "AT_ONCE", at_once)
        for before in befores:
            while removed := await pruned(logging, before):
                assert removed <= at_once
    left = await numbers(logging)
    gone = len(days) - len(left)
    assert left == list(range(gone, len(days)))
    assert all(day < max(befores, default=0) for day in days[:gone])
    assert not left or days[gone] >= max(befores, default=0)
    assert (await now(logging)).pruned_through == start + gone


async def test_the_worker_removes_events_after_their_time(logging: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """30 days by default, else as set; more than fits into one transaction in several."""
    monkeypatch.setattr(pruning, "AT_ONCE", 2)
    await note(logging, *range(5))
    await note(logging, 5, days=1)
    usual, longer = Retention(), Retention(events=40 * DAY)
    assert await prune.tick(WorkerContext(logging, HealthPolicy(), longer), START + 31 * DAY) == 0
    assert await prune.tick(WorkerContext(logging, HealthPolicy(), usual), START + 30 * DAY) == 0
    assert await prune.tick(WorkerContext(logging, HealthPolicy(), usual), START + 31 * DAY) == 5
    assert await numbers(logging) == [5]
