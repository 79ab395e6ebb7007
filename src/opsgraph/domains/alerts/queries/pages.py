"""Pages of alerts, newest first, and their counts."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, func, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.alerts.model import Alert, AlertFilter
from opsgraph.domains.alerts.queries.alerts import alert_of, alert_rows
from opsgraph.domains.alerts.tables import alerts
from opsgraph.domains.catalog.queries import homes
from opsgraph.domains.catalog.queries.services import services_by_name
from opsgraph.kernel.ids import uuid7
from opsgraph.kernel.pages import Page, PageRequest
from opsgraph.kernel.text import name_key
from opsgraph.storage.counting import count_by
from opsgraph.storage.keyset import Sort, page_of, pages_by_parent
from opsgraph.storage.rows import AnyRow

NEWEST_FIRST = (Sort(alerts.c.id, descending=True),)
"""By id: ids sort by when an alert was first seen."""

# Spelt out, and without a type, or the partial index is out of reach.
_UNREGISTERED: ColumnElement[Any] = literal_column("alert.service_id IS NULL")

_FIRST_IDS = datetime(1970, 1, 1, tzinfo=UTC)


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
        conditions += [alerts.c.first_seen_at >= wanted.since, alerts.c.id >= _first_id(wanted.since)]
    if wanted.until is not None:
        conditions += [alerts.c.first_seen_at < wanted.until, alerts.c.id < _first_id(wanted.until)]
    if wanted.search:
        conditions.append(alerts.c.message.icontains(wanted.search, autoescape=True))
    if wanted.services is not None:
        conditions.append(await _of_services(session, wanted.services))
    if wanted.teams is not None:
        conditions.append(alerts.c.service_id.in_(homes.ids_of_teams(wanted.teams)))
    return conditions


async def _of_services(session: AsyncConnection, names: Collection[str]) -> ColumnElement[bool]:
    # Looked up beforehand: by ids and by names of what is not registered, indexes are entered.
    found = await services_by_name(session, names)
    unknown = sorted({name_key(name) for name in names} - found.keys())
    parts: list[ColumnElement[bool]] = []
    if found or not unknown:
        parts.append(alerts.c.service_id.in_(sorted(service.id for service in found.values())))
    if unknown:
        parts.append(and_(_UNREGISTERED, alerts.c.service_key.in_(unknown)))
    return or_(*parts)


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


def _first_id(instant: datetime) -> UUID:
    """The lowest id of an alert that was first seen then: by it, the primary key is entered at an instant."""
    return uuid7(max(instant, _FIRST_IDS), lambda _bits: 0)
