"""Giving an incident to alerts that were stored without one: because a silence ended, or because they got worse."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from opsgraph.domains.alerts.commands import absorbing
from opsgraph.domains.alerts.model import Alert
from opsgraph.domains.alerts.rules.absorbing import makes_incident
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.correlating import Alerting, Locked, Placed, place
from opsgraph.workflows.followers import follow


async def join(
    tx: Tx, alerts: Sequence[Alert], reporters: Mapping[UUID, str], locked: Locked, alerting: Alerting
) -> Placed:
    """Place those of the alerts that belong to an incident and have none, as if they had come only now.

    Args:
        tx: the transaction.
        alerts: alerts that fire, none of them silenced any more; locked, or their slots are.
        reporters: who reported each, by its id.
        locked: what `correlating.lock` locked, for their slots.
        alerting: how.
    """
    waiting = [alert for alert in alerts if alert.incident_id is None and makes_incident(alert, alerting.policy)]
    placed = await place(tx, waiting, reporters, locked)
    await absorbing.give_incidents(tx, {id_: incident.id for id_, incident in placed.incidents.items()})
    await follow(tx, alerting.followers, placed.opened)
    return placed
