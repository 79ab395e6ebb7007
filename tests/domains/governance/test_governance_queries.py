"""Reading governance, on both databases."""

from uuid import uuid4

import pytest

from opsgraph.domains.governance import commands, queries
from opsgraph.domains.governance.model import GovernanceStatus
from opsgraph.kernel.actor import SYSTEM
from opsgraph.storage.database import Database
from tests.support.catalog import make_service
from tests.support.clock import TestClock
from tests.support.statements import statements


async def test_every_service_is_judged_by_its_own_checks(database: Database, clock: TestClock) -> None:
    """One with an answer, one without; an id of nothing is absent."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        asked, silent = (await make_service(tx)).id, (await make_service(tx, "silent")).id
        await commands.set_check(tx, "api", "ownership", passed=True)
    async with database.reading() as session:
        found = await queries.by_service(session, [asked, silent, uuid4()])
    assert set(found) == {asked, silent}
    assert found[asked].status is GovernanceStatus.NON_COMPLIANT
    assert found[asked].checks[0].message == "api has no record of a runbook"
    assert (found[silent].status, found[silent].checks) == (GovernanceStatus.NEEDS_REVIEW, ())


@pytest.mark.parametrize("count", [1, 5])
async def test_governance_takes_three_statements(database: Database, clock: TestClock, count: int) -> None:
    """However many services are asked for."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        ids = [(await make_service(tx, f"service-{number}")).id for number in range(count)]
    async with database.reading() as session:
        await session.begin()
        with statements(database) as seen:
            await queries.by_service(session, ids)
    assert len(seen) == 3
