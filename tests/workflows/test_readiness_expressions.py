"""Checks of one's own as they are evaluated for many services: what one of them declares is no trouble for another."""

from collections.abc import AsyncIterator, Collection
from datetime import timedelta
from typing import NoReturn

import pytest
from structlog.testing import capture_logs

from opsgraph.adapters.expressions import process, rounds
from opsgraph.adapters.expressions.sandbox import Sandbox
from opsgraph.app import Core
from opsgraph.domains.readiness.commands import policies
from opsgraph.domains.readiness.model.policies import CheckInput, ReadinessCategory
from opsgraph.domains.readiness.model.verdicts import CheckOutcome, Verdict
from opsgraph.domains.readiness.queries.verdicts import newest_by_service
from opsgraph.kernel.actor import LOCAL
from opsgraph.kernel.refusals import Conflict, Invalid
from opsgraph.settings import Settings
from tests.support import databases
from tests.support.clock import TestClock
from tests.support.verdicts import (
    GO,
    NO_GO,
    at,
    count_verdicts,
    declare,
    effective,
    judge,
    judging,
    make,
    outcomes,
    override,
    standing,
)

BOOM = f"[manifest.custom.text]{'.map(text, text + text)' * 13}[0].size() > 0"
"""Harmless over a short text; over a long one it takes memory and time without end."""

SHORT, LONG = {"text": "a"}, {"text": "a" * 60_000}
PASSED, ERROR = CheckOutcome.PASSED, CheckOutcome.ERROR


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """What evaluates the expressions of checks."""
    made = Sandbox()
    yield made
    await made.close()


@pytest.fixture
async def core(settings: Settings, clock: TestClock, database_kind: str, sandbox: Sandbox) -> AsyncIterator[Core]:
    """A process that judges by expressions, with a check that kills over what some declare."""
    async with judging(settings, clock, sandbox) as opened:
        await save(opened, BOOM)
        yield opened
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


async def save(core: Core, expression: str) -> None:
    """Save the check, as the API does; it is a hard blocker."""
    wanted = CheckInput("boom", ReadinessCategory.SECURITY, expression=expression)
    await core.readiness.accept(wanted)
    async with core.database.transaction(LOCAL, core.clock.now()) as tx:
        await policies.save_check(tx, wanted)


async def newest(core: Core, names: Collection[str]) -> dict[str, Verdict]:
    """The newest verdicts by the name of the service, of those that have one."""
    ids = {(await standing(core, name)).service_id: name for name in names}
    async with core.database.reading() as session:
        return {ids[id_]: verdict for id_, verdict in (await newest_by_service(session, ids)).items()}


async def test_hostile_manifests_are_errors_of_their_own_services_alone(core: Core, clock: TestClock) -> None:
    """Those of others pass as before, and their overrides stay."""
    names = [f"service-{number}" for number in range(12)]
    for name in names:
        await make(core, name, {"custom": SHORT})
    assert await core.readiness.tick(clock.now()) == len(names)
    await override(core, name="service-9")
    hostile = set(names[:6])
    for name in hostile:
        await declare(core, name, custom=LONG)
    async with core.database.transaction(LOCAL, clock.now()) as tx:
        await policies.save_check(tx, CheckInput("metrics", why="So that all are judged again."))
    await core.readiness.tick(clock.now())
    found = await newest(core, names)
    assert {name for name in names if at(found[name], "boom")[0] is ERROR} == hostile
    assert {name for name in names if at(found[name], "boom")[0] is PASSED} == set(names) - hostile
    assert await effective(core, "service-9") is GO


async def test_what_nobody_got_to_keeps_what_it_has_and_comes_next(
    core: Core, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where an expression kills for more services than may be spent on it: no verdict, no ended override, no rush."""
    monkeypatch.setattr(rounds, "MOST_DEATHS", 2)
    names = [f"service-{number}" for number in range(7)]
    for name in names:
        await make(core, name, {"custom": SHORT})
    assert await core.readiness.tick(clock.now()) == 7
    for name in names:
        await override(core, name=name)
        await declare(core, name, custom=LONG)
    judged = []
    for _ in range(3):
        clock.move(seconds=1)
        before = await newest(core, names)
        judged.append(await core.readiness.tick(clock.now()))
        found = await newest(core, names)
        left = [name for name in names if found[name].id == before[name].id and at(found[name], "boom")[0] is PASSED]
        assert [await effective(core, name) for name in left] == [GO] * len(left)
        assert {(await standing(core, name)).due_at - clock.now() for name in left} <= {timedelta(seconds=10)}
        assert await core.readiness.tick(clock.now()) == 0
        clock.move(seconds=9)
    assert judged == [3, 3, 1]
    assert {at(verdict, "boom")[0] for verdict in (await newest(core, names)).values()} == {ERROR}


async def test_one_that_is_asked_for_is_always_judged(
    core: Core, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was spent on others."""
    monkeypatch.setattr(rounds, "MOST_DEATHS", 0)
    names = ["one", "two", "three"]
    for name in names:
        await make(core, name, {"custom": LONG})
    assert await core.readiness.tick(clock.now()) == 2
    (left,) = set(names) - (await newest(core, names)).keys()
    verdict = await judge(core, left)
    assert (verdict.decision, at(verdict, "boom")[0]) == (NO_GO, ERROR)


async def test_those_judged_longest_ago_come_first(
    core: Core, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever declares something hostile again and again keeps nobody waiting for ever."""
    monkeypatch.setattr(rounds, "MOST_DEATHS", 0)
    for name in ("one", "two", "three", "four"):
        await make(core, name, {"custom": LONG})
    for _ in range(2):
        await core.readiness.tick(clock.now())
        for name in await newest(core, ("one", "two", "three", "four")):
            await declare(core, name, custom=LONG)
        clock.move(seconds=10)
    assert len(await newest(core, ("one", "two", "three", "four"))) == 4


async def test_where_no_expression_can_be_evaluated_all_else_is_judged(
    core: Core, sandbox: Sandbox, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their checks are errors that say why, as is the log, once; and no check is saved."""

    def missing() -> NoReturn:
        raise ModuleNotFoundError("cel-expr-python is not installed")

    for name in ("one", "two", "three"):
        await make(core, name)
    await sandbox.close()
    monkeypatch.setattr(process, "_installed", missing)
    with capture_logs() as logs:
        assert await core.readiness.tick(clock.now()) == 3
    assert [line["event"] for line in logs] == ["expressions_not_evaluated"]
    verdict = (await newest(core, ["one"]))["one"]
    why = "expressions cannot be evaluated here: cel-expr-python is not installed"
    assert at(verdict, "boom") == (ERROR, f"its expression has no value: {why}")
    assert at(verdict, "metrics")[0] is PASSED
    assert outcomes(verdict, ERROR) == {"boom"}
    with pytest.raises(Conflict, match=why):
        await save(core, "manifest.metrics")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("has(manifest.cost.monthly)", "has() is asked of manifest.cost.monthly, and works on members of"),
        ("x" * 2_001, "expression has 2001 characters; at most 2000 are accepted"),
        ("manifest.`cost`.monthley < 1.0", "did you mean manifest.cost.monthly?"),
    ],
)
async def test_what_cannot_be_an_expression_is_refused_in_words(core: Core, text: str, message: str) -> None:
    """Before anything is stored."""
    before = await count_verdicts(core)
    with pytest.raises(Invalid) as refused:
        await save(core, text)
    assert message in refused.value.message
    assert refused.value.field == ("expression",)
    assert await count_verdicts(core) == before
