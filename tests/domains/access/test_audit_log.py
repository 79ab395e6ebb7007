"""The audit log: only ever added to, read by actor and time, and removed when it is old enough."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Executable, delete, text, update
from sqlalchemy.exc import DBAPIError

from opsgraph.domains.access import commands, queries
from opsgraph.domains.access.tables import audit
from opsgraph.kernel.actor import SYSTEM, Actor
from opsgraph.kernel.pages import PageRequest
from opsgraph.storage.database import Database
from opsgraph.workers import prune
from opsgraph.workers.evaluate import WorkerContext
from opsgraph.workflows.auditing import LARGEST_DETAIL, Act, record_done
from opsgraph.workflows.health import HealthPolicy
from tests.support.clock import START, TestClock
from tests.support.keys import on_record


async def record(database: Database, name: str, at: datetime, detail: Mapping[str, Any] | None = None) -> None:
    """Have it on record that somebody did something."""
    async with database.transaction(Actor(name, frozenset()), at) as tx:
        await commands.record_act(tx, "saveIt", allowed=True, detail=detail or {}, address="192.0.2.1")


async def found(database: Database, actor: str | None = None, since: datetime | None = None) -> list[str]:
    """Who is in the pages of the log that has these conditions; their number is the log's count."""
    async with database.reading() as session:
        page = await queries.entries_page(session, actor, since, PageRequest())
        assert await queries.count_entries(session, actor, since) == len(page.rows)
    return [queries.entry_of(row).actor for row in page.rows]


async def test_an_entry_says_who_did_what_when_and_from_where(database: Database, clock: TestClock) -> None:
    """In every script, and with numbers of any size."""
    detail = {"input": {"name": "Ä\u0000\ud800 😀", "count": 2**70, "nothing": None}}
    await record(database, "Ana", clock.now(), detail)
    (entry,) = await on_record(database)
    assert (entry.at, entry.actor, entry.action, entry.allowed) == (START, "Ana", "saveIt", True)
    assert (entry.detail, entry.address) == (detail, "192.0.2.1")


async def test_it_is_read_by_actor_and_time(database: Database, clock: TestClock) -> None:
    """Newest first; names without case; the instant itself counts, and so does one before all time."""
    for name in ("Ana", "ben", "Ana"):
        await record(database, name, clock.now())
        clock.move(minutes=1)
    assert await found(database) == ["Ana", "ben", "Ana"]
    assert await found(database, "ANA") == ["Ana", "Ana"]
    assert await found(database, since=START + timedelta(minutes=1)) == ["Ana", "ben"]
    assert await found(database, "ana", START + timedelta(minutes=1, microseconds=1)) == ["Ana"]
    assert await found(database, since=START - timedelta(days=365 * 1_000)) == ["Ana", "ben", "Ana"]
    assert await found(database, "nobody") == []


async def test_what_was_asked_for_is_kept_up_to_a_bound(database: Database, clock: TestClock) -> None:
    """Whoever may do nothing could fill the log else."""
    fits = {"input": "x" * (LARGEST_DETAIL - len('{"input": ""}'))}
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await record_done(tx, Act("saveIt", fits))
        await record_done(tx, Act("saveIt", {"input": fits["input"] + "x"}))
    assert [entry.detail for entry in await on_record(database)] == [fits, {"leftOut": "16,385 characters of JSON"}]


async def test_nobody_changes_or_removes_an_entry(database: Database, clock: TestClock) -> None:
    """The database itself refuses, whoever asks and however."""
    await record(database, "Ana", clock.now())
    attempts: list[Executable] = [update(audit).values(actor="Ben"), delete(audit)]
    attempts.append(text("UPDATE audit SET detail = '{}'"))
    for attempt in [*attempts, *([] if database.is_sqlite else [text("TRUNCATE audit")])]:
        with pytest.raises(DBAPIError, match="audit is append-only"):
            async with database.transaction(SYSTEM, clock.now()) as tx:
                await tx.connection.execute(attempt)
    assert await found(database) == ["Ana"]


async def test_entries_are_kept_for_400_days(database: Database, clock: TestClock) -> None:
    """To the instant; then the worker removes them, be there many or few."""
    await record(database, "Ana", clock.now())
    await record(database, "Ben", clock.move(microseconds=1))
    context = WorkerContext(database, HealthPolicy())
    assert await prune.tick(context, START + timedelta(days=400)) == 0
    assert await prune.tick(context, START + timedelta(days=400, microseconds=1)) == 1
    assert await found(database) == ["Ben"]


async def test_old_entries_go_in_parts(database: Database, clock: TestClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest first, so that no transaction lasts long."""
    monkeypatch.setattr(commands, "ENTRIES_AT_ONCE", 2)
    for name in "abc":
        await record(database, name, clock.move(minutes=1))
    for left in (["c"], []):
        async with database.transaction(SYSTEM, clock.now()) as tx:
            await commands.prune_audit(tx, clock.now() + timedelta(minutes=1))
        assert await found(database) == left
