"""Incidents for tests."""

from typing import Any

from sqlalchemy import insert

from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.incidents.commands import numbers
from opsgraph.domains.incidents.model import Incident
from opsgraph.domains.incidents.queries.incidents import INCIDENT, incident_of
from opsgraph.domains.incidents.rules.acceptance import badness
from opsgraph.domains.incidents.tables import incidents
from opsgraph.kernel.text import name_key
from opsgraph.storage.transactions import Tx


async def make_incident(tx: Tx, service: str = "api", severity: Severity = Severity.HIGH, **values: Any) -> Incident:
    """An incident of that service, registered or not, beneath the rules; `values` are columns."""
    row = {
        "id": tx.new_id(),
        "number": values.get("number") or (await numbers.take(tx, 1))[0],
        "title": f"{service} is in trouble",
        "service_name": service,
        "service_key": name_key(service),
        "severity": severity.value,
        "severity_rank": badness(severity),
        "created_at": tx.now,
        "updated_at": tx.now,
        **values,
    }
    return incident_of((await tx.connection.execute(insert(incidents).values(row).returning(*INCIDENT))).one())
