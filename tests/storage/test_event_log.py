"""What a transaction hands to the event log: everything that was recorded and kept, once, right before its commit."""

from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy.exc import IntegrityError

from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.events import Entry, Event
from opsgraph.metadata import metadata
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx
from tests.support.clock import START
from tests.support.events import Noted
from tests.support.rows import inserted

TEAM = metadata.tables["team"]


class Kept:
    """An event log that keeps what it is given in memory, and what listeners were told."""

    def __init__(self) -> None:
        self.appended: list[list[int]] = []
        self.told: list[list[int]] = []
        self.refuses = False

    async def append(self, tx: Tx, entries: Sequence[Entry]) -> None:
        """Keep the numbers."""
        if self.refuses:
            raise LookupError("refused")
        assert tx.connection.in_transaction()
        self.appended.append([entry.facts["number"] for entry in entries])

    def tell(self, entries: Sequence[Entry]) -> None:
        """Note what a commit appended."""
        self.told.append([entry.facts["number"] for entry in entries])


async def count_on(tx: Tx, events: Sequence[Event]) -> None:
    """The number after each that can be divided by ten."""
    for event in events:
        if isinstance(event, Noted) and event.number % 10 == 0:
            tx.record(Noted(event.number + 1))


async def record(database: Database, *numbers: int, then: Exception | None = None, dry_run: bool = False) -> None:
    """Record numbers in a transaction that writes as well, and that ends as wanted."""
    async with database.transaction(SYSTEM, START, dry_run=dry_run) as tx:
        await record_apart(tx, *numbers, then=then)


async def record_apart(tx: Tx, *numbers: int, then: Exception | None = None, writes: int = 0) -> None:
    """Record numbers in a part of a transaction; two writes of it are one too many."""
    async with tx.savepoint():
        for number in numbers:
            tx.record(Noted(number))
        for _ in range(writes):
            await inserted(tx.connection, TEAM)
        if then is not None:
            raise then


@pytest.fixture
def log() -> Kept:
    """The log."""
    return Kept()


@pytest.fixture
async def logging(database: Database, settings: Settings, log: Kept) -> AsyncIterator[Database]:
    """A database with the log, whose reactions record more."""
    opened = Database(settings, count_on, log=log)
    opened.on_commit(log.tell)
    yield opened
    await opened.close()


async def test_everything_recorded_is_appended_once(logging: Database, log: Kept) -> None:
    """In the order recorded, what reactions record included; then whoever listens is told, after the commit."""
    async with logging.transaction(SYSTEM, START) as tx:
        for number in (1, 20, 3):
            tx.record(Noted(number))
        assert (log.appended, log.told) == ([], [])
    assert log.appended == log.told == [[1, 20, 3, 21]]


async def test_what_no_feed_shows_is_not_appended(logging: Database, log: Kept) -> None:
    """And nobody is told where there is nothing to tell."""
    async with logging.transaction(SYSTEM, START) as tx:
        tx.record(Event())
    async with logging.transaction(SYSTEM, START):
        pass
    assert (log.appended, log.told) == ([], [])


async def test_what_is_undone_is_not_appended(logging: Database, log: Kept) -> None:
    """A rollback takes all of it back."""
    with pytest.raises(ZeroDivisionError):
        await record(logging, 1, then=ZeroDivisionError())
    assert (log.appended, log.told) == ([], [])


async def test_a_dry_run_appends_and_tells_nobody(logging: Database, log: Kept) -> None:
    """It meets what the log refuses, and is then rolled back."""
    await record(logging, 1, dry_run=True)
    assert (log.appended, log.told) == ([[1]], [])
    log.refuses = True
    with pytest.raises(LookupError, match="refused"):
        await record(logging, 1, dry_run=True)


async def test_a_log_that_refuses_undoes_the_transaction(logging: Database, log: Kept) -> None:
    """What happened and what is told of it stand or fall together."""
    log.refuses = True
    with pytest.raises(LookupError, match="refused"):
        await save(logging, 1)
    log.refuses = False
    await save(logging, 2)
    assert log.appended == log.told == [[2]]


async def save(database: Database, number: int) -> None:
    """Write what can be written once, and record it."""
    async with database.transaction(SYSTEM, START) as tx:
        await record_apart(tx, number, writes=1)


async def test_what_was_recorded_in_a_part_dies_with_it(logging: Database, log: Kept) -> None:
    """By an error of its own or of the database, or because it was taken back; parts that are kept keep theirs."""
    async with logging.transaction(SYSTEM, START) as tx:
        tx.record(Noted(1))
        async with tx.savepoint():
            tx.record(Noted(2))
            with pytest.raises(ZeroDivisionError):
                await record_apart(tx, 30, then=ZeroDivisionError())
        async with tx.savepoint() as part:
            tx.record(Noted(40))
            await part.rollback()
        with pytest.raises(IntegrityError):
            await record_apart(tx, 50, writes=2)
        tx.record(Noted(6))
        assert [event.number for event in tx.recorded if isinstance(event, Noted)] == [1, 2, 6]
    assert log.appended == log.told == [[1, 2, 6]]


async def test_an_outer_part_takes_back_what_its_inner_parts_kept(logging: Database, log: Kept) -> None:
    """As the database does with what they wrote."""
    async with logging.transaction(SYSTEM, START) as tx:
        async with tx.savepoint() as outer:
            await record_apart(tx, 10)
            assert [entry.facts["number"] for entry in tx.entries] == [10]
            await outer.rollback()
        tx.record(Noted(2))
    assert log.appended == [[2]]
