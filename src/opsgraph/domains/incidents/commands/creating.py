"""Opening incidents by hand."""

from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.incidents.commands import correlating, slots
from opsgraph.domains.incidents.commands.correlating import Opening
from opsgraph.domains.incidents.model import Incident, IncidentChanged, IncidentEventKind, IncidentInput, Slot
from opsgraph.domains.incidents.queries.incidents import require_incident
from opsgraph.domains.incidents.rules import acceptance
from opsgraph.kernel.text import name_key
from opsgraph.storage.idempotency import first_result
from opsgraph.storage.saving import Outcome, Saved
from opsgraph.storage.transactions import Tx

SOURCE = "manual"
"""What incidents that people open name as their source."""


async def create(tx: Tx, wanted: IncidentInput) -> Saved[Incident]:
    """Open an incident of a service, whether or not another one is open; with an idempotency key, once.

    Alerts of unknown services are taken as they come, but a person who names one has mistyped it.

    Raises:
        NotFound: there is no such service.
        Invalid: the title is empty, too long or has several lines.
        Conflict: the key was used with another incident.
    """
    title = acceptance.title(wanted.title)
    service = await catalog_services.require_service(tx.connection, wanted.service, "service")
    new_id = tx.new_id()
    request = {"service": service.id, "title": title, "severity": wanted.severity}
    earlier = await first_result(tx, "createIncident", wanted.idempotency_key, request, new_id)
    if earlier is not None:
        return Saved(await require_incident(tx.connection, earlier), Outcome.UNCHANGED)
    await slots.lock(tx, [Slot(name_key(service.name), wanted.severity)])
    opening = Opening(title, service.name, service.id, wanted.severity, SOURCE, tx.actor.name, new_id)
    opened = (await correlating.open_incidents(tx, [opening]))[0]
    tx.record(IncidentChanged(IncidentEventKind.CREATED, opened))
    return Saved(opened, Outcome.CREATED)
