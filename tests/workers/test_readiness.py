"""The worker that judges services: what is due, in few statements, and one that fails stops nobody."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from opsgraph.app import Core
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.tables import services
from opsgraph.domains.readiness.commands import judging as judging_commands
from opsgraph.domains.readiness.commands import policies
from opsgraph.domains.readiness.model.policies import CheckInput, ReadinessCategory
from opsgraph.domains.readiness.tables import manifests, states
from opsgraph.kernel.actor import LOCAL, SYSTEM
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.workers import readiness
from opsgraph.workers.evaluate import WorkerContext
from opsgraph.workers.running import usual_workers
from opsgraph.workflows.health import HealthPolicy
from opsgraph.workflows.readiness.evaluating import AT_ONCE
from tests.support import databases
from tests.support.clock import START, TestClock
from tests.support.contents import contents
from tests.support.rows import ROWS
from tests.support.statements import statements
from tests.support.verdicts import (
    Lookups,
    count_verdicts,
    declare,
    judge,
    judging,
    make,
    standing,
    told,
)


@pytest.fixture
def expressions() -> Lookups:
    """What evaluates the expressions of checks."""
    return Lookups()


@pytest.fixture
async def core(settings: Settings, clock: TestClock, database_kind: str, expressions: Lookups) -> AsyncIterator[Core]:
    """A process that judges."""
    async with judging(settings, clock, expressions) as opened:
        yield opened
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


async def tick(core: Core) -> int:
    """One round of the worker."""
    return await readiness.tick(WorkerContext(core.database, core.policy, readiness=core.readiness), core.clock.now())


async def with_expressions(core: Core, *fields: str) -> None:
    """Have checks whose expressions name these fields."""
    async with core.database.transaction(LOCAL, core.clock.now()) as tx:
        for field in fields:
            await policies.save_check(
                tx, CheckInput(f"has {field}", ReadinessCategory.OPERATIONS, expression=f"manifest.{field}")
            )


async def many(core: Core, count: int) -> None:
    """As many services more that declare something, beneath the rules."""
    async with core.database.transaction(SYSTEM, START) as tx:
        ids = [tx.new_id() for _ in range(count)]
        named = [{**ROWS["service"], "id": id_, "name": id_.hex, "name_key": id_.hex, "origin": None} for id_ in ids]
        await tx.connection.execute(insert(services), named)
        declared = {"declared": '{"metrics":true}', "declared_by": "local", "created_at": START}
        rows = [{**declared, "id": tx.new_id(), "service_id": id_} for id_ in ids]
        await tx.connection.execute(insert(manifests), rows)
        await tx.connection.execute(
            insert(states), [{"service_id": id_, "revision": 0, "due_at": START} for id_ in ids]
        )


def test_it_is_among_the_usual_workers() -> None:
    """Under its name."""
    assert usual_workers()["readiness"] is readiness.tick


async def test_where_nobody_judges_nothing_is_done(database: Database) -> None:
    """Such as in a command."""
    assert await readiness.tick(WorkerContext(database, HealthPolicy()), START) == 0


async def test_a_declaration_is_judged_at_once(core: Core, clock: TestClock) -> None:
    """By opsgraph itself; then not again before its time."""
    api = await make(core)
    assert [await tick(core), await tick(core)] == [1, 0]
    found = await standing(core)
    assert (found.service_id, found.evaluated_at, found.due_at) == (api, clock.now(), clock.now() + timedelta(hours=1))
    assert [event[0] for event in await told(core)] == ["DECISION_CHANGED"]


async def test_a_verdict_is_stored_only_where_it_says_something_else(core: Core, clock: TestClock) -> None:
    """Another result, another declaration, another version of the policy; the passing of time alone is no news."""
    await with_expressions(core, "custom")
    await make(core)
    counts = []
    for change in (
        None,
        lambda: declare(core, load_tested=False),
        lambda: declare(core, load_tested=False, custom={"free": 1}),
        lambda: with_expressions(core, "metrics"),
        None,
    ):
        clock.move(hours=1)
        if change is not None:
            await change()
        assert await tick(core) == 1
        counts.append(await count_verdicts(core))
    assert counts == [1, 2, 3, 4, 4]


async def test_a_round_without_anything_due_asks_once(core: Core, clock: TestClock) -> None:
    """And takes no write lock."""
    await make(core)
    await tick(core)
    before = await contents(core.database)
    with statements(core.database) as seen:
        assert await tick(core) == 0
    assert len([statement for statement in seen if not statement.startswith("BEGIN")]) == 1
    assert await contents(core.database) == before


async def test_a_pass_has_a_bounded_number_of_statements(core: Core, clock: TestClock) -> None:
    """For ten services and for a thousand, with expressions among their checks."""
    await with_expressions(core, "metrics", "custom", "slo.count", "incidents.open")
    counts = []
    for count in (10, AT_ONCE):
        await many(core, count)
        with statements(core.database) as seen:
            assert await tick(core) == count
        counts.append(len([statement for statement in seen if not statement.startswith("BEGIN")]))
    assert counts[0] == counts[1] <= 40
    assert await count_verdicts(core) == AT_ONCE + 10


async def test_more_than_one_pass_takes_are_judged_in_several(core: Core, clock: TestClock) -> None:
    """Those longest due first."""
    await many(core, AT_ONCE + 2)
    assert [await tick(core) for _ in range(3)] == [AT_ONCE, 2, 0]
    assert await count_verdicts(core) == AT_ONCE + 2


async def test_archived_services_are_left_alone(core: Core, clock: TestClock) -> None:
    """Until they are restored."""
    await make(core)
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        await catalog.archive_service(tx, "api")
    assert await tick(core) == 0
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        await catalog.restore_service(tx, "api")
    assert await tick(core) == 1


async def test_one_that_cannot_be_judged_stops_nobody(core: Core, clock: TestClock, expressions: Lookups) -> None:
    """It is logged with its id, keeps what it had, and is tried again after ten minutes."""
    await with_expressions(core, "metrics")
    ids = {name: await make(core, name) for name in ("one", "bad", "two", "three", "four")}
    expressions.failing = "bad"
    with capture_logs() as logs:
        assert await tick(core) == 5
    assert [(line["event"], line["service_id"]) for line in logs] == [("readiness_not_judged", str(ids["bad"]))]
    assert await count_verdicts(core) == 4
    assert (await standing(core, "bad")).due_at == clock.now() + timedelta(minutes=10)
    expressions.failing = None
    clock.move(minutes=10)
    assert await tick(core) == 1
    assert await count_verdicts(core) == 5


async def test_a_database_that_is_away_is_nobodys_fault(
    core: Core, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The round fails as a whole, and nobody is put off."""
    await make(core)

    async def away(*_: Any) -> None:
        raise OperationalError("select", {}, Exception("the database is away"))

    monkeypatch.setattr(judging_commands, "store", away)
    with pytest.raises(OperationalError):
        await tick(core)
    monkeypatch.undo()
    assert (await standing(core)).due_at <= clock.now()
    assert await tick(core) == 1


async def test_how_often_is_a_setting(settings: Settings, clock: TestClock, core: Core) -> None:
    """OPSGRAPH_READINESS_SECONDS."""
    await make(core)
    async with judging(replace(settings, readiness_seconds=60), clock) as usual:
        await judge(usual)
        assert (await standing(usual)).due_at == clock.now() + timedelta(minutes=1)
