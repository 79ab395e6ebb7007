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
_IDS = ("id", "service_id", "incident_id")


def alert_rows() -> AnySelect:
    """A select of the columns that `alert_of` reads."""
    return select(*ALERT)


def alert_of(row: AnyRow) -> Alert:
    """Read an alert from a row that has its columns."""
    texts = {"labels": orjson.loads(row.labels), "annotations": orjson.loads(row.annotations)}
    return _alert({**row._mapping, **texts})  # noqa: SLF001 - public name


def alert_from(facts: Mapping[str, Any]) -> Alert:
    """Read back what `model.alert_facts` wrote."""
    instants = {name: facts[name] and datetime.fromisoformat(facts[name]) for name in _INSTANTS}
    ids = {name: facts[name] and UUID(facts[name]) for name in _IDS}
    return _alert({**facts, **instants, **ids})


async def alerts_by_id(session: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Alert]:
    """Alerts by id; ids of nothing are absent."""
    return {row.id: alert_of(row) for row in await session.execute(alert_rows().where(alerts.c.id.in_(ids)))}


def _alert(values: Mapping[str, Any]) -> Alert:
    ended = values["resolved_by"]
    read = {
        "severity": Severity(values["severity"]),
        "status": AlertStatus(values["status"]),
        "resolved_by": ended and ResolvedBy(ended),
    }
    return Alert(**{name: values[name] for name in Alert.__slots__} | read)
