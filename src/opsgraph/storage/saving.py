"""Create or update one row by its natural key, and say which of the two it was."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import Table, insert, update
from sqlalchemy.exc import IntegrityError

from opsgraph.storage.rows import AnyRow, AnySelect
from opsgraph.storage.transactions import Tx

ValueT = TypeVar("ValueT")


class Outcome(StrEnum):
    """What saving did."""

    CREATED = "CREATED"
    CHANGED = "CHANGED"
    UNCHANGED = "UNCHANGED"


@dataclass(frozen=True, slots=True)
class Saved(Generic[ValueT]):
    """A saved value and whether it is new, changed or as it was."""

    value: ValueT
    outcome: Outcome


async def save_row(
    tx: Tx,
    table: Table,
    found_by: AnySelect,
    values: Mapping[str, Any],
    created_with: Mapping[str, Any] | None = None,
) -> Saved[AnyRow]:
    """Update the row that a query finds where a value differs, or insert a new one.

    Args:
        tx: the transaction.
        table: a table with `id`, `created_at` and `updated_at`.
        found_by: selects all columns of the row, if it exists; it stays locked until the transaction ends.
        values: columns to set; the others keep their value or get their default.
        created_with: further columns of a new row, which an existing one keeps, such as the spelling of its name.
    """
    row = await _locked(tx, found_by)
    if row is None:
        try:
            return Saved(await _insert(tx, table, {**values, **(created_with or {})}), Outcome.CREATED)
        except IntegrityError:
            # Someone else may have created it between our look and our insert: then theirs is the one to change.
            row = await _locked(tx, found_by)
            if row is None:
                raise
    return await _update(tx, table, row, values)


async def _locked(tx: Tx, found_by: AnySelect) -> AnyRow | None:
    # Others may come to refer to the row meanwhile: two that are saved at once and name each other must not deadlock.
    return (await tx.connection.execute(found_by.with_for_update(key_share=True))).one_or_none()


async def _insert(tx: Tx, table: Table, values: Mapping[str, Any]) -> AnyRow:
    stamps = {"id": tx.new_id(), "created_at": tx.now, "updated_at": tx.now}
    async with tx.savepoint():
        return (await tx.connection.execute(insert(table).values(**stamps, **values).returning(*table.c))).one()


async def _update(tx: Tx, table: Table, row: AnyRow, values: Mapping[str, Any]) -> Saved[AnyRow]:
    changed = {name: value for name, value in values.items() if row._mapping[name] != value}  # noqa: SLF001 - public
    if not changed:
        return Saved(row, Outcome.UNCHANGED)
    statement = update(table).where(table.c.id == row.id).values(**changed, updated_at=tx.now).returning(*table.c)
    return Saved((await tx.connection.execute(statement)).one(), Outcome.CHANGED)
