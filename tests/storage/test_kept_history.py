"""Overrides and exemptions in the database itself: each only takes its steps, and none is rewritten or removed."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table, delete, func, select, text, update
from sqlalchemy.exc import DBAPIError

from opsgraph.domains.readiness.tables import exemptions, overrides
from opsgraph.kernel.actor import SYSTEM
from opsgraph.metadata import metadata
from opsgraph.storage.database import Database
from opsgraph.storage.pruning import pruning
from opsgraph.storage.transactions import Tx
from tests.support.clock import START
from tests.support.databases import KEEPING
from tests.support.rows import inserted

Values = Mapping[str, Any]

_IDS = {"id", "service_id"}

TABLES = [metadata.tables[name] for name in KEEPING]
LATER = START + timedelta(hours=1)
_DECIDED = {"decided_by": "Ben", "decided_at": START, "note": "fine"}
_OVER = {"ended_by": "Cleo", "ended_at": START, "ended_reason": "over"}
STATES: Mapping[str, Mapping[str, Values]] = {
    "readiness_override": {
        "PENDING": {"state": "PENDING"},
        "APPROVED": {"state": "APPROVED", "blockers": '["encryption"]', **_DECIDED},
        "REJECTED": {"state": "REJECTED", **_DECIDED},
        "REVOKED": {"state": "REVOKED", "decided_at": START, **_OVER},
        "ENDED": {"state": "ENDED", "decided_at": START, **_OVER},
    },
    "readiness_exemption": {
        "ASKED": {"requested_by": "Ana"},
        "GRANTED": {"approved_by": "Ben", "approved_at": START},
        "ENDED": {"ended_by": "Cleo", "ended_at": START},
    },
}
"""What brings a row that was only asked for to each state."""
FORWARD = {
    "readiness_override": {
        ("PENDING", "APPROVED"),
        ("PENDING", "REJECTED"),
        ("PENDING", "REVOKED"),
        ("PENDING", "ENDED"),
        ("APPROVED", "REVOKED"),
        ("APPROVED", "ENDED"),
    },
    "readiness_exemption": {("ASKED", "GRANTED"), ("ASKED", "ENDED"), ("GRANTED", "ENDED")},
}
WAYS = [
    pytest.param(table, before, after, id=f"{table.name}-{before}-{after}")
    for table in TABLES
    for before in STATES[table.name]
    for after in STATES[table.name]
    if before != after
]
STEPS = [
    pytest.param(table, *way, id=f"{table.name}-{way[0]}-{way[1]}")
    for table in TABLES
    for way in sorted(FORWARD[table.name])
]
OTHERWISE: Values = {
    "decision": "NO_GO",
    "verdict_id": UUID(int=1),
    "blockers": '["metrics"]',
    "check_name": "Metrics",
    "check_key": "metrics",
}
"""Another value where not any would do."""

by_name = pytest.mark.parametrize("table", TABLES, ids=[table.name for table in TABLES])


async def change(tx: Tx, table: Table, values: Values) -> None:
    """Change every row, in a part of its own."""
    async with tx.savepoint():
        await tx.connection.execute(update(table).values(values))


async def refuse(tx: Tx, table: Table, values: Values) -> None:
    """Try in vain to change every row, also while it prunes."""
    with pytest.raises(DBAPIError, match=f"{table.name} keeps its history"):
        await change(tx, table, values)
    with pytest.raises(DBAPIError, match=f"{table.name} keeps its history"):
        async with tx.savepoint(), pruning(tx):
            await tx.connection.execute(update(table).values(values))


def reached(table: Table, before: str, after: str) -> Values:
    """What leads from one state to another: what a state has of the one before stays, and what it lacks is emptied."""
    states = STATES[table.name]
    if (before, after) in FORWARD[table.name]:
        kept = states[before] if before not in {"PENDING", "ASKED"} else {}
        return {name: value for name, value in states[after].items() if name not in kept or name == "state"}
    emptied = {name: None for name in states[before] if table.c[name].nullable and name != "requested_by"}
    return {**emptied, **{name: value for name, value in states[after].items() if name != "requested_by"}}


def rewritten(row: Values, *, but: tuple[str, ...] = ()) -> list[Values]:
    """Each column of a row with another value, one at a time."""
    columns = {name: value for name, value in row.items() if name not in {"updated_at", "state", *_IDS, *but}}
    return [{name: _another(name, value)} for name, value in columns.items()]


@pytest.mark.parametrize(("table", "before", "after"), WAYS)
async def test_a_row_only_goes_forward(database: Database, table: Table, before: str, after: str) -> None:
    """Whoever writes: nothing leaves an end, and nothing comes back."""
    states, values = STATES[table.name], reached(table, before, after)
    async with database.transaction(SYSTEM, START, dry_run=True) as tx:
        await inserted(tx.connection, table, **states[before])
        if (before, after) not in FORWARD[table.name]:
            await refuse(tx, table, values)
            return
        await change(tx, table, values)
        stored = (await tx.connection.execute(select(table))).mappings().one()
        assert {name: stored[name] for name in values} == values


@pytest.mark.parametrize(("table", "before", "after"), STEPS)
async def test_what_was_said_before_stays(database: Database, table: Table, before: str, after: str) -> None:
    """Neither by itself nor on the way to another state is anything rewritten that was there."""
    step = reached(table, before, after)
    async with database.transaction(SYSTEM, START, dry_run=True) as tx:
        row = await inserted(tx.connection, table, **STATES[table.name][before])
        for values in ({"id": UUID(int=1)}, *rewritten(row)):
            await refuse(tx, table, values)
        for values in rewritten(row, but=(*step, "ends_at")):
            await refuse(tx, table, {**step, **values})


@by_name
async def test_what_has_ended_is_told_by_nobody_else(database: Database, table: Table) -> None:
    """Not even a note is added; only when it was written last is kept by the database itself."""
    async with database.transaction(SYSTEM, START, dry_run=True) as tx:
        row = await inserted(tx.connection, table, **STATES[table.name]["ENDED"])
        for values in rewritten({**row, **{column.name: None for column in table.c if column.name not in row}}):
            await refuse(tx, table, values)
        await change(tx, table, {"updated_at": LATER})
        await change(tx, table, {name: row[name] for name in ("id", "reason", "ended_by")})


async def test_a_request_is_not_decided_by_halves(database: Database) -> None:
    """What is written when it is decided or ends is written then, and by that alone."""
    async with database.transaction(SYSTEM, START, dry_run=True) as tx:
        await inserted(tx.connection, overrides)
        for name, value in {**_DECIDED, **_OVER, "blockers": '["encryption"]'}.items():
            if name != "decided_at":
                await refuse(tx, overrides, {name: value})
        await refuse(tx, overrides, {**STATES["readiness_override"]["REJECTED"], **_OVER})
        await refuse(tx, overrides, {**STATES["readiness_override"]["REVOKED"], "decided_by": "Ben"})


async def test_an_exemption_is_granted_for_a_shorter_time_at_most(database: Database) -> None:
    """It ends as asked for, or earlier; once granted, its end stays."""
    granted, ends_at = STATES["readiness_exemption"]["GRANTED"], START + timedelta(days=1)
    async with database.transaction(SYSTEM, START, dry_run=True) as tx:
        await inserted(tx.connection, exemptions, ends_at=ends_at)
        await refuse(tx, exemptions, {**granted, "ends_at": ends_at + timedelta(microseconds=1)})
        await refuse(tx, exemptions, {"ends_at": LATER})
        await change(tx, exemptions, {**granted, "ends_at": LATER})
        await refuse(tx, exemptions, {"ends_at": START})


@by_name
async def test_no_row_is_removed(database: Database, table: Table) -> None:
    """In whatever state, and not by pruning either."""
    async with database.transaction(SYSTEM, START, dry_run=True) as tx:
        for values in STATES[table.name].values():
            await inserted(tx.connection, table, **values)
        for statement in (delete(table), delete(table).where(table.c.ended_at.is_not(None))):
            with pytest.raises(DBAPIError, match=f"{table.name} keeps its history"):
                async with tx.savepoint(), pruning(tx):
                    await tx.connection.execute(statement)
        count = (await tx.connection.execute(select(func.count()).select_from(table))).scalar_one()
        assert count == len(STATES[table.name])


@by_name
async def test_no_row_is_replaced(database: Database, table: Table) -> None:
    """SQLite's REPLACE would remove the row in its way without asking, be it in the way by its key or by another."""
    if not database.is_sqlite:
        pytest.skip("PostgreSQL has no REPLACE")
    names = [column.name for column in table.c]
    new = ", ".join("lower(hex(randomblob(16)))" if name == "id" else name for name in names)
    statements = [
        f"INSERT OR REPLACE INTO {table.name} ({', '.join(names)}) SELECT {chosen} FROM {table.name}"  # noqa: S608 - our own tables
        for chosen in (", ".join(names), new)
    ]
    async with database.transaction(SYSTEM, START, dry_run=True) as tx:
        await inserted(tx.connection, table)
        for statement in statements:
            with pytest.raises(DBAPIError, match=f"{table.name} keeps its history"):
                async with tx.savepoint():
                    await tx.connection.execute(text(statement))


