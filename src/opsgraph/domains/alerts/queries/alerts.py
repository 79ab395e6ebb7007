"""Reads of alerts."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.alerts.model import Alert, AlertStatus, ResolvedBy, Severity
from opsgraph.domains.alerts.tables import alerts
from opsgraph.storage.rows import AnyRow, AnySelect

ALERT = tuple(alerts.c[name] for name in Alert.__slots__)
"""The columns of which `alert_of` makes an alert."""

_INSTANTS = ("starts_at", "first_seen_at", "last_seen_at", "ends_at", "resolved_at")
_ENUMS = {"severity": Severity, "status": AlertStatus, "resolved_by": ResolvedBy}
_IDS = ("id", "service_id", "incident_id")


def alert_rows() -> AnySelect:
    """A select of the columns that `alert_of` reads."""
    return select(*ALERT)


def alert_of(row: AnyRow) -> Alert:
    """Read an alert from a row that has its columns."""
    return Alert(
        row.id,
        row.fingerprint,
        row.service_name,
        row.service_id,
        Severity(row.severity),
        row.source_severity,
        row.severity_recognised,
        AlertStatus(row.status),
        row.message,
        orjson.loads(row.labels),
        orjson.loads(row.annotations),
        row.source,
        row.source_url,
        row.occurrences,
        row.starts_at,
        row.first_seen_at,
        row.last_seen_at,
        row.ends_at,
        row.resolved_at,
        None if row.resolved_by is None else ResolvedBy(row.resolved_by),
        row.incident_id,
        row.silenced,
        row.flapping,
    )


def alert_from(facts: Mapping[str, Any]) -> Alert:
    """Read back what the event log keeps of an alert."""
    values = {name: facts[name] for name in Alert.__slots__}
    values |= {name: datetime.fromisoformat(values[name]) for name in _INSTANTS if values[name] is not None}
    values |= {name: UUID(values[name]) for name in _IDS if values[name] is not None}
    values |= {name: kind(values[name]) for name, kind in _ENUMS.items() if values[name] is not None}
    return Alert(**values)


async def alerts_by_id(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Alert]:
    """Alerts by id; ids of nothing are absent."""
    return {row.id: alert_of(row) for row in await session.execute(alert_rows().where(alerts.c.id.in_(ids)))}
