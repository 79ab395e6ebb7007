"""Whatever a service is judged by: when it changes, the service is looked at again, and not otherwise."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest

from opsgraph.app import Core
from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import ServiceInput
from opsgraph.domains.governance import commands as governance
from opsgraph.domains.incidents.commands import notes, rating
from opsgraph.domains.incidents.model import IncidentInput, IncidentStatus, NoteInput, SeverityInput, TransitionInput
from opsgraph.domains.readiness.commands import declaring, policies
from opsgraph.domains.readiness.model.policies import PolicyInput
from opsgraph.domains.slo import commands as slo
from opsgraph.kernel.actor import LOCAL, SYSTEM
from opsgraph.settings import Settings
from opsgraph.storage.transactions import Tx
from opsgraph.workers import evaluate
from opsgraph.workers.evaluate import WorkerContext
from opsgraph.workflows import responding
from tests.support import databases
from tests.support.clock import TestClock
from tests.support.health import Write, allow, bill, deploy, report, save, save_slo, spell
from tests.support.health import declare as declare_reliability
from tests.support.intake import report as alert
from tests.support.intake import resolved
from tests.support.statements import statements
from tests.support.verdicts import EVERYTHING, judge, judging, make, standing, tick


@pytest.fixture
async def core(settings: Settings, clock: TestClock, database_kind: str) -> AsyncIterator[Core]:
    """A process that judges, with a service that was judged: api, which has an SLO and an incident."""
    async with judging(settings, clock) as opened:
        await make(opened)
        async with opened.database.transaction(LOCAL, clock.now()) as tx:
            await save_slo(tx, "api", "y", {"target": 99.0, "current": 99.5})
            await save_slo(tx, "api", "x", {"target": 99.0, "indicator": "EXTERNAL"})
            await responding.create(tx, IncidentInput("api", "in trouble", Severity.HIGH))
        await judge(opened)
        clock.move(minutes=1)
        yield opened
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


async def declare(tx: Tx, **values: object) -> None:
    """Have the service declare something else."""
    await declaring.declare(tx, "api", {**EVERYTHING, **values})


async def open_another(tx: Tx) -> None:
    """A person opens an incident."""
    await responding.create(tx, IncidentInput("api", "in more trouble", Severity.CRITICAL))


async def move(tx: Tx, wish: IncidentStatus) -> None:
    """A person does something about the incident."""
    await responding.move(tx, TransitionInput(1), wish)


async def rate(tx: Tx) -> None:
    """A person says that it is worse."""
    await rating.set_severity(tx, SeverityInput(1, Severity.CRITICAL))


async def note(tx: Tx) -> None:
    """A person writes something."""
    await notes.add_note(tx, NoteInput(1, "looked at it"))


CHANGES: dict[str, Callable[[Tx], Awaitable[object]]] = {
    "declaration": lambda tx: declare(tx, metrics=False),
    "tier": Write(save, ("api", {"tier": 1})),
    "tags": Write(save, ("api", {"tags": ["java"]})),
    "name": Write(spell, ("api", True)),
    "objective": Write(save_slo, ("api", "y", {"current": 90.0})),
    "objective removed": Write(slo.delete_slo, ("api", "y")),
    "events": Write(report, ("api", 100)),
    "cost": Write(bill, ("api", "2024-02", 90, "USD")),
    "budget": Write(allow, ("api", 500)),
    "reliability": Write(declare_reliability, ("api", {"incidents_30d": 6})),
    "governance": Write(governance.set_check, ("api", "runbook", False)),
    "deployment": Write(deploy, ("api", timedelta(0), True)),
    "incident opened": open_another,
    "incident resolved": Write(move, (IncidentStatus.RESOLVED,)),
    "incident worse": rate,
    "archived": Write(catalog.archive_service, ("api",)),
}
"""Writes that each change something that the service is judged by."""


@pytest.mark.parametrize("name", CHANGES)
async def test_each_kind_of_change_has_a_service_looked_at_again(core: Core, clock: TestClock, name: str) -> None:
    """It is due at once, and what was judged by the facts before is not stored; with one UPDATE a transaction."""
    before = await standing(core)
    assert before.due_at > clock.now()
    with statements(core.database) as seen:
        async with core.database.transaction(LOCAL, clock.now()) as tx:
            await CHANGES[name](tx)
    after = await standing(core)
    assert (after.revision, after.due_at) == (before.revision + 1, clock.now())
    assert sum("UPDATE readiness_state" in statement for statement in seen) == 1


UNCHANGED: dict[str, Callable[[Tx], Awaitable[object]]] = {
    "same declaration": declare,
    "same service": Write(save, ("api", {})),
    "same objective": Write(save_slo, ("api", "y", {"current": 99.5})),
    "incident acknowledged": Write(move, (IncidentStatus.ACKNOWLEDGED,)),
    "note": note,
    "another service": Write(save, ("web", {"tier": 1})),
    "same policy": Write(policies.save_policy, (PolicyInput(minimum_checks=3),)),
}
"""Writes that change nothing that the service is judged by."""


@pytest.mark.parametrize("name", UNCHANGED)
async def test_what_changes_nothing_leaves_it_alone(core: Core, clock: TestClock, name: str) -> None:
    """It is looked at when it would have been."""
    before = await standing(core)
    async with core.database.transaction(LOCAL, clock.now()) as tx:
        await UNCHANGED[name](tx)
    assert await standing(core) == before


async def test_intake_has_services_looked_at_again(core: Core, clock: TestClock) -> None:
    """An incident that alerts open; not each further alert of it; and their end, if that resolves it."""
    revisions = [(await standing(core)).revision]
    for reports in (
        [alert(number, Severity.CRITICAL) for number in range(3)],
        [alert(3, Severity.CRITICAL)],
        [resolved(number) for number in range(4)],
    ):
        await core.intake.submit(reports)
        revisions.append((await standing(core)).revision)
    first = revisions[0]
    assert revisions == [first, first + 1, first + 1, first + 1]
    async with core.database.transaction(LOCAL, clock.now()) as tx:
        await responding.move(tx, TransitionInput(2), IncidentStatus.RESOLVED)
    assert (await standing(core)).revision == first + 2


async def test_health_that_changes_is_heard_of(core: Core, clock: TestClock) -> None:
    """The evaluating worker finds a service better than it was, by the passing of time: its readiness is due."""
    await make(core, "web")
    async with core.database.transaction(LOCAL, clock.now()) as tx:
        await save_slo(tx, "web", "x", {"target": 99.0, "indicator": "EXTERNAL"})
        await report(tx, "web", 100)
    await tick(core)
    before = await standing(core, "web")
    clock.move(days=29)  # what was bad lies behind the window
    await evaluate.tick(WorkerContext(core.database, core.policy), clock.now())
    after = await standing(core, "web")
    assert (after.revision, after.due_at) == (before.revision + 1, clock.now())


async def test_what_was_never_judged_is_not_looked_at(core: Core, clock: TestClock) -> None:
    """A service that declared nothing and that nobody asked about has nothing to look at."""
    async with core.database.transaction(LOCAL, clock.now()) as tx:
        await catalog.save_service(tx, ServiceInput("quiet"))
    assert await tick(core) == 0
    with pytest.raises(KeyError):
        await standing(core, "quiet")


async def test_a_changed_policy_has_every_service_looked_at_again(core: Core, clock: TestClock) -> None:
    """With one statement."""
    await make(core, "web")
    await tick(core)
    with statements(core.database) as seen:
        async with core.database.transaction(LOCAL, clock.now()) as tx:
            await policies.save_policy(tx, PolicyInput(go_threshold_pct=99.0))
    assert sum("UPDATE readiness_state" in statement for statement in seen) == 1
    assert {(await standing(core, name)).due_at for name in ("api", "web")} == {clock.now()}
    assert await tick(core) == 2


async def test_a_change_that_is_undone_was_none(core: Core, clock: TestClock) -> None:
    """A rollback takes the mark with it."""
    before = await standing(core)
    async with core.database.transaction(SYSTEM, clock.now(), dry_run=True) as tx:
        await declare(tx, metrics=False)
    assert await standing(core) == before
