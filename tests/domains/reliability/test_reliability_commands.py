"""Declaring reliability, on both databases."""

import math
from collections.abc import Mapping

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from opsgraph.domains.reliability import commands, queries
from opsgraph.domains.reliability.model import Declared, ReliabilityDeclared, ReliabilityInput
from opsgraph.domains.reliability.tables import declarations
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.refusals import Invalid, NotFound
from opsgraph.storage.database import Database
from opsgraph.storage.saving import Outcome
from tests.support.catalog import make_service
from tests.support.clock import TestClock


async def test_what_is_left_out_stays_and_null_clears(database: Database, clock: TestClock) -> None:
    """Values are declared one by one; the same again changes nothing and tells nobody."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        service = await make_service(tx)
        tx.recorded.clear()
        steps = [
            ReliabilityInput("api", uptime_pct=99.95, mttr_minutes=8, incidents_30d=1),
            ReliabilityInput("api", mttr_minutes=None, change_failure_rate_pct=5.0),
            ReliabilityInput("API", uptime_pct=99.95),
        ]
        outcomes = [(await commands.declare(tx, step)).outcome for step in steps]
        assert tx.recorded == [ReliabilityDeclared(service.id)] * 2
    assert outcomes == [Outcome.CREATED, Outcome.CHANGED, Outcome.UNCHANGED]
    async with database.reading() as session:
        found = await queries.declared_by_service(session, [service.id])
    assert found == {service.id: Declared(99.95, None, 1, 5.0)}


@pytest.mark.parametrize(
    ("wanted", "refusal", "field"),
    [
        (ReliabilityInput("nobody", uptime_pct=99.0), NotFound, ("service",)),
        (ReliabilityInput("api", uptime_pct=100.5), Invalid, ("uptime_pct",)),
        (ReliabilityInput("api", uptime_pct=99.0, mttr_minutes=-1.0), Invalid, ("mttr_minutes",)),
        (ReliabilityInput("api", mttr_minutes=math.inf), Invalid, ("mttr_minutes",)),
        (ReliabilityInput("api", incidents_30d=-1), Invalid, ("incidents_30d",)),
        (ReliabilityInput("api", change_failure_rate_pct=math.nan), Invalid, ("change_failure_rate_pct",)),
    ],
)
async def test_what_cannot_be_is_refused_whole(
    database: Database,
    clock: TestClock,
    wanted: ReliabilityInput,
    refusal: type[Exception],
    field: tuple[str, ...],
) -> None:
    """The refusal names the field; good values beside a bad one are not written."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        service = await make_service(tx)
        with pytest.raises(refusal) as caught:
            await commands.declare(tx, wanted)
    assert caught.value.field == field  # type: ignore[attr-defined]  # every refusal has one
    async with database.reading() as session:
        assert await queries.declared_by_service(session, [service.id]) == {}


@pytest.mark.parametrize(
    "wrong", [{"uptime_pct": 100.5}, {"mttr_minutes": -0.1}, {"mttr_minutes": math.inf}, {"incidents_30d": -1}]
)
async def test_the_database_refuses_it_too(database: Database, clock: TestClock, wrong: Mapping[str, float]) -> None:
    """The CHECKs mean the same on both; the extremes that the rules accept fit."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        first, second = (await make_service(tx)).id, (await make_service(tx, "web")).id
        extreme = ReliabilityInput("api", uptime_pct=0.0, mttr_minutes=1.7e308, incidents_30d=2**31 - 1)
        await commands.declare(tx, extreme)
        assert (await queries.declared_by_service(tx.connection, [first]))[first].mttr_minutes == 1.7e308
        stamps = {"id": tx.new_id(), "created_at": tx.now, "updated_at": tx.now}
        with pytest.raises(IntegrityError):
            async with tx.savepoint():
                await tx.connection.execute(insert(declarations).values(service_id=second, **stamps, **wrong))
