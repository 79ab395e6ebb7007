"""Readiness when many act at once: nothing that changes meanwhile is lost, and of two acts that conflict one wins."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from uuid import UUID

import pytest

from opsgraph.app import Core
from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.governance import commands as governance
from opsgraph.domains.readiness.commands import declaring, exempting, overriding, policies
from opsgraph.domains.readiness.model.overrides import OverrideState
from opsgraph.domains.readiness.model.policies import PolicyInput
from opsgraph.domains.readiness.model.standings import Evaluation
from opsgraph.domains.readiness.queries.overrides import standing_by_service
from opsgraph.domains.readiness.queries.policies import policy_now
from opsgraph.domains.readiness.queries.verdicts import newest_by_service
from opsgraph.kernel.actor import LOCAL, Actor
from opsgraph.kernel.refusals import Conflict, Refusal
from opsgraph.settings import Settings
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.readiness.cases import Docket
from opsgraph.workflows.readiness.evaluating import Readiness
from tests.support import databases
from tests.support.clock import TestClock
from tests.support.health import Write, spell
from tests.support.intake import report
from tests.support.scale import scaled
from tests.support.verdicts import (
    APPROVER,
    EDITOR,
    EVERYTHING,
    GO,
    NO_GO,
    count_verdicts,
    declare,
    judge,
    make,
    override,
    standing,
    tick,
    told,
)
from tests.support.verdicts import judging as opened

NAMES = ("api", "web", "db")


@dataclass(slots=True)
class Interruption:
    """Something that happens between what evaluations read and what they write, so many times."""

    happens: Callable[[], Awaitable[object]]
    times: int

    async def meanwhile(self) -> None:
        """Let it happen, unless it did often enough."""
        if self.times:
            self.times -= 1
            await self.happens()


@pytest.fixture
async def core(settings: Settings, clock: TestClock, database_kind: str) -> AsyncIterator[Core]:
    """A process that judges, with services."""
    async with opened(replace(settings, pool_size=10), clock) as process:
        for name in NAMES:
            await make(process, name)
        yield process
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


def interrupted(
    monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Awaitable[object]], times: int = 1
) -> Interruption:
    """Have something happen between what an evaluation reads and what it writes."""
    interruption = Interruption(happens, times)
    evaluated = Readiness._evaluated

    async def meanwhile(self: Readiness, docket: Docket) -> object:
        found = await evaluated(self, docket)
        await interruption.meanwhile()
        return found

    monkeypatch.setattr(Readiness, "_evaluated", meanwhile)
    return interruption


async def test_a_change_between_read_and_write_is_not_lost(
    core: Core, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker does not store what was judged by the facts before; the service stays due."""
    interrupted(monkeypatch, lambda: declare(core, encryption=False))
    clock.move(seconds=1)
    assert await core.readiness.tick(clock.now()) == len(NAMES) - 1
    assert (await standing(core)).verdict_id is None
    assert await count_verdicts(core) == len(NAMES) - 1
    assert await core.readiness.tick(clock.now()) == 1
    assert (await standing(core)).decision is NO_GO


