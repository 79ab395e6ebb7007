"""What time does to alerts: ends pass, silences end, incidents whose alerts have all ended resolve themselves.

What may be due is looked for without a transaction, and looked at again under its locks.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.alerts.commands import absorbing
from opsgraph.domains.alerts.model import (
    Alert,
    AlertChanged,
    AlertEventKind,
    AlertPolicy,
    AlertStatus,
    MaintenanceWindow,
    ResolvedBy,
    Silence,
)
from opsgraph.domains.alerts.queries import firing, ongoing, silences
from opsgraph.domains.alerts.queries.alerts import alerts_by_id
from opsgraph.domains.alerts.rules.absorbing import Known
from opsgraph.domains.alerts.rules.silencing import CompiledSilences
from opsgraph.domains.incidents.model import IncidentStatus, Slot
from opsgraph.domains.incidents.queries import incidents as incident_queries
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.correlating import Alerting, lock, slot_of
from opsgraph.workflows.ending import end, end_incidents, slots_of_ending
from opsgraph.workflows.joining import join

AT_ONCE = 500
"""How many alerts or incidents one transaction settles."""

InForce: TypeAlias = tuple[Sequence[Silence], Sequence[MaintenanceWindow]]
"""What keeps alerts quiet at an instant."""

_BY = "system"


async def over(session: AsyncConnection, now: datetime, policy: AlertPolicy) -> list[Known]:
    """Alerts that fire though their time is over, oldest first, as many as one transaction ends."""
    return await firing.over_by(session, now, policy.resolve_timeout, AT_ONCE)


async def end_what_is_over(tx: Tx, found: Collection[Known], alerting: Alerting) -> int:
    """End those of the alerts whose time is over still; gives how many."""
    policy = alerting.policy
    slots = await slots_of_ending(tx, found, policy)
    locked = await lock(tx, slots, {known.incident_id for known in found if known.incident_id}, policy)
    ids = sorted(known.id for known in found)
    await absorbing.lock(tx, ids)
    still = await firing.over_by(tx.connection, tx.now, policy.resolve_timeout, AT_ONCE, among=ids)
    return len(await end(tx, dict.fromkeys((known.id for known in still), _BY), ResolvedBy.TIME, locked, policy))


async def in_force(session: AsyncConnection, now: datetime) -> InForce:
    """The silences and the maintenance windows that are in force."""
    return await silences.active_silences(session, now), await silences.active_windows(session, now)


async def heard_again(
    session: AsyncConnection, quiet: CompiledSilences, now: datetime, after: UUID | None
) -> tuple[list[UUID], UUID | None]:
    """The next silenced alerts that nothing keeps quiet, in the order of ids; and where to go on, if at all."""
    found = await ongoing.firing_silenced(session, AT_ONCE, after)
    heard = [alert.id for alert in found if _is_heard(alert, quiet, now)]
    return heard, found[-1].id if len(found) == AT_ONCE else None


async def hear(tx: Tx, ids: Collection[UUID], alerting: Alerting) -> int:
    """Let those of the silenced alerts be heard that nothing keeps quiet; gives how many.

    They join or open an incident as if they had come only now.
    """
    quiet = CompiledSilences(*await in_force(tx.connection, tx.now))
    found = (await alerts_by_id(tx.connection, ids)).values()
    slots = {slot_of(alert) for alert in found}
    locked = await lock(tx, slots, (), alerting.policy)
    await absorbing.lock(tx, ids)
    now_found = [alert for _, alert in sorted((await alerts_by_id(tx.connection, ids)).items())]
    # One that got another severity meanwhile is of a slot that nobody holds: it is heard the next time.
    held = [alert for alert in now_found if slot_of(alert) in slots and _is_heard(alert, quiet, tx.now)]
    heard = [replace(alert, silenced=False) for alert in held]
    await absorbing.unsilence(tx, [alert.id for alert in heard])
    placed = await join(tx, heard, dict.fromkeys((alert.id for alert in heard), _BY), locked, alerting)
    for alert in heard:
        incident = placed.incidents.get(alert.id)
        told = replace(alert, incident_id=incident.id) if incident else alert
        tx.record(AlertChanged(AlertEventKind.UNSILENCED, told))
    return len(heard)


async def done(session: AsyncConnection, now: datetime, policy: AlertPolicy) -> list[UUID]:
    """Open incidents whose alerts have all ended for as long as the policy says, as many as are resolved at once."""
    found: list[UUID] = []
    after: UUID | None = None
    while policy.auto_resolve is not None and len(found) < AT_ONCE:
        among = await incident_queries.open_with_alerts(session, AT_ONCE, after)
        found += await firing.incidents_over(session, now - policy.auto_resolve, among)
        if len(among) < AT_ONCE:
            break
        after = among[-1]
    return found[:AT_ONCE]


async def resolve_what_is_done(tx: Tx, ids: Collection[UUID], policy: AlertPolicy) -> int:
    """Resolve those of the incidents that are open and whose alerts have all ended for so long; gives how many."""
    found = await incident_queries.incidents_by_id(tx.connection, ids)
    open_ = {id_: i for id_, i in found.items() if i.status is not IncidentStatus.RESOLVED}
    slots = {Slot(incident.service_key, incident.severity) for incident in open_.values()}
    locked = await lock(tx, slots, open_.keys(), policy)
    since = tx.now - (policy.auto_resolve or timedelta(0))
    still = await firing.incidents_over(tx.connection, since, open_.keys())
    return len(await end_incidents(tx, [locked.incidents[id_] for id_ in sorted(still)]))


def _is_heard(alert: Alert, quiet: CompiledSilences, now: datetime) -> bool:
    if not alert.silenced or alert.status is not AlertStatus.FIRING:
        return False
    return quiet.silencer(alert.labels, alert.service_name, alert.severity, now) is None
