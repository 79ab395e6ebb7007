"""Page 1,000 costs what page 1 costs: counted by the database itself, for every list that is read by page."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.catalog.model import ServiceFilter, ServiceOrder
from opsgraph.domains.catalog.queries import deployments as catalog_deployments
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.catalog.queries import teams as catalog_teams
from opsgraph.domains.health import queries as health
from opsgraph.domains.slo import queries as slo
from opsgraph.domains.slo.model import SloFilter
from opsgraph.kernel.pages import LARGEST_SIZE, Page, PageRequest
from opsgraph.metadata import metadata
from opsgraph.storage.database import Database
from opsgraph.storage.rows import AnyRow
from tests.support.clock import START
from tests.support.plans import effort
from tests.support.rows import ROWS

PAGE = 5
PAGES = 1_000
COUNT = PAGE * PAGES
PARENT = UUID(int=1)

Fetch = Callable[[AsyncConnection, PageRequest], Awaitable[Page[AnyRow]]]


async def _services(session: AsyncConnection, request: PageRequest, order: Any = ServiceOrder.NAME) -> Page[AnyRow]:
    return await catalog_services.services_page(session, ServiceFilter(), request, order)


async def _services_by_tier(session: AsyncConnection, request: PageRequest) -> Page[AnyRow]:
    return await _services(session, request, ServiceOrder.TIER)


async def _worst_services(session: AsyncConnection, request: PageRequest) -> Page[AnyRow]:
    return await _services(session, request, health.worst_first())


async def _dearest_services(session: AsyncConnection, request: PageRequest) -> Page[AnyRow]:
    return await _services(session, request, health.cost_highest_first())


async def _slos(session: AsyncConnection, request: PageRequest) -> Page[AnyRow]:
    return await slo.slos_page(session, SloFilter(), request)


async def _deployments(session: AsyncConnection, request: PageRequest) -> Page[AnyRow]:
    return (await catalog_deployments.deployments_by_service(session, [PARENT], request))[PARENT]


BY_INDEX: dict[str, Fetch] = {
    "services by name": _services,
    "services by tier": _services_by_tier,
    "services by cost": _dearest_services,
    "teams": catalog_teams.teams_page,
}
"""Lists whose order begins with an index: any page reads about as many rows as it has."""

PUT_IN_ORDER: dict[str, Fetch] = {
    "services worst first": _worst_services,
    "SLOs": _slos,
    "deployments of a service": _deployments,
}
"""Lists that may be put in order for each page: a later page reads no more than the first."""


async def fill(connection: AsyncConnection, name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, each with what its table needs besides."""
    await connection.execute(insert(metadata.tables[name]), [{**ROWS[name], **row} for row in rows])


@pytest.fixture
async def filled(database: Database) -> Database:
    """Five thousand of each of services, SLOs, teams, and of one service's deployments."""
    many = range(1, COUNT + 1)
    named = [{"id": UUID(int=n), "name": f"n{n:05}", "name_key": f"n{n:05}"} for n in many]
    ranks = [{"service_id": UUID(int=n), "rank": n % 5, "cost_rank": float(n % 1_000)} for n in many]
    deployed = [{"id": UUID(int=n), "service_id": PARENT, "deployed_at": START + timedelta(minutes=n)} for n in many]
    async with database.engine.begin() as connection:
        await fill(connection, "team", [{**row, "origin": None} for row in named])
        services = [{**row, "origin": None, "tier": n % 4 + 1} for n, row in enumerate(named)]
        await fill(connection, "service", services)
        await fill(connection, "service_health", ranks)
        await fill(connection, "slo", [{**row, "service_id": row["id"]} for row in named])
        await fill(connection, "slo_state", [{"slo_id": row["id"]} for row in named])
        await fill(connection, "deployment", deployed)
        await connection.execute(text("ANALYZE"))
    return database


async def last_page(database: Database, fetch: Fetch) -> PageRequest:
    """The request for the last page."""
    request, missing = PageRequest(0), COUNT - PAGE
    async with database.reading() as session:
        while missing:
            page = await fetch(session, PageRequest(min(missing, LARGEST_SIZE), after=request.after))
            request = PageRequest(PAGE, after=page.keys[-1])
            missing -= len(page.rows)
    return request


async def efforts(database: Database, fetch: Fetch) -> tuple[int, int]:
    """What the first page of a list costs, and what its last one does."""
    last = await last_page(database, fetch)

    async def read(session: AsyncConnection, request: PageRequest) -> None:
        assert len((await fetch(session, request)).rows) == PAGE

    return await effort(database, partial(read, request=PageRequest(PAGE))), await effort(
        database, partial(read, request=last)
    )


async def test_a_late_page_costs_what_the_first_one_costs(filled: Database) -> None:
    """Rows visited (PostgreSQL) or steps taken (SQLite) do not grow; with an index they are a handful a row."""
    counted = {name: await efforts(filled, fetch) for name, fetch in {**BY_INDEX, **PUT_IN_ORDER}.items()}
    for name, (first, last) in counted.items():
        assert last <= 2 * first, (name, counted)
    for name in BY_INDEX:
        assert max(counted[name]) <= 100 * PAGE, (name, counted)
