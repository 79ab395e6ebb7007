"""Exemptions as they are stored: one asks, another grants, and they end."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from opsgraph.app import Core
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.readiness.commands import exempting, policies
from opsgraph.domains.readiness.model.overrides import Exemption
from opsgraph.domains.readiness.model.policies import CheckInput, ReadinessCategory
from opsgraph.domains.readiness.queries import exemptions as queries
from opsgraph.kernel.actor import LOCAL, Actor, Role
from opsgraph.kernel.pages import PageRequest
from opsgraph.kernel.refusals import Conflict, Forbidden, Invalid, NotFound
from opsgraph.settings import Settings
from tests.support import databases
from tests.support.clock import TestClock
from tests.support.verdicts import APPROVER, EDITOR, exempt, judging, make, standing, tick

DAY = timedelta(days=1)


@pytest.fixture
async def core(settings: Settings, clock: TestClock, database_kind: str) -> AsyncIterator[Core]:
    """A process that judges, with a service that was judged: api."""
    async with judging(settings, clock) as opened:
        await make(opened)
        await tick(opened)
        yield opened
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


async def shown(core: Core) -> list[Exemption]:
    """The exemptions of the service that are in force or asked for."""
    id_ = (await standing(core)).service_id
    async with core.database.reading() as session:
        return (await queries.exemptions_by_service(session, [id_], core.clock.now())).get(id_, [])


async def history(core: Core) -> list[Exemption]:
    """Every exemption of the service, newest first."""
    id_ = (await standing(core)).service_id
    async with core.database.reading() as session:
        pages = await queries.exemptions_page(session, [id_], PageRequest(200))
        assert (await queries.count_by_service(session, [id_])).get(id_, 0) == len(pages[id_].rows)
    return [queries.exemption_of(row) for row in pages[id_].rows]


async def revoke(core: Core, check: str, by: Actor = APPROVER) -> Exemption:
    """End it."""
    async with core.database.transaction(by, core.clock.now()) as tx:
        return await exempting.revoke(tx, "api", check)


async def test_what_is_asked_for_has_no_effect(core: Core) -> None:
    """It is shown as asked for, by the name that the check has; nothing is judged again."""
    before = await standing(core)
    asked = await exempt(core, "METRICS", by=EDITOR)
    assert (asked.check, asked.requested_by, asked.approved_by) == ("metrics", "Eda", None)
    assert not asked.in_force(core.clock.now())
    assert await shown(core) == [asked]
    assert await standing(core) == before


async def test_an_approver_grants_what_another_one_asked_for(core: Core, clock: TestClock) -> None:
    """With the reason that it was asked for with; the service is judged again."""
    asked = await exempt(core, "metrics", days=9, by=EDITOR)
    clock.move(minutes=1)
    granted = await exempt(core, "metrics", days=20)
    assert (granted.id, granted.requested_by, granted.approved_by) == (asked.id, "Eda", "Apo")
    assert (granted.approved_at, granted.ends_at) == (clock.now(), asked.ends_at)
    assert await shown(core) == [granted]
    assert (await standing(core)).due_at == clock.now()


async def test_an_approver_may_grant_less(core: Core) -> None:
    """It ends when the earlier of the two said."""
    await exempt(core, "metrics", days=9, by=EDITOR)
    assert (await exempt(core, "metrics", days=2)).ends_at == core.clock.now() + 2 * DAY


async def test_nobody_grants_what_they_asked_for(core: Core) -> None:
    """Once they may grant: it stays asked for."""
    asked = await exempt(core, "metrics", by=EDITOR)
    with pytest.raises(Forbidden, match="Eda"):
        await exempt(core, "metrics", by=Actor("Eda", frozenset({Role.APPROVER})))
    assert await shown(core) == [asked]


async def test_an_approver_grants_what_nobody_asked_for(core: Core) -> None:
    """Then nobody did ask."""
    granted = await exempt(core, "metrics")
    assert (granted.requested_by, granted.approved_by) == (None, "Apo")
    assert await shown(core) == [granted]


@pytest.mark.parametrize("check", ["encryption", "no plain text"])
async def test_an_exemption_from_a_hard_blocker_takes_two_people(core: Core, check: str) -> None:
    """Of SECURITY or any other: what one approver asks for is pending until another one grants it."""
    async with core.database.transaction(LOCAL, core.clock.now()) as tx:
        blocking = CheckInput("no plain text", ReadinessCategory.OPERATIONS, "manifest.metrics", hard_blocker=True)
        await policies.save_check(tx, blocking)
    before = await standing(core)
    asked = await exempt(core, check)
    assert (asked.check, asked.requested_by, asked.approved_by) == (check, "Apo", None)
    assert (await shown(core), await standing(core)) == ([asked], before)
    with pytest.raises(Forbidden, match="Apo"):
        await exempt(core, check)
    assert await shown(core) == [asked]
    granted = await exempt(core, check, by=Actor("Olga", frozenset({Role.APPROVER})))
    assert (granted.id, granted.requested_by, granted.approved_by) == (asked.id, "Apo", "Olga")


async def test_an_archived_service_is_not_exempt(core: Core) -> None:
    """Nobody asks, nobody grants; what is asked for can be taken back."""
    await exempt(core, "metrics", by=EDITOR)
    async with core.database.transaction(LOCAL, core.clock.now()) as tx:
        await catalog.archive_service(tx, "api")
    for by, check in ((EDITOR, "alerting"), (APPROVER, "metrics")):
        with pytest.raises(Conflict, match="archived"):
            await exempt(core, check, by=by)
    await revoke(core, "metrics")
    assert await shown(core) == []


@pytest.mark.parametrize("again", [EDITOR, APPROVER])
async def test_one_check_has_one_exemption(core: Core, again: Actor) -> None:
    """Who asks for another one is refused, whoever it is; of another check there may be one."""
    await exempt(core, "metrics")
    with pytest.raises(Conflict, match="already"):
        await exempt(core, "Metrics", by=again)
    await exempt(core, "alerting", by=again)
    assert {each.check for each in await shown(core)} == {"metrics", "alerting"}


async def test_one_that_is_over_makes_room(core: Core, clock: TestClock) -> None:
    """To the moment; it is kept as it was, but for its end."""
    first = await exempt(core, "metrics")
    clock.move(days=1)
    assert await shown(core) == []
    second = await exempt(core, "metrics", by=EDITOR)
    newest, over = await history(core)
    assert (newest, over.id, over.ended_at, over.ended_by) == (second, first.id, clock.now(), None)


async def test_an_exemption_is_revoked(core: Core, clock: TestClock) -> None:
    """In force or asked for; the service is judged again, and another one may be asked for."""
    await exempt(core, "metrics")
    clock.move(minutes=1)
    ended = await revoke(core, "Metrics")
    assert (ended.ended_by, ended.ended_at) == ("Apo", clock.now())
    assert await shown(core) == []
    assert (await standing(core)).due_at == clock.now()
    clock.move(minutes=1)
    await exempt(core, "metrics", by=EDITOR)
    await revoke(core, "metrics", by=EDITOR)
    assert await shown(core) == []
    assert len(await history(core)) == 2
    with pytest.raises(NotFound, match="metrics"):
        await revoke(core, "metrics")


async def test_what_is_not_there(core: Core) -> None:
    """A check or a service."""
    with pytest.raises(NotFound, match="metric"):
        await exempt(core, "metric")
    with pytest.raises(NotFound, match="nobody"):
        await exempt(core, "metrics", name="nobody")


@pytest.mark.parametrize("days", [0, -1, 366.01])
async def test_it_has_to_end(core: Core, days: float) -> None:
    """In the future, and within a year."""
    with pytest.raises(Invalid, match="ends_at"):
        await exempt(core, "metrics", days=days)
    assert await shown(core) == []
