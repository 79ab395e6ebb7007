"""What the passing of time does to readiness: schedules, facts that grow old, exemptions and overrides that end."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from opsgraph.app import Core
from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.incidents.model import IncidentInput, IncidentStatus, TransitionInput
from opsgraph.domains.readiness.commands import overriding
from opsgraph.domains.readiness.model.overrides import Override, OverrideState
from opsgraph.domains.readiness.model.verdicts import CheckOutcome
from opsgraph.domains.readiness.queries.overrides import overrides_by_id
from opsgraph.domains.slo.model import IndicatorKind
from opsgraph.kernel.actor import LOCAL, SYSTEM
from opsgraph.settings import Settings
from opsgraph.workflows import responding
from tests.support import databases
from tests.support.clock import TestClock
from tests.support.slo import make_slo, record
from tests.support.verdicts import (
    APPROVER,
    CONDITIONAL_GO,
    EVERYTHING,
    GO,
    NO_GO,
    at,
    count_verdicts,
    declare,
    effective,
    exempt,
    judge,
    judging,
    make,
    override,
    standing,
    tick,
    told,
)

HOUR, DAY, MOMENT = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)


@pytest.fixture
async def core(settings: Settings, clock: TestClock, database_kind: str) -> AsyncIterator[Core]:
    """A process that judges."""
    async with judging(settings, clock) as opened:
        yield opened
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


async def stored(core: Core, wanted: Override) -> Override:
    """An override as it is now."""
    async with core.database.reading() as session:
        return (await overrides_by_id(session, [wanted.id]))[wanted.id]


async def test_everything_is_looked_at_again_each_hour(core: Core, clock: TestClock) -> None:
    """An hour after the last time, to the moment; what says the same is no new verdict."""
    await make(core)
    await judge(core)
    clock.move(hours=1, microseconds=-1)
    assert await tick(core) == 0
    clock.move(microseconds=1)
    assert await tick(core) == 1
    assert await count_verdicts(core) == 1
    after = await standing(core)
    assert (after.evaluated_at, after.due_at) == (clock.now(), clock.now() + HOUR)


async def test_facts_that_have_grown_old_are_errors(core: Core, clock: TestClock) -> None:
    """Events of SLOs, after seven days: what rests on them is no pass any more, and says so."""
    await make(core)
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        await make_slo(tx, indicator=IndicatorKind.EXTERNAL)
        await record(tx, 1_000.0, 1_000.0)
    before = await judge(core)
    assert at(before, "slos_met")[0] is CheckOutcome.PASSED
    clock.move(days=7)
    await tick(core)
    assert await count_verdicts(core) == 1
    clock.move(hours=1)
    await tick(core)
    assert await count_verdicts(core) == 2
    outcome, message = at(await judge(core), "slos_met")
    assert outcome is CheckOutcome.ERROR
    assert "7 days" in message


async def test_what_is_declared_does_not_grow_old(core: Core, clock: TestClock) -> None:
    """An indicator that someone declares holds until they declare another one."""
    await make(core)
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        await make_slo(tx, current=99.95)
    clock.move(days=300)
    assert at(await judge(core), "slos_met")[0] is CheckOutcome.PASSED


async def test_an_exemption_ends_to_the_moment(core: Core, clock: TestClock) -> None:
    """Its check is asked again by itself, long before the hour is over."""
    await make(core, "api", {**EVERYTHING, "load_tested": False})
    await exempt(core, "load_tested", days=30 / 1440)
    assert at(await judge(core), "load_tested")[0] is CheckOutcome.SKIPPED
    assert (await standing(core)).due_at == clock.now() + HOUR / 2
    clock.move(minutes=30, microseconds=-1)
    assert await tick(core) == 0
    clock.move(microseconds=1)
    assert await tick(core) == 1
    assert await count_verdicts(core) == 2
    assert at(await judge(core), "load_tested")[0] is CheckOutcome.FAILED


async def test_an_override_ends_to_the_moment(core: Core, clock: TestClock) -> None:
    """What counts is the verdict again, before anybody has noted it; the worker notes it and tells it."""
    await make(core, "api", {**EVERYTHING, "encryption": False})
    verdict = await judge(core)
    approved = await override(core, GO, days=30 / 1440)
    assert (await standing(core)).due_at == approved.expires_at
    clock.move(minutes=30, microseconds=-1)
    assert await effective(core) is GO
    assert await tick(core) == 0
    clock.move(microseconds=1)
    assert await effective(core) is NO_GO
    assert (await stored(core, approved)).state is OverrideState.APPROVED
    assert await tick(core) == 1
    over = await stored(core, approved)
    assert (over.state, over.ended_reason, over.ended_by) == (OverrideState.ENDED, "expired", None)
    assert (over.verdict_id, await count_verdicts(core)) == (verdict.id, 1)
    assert (await told(core))[1:] == [("OVERRIDDEN", NO_GO, GO, NO_GO), ("OVERRIDE_ENDED", NO_GO, NO_GO, GO)]


async def test_a_blocker_that_nobody_knew_of_ends_an_override(core: Core, clock: TestClock) -> None:
    """One that was known does not, nor does anything else that fails; the reason names the new one."""
    await make(core, "api", {**EVERYTHING, "encryption": False})
    await judge(core)
    approved = await override(core, GO, days=10)
    clock.move(minutes=1)
    await declare(core, encryption=False, metrics=False)
    await tick(core)
    assert await effective(core) is GO
    clock.move(minutes=1)
    await declare(core, encryption=False, metrics=False, authentication=False)
    await tick(core)
    assert await effective(core) is NO_GO
    over = await stored(core, approved)
    assert (over.state, over.ended_at) == (OverrideState.ENDED, clock.now())
    assert over.ended_reason == "new blocker: authentication"


async def test_a_blocker_that_comes_back_is_known(core: Core, clock: TestClock) -> None:
    """What was fixed meanwhile and fails again was among those that were approved."""
    await make(core, "api", {**EVERYTHING, "encryption": False})
    await judge(core)
    approved = await override(core, CONDITIONAL_GO, days=10)
    for encryption in (True, False):
        clock.move(minutes=1)
        await declare(core, encryption=encryption)
        await tick(core)
    assert await effective(core) is CONDITIONAL_GO
    assert (await stored(core, approved)).state is OverrideState.APPROVED


async def test_a_decision_under_an_override_is_told_beside_it(core: Core, clock: TestClock) -> None:
    """The verdict changes, what counts does not: both are in the event."""
    await make(core, "api", {**EVERYTHING, "encryption": False})
    await judge(core)
    await override(core, CONDITIONAL_GO, days=10)
    await declare(core)
    clock.move(minutes=1)
    await tick(core)
    kind, _, counts, before = (await told(core))[-1]
    assert (kind, counts, before) == ("DECISION_CHANGED", CONDITIONAL_GO, NO_GO)


async def test_a_request_that_nobody_decided_about_ends(core: Core, clock: TestClock) -> None:
    """When the override would have; it was never in force, so that nothing is told."""
    await make(core)
    await judge(core)
    async with core.database.transaction(LOCAL, clock.now()) as tx:
        asked = await overriding.request(tx, "api", NO_GO, "too early", clock.now() + DAY)
    clock.move(days=1)
    await tick(core)
    over = await stored(core, asked)
    assert (over.state, over.ended_reason, over.verdict_id) == (OverrideState.ENDED, "expired", None)
    assert len(await told(core)) == 1


async def test_incidents_come_and_go(core: Core, clock: TestClock) -> None:
    """A CRITICAL one that is open fails its check within the worker's next round, until it is resolved."""
    await make(core)
    found = []
    for wish in (None, IncidentStatus.OPEN, IncidentStatus.RESOLVED):
        clock.move(seconds=1)
        async with core.database.transaction(APPROVER, clock.now()) as tx:
            if wish is IncidentStatus.OPEN:
                await responding.create(tx, IncidentInput("api", "down", Severity.CRITICAL))
            elif wish is not None:
                await responding.move(tx, TransitionInput(1), wish)
        assert await tick(core) == 1
        found.append(await count_verdicts(core))
    assert found == [1, 2, 3]
    assert at(await judge(core), "no_critical_incident")[0] is CheckOutcome.PASSED
