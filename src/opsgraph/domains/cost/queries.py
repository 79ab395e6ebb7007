"""Reads of the cost domain, batched by default.

Amounts are added in Python: SQLite has no exact decimals to add in.
"""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.cost import rules
from opsgraph.domains.cost.model import Contribution, CostProfile, MonthlyCost
from opsgraph.domains.cost.tables import budgets, contributions, origins, unallocated
from opsgraph.kernel.money import Money
from opsgraph.kernel.pages import Page, PageRequest
from opsgraph.storage.keyset import Sort, page_of
from opsgraph.storage.rows import AnyRow, AnySelect

_CONTRIBUTION = (
    contributions.c.service_id,
    contributions.c.month,
    contributions.c.currency,
    contributions.c.billed,
    contributions.c.effective,
)
_UNALLOCATED = (unallocated.c.month, unallocated.c.currency, unallocated.c.billed, unallocated.c.effective)


async def profiles_by_service(
    session: AsyncConnection, ids: Collection[UUID], default_currency: str, today: date
) -> dict[UUID, CostProfile]:
    """The cost of each service, judged; every id gets a profile, also one without entries. Two statements.

    Args:
        session: the connection.
        ids: of services.
        default_currency: what services without entries and budget are shown in.
        today: the present day in UTC, for the forecast of the current month.
    """
    spent = await _by_service(session, select(*_CONTRIBUTION).where(contributions.c.service_id.in_(ids)))
    allowed = await budgets_by_service(session, ids)
    return {id_: rules.judge(spent.get(id_, ()), allowed.get(id_), default_currency, today) for id_ in ids}


async def budgets_by_service(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Money]:
    """The monthly budget of each service that has one."""
    query = select(budgets.c.service_id, budgets.c.amount, budgets.c.currency).where(budgets.c.service_id.in_(ids))
    return {row.service_id: Money(row.amount, row.currency) for row in await session.execute(query)}


async def latest_by_service(
    session: AsyncConnection, ids: Collection[UUID] | AnySelect
) -> dict[UUID, tuple[Money, ...]]:
    """What the newest month of each currency was billed at, for each service with entries: one statement.

    That is `CostProfile.latest` and `CostProfile.other_currencies` together.
    """
    newest = (
        select(contributions.c.service_id, contributions.c.currency, func.max(contributions.c.month).label("month"))
        .where(contributions.c.service_id.in_(ids))
        .group_by(contributions.c.service_id, contributions.c.currency)
        .subquery()
    )
    alike = and_(*(contributions.c[column.name] == column for column in newest.c))
    found = await _by_service(session, select(*_CONTRIBUTION).join(newest, alike))
    return {id_: rules.newest(rules.monthly(parts)) for id_, parts in found.items()}


async def unallocated_by_month(session: AsyncConnection) -> tuple[MonthlyCost, ...]:
    """What could not be given to a service, by month, then by currency."""
    rows = await session.execute(select(*_UNALLOCATED))
    return rules.monthly(_contribution(row, None) for row in rows)


async def unallocated_latest(session: AsyncConnection) -> tuple[Money, ...]:
    """What could not be given to a service in the newest month of each currency."""
    return rules.newest(await unallocated_by_month(session))


async def origins_page(session: AsyncConnection, request: PageRequest) -> Page[AnyRow]:
    """A page of all origins (`id`, `name`) by name, also of those without contributions."""
    return await page_of(session, select(origins.c.id, origins.c.name), (Sort(origins.c.name),), request)


async def contributions_of(session: AsyncConnection, origin_id: UUID, origin: str) -> list[Contribution]:
    """Everything that one origin says, what could not be given to a service last; two statements."""
    found = [
        Contribution(row.service_id, row.month, row.currency, origin, row.billed, row.effective)
        for row in await session.execute(select(*_CONTRIBUTION).where(contributions.c.origin_id == origin_id))
    ]
    rest = await session.execute(select(*_UNALLOCATED).where(unallocated.c.origin_id == origin_id))
    return [*found, *(Contribution(None, row.month, row.currency, origin, row.billed, row.effective) for row in rest)]


async def _by_service(session: AsyncConnection, query: AnySelect) -> dict[UUID, list[Contribution]]:
    found: dict[UUID, list[Contribution]] = {}
    for row in await session.execute(query):
        found.setdefault(row.service_id, []).append(_contribution(row, row.service_id))
    return found


def _contribution(row: AnyRow, service_id: UUID | None) -> Contribution:
    return Contribution(service_id, row.month, row.currency, "", row.billed, row.effective)
