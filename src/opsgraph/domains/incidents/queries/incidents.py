"""Reads of incidents."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.incidents.model import Incident, IncidentKey, IncidentStatus
from opsgraph.domains.incidents.tables import incidents
from opsgraph.kernel.refusals import NotFound
from opsgraph.storage.rows import AnyRow

INCIDENT = tuple(incidents.c[name] for name in Incident.__slots__)
"""The columns that `incident_of` reads."""

_INSTANTS = ("newest_alert_at", "acknowledged_at", "resolved_at", "created_at", "updated_at")
_IDS = ("id", "service_id", "assignee_id")


def incident_of(row: AnyRow) -> Incident:
    """Read an incident from a row that has its columns."""
    return Incident(
        row.id,
        row.number,
        row.title,
        row.service_name,
        row.service_key,
        row.service_id,
        Severity(row.severity),
        IncidentStatus(row.status),
        row.source,
        row.assignee_id,
        row.alert_count,
        row.version,
        row.newest_alert_at,
        row.acknowledged_at,
        row.resolved_at,
        row.mtta_seconds,
        row.mttr_seconds,
        row.created_at,
        row.updated_at,
    )


def incident_from(facts: Mapping[str, Any]) -> Incident:
    """Read back what the event log keeps of an incident."""
    values = {name: facts[name] for name in Incident.__slots__}
    values |= {name: datetime.fromisoformat(values[name]) for name in _INSTANTS if values[name] is not None}
    values |= {name: UUID(values[name]) for name in _IDS if values[name] is not None}
    severity, status = Severity(values["severity"]), IncidentStatus(values["status"])
    return Incident(**{**values, "severity": severity, "status": status})


async def incidents_by_id(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Incident]:
    """Incidents by id; ids of nothing are absent."""
    rows = await session.execute(select(*INCIDENT).where(incidents.c.id.in_(ids)))
    return {row.id: incident_of(row) for row in rows}


async def incidents_by_number(session: AsyncConnection, numbers: Collection[int]) -> dict[int, Incident]:
    """Incidents by number; numbers of nothing are absent."""
    rows = await session.execute(select(*INCIDENT).where(incidents.c.number.in_(numbers)))
    return {row.number: incident_of(row) for row in rows}


async def find_incident(session: AsyncConnection, key: IncidentKey) -> Incident | None:
    """The incident with this id or number."""
    column = incidents.c.number if isinstance(key, int) else incidents.c.id
    row = (await session.execute(select(*INCIDENT).where(column == key))).one_or_none()
    return incident_of(row) if row else None


async def require_incident(session: AsyncConnection, key: IncidentKey) -> Incident:
    """The incident with this id or number.

    Raises:
        NotFound: there is none; names the field it was asked by.
    """
    found = await find_incident(session, key)
    if found is None:
        by_number = isinstance(key, int)
        raise NotFound(
            f"there is no incident {key}" if by_number else "there is no incident with this id",
            "number" if by_number else "id",
        )
    return found


async def open_with_alerts(session: AsyncConnection, limit: int, after: UUID | None = None) -> list[UUID]:
    """The incidents that are not resolved and have alerts, oldest first, behind the one with an id."""
    # Spelt out, or the partial index is out of reach.
    open_: ColumnElement[Any] = literal_column("incident.status <> 'RESOLVED'")
    behind = [] if after is None else [incidents.c.id > after]
    query = select(incidents.c.id).where(open_, incidents.c.alert_count > 0, *behind)
    return list((await session.execute(query.order_by(incidents.c.id).limit(limit))).scalars())
