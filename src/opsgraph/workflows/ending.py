"""What sources and time end: alerts, and by policy the incidents all of whose alerts have ended."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from opsgraph.domains.alerts.commands import resolving
from opsgraph.domains.alerts.model import Alert, AlertPolicy, ResolvedBy
from opsgraph.domains.alerts.queries import firing
from opsgraph.domains.alerts.rules.absorbing import Folded, Known
from opsgraph.domains.incidents.commands import correlating, transitions
from opsgraph.domains.incidents.model import Incident, IncidentStatus, Slot
from opsgraph.domains.incidents.queries import incidents as incident_queries
from opsgraph.domains.incidents.rules.transitions import ALLOWED
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.correlating import Locked

AUTO_RESOLVED = {"reason": "all of its alerts have ended"}
AT_ONCE = timedelta(0)


async def slots_of_ending(tx: Tx, going: Collection[Known], policy: AlertPolicy) -> set[Slot]:
    """The slots to lock before these alerts end: those of the incidents that may end with them."""
    ids = {known.incident_id for known in going if known.incident_id is not None}
    if policy.auto_resolve != AT_ONCE or not ids:
        return set()
    found = await incident_queries.incidents_by_id(tx.connection, ids)
    return {Slot(incident.service_key, incident.severity) for incident in found.values()}


async def end(
    tx: Tx,
    reporters: Mapping[UUID, str],
    by: ResolvedBy,
    locked: Locked,
    policy: AlertPolicy,
    ends: Mapping[UUID, datetime] | None = None,
) -> list[Alert]:
    """End alerts and tell it in the timelines of their incidents, which end as well if the policy says so at once.

    Args:
        tx: the transaction.
        reporters: on whose word each alert ends, by its id.
        by: what ends them.
        locked: their incidents.
        policy: whether an incident ends with its last alert.
        ends: when their source says that they ended, where it does.
    """
    ended = await resolving.resolve(tx, reporters, by, ends)
    of_incidents: dict[UUID, list[UUID]] = {}
    for alert in ended:
        if alert.incident_id is not None:
            of_incidents.setdefault(alert.incident_id, []).append(alert.id)
    await correlating.tell_resolved(tx, {id_: (ids, reporters[ids[0]]) for id_, ids in of_incidents.items()})
    if policy.auto_resolve == AT_ONCE:
        locked.note(await end_incidents(tx, [locked.incidents[id_] for id_ in of_incidents if id_ in locked.incidents]))
    return ended


async def end_incidents(tx: Tx, candidates: Collection[Incident]) -> list[Incident]:
    """Resolve those of these incidents, whose slots and rows are locked, of which no alert fires; gives those."""
    still = await firing.incidents_with_firing_alerts(tx.connection, [incident.id for incident in candidates])
    over = [i for i in candidates if i.id not in still and i.status is not IncidentStatus.RESOLVED]
    return await transitions.move_all(tx, over, IncidentStatus.RESOLVED, by="system", detail=AUTO_RESOLVED)


async def acknowledge(
    tx: Tx, called: Mapping[str, tuple[Folded, Known]], locked: Locked
) -> dict[str, tuple[Folded, Incident]]:
    """Acknowledge the incidents of alerts whose source says that someone has seen them.

    What is acknowledged already, or further on, stays as it is.

    Returns:
        the reports that found an open incident, by fingerprint, with the incident as it is then.
    """
    open_: dict[str, tuple[Folded, Incident]] = {}
    calling: dict[UUID, str] = {}
    for fingerprint, (folded, known) in called.items():
        incident = locked.incidents.get(known.incident_id) if known.incident_id else None
        if incident is not None and incident.status is not IncidentStatus.RESOLVED:
            open_[fingerprint] = (folded, incident)
            if IncidentStatus.ACKNOWLEDGED in ALLOWED[incident.status]:
                calling.setdefault(incident.id, folded.report.reporter)
    seen = [(locked.incidents[id_], by) for id_, by in calling.items()]
    locked.note(await transitions.move_each(tx, seen, IncidentStatus.ACKNOWLEDGED))
    return {name: (folded, locked.incidents[incident.id]) for name, (folded, incident) in open_.items()}
