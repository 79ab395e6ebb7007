"""Alerts, silences and maintenance windows for tests."""

from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import insert

from opsgraph.domains.alerts.commands import silences as commands
from opsgraph.domains.alerts.model import (
    Alert,
    AlertStatus,
    MaintenanceWindow,
    MaintenanceWindowInput,
    Matcher,
    ResolvedBy,
    Severity,
    Silence,
    SilenceInput,
)
from opsgraph.domains.alerts.queries.alerts import ALERT, alert_of
from opsgraph.domains.alerts.tables import alerts
from opsgraph.kernel.ids import uuid7
from opsgraph.kernel.text import name_key
from opsgraph.storage.transactions import Tx
from tests.support.clock import START

API = (Matcher("service", "api"),)
HOUR = timedelta(hours=1)


def an_alert(service: str = "api", severity: Severity = Severity.HIGH, **values: Any) -> Alert:
    """A firing alert that no database knows, first seen at `first_seen_at`, at START if left out."""
    seen = values.get("first_seen_at", START)
    facts: dict[str, Any] = {
        "id": uuid7(seen),
        "service_name": service,
        "service_id": None,
        "severity": severity,
        "source_severity": severity.value.lower(),
        "severity_recognised": True,
        "status": AlertStatus.FIRING,
        "message": f"{service} is in trouble",
        "labels": {},
        "annotations": {},
        "source": "api",
        "source_url": None,
        "occurrences": 1,
        "starts_at": seen,
        "first_seen_at": seen,
        "last_seen_at": seen,
        "ends_at": None,
        "resolved_at": None,
        "resolved_by": None,
        "incident_id": None,
        "silenced": False,
        "flapping": False,
        **values,
    }
    return Alert(**{"fingerprint": facts["id"].hex, **facts})


async def make_alert(tx: Tx, service: str = "api", severity: Severity = Severity.HIGH, **values: Any) -> Alert:
    """An alert of that service, registered or not, beneath the rules; `values` as in `Alert`."""
    alert = an_alert(service, severity, **{"id": tx.new_id(), "first_seen_at": tx.now, **values})
    row = {name: getattr(alert, name) for name in Alert.__slots__}
    texts = {name: orjson.dumps(row[name]).decode() for name in ("labels", "annotations")}
    statement = insert(alerts).values({**row, **texts, "service_key": name_key(service)}).returning(*ALERT)
    return alert_of((await tx.connection.execute(statement)).one())


def ended(at: datetime = START, by: ResolvedBy = ResolvedBy.SOURCE) -> dict[str, Any]:
    """The values of an alert that ended."""
    return {"status": AlertStatus.RESOLVED, "resolved_at": at, "resolved_by": by}


async def make_silence(tx: Tx, matchers: tuple[Matcher, ...] = API, **values: Any) -> Silence:
    """A silence of an hour from now; `values` as in `SilenceInput`."""
    wanted = {"reason": "known", "ends_at": tx.now + HOUR, **values}
    return await commands.create_silence(tx, SilenceInput(matchers, **wanted))


async def make_window(tx: Tx, *services: str, **values: Any) -> MaintenanceWindow:
    """A maintenance window of an hour from now; `values` as in `MaintenanceWindowInput`."""
    wanted = {"services": services, "reason": "planned", "ends_at": tx.now + HOUR, **values}
    return await commands.save_maintenance_window(tx, MaintenanceWindowInput(**wanted))
