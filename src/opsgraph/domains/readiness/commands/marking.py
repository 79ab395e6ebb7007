"""Saying that the facts of services changed: they are looked at again, and what was judged before is not stored."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, Update, select, true, update

from opsgraph.domains.readiness.tables import states
from opsgraph.storage.many import among
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import in_chunks

_AT_ONCE = 10_000


async def mark(tx: Tx, service_ids: Collection[UUID]) -> None:
    """Have services judged again, as far as they ever were or declared anything. One statement for 10,000 of them."""
    for ids in in_chunks(sorted(service_ids), _AT_ONCE):
        await tx.connection.execute(_marked(tx, among(tx.connection, states.c.service_id, ids)))


async def mark_all(tx: Tx) -> None:
    """Have every service judged again. One statement."""
    await tx.connection.execute(_marked(tx, true()))


def _marked(tx: Tx, concerned: ColumnElement[bool]) -> Update:
    statement = update(states).values(revision=states.c.revision + 1, due_at=tx.now)
    if tx.connection.dialect.name == "sqlite":
        return statement.where(concerned)
    # Of two transactions that mark the same services neither waits for the other with a lock that it needs.
    held = select(states.c.service_id).where(concerned).order_by(states.c.service_id).with_for_update().cte("held")
    return statement.where(states.c.service_id == held.c.service_id)
