"""Stored health equals what the facts say after any sequence of writes, on both databases."""

import inspect
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, note
from hypothesis import settings as chosen_settings
from hypothesis import strategies as st

from opsgraph.app import Core
from opsgraph.domains.governance import commands as governance
from opsgraph.domains.health import queries
from opsgraph.kernel.actor import LOCAL, SYSTEM
from opsgraph.kernel.events import Event
from opsgraph.kernel.refusals import NotFound, Refusal
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx
from opsgraph.workers import evaluate, prune
from opsgraph.workers.evaluate import WorkerContext
from opsgraph.workflows import reactions
from tests.support import databases, health
from tests.support.clock import TestClock
from tests.support.contents import unchanged
from tests.support.health import WRITES, Write, assert_fresh, declare, deploy, reacting, report, start, stored_health
from tests.support.incident_writes import INCIDENT_WRITES
from tests.support.scale import scaled


@dataclass(frozen=True, slots=True)
class Transaction:
    """Writes that are committed together, or not: all of them are tried and undone."""

    writes: Sequence[Write]
    ending: Literal["commit", "dry run", "failure"] = "commit"


Steps = Sequence[Transaction | timedelta]
"""Transactions, and how much time passes between them."""

transactions = st.builds(
    Transaction,
    st.lists(WRITES | WRITES | INCIDENT_WRITES, min_size=1, max_size=3),
    st.sampled_from(["commit", "commit", "commit", "commit", "dry run", "failure"]),
)
stretches = st.sampled_from(
    [timedelta(minutes=1), timedelta(hours=1), *(timedelta(days=days) for days in (1, 7, 28, 30, 90))]
) | st.timedeltas(timedelta(minutes=1), timedelta(days=40))
sequences = st.lists(transactions | transactions | transactions | stretches, min_size=4, max_size=16)


Platform = Callable[[TestClock], AbstractAsyncContextManager[Core]]
"""Opens a database that reacts and holds the usual services, as no other example has changed them."""


