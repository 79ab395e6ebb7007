"""The status machine of incidents, and the times that it measures.

    OPEN -> ACKNOWLEDGED -> IN_PROGRESS -> RESOLVED; any of them may be left out, none is gone back to.

Targets, shown wherever the times are: MTTA is good under 5 minutes and bad over 30; MTTR of a critical incident is good
under 1 hour and bad over 4.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from opsgraph.domains.incidents.model import Incident, IncidentStatus
from opsgraph.kernel.refusals import Conflict

ALLOWED: Mapping[IncidentStatus, tuple[IncidentStatus, ...]] = {
    IncidentStatus.OPEN: (IncidentStatus.ACKNOWLEDGED, IncidentStatus.IN_PROGRESS, IncidentStatus.RESOLVED),
    IncidentStatus.ACKNOWLEDGED: (IncidentStatus.IN_PROGRESS, IncidentStatus.RESOLVED),
    IncidentStatus.IN_PROGRESS: (IncidentStatus.RESOLVED,),
    IncidentStatus.RESOLVED: (),
}
"""Where an incident may move from each status."""

_TICK = timedelta(microseconds=1)


def transition(incident: Incident, wish: IncidentStatus, now: datetime) -> Incident:
    """The incident as it is after a move; the same incident if that is where it stands already.

    The first move to ACKNOWLEDGED or IN_PROGRESS makes `mtta_seconds`, the move to RESOLVED `mttr_seconds`; one that is
    resolved straight from OPEN has both alike. Clocks of replicas differ: no time is negative, and none is before
    the one that it follows.

    Raises:
        Conflict: the status machine does not allow it; tells from where, to where, and what is allowed.
    """
    if wish is incident.status:
        return incident
    if wish not in ALLOWED[incident.status]:
        raise _illegal(incident, wish)
    if wish is IncidentStatus.RESOLVED:
        return next_version(incident, now, status=wish, **_resolved(incident, now))
    return next_version(incident, now, status=wish, **_acknowledged(incident, now))


def next_version(incident: Incident, now: datetime, **values: Any) -> Incident:
    """The incident with other values: each change raises its version and is later than the one before."""
    later = max(now, incident.updated_at + _TICK)
    return replace(incident, **values, version=incident.version + 1, updated_at=later)


def refuse_resolved(incident: Incident, change: str) -> None:
    """Let pass what is not resolved yet.

    Raises:
        Conflict: a resolved incident keeps its severity and whoever it is assigned to.
    """
    if incident.status is IncidentStatus.RESOLVED:
        raise Conflict(
            f"incident {incident.number} is resolved; {change} changes no more",
            details={"status": incident.status.value},
        )


def _acknowledged(incident: Incident, now: datetime) -> dict[str, Any]:
    if incident.acknowledged_at is not None:
        return {}
    at = max(now, incident.created_at)
    return {"acknowledged_at": at, "mtta_seconds": (at - incident.created_at).total_seconds()}


def _resolved(incident: Incident, now: datetime) -> dict[str, Any]:
    at = max(now, incident.acknowledged_at or incident.created_at)
    seconds = (at - incident.created_at).total_seconds()
    mtta = seconds if incident.mtta_seconds is None else incident.mtta_seconds
    return {"resolved_at": at, "mttr_seconds": seconds, "mtta_seconds": mtta}


def _illegal(incident: Incident, wish: IncidentStatus) -> Conflict:
    allowed = [status.value for status in ALLOWED[incident.status]]
    return Conflict(
        f"incident {incident.number} is {incident.status.value} and cannot become {wish.value}; "
        f"allowed: {', '.join(allowed) or 'nothing'}",
        details={"from": incident.status.value, "to": wish.value, "allowed": allowed},
    )
