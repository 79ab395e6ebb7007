"""Writing costs and budgets, on both databases."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from opsgraph.domains.cost import commands, queries
from opsgraph.domains.cost.model import CostChanged, CostInput
from opsgraph.domains.cost.tables import budgets, contributions, origins
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.money import Money
from opsgraph.kernel.refusals import Invalid, NotFound
from opsgraph.storage.database import Database
from opsgraph.storage.saving import Outcome
from opsgraph.storage.transactions import Tx
from tests.support.catalog import make_service
from tests.support.clock import TestClock
from tests.support.cost import profile


async def record(tx: Tx, month: str, amount: str, **values: Any) -> Outcome:
    """Record a cost of the service api."""
    wanted = CostInput("api", month, Decimal(amount), **values)
    return (await commands.record_cost(tx, wanted, "USD")).outcome


async def test_recording_again_replaces_the_same_origin_only(database: Database, clock: TestClock) -> None:
    """A correction does not add up; another origin, currency or month does not replace."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        assert await record(tx, "2024-02", "100", effective_amount=Decimal(90)) is Outcome.CREATED
        assert await record(tx, "2024-02", "120.50") is Outcome.CHANGED
        assert await record(tx, "2024-02", "120.5") is Outcome.UNCHANGED
        await record(tx, "2024-02", "3", origin="invoice 7")
        await record(tx, "2024-02", "9", currency="eur")
        await record(tx, "2024-01", "50")
    found = await profile(database)
    assert [(entry.month, entry.amount, entry.currency, entry.effective) for entry in found.entries] == [
        ("2024-01", Decimal(50), "USD", None),
        ("2024-02", Decimal(9), "EUR", None),
        ("2024-02", Decimal("123.5"), "USD", None),
    ]


async def test_a_changed_cost_is_told_once(database: Database, clock: TestClock) -> None:
    """Who reacts to costs hears of changes, not of repetitions."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        service = await make_service(tx)
        tx.recorded.clear()
        for _ in range(2):
            await record(tx, "2024-02", "100")
            await commands.set_budget(tx, "api", Decimal(500), None, "USD")
        assert tx.recorded == [CostChanged(service.id)] * 2


async def test_amounts_are_kept_exactly(database: Database, clock: TestClock) -> None:
    """Eighteen decimals come back as they were, on a database without decimals as well."""
    amount = "9999999999.999999999999999999"
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        await record(tx, "2024-02", amount, effective_amount=Decimal("-0.000000000000000001"))
    found = await profile(database)
    assert (found.latest, found.average) == (Decimal(amount), Decimal(amount))
    assert found.entries[0].effective == Decimal("-0.000000000000000001")


@pytest.mark.parametrize(
    ("wanted", "refusal", "field"),
    [
        (CostInput("nobody", "2024-01", Decimal(1)), NotFound, ("service",)),
        (CostInput("api", "2024-13", Decimal(1)), Invalid, ("month",)),
        (CostInput("api", "2024-01", Decimal("NaN")), Invalid, ("amount",)),
        (CostInput("api", "2024-01", Decimal("-Infinity")), Invalid, ("amount",)),
        (CostInput("api", "2024-01", Decimal(1), "dollars"), Invalid, ("currency",)),
        (CostInput("api", "2024-01", Decimal(1), ""), Invalid, ("currency",)),
        (CostInput("api", "2024-01", Decimal(1), None, Decimal("sNaN")), Invalid, ("effective_amount",)),
        (CostInput("api", "2024-01", Decimal(1), origin="a\0b"), Invalid, ("origin",)),
    ],
)
async def test_a_cost_that_is_none_is_refused_whole(
    database: Database, clock: TestClock, wanted: CostInput, refusal: type[Exception], field: tuple[str, ...]
) -> None:
    """The refusal names the field; nothing is written, no origin either."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        with pytest.raises(refusal) as caught:
            await commands.record_cost(tx, wanted, "USD")
    assert caught.value.field == field  # type: ignore[attr-defined]  # every refusal has one
    async with database.reading() as session:
        assert (await session.execute(select(origins.c.id))).all() == []
        assert (await session.execute(select(contributions.c.id))).all() == []


async def test_a_budget_is_set_changed_and_cleared(database: Database, clock: TestClock) -> None:
    """Its currency stays unless another is given; null takes it away, twice is once."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        id_ = (await make_service(tx)).id

        async def after(amount: Decimal | None, currency: str | None = None) -> tuple[Outcome, Money | None]:
            saved = await commands.set_budget(tx, "api", amount, currency, "USD")
            return saved.outcome, (await queries.budgets_by_service(tx.connection, [id_])).get(id_)

        assert await after(Decimal(100)) == (Outcome.CREATED, Money(Decimal(100), "USD"))
        assert await after(Decimal(100), "eur") == (Outcome.CHANGED, Money(Decimal(100), "EUR"))
        assert await after(Decimal(200)) == (Outcome.CHANGED, Money(Decimal(200), "EUR"))
        assert await after(None) == (Outcome.CHANGED, None)
        assert await after(None) == (Outcome.UNCHANGED, None)


@pytest.mark.parametrize(
    ("name", "amount", "currency", "refusal", "field"),
    [
        ("nobody", "1", None, NotFound, ("service",)),
        ("api", "-1", None, Invalid, ("budget_monthly",)),
        ("api", "NaN", None, Invalid, ("budget_monthly",)),
        ("api", "Infinity", None, Invalid, ("budget_monthly",)),
        ("api", "1", "money", Invalid, ("currency",)),
    ],
)
async def test_a_budget_that_is_none_is_refused(
    database: Database,
    clock: TestClock,
    name: str,
    amount: str,
    currency: str | None,
    refusal: type[Exception],
    field: tuple[str, ...],
) -> None:
    """The refusal names the field and the old budget stays."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await make_service(tx)
        await commands.set_budget(tx, "api", Decimal("-0"), None, "USD")
        with pytest.raises(refusal) as caught:
            await commands.set_budget(tx, name, Decimal(amount), currency, "USD")
    assert caught.value.field == field  # type: ignore[attr-defined]  # every refusal has one
    assert (await profile(database)).budget_monthly == 0


@pytest.mark.parametrize("amount", ["-1", "-0.5"])
async def test_the_database_refuses_a_negative_budget_too(database: Database, clock: TestClock, amount: str) -> None:
    """The CHECK means the same where amounts are numbers and where they are text."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        service = await make_service(tx)
        row = {"service_id": service.id, "currency": "USD", "created_at": tx.now, "updated_at": tx.now}
        for fine in ("0", "0.5", "1000"):
            async with tx.savepoint() as trial:
                await tx.connection.execute(insert(budgets).values(id=tx.new_id(), amount=Decimal(fine), **row))
                await trial.rollback()
        with pytest.raises(IntegrityError):
            async with tx.savepoint():
                await tx.connection.execute(insert(budgets).values(id=tx.new_id(), amount=Decimal(amount), **row))


@pytest.mark.parametrize("month", ["2024-13", "2024-00", "1969-12", "2200-01", "2024/01", "2024-1", "2024-011"])
async def test_the_database_refuses_what_is_no_month_too(database: Database, clock: TestClock, month: str) -> None:
    """Whoever writes, a month is a month."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        service = await make_service(tx)
        await record(tx, "2024-12", "1")
        query = select(contributions).where(contributions.c.service_id == service.id)
        row = dict((await tx.connection.execute(query)).mappings().one())
        with pytest.raises(IntegrityError):
            async with tx.savepoint():
                await tx.connection.execute(insert(contributions).values(**{**row, "id": tx.new_id(), "month": month}))
