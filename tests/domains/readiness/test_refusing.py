"""A service whose last evaluation was refused has no verdict: nothing is decided, and nothing stands in for it."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from opsgraph.app import Core
from opsgraph.domains.readiness.commands import overriding, policies
from opsgraph.domains.readiness.model.policies import PolicyInput
from opsgraph.domains.readiness.model.verdicts import ReadinessDecision
from opsgraph.domains.readiness.queries.states import in_decision
from opsgraph.domains.readiness.queries.verdicts import last_by_service, newest_by_service
from opsgraph.kernel.actor import LOCAL
from opsgraph.kernel.refusals import Conflict
from opsgraph.settings import Settings
from tests.support import databases
from tests.support.clock import TestClock
from tests.support.verdicts import (
    APPROVER,
    EDITOR,
    EVERYTHING,
    GO,
    NO_GO,
    count_verdicts,
    declare,
    effective,
    judge,
    judging,
    make,
    override,
    standing,
    tick,
    told,
)

REFUSAL = "only 17 checks apply to this service; a verdict takes at least 19"


@pytest.fixture
async def core(settings: Settings, clock: TestClock, database_kind: str) -> AsyncIterator[Core]:
    """A process that judges, with a service that is NO_GO: api."""
    async with judging(settings, clock) as opened:
        await make(opened, "api", {**EVERYTHING, "encryption": False})
        yield opened
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


async def ask_for(core: Core, minimum: int) -> None:
    """Have a verdict take so many checks."""
    async with core.database.transaction(LOCAL, core.clock.now()) as tx:
        await policies.save_policy(tx, PolicyInput(minimum_checks=minimum))


async def refuse(core: Core) -> None:
    """Have the service judged by itself, of which too little is asked."""
    await ask_for(core, 19)
    await tick(core)


async def request(core: Core) -> None:
    """Ask for an override."""
    async with core.database.transaction(EDITOR, core.clock.now()) as tx:
        await overriding.request(tx, "api", GO, "urgent", tx.now + timedelta(days=3))


async def listed(core: Core) -> int:
    """How many services there are about which anything is decided."""
    async with core.database.reading() as session:
        return len((await session.execute(in_decision(list(ReadinessDecision), core.clock.now()))).all())


async def test_nothing_is_decided_about_it(core: Core) -> None:
    """It is said why; the verdict before is history, and what is judged again is a verdict."""
    before = await judge(core)
    assert await listed(core) == 1
    await refuse(core)
    refused = await standing(core)
    assert (refused.refusal, refused.verdict_id, refused.decision) == (REFUSAL, None, None)
    assert await listed(core) == 0
    async with core.database.reading() as session:
        assert await newest_by_service(session, [before.service_id]) == {}
        assert await last_by_service(session, [before.service_id]) == {before.service_id: before}
    await ask_for(core, 3)
    assert await tick(core) == 1
    after = await standing(core)
    assert (after.refusal, after.decision, await count_verdicts(core), await listed(core)) == (None, NO_GO, 2, 1)
    assert after.verdict_id is not None
    assert after.verdict_id > before.id


async def test_a_refusal_that_was_asked_for_is_kept_as_well(core: Core) -> None:
    """Who asks is told, and so is everyone who looks."""
    await judge(core)
    await ask_for(core, 19)
    with pytest.raises(Conflict, match=REFUSAL):
        await judge(core)
    assert (await standing(core)).refusal == REFUSAL


async def test_the_feed_hears_of_the_next_verdict(core: Core) -> None:
    """Nothing counted before it."""
    await judge(core)
    await refuse(core)
    await ask_for(core, 3)
    await tick(core)
    assert await told(core) == [("DECISION_CHANGED", NO_GO, NO_GO, None)] * 2


async def test_no_override_is_asked_for_or_approved(core: Core) -> None:
    """There is nothing to stand in for; the request stays, and can be rejected."""
    await judge(core)
    await request(core)
    await refuse(core)
    async with core.database.transaction(APPROVER, core.clock.now()) as tx:
        with pytest.raises(Conflict, match=f"no verdict on service .* now: {REFUSAL}"):
            await overriding.approve(tx, "api")
    async with core.database.transaction(APPROVER, core.clock.now()) as tx:
        await overriding.reject(tx, "api")
    with pytest.raises(Conflict, match=f"no verdict on service .* now: {REFUSAL}"):
        await request(core)


async def test_an_override_in_force_does_not_count(core: Core) -> None:
    """Until there is a verdict again that it stands in for."""
    await judge(core)
    await override(core, GO, days=3)
    assert await effective(core) is GO
    await refuse(core)
    assert (await effective(core), await listed(core)) == (None, 0)
    await ask_for(core, 3)
    await tick(core)
    assert await effective(core) is GO
    assert (await told(core))[-1] == ("DECISION_CHANGED", NO_GO, GO, None)


async def test_an_override_does_not_outlive_a_new_blocker_meanwhile(core: Core) -> None:
    """It ends with the verdict that has it."""
    await judge(core)
    await override(core, GO, days=3)
    await refuse(core)
    await declare(core, encryption=False, authentication=False)
    await ask_for(core, 3)
    verdict = await judge(core)
    assert (verdict.decision, await effective(core)) == (NO_GO, NO_GO)
    assert [event[0] for event in (await told(core))[-2:]] == ["DECISION_CHANGED", "OVERRIDE_ENDED"]
