"""Recording governance checks, on both databases."""

import pytest
from sqlalchemy import select

from opsgraph.domains.governance import commands, queries
from opsgraph.domains.governance.model import GovernanceChanged, GovernanceStatus
from opsgraph.domains.governance.tables import governance_checks
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.refusals import Invalid, NotFound
from opsgraph.storage.database import Database
from opsgraph.storage.saving import Outcome
from tests.support.catalog import make_service
from tests.support.clock import TestClock


async def test_a_check_is_recorded_changed_and_kept(database: Database, clock: TestClock) -> None:
    """The newest answer counts; the same again changes nothing and tells nobody."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        service = await make_service(tx)
        tx.recorded.clear()
        answers = (False, True, True)
        outcomes = [(await commands.set_check(tx, "API", "runbook", passed)).outcome for passed in answers]
        assert tx.recorded == [GovernanceChanged(service.id)] * 2
    assert outcomes == [Outcome.CREATED, Outcome.CHANGED, Outcome.UNCHANGED]
    async with database.reading() as session:
        checks = (await queries.by_service(session, [service.id]))[service.id].checks
    assert [check.name for check in checks if check.passed] == ["runbook"]


async def test_five_passed_checks_comply(database: Database, clock: TestClock) -> None:
    """As the worked example's api-gateway."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        service = await make_service(tx, "api-gateway")
        for key in ("runbook", "monitoring", "ownership", "documentation", "incident_response"):
            saved = await commands.set_check(tx, "api-gateway", key, passed=True)
            assert saved.value == service
        found = await queries.by_service(tx.connection, [service.id])
    assert found[service.id].status is GovernanceStatus.COMPLIANT


@pytest.mark.parametrize(
    ("service", "check", "refusal", "field"),
    [
        ("nobody", "runbook", NotFound, ("service",)),
        ("api", "tests", Invalid, ("check",)),
        ("api", "nul\0", Invalid, ("check",)),
    ],
)
async def test_what_cannot_be_recorded_is_refused(
    database: Database, clock: TestClock, service: str, check: str, refusal: type[Exception], field: tuple[str, ...]
) -> None:
    """The refusal names the field and nothing is written."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        with pytest.raises(refusal) as caught:
            await commands.set_check(tx, service, check, passed=True)
    assert caught.value.field == field  # type: ignore[attr-defined]  # every refusal has one
    async with database.reading() as session:
        assert (await session.execute(select(governance_checks.c.id))).all() == []
