"""The log: entries are read back as they were appended, and their places are in the order of commits."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert

from opsgraph.events.log import EventLog, LoggedEvent, read, state
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.events import Entry, Event, Topic
from opsgraph.metadata import metadata
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx
from tests.support.clock import START
from tests.support.databases import migrated
from tests.support.events import ALERTS, EVERYTHING, Noted
from tests.support.statements import statements
from tests.support.waiting import someone_waits

EVENTS = metadata.tables["event"]


class Held(EventLog):
    """A log whose writers stop between appending and committing until they are let go."""

    def __init__(self) -> None:
        self.appended = asyncio.Event()
        self.let_go = asyncio.Event()

    async def append(self, tx: Tx, entries: Sequence[Entry]) -> None:
        """Append, then wait."""
        await super().append(tx, entries)
        self.appended.set()
        await self.let_go.wait()


class Unlocked(Held):
    """The same without the lock: what a log would be that only counts its places up."""

    async def append(self, tx: Tx, entries: Sequence[Entry]) -> None:
        """Append as SQLite does, then wait."""
        rows = [(entry.topic.value, entry.kind, entry.subject_id, "{}", tx.now) for entry in entries]
        names = ("topic", "kind", "subject_id", "facts", "recorded_at")
        await tx.connection.execute(insert(EVENTS), [dict(zip(names, row, strict=True)) for row in rows])
        self.appended.set()
        await self.let_go.wait()


async def note(database: Database, *numbers: int, topic: Topic = Topic.ALERTS) -> None:
    """Note numbers in one transaction."""
    async with database.transaction(SYSTEM, START) as tx:
        for number in numbers:
            tx.record(Noted(number, topic))


async def logged(database: Database, after: int = 0) -> list[LoggedEvent]:
    """Everything in the log after a place."""
    async with database.reading() as session:
        return await read(session, EVERYTHING, after, 1_000)


@pytest.fixture
def logging(database: Database, settings: Settings) -> Database:
    """The database under test, with the log."""
    database._log = EventLog()
    return database


async def test_an_entry_is_read_back_as_it_was_recorded(logging: Database) -> None:
    """With its place and the instant of its transaction; text of any script is kept."""

    facts: dict[str, Any] = {"title": "Überlast “x” 💥", "n": [1, None, {}]}

    class Said(Event):
        def entry(self) -> Entry:
            return Entry(Topic.INCIDENTS, "CREATED", UUID(int=7), facts)

    async with logging.transaction(SYSTEM, START) as tx:
        tx.record(Said())
    (event,) = await logged(logging)
    assert event == LoggedEvent(event.position, Topic.INCIDENTS, "CREATED", UUID(int=7), facts, START)


async def test_a_transaction_is_appended_in_its_order_by_one_statement(logging: Database) -> None:
    """However many entries it has."""
    with statements(logging) as seen:
        await note(logging, *range(2_000))
    assert sum("INTO event" in statement for statement in seen) == 1
    events = await logged(logging) + await logged(logging, (await logged(logging))[-1].position)
    assert [event.facts["number"] for event in events] == list(range(2_000))
    assert sorted({event.position for event in events}) == [event.position for event in events]


@pytest.mark.parametrize("topics", [ALERTS, {Topic.ALERTS, Topic.SERVICE_HEALTH}, EVERYTHING, frozenset()])
async def test_topics_are_read_apart_or_together(logging: Database, topics: set[Topic]) -> None:
    """Always in the order of the log, from the place after the one given, and no more than asked for."""
    for number in range(12):
        await note(logging, number, topic=list(Topic)[number % 3])
    everything = await logged(logging)
    wanted = [event for event in everything if event.topic in topics]
    async with logging.reading() as session:
        assert await read(session, topics, 0, 100) == wanted
        for after in everything:
            expected = [event for event in wanted if event.position > after.position][:3]
            assert await read(session, topics, after.position, 3) == expected


async def test_the_head_is_where_what_comes_next_begins(logging: Database) -> None:
    """0 in a log in which nothing has happened."""
    async with logging.reading() as session:
        empty = await state(session)
        assert (empty.head, empty.pruned_through) == (0, 0)
    await note(logging, 1, 2)
    async with logging.reading() as session:
        before = (await state(session)).head
    assert before == (await logged(logging))[-1].position
    await note(logging, 3)
    assert [event.facts["number"] for event in await logged(logging, before)] == [3]


async def test_each_log_is_another_one(database: Database, tmp_path: Path) -> None:
    """Migrating names it once, by chance."""
    url = f"sqlite:///{tmp_path / 'another.db'}"
    await migrated(url)
    another = Database(Settings(database_url=url))
    async with database.reading() as session, another.reading() as others:
        assert (await state(session)).log_id != (await state(others)).log_id
        assert await state(session) == await state(session)
    await another.close()


async def test_who_commits_later_has_later_places(database: Database, settings: Settings) -> None:
    """A writer that has its place and has not committed yet keeps others from theirs: nobody sees a gap fill up."""
    if database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    held = Held()
    slow, quick = Database(settings, log=held), Database(settings, log=EventLog())
    first = asyncio.create_task(note(slow, 1))
    await held.appended.wait()
    second = asyncio.create_task(note(quick, 2))
    await someone_waits(database)
    assert await logged(database) == []
    held.let_go.set()
    await asyncio.gather(first, second)
    assert [event.facts["number"] for event in await logged(database)] == [1, 2]
    for each in (slow, quick):
        await each.close()


async def test_without_the_lock_a_reader_would_lose_events(database: Database, settings: Settings) -> None:
    """Why there is one: places are counted when they are taken, and seen when they are committed."""
    if database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    held, unheld = Unlocked(), Unlocked()
    unheld.let_go.set()
    slow, quick = Database(settings, log=held), Database(settings, log=unheld)
    first = asyncio.create_task(note(slow, 1))
    await held.appended.wait()
    await note(quick, 2)
    (seen,) = await logged(database)
    held.let_go.set()
    await first
    assert await logged(database, seen.position) == []
    assert len(await logged(database)) == 2
    for each in (slow, quick):
        await each.close()
