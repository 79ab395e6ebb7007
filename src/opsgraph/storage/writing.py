"""Write primitives that differ between the two databases: upserts and locks in sorted order."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Column, Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

from opsgraph.storage.transactions import Tx

_MOST_VARIABLES = 30_000  # SQLite takes 32,766 in a statement, PostgreSQL 32,767

ItemT = TypeVar("ItemT")


async def upsert(
    tx: Tx, table: Table, rows: Sequence[Mapping[str, Any]], key: Collection[str], update: Collection[str] | None = None
) -> None:
    """Insert rows; where the key exists already, set the other columns to the new values.

    Args:
        tx: the transaction.
        table: where to.
        rows: mappings with the same columns each, and no key twice.
        key: the columns of a unique constraint.
        update: the columns to set on conflict; None means all that are not in the key, empty means leave the old row.
    """
    if not rows:
        return
    changed = [c for c in rows[0] if c not in key] if update is None else list(update)
    statement = _insert(tx, table)
    if changed:
        statement = statement.on_conflict_do_update(
            index_elements=list(key), set_={name: statement.excluded[name] for name in changed}
        )
    else:
        statement = statement.on_conflict_do_nothing(index_elements=list(key))
    # One statement of one row, run for all: it is compiled once, and there is no limit to how many rows there are.
    await tx.connection.execute(statement, [dict(row) for row in rows])


async def insert_new(tx: Tx, table: Table, row: Mapping[str, Any], key: Collection[str]) -> bool:
    """Insert one row unless its key exists; says whether it was inserted. Waits for a concurrent insert to end."""
    statement = _insert(tx, table).values(dict(row)).on_conflict_do_nothing(index_elements=list(key))
    return (await tx.connection.execute(statement)).rowcount == 1


async def lock_sorted(tx: Tx, column: Column[Any], ids: Collection[UUID]) -> None:
    """Lock the rows with these ids, in the order of their ids, until the transaction ends.

    On SQLite a write transaction already excludes every other writer, so there is nothing to do.
    """
    if tx.connection.dialect.name == "sqlite" or not ids:
        return
    for chunk in in_chunks(sorted(ids), _MOST_VARIABLES):
        await tx.connection.execute(select(column).where(column.in_(chunk)).order_by(column).with_for_update())


def in_chunks(items: Sequence[ItemT], size: int) -> Iterator[Sequence[ItemT]]:
    """Cut a sequence into pieces that fit into one statement."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _insert(tx: Tx, table: Table) -> PostgresqlInsert | SqliteInsert:
    return sqlite.insert(table) if tx.connection.dialect.name == "sqlite" else postgresql.insert(table)