@pytest.fixture
async def on_sqlite(settings: Settings, database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Platform:
    """Copies of an SQLite file."""
    if database_kind != "sqlite":
        pytest.skip("PostgreSQL has a test of its own, with fewer examples: it takes longer")
    async with reacting(settings, TestClock()) as core:
        await start(core)
    template = (tmp_path / "opsgraph.db").rename(tmp_path / "template.db")

    @asynccontextmanager
    async def platform(clock: TestClock) -> AsyncIterator[Core]:
        databases.copied(template, tmp_path)
        async with reacting(settings, clock) as core:
            yield core

    return platform


@pytest.fixture
def on_postgresql(settings: Settings, database_kind: str) -> Platform:
    """The PostgreSQL database, emptied after each use."""
    if database_kind != "postgresql":
        pytest.skip("SQLite has a test of its own, with more examples")

    @asynccontextmanager
    async def platform(clock: TestClock) -> AsyncIterator[Core]:
        try:
            async with reacting(settings, clock) as core:
                await start(core)
                yield core
        finally:
            await databases.emptied(settings.database_url)

    return platform


def tried(examples: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Run a test with so many sequences at full scale; each opens a database of its own."""
    chosen = chosen_settings(
        max_examples=scaled(examples, least=examples // 50),
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    return lambda test: pytest.mark.long(chosen(given(steps=sequences)(test)))


@tried(800)
async def test_no_sequence_of_writes_leaves_stored_health_stale(on_sqlite: Platform, steps: Steps) -> None:
    """Whatever is written, refused, undone or lapses: each column of each service is what the facts of now say."""
    await stays_fresh(on_sqlite, steps)


@tried(250)
async def test_no_sequence_of_writes_leaves_stored_health_stale_on_postgresql(
    on_postgresql: Platform, steps: Steps
) -> None:
    """The same holds there."""
    await stays_fresh(on_postgresql, steps)


async def stays_fresh(platform: Platform, steps: Steps) -> None:
    """Take steps and look at stored health after each."""
    clock = TestClock()
    async with platform(clock) as core:
        await assert_fresh(core)
        for step in steps:
            note(str(step))
            await (let_pass(core, clock, step) if isinstance(step, timedelta) else run(core, step))
            await assert_fresh(core)


async def let_pass(core: Core, clock: TestClock, stretch: timedelta) -> None:
    """Let time pass and the workers do what is due then."""
    now = clock.move(seconds=stretch.total_seconds())
    context = WorkerContext(core.database, core.policy)
    await prune.tick(context, now)
    while await evaluate.tick(context, now):
        pass


async def run(core: Core, wanted: Transaction) -> None:
    """Run a transaction; what is not to be committed, or is refused, changes nothing."""
    if wanted.ending == "commit":
        await _tried(core, wanted)
        return
    async with unchanged(core.database):
        await _tried(core, wanted)


async def _tried(core: Core, wanted: Transaction) -> None:
    try:
        async with core.database.transaction(LOCAL, core.clock.now(), dry_run=wanted.ending == "dry run") as tx:
            for write in wanted.writes:
                await write(tx)
            if wanted.ending == "failure":
                raise ZeroDivisionError  # noqa: TRY301 - it is the end of a transaction that is at stake
    except (Refusal, ZeroDivisionError):
        return


DOMAINS = ("access", "catalog", "slo", "cost", "governance", "reliability")
BESIDES = {
    *("save_user", "save_team", "add_members", "set_teams", "require_service"),
    *("create_key", "revoke_key", "note_use", "record_act"),
}
"""Commands that change, if anything, only what health does not depend on."""

ELSEWHERE = {"save_duty", "imply"}
"""Commands whose effects on health other tests try: `graphql/test_governance.py` and `test_implying.py`."""

BY_WORKERS = {"refresh_states", "prune_events", "prune_audit"}


def test_every_command_is_among_the_writes() -> None:
    """A new command is tried as well, or it is said here that health does not depend on it."""
    modules = [import_module(f"opsgraph.domains.{domain}.commands") for domain in DOMAINS]
    commands = {
        name
        for module in modules
        for name, function in inspect.getmembers(module, inspect.iscoroutinefunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }
    used = set(re.findall(r"\b(?:catalog|slo|cost|governance|reliability)\.(\w+)", inspect.getsource(health)))
    assert commands - used == BESIDES | ELSEWHERE | BY_WORKERS


@pytest.fixture
async def core(settings: Settings, clock: TestClock, database_kind: str) -> AsyncIterator[Core]:
    """A database that reacts, with the usual services."""
    async with reacting(settings, clock) as opened:
        await start(opened)
        yield opened
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


@pytest.mark.parametrize("ending", ["dry run", "failure"])
async def test_what_is_undone_leaves_stored_health_as_it_was(core: Core, ending: Any) -> None:
    """A dry run evaluates and keeps nothing, a transaction that fails keeps nothing; the same committed shows."""
    bad = [Write(report, (name, 100)) for name in health.SERVICES]
    await run(core, Transaction(bad, ending))
    assert await statuses(core) == dict.fromkeys(health.SERVICES, "DEGRADED")
    await run(core, Transaction(bad))
    assert await statuses(core) == dict.fromkeys(health.SERVICES, "CRITICAL")


async def test_what_goes_wrong_after_the_evaluation_undoes_it(core: Core) -> None:
    """Neither the facts nor the health that they made remain."""

    async def evaluate_and_fail(tx: Tx, events: Sequence[Event]) -> None:
        await reactions.reacting(core.policy)(tx, events)
        raise ZeroDivisionError

    failing = Database(core.settings, evaluate_and_fail)
    async with unchanged(core.database):
        with pytest.raises(ZeroDivisionError):
            async with failing.transaction(SYSTEM, core.clock.now()) as tx:
                await report(tx, "api", 100)
    await failing.close()


async def test_a_part_that_is_refused_counts_for_nothing(core: Core) -> None:
    """Where a savepoint is undone, the rest of the transaction is evaluated without it."""
    async with core.database.transaction(SYSTEM, core.clock.now()) as tx:
        await report(tx, "api", 100)
        with suppress(NotFound):
            async with tx.savepoint():
                await report(tx, "web", 100)
                await report(tx, "nothing", 100)
    await assert_fresh(core)
    assert await statuses(core) == {"api": "CRITICAL", "web": "DEGRADED", "db": "DEGRADED"}


async def test_who_began_earlier_and_comes_later_undoes_nothing(core: Core, clock: TestClock) -> None:
    """An import knows its instant before it reads its files: what was recorded meanwhile counts nevertheless."""
    began = clock.now()
    later = clock.move(minutes=59)
    async with core.database.transaction(SYSTEM, later) as tx:
        await report(tx, "api", 100)
        await deploy(tx, "api", timedelta(0), failed=True)
    async with core.database.transaction(SYSTEM, began) as tx:
        await governance.set_check(tx, "api", "runbook", passed=True)
        await governance.set_check(tx, "web", "runbook", passed=True)
    async with core.database.reading() as session:
        found = await stored_health(session)
        anew = await health.health_by_facts(session, core.policy, later)
    changed = [id_ for id_, row in found.items() if row["evaluated_at"] == later]
    assert len(changed) == 2
    assert [found[id_] for id_ in changed] == [anew[id_] for id_ in changed]
    assert (await statuses(core))["api"] == "CRITICAL"


async def test_a_clock_that_was_wrong_is_not_followed(core: Core, clock: TestClock) -> None:
    """Somebody's clock once ran a day ahead: the next write is evaluated as of its own instant again."""
    now = clock.now()
    async with core.database.transaction(SYSTEM, now + timedelta(days=1)) as tx:
        await declare(tx, "api", {"incidents_30d": 6})
    for name in health.SERVICES:
        async with core.database.transaction(SYSTEM, now) as tx:
            await report(tx, name, 100)
    await assert_fresh(core, now)


async def statuses(core: Core) -> dict[str, str]:
    """The stored status of each service by name."""
    async with core.database.reading() as session:
        return {line.name: line.status.value for line in await queries.summaries(session, 500)}
