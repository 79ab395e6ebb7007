"""The database itself refuses what must not be, whoever writes: every table's keys, references, CHECKs and NULLs."""

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    and_,
    bindparam,
    select,
    text,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.metadata import metadata
from opsgraph.storage.database import Database
from tests.support.clock import START
from tests.support.rows import ROWS, inserted
from tests.support.violations import Case, cases

TABLES = metadata.sorted_tables
REFERRING = [table for table in TABLES if table.foreign_keys]
INDEXED: Mapping[str, Mapping[str, Any]] = {
    "uq_readiness_override_approved": {"state": "APPROVED", "decided_by": "Ben", "decided_at": START}
}
"""What brings a row under a unique key that is only for some, where the row to start from is not."""
BESIDE: Mapping[str, Mapping[str, Any]] = {"readiness_state.verdict_id": {"decision": "GO"}}
"""What has to come with a reference that the row to start from does not have."""
STAMPED = [table for table in TABLES if "updated_at" in table.c]


def named(value: Any) -> str | None:
    """How a parameter is shown."""
    return value.check if isinstance(value, Case) else value.name if isinstance(value, Table) else None


@asynccontextmanager
async def writing(database: Database) -> AsyncIterator[AsyncConnection]:
    """A connection in a transaction that is rolled back."""
    async with database.engine.connect() as connection, connection.begin() as transaction:
        yield connection
        await transaction.rollback()


async def refusal(connection: AsyncConnection, write: Awaitable[object]) -> str:
    """Why the database refuses a write."""
    with pytest.raises(IntegrityError) as caught:
        async with connection.begin_nested():
            await write
    return str(caught.value.orig)


def test_every_table_has_a_row_to_start_from() -> None:
    """A new table comes with a row that satisfies its constraints, or the tests below would pass it over."""
    assert ROWS.keys() == metadata.tables.keys()


@pytest.mark.parametrize("case", list(cases()), ids=named)
async def test_a_check_refuses_what_is_out_of_bounds(database: Database, case: Case) -> None:
    """The CHECK is named in the refusal, and what lies on its edge passes."""
    async with writing(database) as connection:
        for values in case.accepted:
            async with connection.begin_nested() as kept:
                await inserted(connection, case.table, **values)
                await kept.rollback()
        assert case.refused
        for values in case.refused:
            message = await refusal(connection, inserted(connection, case.table, **values))
            assert case.check in message.replace('"', " ").split(), values


@pytest.mark.parametrize("table", TABLES, ids=named)
async def test_a_key_cannot_be_used_twice(database: Database, table: Table) -> None:
    """The primary key and each unique key; the refusal names it or its columns."""
    keys = _keys(table)
    async with writing(database) as connection:
        row = await inserted(connection, table)
        for key in keys:
            within = INDEXED.get(str(key.name), {})
            first = await inserted(connection, table, **within) if within else row
            same = {**{column.name: first[column.name] for column in key.columns}, **within}
            free = {c for other in keys for c in other.columns if not c.foreign_keys and c.name not in same}
            others = {column.name: _another(column, row[column.name]) for column in free}
            message = await refusal(connection, inserted(connection, table, **same, **others))
            columns = ", ".join(f"{table.name}.{column.name}" for column in key.columns)
            kept = (f"{table.name} is append-only", f"{table.name} keeps its history")
            known = (f"UNIQUE constraint failed: {columns}", *kept)
            assert f'"{key.name}"' in message or message.endswith(known)


@pytest.mark.parametrize("table", REFERRING, ids=named)
async def test_a_reference_has_to_lead_somewhere(database: Database, table: Table) -> None:
    """An id of nothing is refused in every column that refers to another table."""
    for key in (constraint for constraint in table.constraints if isinstance(constraint, ForeignKeyConstraint)):
        async with writing(database) as connection:
            (column,) = key.columns
            nothing = uuid4() if column.type.python_type is UUID else 1_000_000
            beside = BESIDE.get(f"{table.name}.{column.name}", {})
            message = await refusal(connection, inserted(connection, table, **beside, **{column.name: nothing}))
            assert f'"{key.name}"' in message or message == "FOREIGN KEY constraint failed"


