"""Write primitives that differ between the two databases: bulk writes, upserts and locks in sorted order."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    Column,
    Table,
    TableValuedAlias,
    Update,
    bindparam,
    column,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

from opsgraph.storage.many import among
from opsgraph.storage.prepared import Prepared
from opsgraph.storage.transactions import Tx

_MOST_VARIABLES = 30_000  # SQLite takes 32,766 in a statement, PostgreSQL 32,767

ItemT = TypeVar("ItemT")


async def insert_all(tx: Tx, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows in their order, all with the same columns.

    On PostgreSQL each column is one array: a statement that is run once for each row takes three times as long.
    """
    if not rows:
        return
    if tx.connection.dialect.name == "sqlite":
        await tx.connection.execute(insert(table), rows)
    else:
        await _insert_arrays(table, tuple(rows[0])).run(tx.connection, **_arrays(rows))


async def update_all(tx: Tx, table: Table, rows: Sequence[Mapping[str, Any]], key: str = "id") -> None:
    """Set columns of rows that are found by a unique key, all the same columns; the rows are locked already."""
    if not rows:
        return
    if tx.connection.dialect.name == "sqlite":
        await tx.connection.execute(_update_one(table, tuple(rows[0]), key), [_given_values(row) for row in rows])
    else:
        await _update_arrays(table, tuple(rows[0]), key).run(tx.connection, **_arrays(rows))


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
        await tx.connection.execute(
            select(column).where(among(tx.connection, column, chunk)).order_by(column).with_for_update()
        )


def in_chunks(items: Sequence[ItemT], size: int) -> Iterator[Sequence[ItemT]]:
    """Cut a sequence into pieces that fit into one statement."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _given_values(row: Mapping[str, Any]) -> dict[str, Any]:
    # Parameters may not be named like the columns that they are for.
    return {f"given_{name}": value for name, value in row.items()}


def _arrays(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return _given_values({name: [row[name] for row in rows] for name in rows[0]})


@cache
def _insert_arrays(table: Table, names: tuple[str, ...]) -> Prepared:
    given = _given(table, names)
    rows = select(*(given.c[name] for name in names)).order_by(given.c.place)
    return Prepared(lambda _: insert(table).from_select(names, rows))


@cache
def _update_arrays(table: Table, names: tuple[str, ...], key: str) -> Prepared:
    given = _given(table, names)
    values: dict[str, Any] = {name: given.c[name] for name in names if name != key}
    return Prepared(lambda _: update(table).where(table.c[key] == given.c[key]).values(values))


@cache
def _update_one(table: Table, names: tuple[str, ...], key: str) -> Update:
    values: dict[str, Any] = {name: bindparam(f"given_{name}") for name in names if name != key}
    return update(table).where(table.c[key] == bindparam(f"given_{key}")).values(values)


def _given(table: Table, names: Sequence[str]) -> TableValuedAlias:
    """The rows that arrays of the columns' types make, with their places."""
    arrays = [bindparam(f"given_{name}", type_=postgresql.ARRAY(table.c[name].type)) for name in names]
    columns = [column(name, table.c[name].type) for name in names]
    return func.unnest(*arrays).table_valued(*columns, with_ordinality="place").render_derived(name="given")


def _insert(tx: Tx, table: Table) -> PostgresqlInsert | SqliteInsert:
    return sqlite.insert(table) if tx.connection.dialect.name == "sqlite" else postgresql.insert(table)
