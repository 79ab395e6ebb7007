"""A transaction as commands see it: a connection, one instant, one actor, and a place to record facts."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncTransaction

from opsgraph.kernel.actor import Actor
from opsgraph.kernel.events import Entry, Event


@dataclass(slots=True)
class Tx:
    """A write transaction. Commands load, decide, save and `record`; they never commit.

    Attributes:
        connection: the one connection of this transaction.
        actor: on whose behalf it is made.
        now: the transaction's single instant.
        new_id: makes ids, each greater than the one before.
        recorded: what nobody has reacted to yet.
        entries: what the event log will keep of everything that was recorded, in that order.
    """

    connection: AsyncConnection
    actor: Actor
    now: datetime
    new_id: Callable[[], UUID]
    recorded: list[Event] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    def record(self, event: Event) -> None:
        """Say what happened; reactions run on it before the commit, and it dies with a rollback."""
        self.recorded.append(event)
        if (entry := event.entry()) is not None:
            self.entries.append(entry)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[AsyncTransaction]:
        """A part of this transaction that can fail alone; what is recorded in it dies with its rollback."""
        events, entries = len(self.recorded), len(self.entries)
        kept = False
        try:
            async with self.connection.begin_nested() as nested:
                yield nested
                kept = nested.is_active
        except BaseException:
            kept = False
            raise
        finally:
            if not kept:
                del self.recorded[events:], self.entries[entries:]


Reactions = Callable[[Tx, Sequence[Event]], Awaitable[None]]
"""What recorded events ask of others, run in the same transaction before its commit."""


class EventLog(Protocol):
    """Where a transaction's facts are kept for whoever follows them."""

    async def append(self, tx: Tx, entries: Sequence[Entry]) -> None:
        """Keep these entries, in this order, as the last thing that a transaction does before its commit."""
        ...


CommitListener = Callable[[Sequence[Entry]], None]
"""Called in the event loop right after a commit, with the entries that it appended; must be quick, and never raise."""