async def test_who_asks_gets_what_was_read_after_the_change(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is judged once more; one verdict is stored."""
    interrupted(monkeypatch, lambda: declare(core, encryption=False))
    assert (await judge(core)).decision is NO_GO
    assert await count_verdicts(core) == 1


async def test_who_asks_gets_an_answer_also_where_changes_never_end(
    core: Core, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what was read last; the service stays due."""
    values = iter(range(100))
    interruption = interrupted(monkeypatch, lambda: declare(core, custom={"n": next(values)}), times=100)
    verdict = await judge(core)
    found = await standing(core)
    assert (found.verdict_id, await count_verdicts(core)) == (verdict.id, 1)
    assert found.due_at <= clock.now()
    interruption.times = 0
    await tick(core)
    assert (await standing(core)).due_at > clock.now()


async def test_what_was_insisted_on_does_not_hide_what_is_newer(
    core: Core, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another evaluation was stored by facts that came later: its verdict stays the newest."""
    newer: list[object] = []

    async def judged_by_another() -> None:
        await declare(core, encryption=False, custom={"n": len(newer)})
        clock.move(seconds=1)
        async with opened(core.settings, clock) as other:
            interruption.times = 0
            newer.append((await judge(other)).id)
            interruption.times = 3 - len(newer)

    interruption = interrupted(monkeypatch, judged_by_another, times=3)
    insisted = await judge(core)
    assert len(newer) == 3
    assert (await standing(core)).verdict_id == newer[-1] != insisted.id


async def test_two_evaluations_at_once(core: Core) -> None:
    """Each is a verdict of its own; the service has one of them, and the decision is told once."""
    verdicts = await asyncio.gather(*(judge(core, by=by) for by in (EDITOR, LOCAL, APPROVER)))
    assert len({verdict.id for verdict in verdicts}) == await count_verdicts(core) == 3
    found = await standing(core)
    assert found.verdict_id in {verdict.id for verdict in verdicts}
    assert len(await told(core)) == 1


async def test_two_workers_at_once(core: Core, settings: Settings, clock: TestClock) -> None:
    """Of two processes that find the same due, one stores it."""
    async with opened(settings, clock) as other:
        now = clock.move(seconds=1)
        await asyncio.gather(*(process.readiness.tick(now) for process in (core, other, core, other)))
    assert await count_verdicts(core) == len(NAMES)
    assert len(await told(core)) == len(NAMES)


async def test_two_approvals_at_once(core: Core, clock: TestClock) -> None:
    """One of them is in force; the other is refused, for there is nothing left to approve."""
    await judge(core)
    async with core.database.transaction(EDITOR, clock.now()) as tx:
        await overriding.request(tx, "api", NO_GO, "too early", clock.now() + timedelta(days=1))

    async def approve(by: Actor) -> object:
        async with core.database.transaction(by, clock.now()) as tx:
            return await overriding.approve(tx, "api")

    found = await asyncio.gather(approve(APPROVER), approve(LOCAL), return_exceptions=True)
    assert sorted(isinstance(each, Conflict) for each in found) == [False, True]
    assert [event[0] for event in await told(core)] == ["DECISION_CHANGED", "OVERRIDDEN"]


async def test_two_requests_at_once(core: Core, clock: TestClock) -> None:
    """One is pending, the other is refused."""
    await judge(core)

    async def request(by: Actor) -> object:
        async with core.database.transaction(by, clock.now()) as tx:
            return await overriding.request(tx, "api", GO, "urgent", clock.now() + timedelta(days=1))

    found = await asyncio.gather(request(EDITOR), request(LOCAL), request(APPROVER), return_exceptions=True)
    assert sum(isinstance(each, Conflict) for each in found) == 2


async def test_an_approval_beside_an_evaluation_that_knows_another_blocker(
    core: Core, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The override is approved while a service is judged that has a new blocker: it ends when that is stored."""
    await judge(core)
    await declare(core, encryption=False)
    clock.move(seconds=1)
    interrupted(monkeypatch, lambda: override(core, GO))
    await core.readiness.tick(clock.now())
    async with core.database.reading() as session:
        assert await standing_by_service(session, [(await standing(core)).service_id]) == {}
    assert (await standing(core)).effective(clock.now()) is NO_GO


async def test_two_changes_of_the_policy_at_once(core: Core) -> None:
    """Both are made, one after the other: no version is lost, and none is there twice."""

    async def save(wanted: PolicyInput) -> int:
        async with core.database.transaction(LOCAL, core.clock.now()) as tx:
            return (await policies.save_policy(tx, wanted)).version

    wanted = [
        PolicyInput(go_threshold_pct=95.0),
        PolicyInput(conditional_threshold_pct=60.0),
        PolicyInput(minimum_checks=4),
    ]
    assert sorted(await asyncio.gather(*(save(each) for each in wanted))) == [2, 3, 4]
    async with core.database.reading() as session:
        policy = await policy_now(session)
    assert (policy.go_threshold_pct, policy.conditional_threshold_pct, policy.minimum_checks) == (95.0, 60.0, 4)


async def test_equal_declarations_at_once(core: Core) -> None:
    """Both leave what one of them would have."""
    await asyncio.gather(*(declare(core, "web", metrics=False) for _ in range(4)))
    assert (await standing(core, "web")).revision == 2


def some_act(core: Core, chance: Random) -> Awaitable[object]:
    """Something that somebody does, by chance."""
    name, until = chance.choice(NAMES), core.clock.now() + timedelta(days=chance.randrange(1, 9))
    flag, check = chance.random() < 0.5, chance.choice(["metrics", "load_tested"])
    acts: Sequence[Callable[[Tx], Awaitable[object]]] = (
        lambda tx: declaring.declare(tx, name, {**EVERYTHING, chance.choice(["encryption", "metrics"]): flag}),
        lambda tx: governance.set_check(tx, name, "runbook", flag),
        lambda tx: overriding.request(tx, name, GO, "x", until),
        lambda tx: overriding.approve(tx, name),
        lambda tx: overriding.revoke(tx, name),
        lambda tx: policies.save_policy(tx, PolicyInput(go_threshold_pct=90.0 + chance.randrange(10))),
        lambda tx: catalog.restore_service(tx, name),
        lambda tx: exempting.exempt(tx, name, check, "x", until, approving=flag),
        lambda tx: exempting.revoke(tx, name, check),
        Write(spell, (name, flag)),
    )
    act, by = chance.choice(acts), chance.choice([EDITOR, APPROVER])

    async def acted() -> None:
        async with core.database.transaction(by, core.clock.now()) as tx:
            await act(tx)

    severity = Severity.CRITICAL if flag else Severity.LOW
    others = (
        lambda: judge(core, name),
        lambda: core.readiness.tick(core.clock.now()),
        lambda: core.intake.submit([report(chance.randrange(5), severity, name)]),
    )
    return chance.choice(others)() if chance.random() < 0.4 else acted()


@pytest.mark.long
async def test_everything_at_once(core: Core, settings: Settings, clock: TestClock) -> None:
    """Many acts in two processes: none fails but by a refusal, and in the end all is as the facts say."""
    chance = Random(7)  # noqa: S311 - it has to be repeatable
    async with opened(replace(settings, pool_size=10), clock) as other:
        for _ in range(scaled(100)):
            clock.move(minutes=1)
            jobs = [some_act(chance.choice((core, other)), chance) for _ in range(30)]
            found = await asyncio.wait_for(asyncio.gather(*jobs, return_exceptions=True), timeout=60)
            assert [each for each in found if isinstance(each, BaseException) and not isinstance(each, Refusal)] == []
            clock.move(seconds=1)
            await tick(core)
            await agree(core)


async def agree(core: Core) -> None:
    """Each service stands where an evaluation now would put it, and mirrors the override that is in force."""
    for name in NAMES:
        found = await standing(core, name)
        async with core.database.reading() as session:
            newest = (await newest_by_service(session, [found.service_id]))[found.service_id]
            beside = (await standing_by_service(session, [found.service_id])).get(found.service_id, [])
        in_force = [each for each in beside if each.state is OverrideState.APPROVED]
        mirrored = [(each.decision, each.expires_at) for each in in_force]
        assert mirrored == ([(found.override_decision, found.override_until)] if found.override_decision else [])
        anew = await judged_anew(core, found.service_id)
        assert anew.judgement is not None
        assert (newest.results, newest.policy_version) == (anew.judgement.results, anew.policy_version)


async def judged_anew(core: Core, service_id: UUID) -> Evaluation:
    """What an evaluation now comes to, which is not stored."""
    docket = await core.readiness._read([service_id], core.clock.now())
    (evaluation,) = await core.readiness._judge(docket)
    return evaluation
