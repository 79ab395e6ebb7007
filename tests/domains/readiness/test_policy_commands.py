"""The policy as it is stored: each change a version of its own, and what is the same none."""

import pytest
from sqlalchemy import select

from opsgraph.domains.readiness.commands import policies
from opsgraph.domains.readiness.model.policies import CheckInput, Policy, PolicyInput, ReadinessCategory
from opsgraph.domains.readiness.queries.policies import policies_of_versions, policy_now
from opsgraph.domains.readiness.rules.policies import DEFAULT
from opsgraph.domains.readiness.tables import policies as table
from opsgraph.kernel.actor import LOCAL
from opsgraph.kernel.refusals import Refusal
from opsgraph.storage.database import Database
from tests.support.clock import TestClock
from tests.support.statements import statements

CUSTOM = CheckInput(
    "Few incidents", ReadinessCategory.RELIABILITY, expression="manifest.incidents.open < 3", weight=0.1
)


async def save(database: Database, clock: TestClock, wanted: PolicyInput | CheckInput) -> Policy:
    """Save it."""
    async with database.transaction(LOCAL, clock.now()) as tx:
        if isinstance(wanted, PolicyInput):
            return await policies.save_policy(tx, wanted)
        return await policies.save_check(tx, wanted)


async def now(database: Database) -> Policy:
    """The newest version."""
    async with database.reading() as session:
        return await policy_now(session)


async def stored(database: Database) -> list[tuple[int, str]]:
    """Every version that is stored, with who made it."""
    async with database.reading() as session:
        rows = await session.execute(select(table.c.id, table.c.changed_by).order_by(table.c.id))
        return [(row.id, row.changed_by) for row in rows]


async def test_the_built_in_policy_is_the_first_version(database: Database) -> None:
    """Also where it is not stored yet."""
    assert await now(database) == DEFAULT
    async with database.reading() as session:
        assert await policies_of_versions(session, [1, 2]) == {1: DEFAULT}
    assert await stored(database) == []


async def test_each_change_is_a_version(database: Database, clock: TestClock) -> None:
    """Of the whole policy; earlier ones stay to be read, and come back as they were saved."""
    second = await save(database, clock, PolicyInput(go_threshold_pct=95.5, minimum_checks=5))
    third = await save(database, clock, CUSTOM)
    assert (second.version, third.version, await now(database)) == (2, 3, third)
    assert third.checks[-1].name == "Few incidents"
    async with database.reading() as session:
        assert await policies_of_versions(session, [1, 2, 3, 4]) == {1: DEFAULT, 2: second, 3: third}
    assert await stored(database) == [(1, "system"), (2, "local"), (3, "local")]


@pytest.mark.parametrize(
    "same",
    [
        PolicyInput(),
        PolicyInput(go_threshold_pct=90.0, category_weights={ReadinessCategory.SECURITY: 1.0}),
        CUSTOM,
        CheckInput("FEW INCIDENTS", weight=0.1),
    ],
)
async def test_what_is_the_same_adds_none(database: Database, clock: TestClock, same: PolicyInput | CheckInput) -> None:
    """And has nobody judged again."""
    before = await save(database, clock, CUSTOM)
    with statements(database) as seen:
        assert await save(database, clock, same) == before
    assert [version for version, _ in await stored(database)] == [1, 2]
    assert not [statement for statement in seen if "readiness_state" in statement]


@pytest.mark.parametrize(
    "wanted",
    [PolicyInput(go_threshold_pct=0.0), CheckInput("encryption", hard_blocker=False), CheckInput("new", weight=1.0)],
)
async def test_what_is_refused_is_not_stored(
    database: Database, clock: TestClock, wanted: PolicyInput | CheckInput
) -> None:
    """The policy stays as it was."""
    with pytest.raises(Refusal):
        await save(database, clock, wanted)
    assert await now(database) == DEFAULT
    assert await stored(database) == []
