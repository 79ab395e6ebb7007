"""Reads of incidents."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.incidents.model import Incident, IncidentStatus
from opsgraph.domains.incidents.tables import incidents
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
    """Read back what `model.incident_facts` wrote into the event log."""
    values = {name: facts[name] for name in Incident.__slots__}
    values |= {name: datetime.fromisoformat(values[name]) for name in _INSTANTS if values[name] is not None}
    values |= {name: UUID(values[name]) for name in _IDS if values[name] is not None}
    severity, status = Severity(values["severity"]), IncidentStatus(values["status"])
    return Incident(**{**values, "severity": severity, "status": status})


async def incidents_by_id(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Incident]:
    """Incidents by id; ids of nothing are absent."""
    rows = await session.execute(select(*INCIDENT).where(incidents.c.id.in_(ids)))
    return {row.id: incident_of(row) for row in rows}
