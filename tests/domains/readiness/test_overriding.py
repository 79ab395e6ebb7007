"""Overrides as they are stored: two people, one at a time, beside a verdict that stays."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from opsgraph.app import Core
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.readiness.commands import overriding
from opsgraph.domains.readiness.model.overrides import Override, OverrideState, Seen
from opsgraph.domains.readiness.model.verdicts import ReadinessDecision
from opsgraph.domains.readiness.queries import overrides as queries
from opsgraph.domains.readiness.queries.states import in_decision
from opsgraph.domains.readiness.queries.verdicts import verdicts_by_id
from opsgraph.kernel.actor import LOCAL, Actor, Role
from opsgraph.kernel.pages import PageRequest
from opsgraph.kernel.refusals import Conflict, Forbidden, Invalid, NotFound
from opsgraph.settings import Settings
from tests.support import databases
from tests.support.clock import TestClock
from tests.support.verdicts import (
    APPROVER,
    CONDITIONAL_GO,
    EDITOR,
    EVERYTHING,
    GO,
    NO_GO,
    effective,
    judge,
    judging,
    make,
    override,
    standing,
    told,
)

DAY = timedelta(days=1)
OTHER = Actor("Olga", frozenset({Role.APPROVER}))
PENDING, APPROVED, REJECTED, REVOKED, ENDED = OverrideState


@pytest.fixture
async def core(settings: Settings, clock: TestClock, database_kind: str) -> AsyncIterator[Core]:
    """A process that judges, with a service that is NO_GO: api."""
    async with judging(settings, clock) as opened:
        await make(opened, "api", {**EVERYTHING, "encryption": False})
        yield opened
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


async def request(
    core: Core, decision: ReadinessDecision = GO, by: Actor = EDITOR, ahead: timedelta = DAY, reason: str = "urgent"
) -> Override:
    """Ask for an override."""
    async with core.database.transaction(by, core.clock.now()) as tx:
        return await overriding.request(tx, "api", decision, reason, core.clock.now() + ahead)


async def decide(
    core: Core, how: str, by: Actor = APPROVER, note: str | None = None, seen: Seen = overriding.UNSEEN
) -> Override:
    """Approve, reject or revoke it."""
    async with core.database.transaction(by, core.clock.now()) as tx:
        found: Override = await getattr(overriding, how)(tx, "api", note, seen)
        return found


async def history(core: Core) -> list[Override]:
    """Every override of the service, newest first, as stored."""
    id_ = (await standing(core)).service_id
    async with core.database.reading() as session:
        pages = await queries.overrides_by_service(session, [id_], PageRequest(200))
        counts = await queries.count_by_service(session, [id_])
    rows = pages[id_].rows if pages else []
    assert counts.get(id_, 0) == len(rows)
    return [queries.override_of(row) for row in rows]


async def test_what_is_asked_for_has_no_effect(core: Core) -> None:
    """Until another person approves it; it is stored as it was asked for."""
    await judge(core)
    asked = await request(core, reason="  urgent ")
    assert (asked.state, asked.reason, asked.requested_by, asked.verdict_id) == (PENDING, "urgent", "Eda", None)
    assert await effective(core) is NO_GO
    assert await history(core) == [asked]


async def test_what_is_approved_stands_in_for_the_verdict(core: Core, clock: TestClock) -> None:
    """With who, when and what they wrote, the verdict that it replaced, and the blockers that were known."""
    verdict = await judge(core)
    asked = await request(core)
    clock.move(minutes=1)
    approved = await decide(core, "approve", note=" until tomorrow ")
    assert await history(core) == [approved]
    assert (approved.id, approved.state) == (asked.id, APPROVED)
    assert (approved.decided_by, approved.note) == ("Apo", "until tomorrow")
    assert (approved.decided_at, approved.verdict_id, approved.blockers) == (clock.now(), verdict.id, ("encryption",))
    assert await effective(core) is GO
    async with core.database.reading() as session:
        assert await verdicts_by_id(session, [verdict.id]) == {verdict.id: verdict}
        for decision, found in ((GO, 1), (CONDITIONAL_GO, 0), (NO_GO, 0)):
            assert len((await session.execute(in_decision([decision], clock.now()))).all()) == found
        over = in_decision([NO_GO], approved.expires_at)
        assert len((await session.execute(over)).all()) == 1
    assert (await told(core))[-1] == ("OVERRIDDEN", NO_GO, GO, NO_GO)


@pytest.mark.parametrize("by", [EDITOR, Actor("EDA", frozenset(Role))])
async def test_nobody_approves_what_they_asked_for(core: Core, by: Actor) -> None:
    """By name, whatever its case, and whatever roles they have; it stays pending."""
    await judge(core)
    asked = await request(core)
    with pytest.raises(Forbidden, match="cannot approve"):
        await decide(core, "approve", by=by)
    assert await history(core) == [asked]
    assert await effective(core) is NO_GO


async def test_there_has_to_be_something_to_stand_in_for(core: Core) -> None:
    """A verdict, and a service."""
    with pytest.raises(Conflict, match="no verdict"):
        await request(core)
    with pytest.raises(NotFound, match="nobody"):
        async with core.database.transaction(EDITOR, core.clock.now()) as tx:
            await overriding.request(tx, "nobody", GO, "urgent", core.clock.now() + DAY)


@pytest.mark.parametrize(
    ("ahead", "reason"),
    [(timedelta(0), "x"), (90 * DAY + timedelta(microseconds=1), "x"), (DAY, " "), (DAY, "x" * 10_001)],
)
async def test_what_is_not_accepted_is_not_stored(core: Core, ahead: timedelta, reason: str) -> None:
    """It has to end, and soon enough, and to have a reason."""
    await judge(core)
    with pytest.raises(Invalid):
        await request(core, ahead=ahead, reason=reason)
    assert await history(core) == []


async def test_one_is_asked_for_at_a_time(core: Core, clock: TestClock) -> None:
    """Until somebody decided about it, or it would have ended."""
    await judge(core)
    await request(core)
    with pytest.raises(Conflict, match="already"):
        await request(core, by=LOCAL)
    await decide(core, "reject")
    clock.move(minutes=1)
    await request(core)
    clock.move(days=1)
    with pytest.raises(Conflict, match="expired"):
        await decide(core, "approve")
    again = await request(core, by=LOCAL)
    newest, expired, rejected = await history(core)
    assert newest == again
    assert (expired.state, expired.ended_reason, rejected.state) == (ENDED, "expired", REJECTED)


async def test_what_is_rejected_never_was_in_force(core: Core) -> None:
    """By whoever asked for it as well."""
    await judge(core)
    await request(core, by=LOCAL)
    rejected = await decide(core, "reject", by=LOCAL, note="")
    assert (rejected.state, rejected.decided_by, rejected.note, rejected.verdict_id) == (REJECTED, "local", None, None)
    assert await effective(core) is NO_GO
    assert [event[0] for event in await told(core)] == ["DECISION_CHANGED"]


async def test_what_is_revoked_ends_at_once(core: Core, clock: TestClock) -> None:
    """With who, when and why; what was written when it was approved stays."""
    await judge(core)
    await request(core)
    await decide(core, "approve", note="go ahead")
    clock.move(minutes=1)
    revoked = await decide(core, "revoke", by=OTHER, note="it is not under way")
    assert await history(core) == [revoked]
    assert (revoked.state, revoked.decided_by, revoked.note) == (REVOKED, "Apo", "go ahead")
    assert (revoked.ended_by, revoked.ended_at, revoked.ended_reason) == ("Olga", clock.now(), "it is not under way")
    assert await effective(core) is NO_GO
    assert (await told(core))[-1] == ("OVERRIDE_ENDED", NO_GO, NO_GO, GO)
    with pytest.raises(Conflict, match="no override"):
        await decide(core, "revoke")


async def test_a_request_is_revoked_where_none_is_in_force(core: Core) -> None:
    """First what counts, then what is asked for."""
    await judge(core)
    await override(core, GO)
    await request(core, CONDITIONAL_GO)
    assert (await decide(core, "revoke")).decision is GO
    taken_back = await decide(core, "revoke", by=EDITOR)
    assert (taken_back.decision, taken_back.state, taken_back.ended_by) == (CONDITIONAL_GO, REVOKED, "Eda")
    assert len(await told(core)) == 3


async def test_another_one_takes_the_place_of_one_in_force(core: Core, clock: TestClock) -> None:
    """Which ends by it, and says by whom."""
    await judge(core)
    await override(core, GO, days=10)
    clock.move(minutes=1)
    await override(core, CONDITIONAL_GO, days=20)
    newest, first = await history(core)
    assert (newest.state, newest.decision) == (APPROVED, CONDITIONAL_GO)
    assert (first.state, first.ended_by, first.ended_at, first.ended_reason) == (ENDED, "Apo", clock.now(), "replaced")
    assert await effective(core) is CONDITIONAL_GO
    assert (await told(core))[-1] == ("OVERRIDDEN", NO_GO, CONDITIONAL_GO, GO)


@pytest.mark.parametrize("how", ["approve", "reject", "revoke"])
async def test_what_is_decided_about_is_what_was_read(core: Core, clock: TestClock, how: str) -> None:
    """Not the next request, nor beside another verdict; what was read and is so still is decided about."""
    read = await judge(core)
    first = await request(core)
    await decide(core, "reject")
    clock.move(minutes=1)
    asked = await request(core, CONDITIONAL_GO)
    with pytest.raises(Conflict, match="another override by now") as caught:
        await decide(core, how, seen=Seen(first.id, read.id))
    assert caught.value.field == ("id",)
    newer = await judge(core)
    with pytest.raises(Conflict, match="not the verdict") as caught:
        await decide(core, how, seen=Seen(asked.id, read.id))
    assert caught.value.field == ("verdict",)
    assert (await history(core))[0] == asked
    assert (await decide(core, how, seen=Seen(asked.id, newer.id))).id == asked.id


async def test_who_asked_takes_it_back(core: Core) -> None:
    """Without being an approver; nobody else without being one does."""
    await judge(core)
    await request(core)
    async with core.database.transaction(Actor("Ed", EDITOR.roles), core.clock.now()) as tx:
        with pytest.raises(Forbidden, match="Eda"):
            await overriding.reject(tx, "api", approving=False)
    async with core.database.transaction(EDITOR, core.clock.now()) as tx:
        assert (await overriding.reject(tx, "api", approving=False)).state is REJECTED


async def test_of_an_archived_service_nothing_is_asked_or_approved(core: Core) -> None:
    """It is to be restored first; what is asked for can be rejected."""
    await judge(core)
    await request(core)
    async with core.database.transaction(LOCAL, core.clock.now()) as tx:
        await catalog.archive_service(tx, "api")
    with pytest.raises(Conflict, match="archived"):
        await decide(core, "approve")
    await decide(core, "reject")
    with pytest.raises(Conflict, match="archived"):
        await request(core)
    assert [each.state for each in await history(core)] == [REJECTED]


@pytest.mark.parametrize("how", ["approve", "reject", "revoke"])
async def test_there_has_to_be_something_to_decide_about(core: Core, how: str) -> None:
    """Nothing was asked for."""
    await judge(core)
    with pytest.raises(Conflict, match="override"):
        await decide(core, how)
