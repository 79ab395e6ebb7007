"""Costs for tests."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.cost import commands, queries, rules
from opsgraph.domains.cost.model import MANUAL, Contribution, CostProfile, Replaced
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.money import Money
from opsgraph.storage.database import Database
from tests.support.clock import TestClock

Number = str | int | Decimal

LONG_AFTER = date(2150, 1, 1)
"""A day whose month has no entries, so that nothing is forecast."""


def cost(
    month: str,
    amount: Number,
    currency: str = "USD",
    *,
    origin: str = MANUAL,
    effective: Number | None = None,
    service: UUID | None = None,
) -> Contribution:
    """A contribution."""
    known = None if effective is None else Decimal(effective)
    return Contribution(service, month, currency, origin, Decimal(amount), known)


def monthly(first: str, *amounts: Number) -> list[Contribution]:
    """One contribution a month in USD, from a first month on."""
    year, number = first.split("-")
    start = int(year) * 12 + int(number) - 1
    months = [f"{(start + place) // 12}-{(start + place) % 12 + 1:02d}" for place in range(len(amounts))]
    return [cost(month, amount) for month, amount in zip(months, amounts, strict=True)]


def judged(
    parts: Sequence[Contribution], *, budget: Number | None = None, default: str = "USD", today: date = LONG_AFTER
) -> CostProfile:
    """The profile of a service with these contributions and a budget in USD."""
    allowed = None if budget is None else Money(Decimal(budget), "USD")
    return rules.judge(parts, allowed, default, today)


async def profile(database: Database, name: str = "api") -> CostProfile:
    """The stored profile of a service."""
    async with database.reading() as session:
        service = await catalog_services.require_service(session, name)
        return (await queries.profiles_by_service(session, [service.id], "USD", LONG_AFTER))[service.id]


async def replaced(database: Database, clock: TestClock, names: set[str], parts: Sequence[Contribution]) -> Replaced:
    """Replace origins in a transaction of its own."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        return await commands.replace_origins(tx, names, parts)