@pytest.mark.parametrize("table", REFERRING, ids=named)
async def test_what_is_referred_to_cannot_be_removed(database: Database, table: Table) -> None:
    """Deleting a row that another one refers to is refused: nothing is left hanging."""
    async with writing(database) as connection:
        row = await inserted(connection, table)
        for column in (column for column in table.c if column.foreign_keys and column.name in row):
            (reference,) = column.foreign_keys
            target = reference.column
            removal = connection.execute(target.table.delete().where(target == row[column.name]))
            message = (await refusal(connection, removal)).lower()
            assert "foreign key" in message or message.endswith(f"{target.table.name} is append-only")


@pytest.mark.parametrize("table", TABLES, ids=named)
async def test_what_has_to_be_there_cannot_be_left_out(database: Database, table: Table) -> None:
    """NULL is refused in every column that the code never leaves empty."""
    required = [column.name for column in table.c if not column.nullable and not _is_counted(database, column)]
    columns, values = ", ".join(c.name for c in table.c), ", ".join(f":{c.name}" for c in table.c)
    statement = text(f"INSERT INTO {table.name} ({columns}) VALUES ({values})")  # noqa: S608 - names of our own tables
    async with writing(database) as connection:
        async with connection.begin_nested() as kept:
            given = await inserted(connection, table)
            own = and_(*(column == given[column.name] for column in table.primary_key))
            stored = dict((await connection.execute(select(table).where(own))).mappings().one())
            await kept.rollback()  # so that no key is in the way
        counted = {column.name: stored[column.name] + 1 for column in table.c if _is_counted(database, column)}
        counted |= {"id": uuid4()} if isinstance(stored.get("id"), UUID) else {}
        for name in required:
            row = stored | counted | {name: None}
            typed = statement.bindparams(*(bindparam(c.name, row[c.name], type_=c.type) for c in table.c))
            message = await refusal(connection, connection.execute(typed))
            assert f'column "{name}"' in message or f"NOT NULL constraint failed: {table.name}.{name}" in message


@pytest.mark.parametrize("table", STAMPED, ids=named)
async def test_the_database_keeps_updated_at(database: Database, table: Table) -> None:
    """An UPDATE that does not mention it sets it to the present; one that does is respected; created_at stays."""
    key = table.primary_key.columns[0].name
    before = datetime.now(UTC) - timedelta(seconds=1)
    async with writing(database) as connection:
        await inserted(connection, table, updated_at=START)
        await connection.execute(text(f"UPDATE {table.name} SET {key} = {key}"))  # noqa: S608 - names of our own tables
        touched = (await connection.execute(select(table.c.updated_at))).scalar_one()
        assert before < touched < datetime.now(UTC) + timedelta(seconds=1)
        chosen = START + timedelta(days=1, microseconds=7)
        await connection.execute(table.update().values(updated_at=chosen))
        stored = (await connection.execute(select(table))).mappings().one()
        assert (stored["updated_at"], stored.get("created_at", START)) == (chosen, START)


async def test_updated_at_of_other_rows_stays(database: Database) -> None:
    """Only the rows that an UPDATE changes are touched."""
    team = metadata.tables["team"]
    async with writing(database) as connection:
        await inserted(connection, team)
        await inserted(connection, team, name_key="other", origin="other")
        await connection.execute(text("UPDATE team SET title = 'T' WHERE name_key = 'api'"))
        rows = {row.name_key: row for row in await connection.execute(select(team))}
    assert rows["api"].updated_at > START
    assert (rows["other"].updated_at, rows["other"].title) == (START, None)


def _keys(table: Table) -> list[PrimaryKeyConstraint | UniqueConstraint | Index]:
    constraints = [c for c in table.constraints if isinstance(c, PrimaryKeyConstraint | UniqueConstraint)]
    return [*constraints, *(index for index in table.indexes if index.unique)]


def _is_counted(database: Database, column: Column[Any]) -> bool:
    """SQLite gives a number to a row that comes without one."""
    return database.is_sqlite and column.primary_key and column.type.python_type is int


def _another(column: Column[Any], value: Any) -> Any:
    known = {"month": "2024-03", "currency": "EUR", "since": START + timedelta(days=1)}
    if isinstance(value, UUID):
        return uuid4()
    return known.get(column.name) or (value + 1 if isinstance(value, int) else f"{value}x")
