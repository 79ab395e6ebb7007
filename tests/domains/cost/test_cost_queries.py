"""Reading costs, on both databases."""

from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from opsgraph.domains.cost import commands, queries
from opsgraph.domains.cost.model import CostTrend, MonthlyCost
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.money import Money
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx
from tests.support.catalog import make_service
from tests.support.clock import TestClock
from tests.support.cost import LONG_AFTER, cost
from tests.support.statements import statements


async def filled(tx: Tx) -> list[UUID]:
    """The worked example's two services, one billed in two currencies and in an old one, and one without costs."""
    names = ("api-gateway", "payments", "abroad", "idle")
    ids = [(await make_service(tx, name)).id for name in names]
    parts = [
        cost("2024-02", 4500, origin="a", service=ids[0]),
        cost("2024-01", 4200, origin="a", service=ids[0]),
        cost("2024-01", 2800, origin="a", service=ids[1]),
        cost("2024-02", 3000, origin="a", service=ids[1]),
        cost("2024-02", 500, origin="b", service=ids[1]),
        cost("2024-02", "0.1", "EUR", origin="a", service=ids[2]),
        cost("2024-02", "0.2", "EUR", origin="b", service=ids[2]),
        cost("2024-01", 900, "EUR", origin="b", service=ids[2]),
        cost("2023-01", 8, "CHF", origin="b", service=ids[2]),
        cost("2024-01", 70, origin="a", effective=60),
        cost("2024-02", "7.5", origin="a", effective=7),
        cost("2024-02", "0.5", origin="b", effective=1),
        cost("2024-01", 3, "EUR", origin="b"),
    ]
    await commands.replace_origins(tx, {"a", "b"}, parts)
    await commands.set_budget(tx, "api-gateway", Decimal(5000), None, "USD")
    await commands.set_budget(tx, "payments", Decimal(3000), None, "USD")
    return ids


async def test_every_service_gets_a_profile(database: Database, clock: TestClock) -> None:
    """Stored costs are judged by the rules; one without costs, and an id of nothing, get an empty profile."""
    nobody = uuid4()
    async with database.transaction(SYSTEM, clock.now()) as tx:
        gateway, payments, abroad, idle = await filled(tx)
    async with database.reading() as session:
        ids = [gateway, payments, abroad, idle, nobody]
        found = await queries.profiles_by_service(session, ids, "USD", date(2024, 2, 10))
    assert list(found) == ids
    assert (found[gateway].trend, found[gateway].over_budget) == (CostTrend.INCREASING, False)
    assert (found[payments].trend, found[payments].over_budget) == (CostTrend.SPIKING, True)
    assert (found[payments].latest, found[payments].forecast) == (Decimal(3500), Decimal("10150.00"))
    assert (found[abroad].currency, found[abroad].latest) == ("EUR", Decimal("0.3"))
    assert found[idle] == found[nobody]
    assert (found[idle].currency, found[idle].entries) == ("USD", ())


@pytest.mark.parametrize("count", [1, 3])
async def test_profiles_take_two_statements(database: Database, clock: TestClock, count: int) -> None:
    """However many services are asked for."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        ids = await filled(tx)
    async with database.reading() as session:
        await session.begin()
        with statements(database) as seen:
            await queries.profiles_by_service(session, ids[:count], "USD", LONG_AFTER)
    assert len(seen) == 2


async def test_the_latest_amounts_are_those_of_the_profiles(database: Database, clock: TestClock) -> None:
    """Latest and other currencies at once, for services with costs."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        ids = await filled(tx)
    async with database.reading() as session:
        latest = await queries.latest_by_service(session, ids)
        profiles = await queries.profiles_by_service(session, ids, "USD", LONG_AFTER)
    assert set(latest) == set(ids[:3])
    for id_, amounts in latest.items():
        told = {Money(profiles[id_].latest, profiles[id_].currency), *profiles[id_].other_currencies}
        assert set(amounts) == told


async def test_what_belongs_to_no_service_is_told_by_month_and_currency(database: Database, clock: TestClock) -> None:
    """Summed over origins, in each currency's newest month and in all of them."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        assert await queries.unallocated_by_month(tx.connection) == ()
        assert await queries.unallocated_latest(tx.connection) == ()
        await filled(tx)
    async with database.reading() as session:
        assert await queries.unallocated_by_month(session) == (
            MonthlyCost("2024-01", Decimal(3), "EUR", None),
            MonthlyCost("2024-01", Decimal(70), "USD", Decimal(60)),
            MonthlyCost("2024-02", Decimal(8), "USD", Decimal(8)),
        )
        assert await queries.unallocated_latest(session) == (Money(Decimal(3), "EUR"), Money(Decimal(8), "USD"))
