"""A transaction as commands see it: a connection, one instant, one actor, and a place to record facts."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncTransaction

from opsgraph.kernel.actor import Actor
from opsgraph.kernel.events import Event


@dataclass(slots=True)
class Tx:
    """A write transaction. Commands load, decide, save and `record`; they never commit.

    Attributes:
        connection: the one connection of this transaction.
        actor: on whose behalf it is made.
        now: the transaction's single instant.
        new_id: makes time-ordered ids.
    """

    connection: AsyncConnection
    actor: Actor
    now: datetime
    new_id: Callable[[], UUID]
    recorded: list[Event] = field(default_factory=list)

    def record(self, event: Event) -> None:
        """Say what happened; reactions run on it before the commit, and it dies with a rollback."""
        self.recorded.append(event)

    def savepoint(self) -> AbstractAsyncContextManager[AsyncTransaction]:
        """A part of this transaction that can fail alone."""
        return self.connection.begin_nested()


Reactions = Callable[[Tx, Sequence[Event]], Awaitable[None]]
"""What recorded events ask of others, run in the same transaction before its commit."""
