"""What time does to alerts: ends pass, silences end, incidents whose alerts have all ended resolve themselves."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from opsgraph.domains.alerts.commands import absorbing
from opsgraph.domains.alerts.model import Alert, AlertChanged, AlertEventKind, AlertStatus, ResolvedBy
from opsgraph.domains.alerts.queries import firing, silences
from opsgraph.domains.alerts.queries.alerts import alerts_by_id
from opsgraph.domains.alerts.rules.silencing import CompiledSilences
from opsgraph.domains.incidents.model import IncidentStatus, Slot
from opsgraph.domains.incidents.queries import incidents as incident_queries
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.correlating import Alerting, lock, slot_of
from opsgraph.workflows.ending import end, end_incidents, slots_of_ending
from opsgraph.workflows.joining import join

AT_ONCE = 500
"""How many alerts or incidents one transaction settles."""

_BY = "system"


async def end_what_is_over(tx: Tx, alerting: Alerting) -> int:
    """End the alerts whose time is over; gives how many there were."""
    policy = alerting.policy
    over = await firing.over_by(tx.connection, tx.now, policy.resolve_timeout, AT_ONCE)
    if not over:
        return 0
    wanted = await slots_of_ending(tx, over, policy)
    locked = await lock(tx, wanted, {known.incident_id for known in over if known.incident_id}, policy)
    # Looked at again under the locks of their own: one may have been reported again, with a new end.
    await absorbing.lock(tx, [known.id for known in over])
    still = await firing.over_by(tx.connection, tx.now, policy.resolve_timeout, AT_ONCE)
    ids = {known.id for known in over} & {known.id for known in still}
    return len(await end(tx, dict.fromkeys(sorted(ids), _BY), ResolvedBy.TIME, locked, policy))


async def wake_what_is_silent_no_more(tx: Tx, alerting: Alerting, ids: Sequence[UUID]) -> int:
    """Let those of the silenced alerts be heard that nothing keeps quiet now; gives how many.

    They join or open an incident as if they had come only now.
    """
    quiet = CompiledSilences(
        await silences.active_silences(tx.connection, tx.now), await silences.active_windows(tx.connection, tx.now)
    )
    found = await alerts_by_id(tx.connection, ids)
    heard = [alert for alert in found.values() if _is_heard(alert, quiet, tx)]
    locked = await lock(tx, {slot_of(alert) for alert in heard}, (), alerting.policy)
    await absorbing.lock(tx, [alert.id for alert in heard])
    now = await alerts_by_id(tx.connection, [alert.id for alert in heard])
    heard = [replace(alert, silenced=False) for _, alert in sorted(now.items()) if _is_heard(alert, quiet, tx)]
    await absorbing.unsilence(tx, [alert.id for alert in heard])
    placed = await join(tx, heard, dict.fromkeys((alert.id for alert in heard), _BY), locked, alerting)
    for alert in heard:
        incident = placed.incidents.get(alert.id)
        now_heard = replace(alert, incident_id=incident.id) if incident else alert
        tx.record(AlertChanged(AlertEventKind.UNSILENCED, now_heard))
    return len(heard)


async def resolve_what_is_done(tx: Tx, after: timedelta, ids: Sequence[UUID]) -> int:
    """Resolve those of the open incidents of which the last alert ended so long ago; gives how many."""
    over = await firing.incidents_over(tx.connection, tx.now - after, ids)
    found = await incident_queries.incidents_by_id(tx.connection, over)
    open_ = [incident for incident in found.values() if incident.status is not IncidentStatus.RESOLVED]
    slots = {Slot(incident.service_key, incident.severity) for incident in open_}
    locked = await lock(tx, slots, {incident.id for incident in open_}, Alerting().policy)
    done = set(await firing.incidents_over(tx.connection, tx.now - after, [incident.id for incident in open_]))
    return len(await end_incidents(tx, [locked.incidents[id_] for id_ in sorted(done)]))


def _is_heard(alert: Alert, quiet: CompiledSilences, tx: Tx) -> bool:
    if not alert.silenced or alert.status is not AlertStatus.FIRING:
        return False
    return quiet.silencer(alert.labels, alert.service_name, alert.severity, tx.now) is None