async def test_a_step_replaces_no_other_row(database: Database) -> None:
    """SQLite's UPDATE OR REPLACE would remove the override in force; PostgreSQL refuses by its unique index."""
    async with database.transaction(SYSTEM, START, dry_run=True) as tx:
        first = await inserted(tx.connection, overrides, **STATES["readiness_override"]["APPROVED"])
        await inserted(tx.connection, overrides, service_id=first["service_id"])
        replace = "OR REPLACE " if database.is_sqlite else ""
        approve = f"UPDATE {replace}readiness_override SET state = 'APPROVED', decided_at = requested_at"  # noqa: S608 - our own table
        with pytest.raises(DBAPIError, match=r"keeps its history|uq_readiness_override_approved"):
            async with tx.savepoint():
                await tx.connection.execute(text(f"{approve} WHERE state = 'PENDING'"))


@by_name
async def test_nothing_is_truncated(database: Database, table: Table) -> None:
    """Not even where it prunes."""
    if database.is_sqlite:
        pytest.skip("SQLite has no TRUNCATE")
    async with database.transaction(SYSTEM, START, dry_run=True) as tx:
        for statement in (f"TRUNCATE {table.name}", f"TRUNCATE {table.name} CASCADE"):
            with pytest.raises(DBAPIError, match=f"{table.name} keeps its history"):
                async with tx.savepoint(), pruning(tx):
                    await tx.connection.execute(text(statement))


def _another(name: str, value: Any) -> Any:
    if name in OTHERWISE:
        return OTHERWISE[name]
    return LATER if name.endswith("_at") else f"{value}x"
