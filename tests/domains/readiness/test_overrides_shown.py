"""Which override is shown beside which verdict, and for how long."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from opsgraph.app import Core
from opsgraph.domains.readiness.commands import overriding
from opsgraph.domains.readiness.model.overrides import Beside, Override
from opsgraph.domains.readiness.model.verdicts import Verdict
from opsgraph.domains.readiness.queries import overrides as queries
from opsgraph.settings import Settings
from tests.support import databases
from tests.support.clock import TestClock
from tests.support.verdicts import (
    APPROVER,
    CONDITIONAL_GO,
    EDITOR,
    EVERYTHING,
    GO,
    declare,
    judge,
    judging,
    make,
    override,
    tick,
)


@pytest.fixture
async def core(settings: Settings, clock: TestClock, database_kind: str) -> AsyncIterator[Core]:
    """A process that judges, with a service that is NO_GO: api."""
    async with judging(settings, clock) as opened:
        await make(opened, "api", {**EVERYTHING, "encryption": False})
        yield opened
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


async def request(core: Core) -> Override:
    """Ask for an override for ten days."""
    async with core.database.transaction(EDITOR, core.clock.now()) as tx:
        return await overriding.request(tx, "api", CONDITIONAL_GO, "urgent", tx.now + timedelta(days=10))


async def decide(core: Core, how: str) -> Override:
    """Approve, reject or revoke it."""
    async with core.database.transaction(APPROVER, core.clock.now()) as tx:
        found: Override = await getattr(overriding, how)(tx, "api")
        return found


async def beside(core: Core, *verdicts: Verdict) -> list[Beside | None]:
    """What is shown beside verdicts."""
    async with core.database.reading() as session:
        found = await queries.overrides_of_verdicts(session, [each.id for each in verdicts], core.clock.now())
    return [found.get(each.id) for each in verdicts]


async def seen(core: Core, verdict: Verdict) -> tuple[str, str | None] | None:
    """How far the override beside a verdict has come, as stored, and why it ended."""
    (found,) = await beside(core, verdict)
    return None if found is None else (found.override.state.value, found.override.ended_reason)


async def test_what_is_in_force_is_shown_else_what_is_asked_for_else_the_last_one(core: Core, clock: TestClock) -> None:
    """Beside the verdict that there is now; beside one before it what stood in for that."""
    first = await judge(core)
    assert await beside(core, first) == [None]
    asked = await request(core)
    assert await beside(core, first) == [Beside(asked, counts=False)]
    approved = Beside(await decide(core, "approve"), counts=True)
    newest = await judge(core)
    assert await beside(core, first, newest) == [approved, approved]
    again = Beside(await request(core), counts=False)
    assert await beside(core, first, newest) == [approved, approved]
    clock.move(minutes=1)
    revoked = Beside(await decide(core, "revoke"), counts=False)
    assert await beside(core, first, newest) == [revoked, again]
    clock.move(minutes=1)
    rejected = Beside(await decide(core, "reject"), counts=False)
    assert await beside(core, first, newest) == [revoked, rejected]


async def test_what_a_verdict_ended_is_shown_beside_it_for_ever(core: Core, clock: TestClock) -> None:
    """With the blocker that nobody knew of; beside the next verdict for a week."""
    await judge(core)
    await override(core, GO, days=30)
    await declare(core, encryption=False, authentication=False)
    clock.move(minutes=1)
    ending = await judge(core)
    ended = ("ENDED", "new blocker: authentication")
    assert await seen(core, ending) == ended
    clock.move(days=8)
    assert await seen(core, ending) == ended
    assert await seen(core, await judge(core)) is None


async def test_what_is_over_is_shown_for_a_week(core: Core, clock: TestClock) -> None:
    """To the moment, counted from its end; beside the verdict that it stood in for also after that."""
    first = await judge(core)
    await override(core, GO, days=30)
    clock.move(hours=1)
    newest = await judge(core)
    clock.move(hours=1)
    await decide(core, "revoke")
    clock.move(days=7, microseconds=-1)
    assert await seen(core, newest) == ("REVOKED", "revoked")
    clock.move(microseconds=1)
    assert await seen(core, newest) is None
    assert await seen(core, first) == ("REVOKED", "revoked")


async def test_what_has_expired_is_shown_noted_or_not(core: Core, clock: TestClock) -> None:
    """It counts no more from that moment on."""
    verdict = await judge(core)
    await override(core, GO, days=1)
    clock.move(days=1)
    (unnoted,) = await beside(core, verdict)
    assert unnoted is not None
    assert not unnoted.counts
    await tick(core)
    assert await seen(core, verdict) == ("ENDED", "expired")
