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
from tests.support.api import PROBLEM, Api


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


INPUTS = {
    "createIncident": "CreateIncidentInput",
    "acknowledgeIncident": "TransitionInput",
    "startIncident": "TransitionInput",
    "resolveIncident": "TransitionInput",
    "assignIncident": "AssignIncidentInput",
    "addIncidentNote": "AddIncidentNoteInput",
    "setIncidentSeverity": "SetIncidentSeverityInput",
    "acknowledgeIncidents": "BulkTransitionInput",
    "resolveIncidents": "BulkTransitionInput",
}
"""Each mutation with the type of its input."""


async def respond(api: Api, mutation: str, selection: str = "number status version", **values: Any) -> dict[str, Any]:
    """The result of a mutation; a refusal comes with its code, message, field and details."""
    bulk = f"... on BulkIncidents {{ changed {{ {selection} }} refused {{ id problem {{ code message details }} }} }}"
    wanted = bulk if mutation.endswith("s") else f"... on Incident {{ {selection} }}"
    document = (
        f"mutation ($input: {INPUTS[mutation]}!) {{ {mutation}(input: $input) {{ __typename {wanted} {PROBLEM} }} }}"
    )
    result: dict[str, Any] = (await api.data(document, input=values))[mutation]
    return result


async def opened(api: Api, service: str = "api", severity: str = "HIGH", **values: Any) -> int:
    """Open an incident of a service that is made if need be; gives its number."""
    await api.do("saveService", name=service)
    result = await respond(
        api, "createIncident", service=service, severity=severity, title=f"{service} is in trouble", **values
    )
    number: int = result["number"]
    return number
