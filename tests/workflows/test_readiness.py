"""Judging services by what is known about them, on both databases."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from opsgraph.app import Core
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.readiness.commands import policies
from opsgraph.domains.readiness.model.policies import CheckInput, PolicyInput, ReadinessCategory
from opsgraph.domains.readiness.model.verdicts import CheckOutcome
from opsgraph.domains.readiness.queries.verdicts import newest_by_service, verdicts_by_id
from opsgraph.kernel.actor import LOCAL, SYSTEM
from opsgraph.kernel.refusals import Conflict, Invalid, NotFound
from opsgraph.settings import Settings
from tests.support import databases
from tests.support.clock import TestClock
from tests.support.verdicts import (
    EVERYTHING,
    NO_GO,
    at,
    count_verdicts,
    declare,
    exempt,
    judge,
    judging,
    make,
    outcomes,
    standing,
    told,
)

PASSED, FAILED, SKIPPED, ERROR = CheckOutcome


@pytest.fixture
async def core(settings: Settings, clock: TestClock, database_kind: str) -> AsyncIterator[Core]:
    """A process that judges."""
    async with judging(settings, clock) as opened:
        yield opened
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


async def test_a_verdict_says_what_was_judged_by_what_and_when(core: Core, clock: TestClock) -> None:
    """It names the version of the policy, the manifest as it was, who asked, and the instant of the facts."""
    api = await make(core, team=None, tier=1)
    clock.move(hours=1)
    verdict = await judge(core)
    assert (verdict.service_id, verdict.policy_version, verdict.evaluated_by) == (api, 1, "Eda")
    assert verdict.evaluated_at == clock.now()
    assert verdict.manifest["declared"]["metrics"] is True
    assert verdict.manifest["measured"]["service"]["values"]["tier"] == 1
    async with core.database.reading() as session:
        assert await verdicts_by_id(session, [verdict.id]) == {verdict.id: verdict}
        assert await newest_by_service(session, [api]) == {api: verdict}
    assert at(verdict, "metrics")[0] is PASSED


async def test_a_later_declaration_leaves_the_verdict_as_it_was(core: Core) -> None:
    """What it was judged by is frozen in it, and so is the policy."""
    await make(core)
    before = await judge(core)
    await declare(core, encryption=False)
    async with core.database.transaction(LOCAL, core.clock.now()) as tx:
        await policies.save_policy(tx, PolicyInput(go_threshold_pct=95.0))
    after = await judge(core)
    assert (after.decision, after.policy_version) == (NO_GO, 2)
    assert after.manifest["declared"]["encryption"] is False
    async with core.database.reading() as session:
        assert (await verdicts_by_id(session, [before.id]))[before.id] == before
    assert before.policy_version == 1


async def test_each_evaluation_that_is_asked_for_is_a_verdict(core: Core, clock: TestClock) -> None:
    """Also where it says the same again; a feed hears of the decision once."""
    await make(core)
    first = await judge(core)
    clock.move(minutes=1)
    second = await judge(core, by=LOCAL)
    assert (first.id < second.id, second.evaluated_by) == (True, "local")
    assert first.results == second.results
    assert await count_verdicts(core) == 2
    assert (await standing(core)).verdict_id == second.id
    assert await told(core) == [("DECISION_CHANGED", first.decision, first.decision, None)]


async def test_a_decision_that_changes_is_told_with_the_one_before(core: Core) -> None:
    """Not one that stays, however much else changes."""
    await make(core)
    decisions = [(await judge(core)).decision]
    for encryption, metrics in ((False, True), (False, False), (True, True)):
        await declare(core, encryption=encryption, metrics=metrics)
        decisions.append((await judge(core)).decision)
    best = decisions[0]
    assert decisions == [best, NO_GO, NO_GO, best]
    assert [event[1::2] for event in await told(core)] == [(best, None), (NO_GO, best), (best, NO_GO)]


async def test_what_cannot_be_judged(core: Core) -> None:
    """A service that is not there, or archived: nothing is kept."""
    with pytest.raises(NotFound, match="nobody"):
        await judge(core, "nobody")
    await make(core, "old")
    async with core.database.transaction(SYSTEM, core.clock.now()) as tx:
        await catalog.archive_service(tx, "old")
    with pytest.raises(Conflict, match="archived"):
        await judge(core, "old")
    assert await count_verdicts(core) == 0


async def test_a_service_that_declared_nothing_is_judged_as_well(core: Core, clock: TestClock) -> None:
    """By nothing declared; from then on it is looked at again."""
    await make(core, values=None)
    verdict = await judge(core)
    assert verdict.decision is NO_GO
    assert outcomes(verdict, PASSED).isdisjoint(EVERYTHING)
    assert (await standing(core)).due_at == clock.now() + timedelta(hours=1)


async def test_expressions_of_the_policy_are_checks(core: Core) -> None:
    """What is true passes, what is false fails, and what has no value is an error; what is disabled is not asked."""
    fields = {"on": "metrics", "off": "health.points", "none": "reliability.score", "unasked": "alerting"}
    for name, field in fields.items():
        wanted = CheckInput(
            name, ReadinessCategory.OPERATIONS, expression=f"manifest.{field}", enabled=name != "unasked"
        )
        await core.readiness.accept(wanted)
        async with core.database.transaction(LOCAL, core.clock.now()) as tx:
            await policies.save_check(tx, wanted)
    await make(core)
    verdict = await judge(core)
    assert (at(verdict, "on")[0], at(verdict, "off")[0]) == (PASSED, FAILED)
    assert at(verdict, "none")[0] is ERROR
    assert "manifest.reliability.score" in at(verdict, "none")[1]
    assert "unasked" not in outcomes(verdict, *CheckOutcome)


async def test_an_expression_that_does_not_compile_is_refused(core: Core) -> None:
    """As the input's field, with its place; a change of anything else compiles nothing."""
    with pytest.raises(Invalid, match="typo") as caught:
        await core.readiness.accept(CheckInput("x", expression="manifest.typo"))
    assert caught.value.field == ("expression",)
    assert caught.value.details == {"line": 1, "column": 1}
    await core.readiness.accept(CheckInput("x", weight=2.0))


async def test_an_exemption_skips_its_check_for_one_service(core: Core) -> None:
    """Of that service alone, and only once it is granted; the verdict says until when and by whom."""
    await make(core, "api", {**EVERYTHING, "load_tested": False})
    await make(core, "web", {**EVERYTHING, "load_tested": False})
    await exempt(core, "load_tested", days=2)
    skipped, message = at(await judge(core), "load_tested")
    assert skipped is SKIPPED
    assert "2024-03-17" in message
    assert "Apo" in message
    assert at(await judge(core, "web"), "load_tested")[0] is FAILED
