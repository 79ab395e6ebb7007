"""Append-only tables refuse DELETE; pruning alone passes, by a marker that lives within its transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import CheckConstraint, delete, insert, text
from sqlmodel import Field, SQLModel

from opsgraph.storage.columns import table_of
from opsgraph.storage.transactions import Tx


class PruningRow(SQLModel, table=True):
    """The marker on SQLite: there only while a transaction prunes. On PostgreSQL it is a local setting."""

    __tablename__ = "pruning"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: int = Field(primary_key=True)


_marker = table_of(PruningRow)


@asynccontextmanager
async def pruning(tx: Tx) -> AsyncIterator[None]:
    """Within the block, this transaction may delete from append-only tables."""
    if tx.connection.dialect.name == "postgresql":
        await tx.connection.execute(text("SELECT set_config('opsgraph.pruning', 'on', true)"))
        yield
        await tx.connection.execute(text("SELECT set_config('opsgraph.pruning', 'off', true)"))
        return
    await tx.connection.execute(insert(_marker).values(id=1))
    yield
    await tx.connection.execute(delete(_marker))
