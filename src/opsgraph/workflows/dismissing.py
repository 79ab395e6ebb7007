"""Ending one alert by hand, whatever its incident does."""

from uuid import UUID

from opsgraph.domains.alerts.model import AlertOutcome, AlertPolicy, AlertStatus, ResolvedBy, Taken
from opsgraph.domains.alerts.queries import alerts as alert_queries
from opsgraph.domains.alerts.rules.absorbing import Known
from opsgraph.kernel.refusals import NotFound
from opsgraph.kernel.text import name_key
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.correlating import lock
from opsgraph.workflows.ending import end, slots_of_ending


async def resolve_alert(tx: Tx, alert_id: UUID, policy: AlertPolicy) -> Taken:
    """End an alert on behalf of a person: RESOLVED, or IGNORED if it had ended already.

    Its incident ends with its last alert only if the policy says so, as it does when a source ends them.

    Raises:
        NotFound: there is no such alert.
    """
    alert = (await alert_queries.alerts_by_id(tx.connection, [alert_id])).get(alert_id)
    if alert is None:
        raise NotFound("there is no alert with this id", "id")
    ended = []
    if alert.status is AlertStatus.FIRING:
        known = Known(alert.id, alert.fingerprint, alert.severity, alert.incident_id, name_key(alert.service_name))
        slots = await slots_of_ending(tx, [known], policy)
        concerned = {alert.incident_id} if alert.incident_id else set()
        locked = await lock(tx, slots, concerned, policy)
        ended = await end(tx, {alert.id: tx.actor.name}, ResolvedBy.PERSON, locked, policy)
    return Taken(AlertOutcome.RESOLVED if ended else AlertOutcome.IGNORED, alert.id, alert.incident_id)
