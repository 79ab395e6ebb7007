"""Writing what becomes of incidents: their rows, an entry in each timeline, and the fact for whoever follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, update

from opsgraph.domains.incidents.commands import timeline
from opsgraph.domains.incidents.model import (
    Incident,
    IncidentChanged,
    IncidentEventKind,
    NewEntry,
    TimelineEntryType,
)
from opsgraph.domains.incidents.rules.acceptance import badness
from opsgraph.domains.incidents.tables import incidents
from opsgraph.storage.transactions import Tx

_CHANGEABLE = (
    "severity",
    "severity_rank",
    "status",
    "assignee_id",
    "version",
    "acknowledged_at",
    "resolved_at",
    "mtta_seconds",
    "mttr_seconds",
    "updated_at",
)
_UPDATE = (
    update(incidents)
    .where(incidents.c.id == bindparam("incident_id"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGEABLE})
)


@dataclass(frozen=True, slots=True)
class Change:
    """The incident as it is afterwards, what happened, who did it, and what its timeline tells of it."""

    incident: Incident
    kind: IncidentEventKind
    by: str
    detail: Mapping[str, Any]


async def write(tx: Tx, changes: Sequence[Change]) -> None:
    """Store changes of incidents, which are locked and come once each: two statements."""
    if not changes:
        return
    await tx.connection.execute(_UPDATE, [_row(change.incident) for change in changes])
    entries = [NewEntry(c.incident.id, TimelineEntryType(c.kind.value), c.by, c.detail) for c in changes]
    await timeline.append(tx, entries)
    for change in changes:
        tx.record(IncidentChanged(change.kind, change.incident))


def _row(incident: Incident) -> dict[str, Any]:
    return {
        "incident_id": incident.id,
        "new_severity": incident.severity.value,
        "new_severity_rank": badness(incident.severity),
        "new_status": incident.status.value,
        "new_assignee_id": incident.assignee_id,
        "new_version": incident.version,
        "new_acknowledged_at": incident.acknowledged_at,
        "new_resolved_at": incident.resolved_at,
        "new_mtta_seconds": incident.mtta_seconds,
        "new_mttr_seconds": incident.mttr_seconds,
        "new_updated_at": incident.updated_at,
    }
