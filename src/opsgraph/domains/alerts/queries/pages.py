"""Pages of alerts, newest first, and their counts."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.alerts.model import Alert, AlertFilter
from opsgraph.domains.alerts.queries.alerts import alert_of, alert_rows
from opsgraph.domains.alerts.tables import alerts
from opsgraph.domains.catalog.queries import homes
from opsgraph.kernel.ids import earliest
from opsgraph.kernel.pages import Page, PageRequest
from opsgraph.storage.counting import count_by
from opsgraph.storage.keyset import Sort, page_of, pages_by_parent
from opsgraph.storage.rows import AnyRow

NEWEST_FIRST = (Sort(alerts.c.id, descending=True),)
"""By id: ids sort by when an alert was first seen."""


async def alerts_page(session: AsyncConnection, wanted: AlertFilter, request: PageRequest) -> Page[AnyRow]:
    """A page of the alerts that a filter finds, newest first."""
    return await page_of(session, alert_rows().where(*await _conditions(session, wanted)), NEWEST_FIRST, request)


async def count_alerts(session: AsyncConnection, wanted: AlertFilter) -> int:
    """How many alerts a filter finds."""
    query = select(func.count()).select_from(alerts).where(*await _conditions(session, wanted))
    return (await session.execute(query)).scalar_one()


async def alerts_by_service(
    session: AsyncConnection, ids: Collection[UUID], request: PageRequest, wanted: AlertFilter
) -> dict[UUID, Page[AnyRow]]:
    """The same page of each service's alerts, newest first."""
    query = alert_rows().where(*await _conditions(session, wanted))
    return await pages_by_parent(session, query, alerts.c.service_id, ids, NEWEST_FIRST, request)


async def count_by_service(session: AsyncConnection, ids: Collection[UUID], wanted: AlertFilter) -> dict[UUID, int]:
    """How many alerts each service has; services without any are absent."""
    return await count_by(
        session, alerts.c.service_id, alerts.c.service_id.in_(ids), *await _conditions(session, wanted)
    )


async def alerts_by_incident(
    session: AsyncConnection, ids: Collection[UUID], request: PageRequest
) -> dict[UUID, Page[AnyRow]]:
    """The same page of each incident's alerts, newest first."""
    return await pages_by_parent(session, alert_rows(), alerts.c.incident_id, ids, NEWEST_FIRST, request)


async def count_by_incident(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, int]:
    """How many alerts each incident has; incidents without any are absent."""
    return await count_by(session, alerts.c.incident_id, alerts.c.incident_id.in_(ids))


async def newest_alerts(session: AsyncConnection, limit: int) -> list[Alert]:
    """The newest alerts, whatever their status."""
    query = alert_rows().order_by(alerts.c.id.desc()).limit(limit)
    return [alert_of(row) for row in await session.execute(query)]


async def _conditions(session: AsyncConnection, wanted: AlertFilter) -> list[ColumnElement[bool]]:
    """The same that `rules.filtering.matches` decides about one alert."""
    conditions = _of_columns(wanted)
    if wanted.silenced is not None:
        conditions.append(alerts.c.silenced.is_(wanted.silenced))
    if wanted.since is not None:
        conditions += [alerts.c.first_seen_at >= wanted.since, alerts.c.id >= earliest(wanted.since)]
    if wanted.until is not None:
        conditions += [alerts.c.first_seen_at < wanted.until, alerts.c.id < earliest(wanted.until)]
    if wanted.search:
        conditions.append(alerts.c.message.icontains(wanted.search, autoescape=True))
    if wanted.services is not None:
        conditions.append(await homes.of_services(session, alerts, wanted.services))
    if wanted.teams is not None:
        conditions.append(alerts.c.service_id.in_(homes.ids_of_teams(wanted.teams)))
    return conditions


def _of_columns(wanted: AlertFilter) -> list[ColumnElement[bool]]:
    lists = ((alerts.c.severity, wanted.severities), (alerts.c.source, wanted.sources))
    conditions: list[ColumnElement[bool]] = [
        column.in_([str(value) for value in values]) for column, values in lists if values is not None
    ]
    if wanted.statuses is not None:
        # Written into the statement: databases know then that few alerts fire, and enter the index.
        statuses = [status.value for status in wanted.statuses]
        conditions.append(alerts.c.status.in_(bindparam(None, statuses, expanding=True, literal_execute=True)))
    return conditions
