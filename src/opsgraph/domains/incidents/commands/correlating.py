"""What alerts do to incidents: open one, join one, make one worse. A statement a batch, whatever its size.

Whoever calls these holds the slots (`slots.lock`) and, of incidents that exist, their rows (`locking.lock_incidents`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, literal_column, select

from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.incidents.commands import changing, numbers, timeline
from opsgraph.domains.incidents.commands.changing import Change
from opsgraph.domains.incidents.model import (
    Incident,
    IncidentEventKind,
    IncidentStatus,
    NewEntry,
    Slot,
    TimelineEntryType,
)
from opsgraph.domains.incidents.rules.acceptance import badness
from opsgraph.domains.incidents.rules.transitions import next_version
from opsgraph.domains.incidents.tables import incidents
from opsgraph.kernel.text import name_key
from opsgraph.storage.columns import Instant
from opsgraph.storage.many import among_given
from opsgraph.storage.prepared import Prepared
from opsgraph.storage.rows import AnySelect
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import insert_all, update_all

_SHOWN_ALERTS = 20


@dataclass(frozen=True, slots=True)
class Opening:
    """An incident that so many alerts open, or a person; without an id it gets a new one."""

    title: str
    service_name: str
    service_id: UUID | None
    severity: Severity
    source: str
    reporter: str
    id: UUID | None = None
    alert_count: int = 0


@dataclass(frozen=True, slots=True)
class Joined:
    """New alerts of an incident, and who reported the first of them."""

    incident: Incident
    alert_ids: Sequence[UUID]
    reporter: str


@dataclass(frozen=True, slots=True)
class Worse:
    """An incident, the severity that one of its alerts has come to, and who reported it."""

    incident: Incident
    severity: Severity
    reporter: str


async def joinable(tx: Tx, slots: Collection[Slot], since: datetime) -> dict[Slot, UUID]:
    """The open incident of each slot whose newest alert came at or after an instant; the latest, if there are several.

    An incident that a person opened counts from then until it has an alert.
    """
    service_keys, severities = {slot.service_key for slot in slots}, {slot.severity.value for slot in slots}
    rows = await _JOINABLE.run(
        tx.connection, service_keys=sorted(service_keys), severities=sorted(severities), since=since
    )
    found = {Slot(row.service_key, Severity(row.severity)): row.id for row in rows}
    return {slot: found[slot] for slot in slots if slot in found}


def _joinable(dialect: str) -> AnySelect:
    newest = func.coalesce(incidents.c.newest_alert_at, incidents.c.created_at)
    query = select(incidents.c.id, incidents.c.service_key, incidents.c.severity).where(
        literal_column("status <> 'RESOLVED'"),  # spelt out, or the partial index is out of reach
        among_given(dialect, incidents.c.service_key, "service_keys"),
        among_given(dialect, incidents.c.severity, "severities"),
        newest >= bindparam("since", type_=Instant()),
    )
    return query.order_by(newest, incidents.c.id)


_JOINABLE = Prepared(_joinable)


async def open_incidents(tx: Tx, openings: Sequence[Opening]) -> list[Incident]:
    """Open incidents, in the order given; the timelines do not tell of their alerts yet."""
    if not openings:
        return []
    taken = await numbers.take(tx, len(openings))
    opened = [_opened(tx, number, opening) for number, opening in zip(taken, openings, strict=True)]
    await insert_all(tx, incidents, [_row(incident) for incident in opened])
    details = [{"title": o.title, "severity": o.severity.value, "source": o.source} for o in openings]
    await timeline.append(
        tx,
        [
            NewEntry(incident.id, TimelineEntryType.CREATED, opening.reporter, detail)
            for incident, opening, detail in zip(opened, openings, details, strict=True)
        ],
    )
    return opened


async def attach(tx: Tx, joined: Sequence[Joined]) -> list[Incident]:
    """Count new alerts on incidents that were there before; gives the incidents as they are then."""
    if not joined:
        return []
    changed = [
        replace(
            j.incident,
            alert_count=j.incident.alert_count + len(j.alert_ids),
            newest_alert_at=tx.now,
            updated_at=max(tx.now, j.incident.updated_at),
        )
        for j in joined
    ]
    rows = [
        {"id": i.id, "alert_count": i.alert_count, "newest_alert_at": i.newest_alert_at, "updated_at": i.updated_at}
        for i in changed
    ]
    await update_all(tx, incidents, rows)
    return changed


async def tell_attached(tx: Tx, joined: Sequence[Joined]) -> None:
    """Tell in the timelines of incidents which alerts they got, from the start or later."""
    entries = [
        NewEntry(each.incident.id, TimelineEntryType.ALERT_ATTACHED, each.reporter, _told(each.alert_ids))
        for each in joined
    ]
    await timeline.append(tx, entries)


async def worsen(tx: Tx, worse: Collection[Worse]) -> list[Incident]:
    """Raise the severity of incidents whose alerts got worse; gives them as they are then."""
    changes = [
        Change(
            next_version(each.incident, tx.now, severity=each.severity),
            IncidentEventKind.SEVERITY_CHANGED,
            each.reporter,
            {"from": each.incident.severity.value, "to": each.severity.value},
        )
        for each in worse
    ]
    await changing.write(tx, changes)
    return [change.incident for change in changes]


async def tell_resolved(tx: Tx, resolved: Mapping[UUID, tuple[Sequence[UUID], str]]) -> None:
    """Tell in the timelines of incidents which of their alerts ended, and on whose word."""
    entries = [
        NewEntry(incident_id, TimelineEntryType.ALERT_RESOLVED, by, _told(alert_ids))
        for incident_id, (alert_ids, by) in resolved.items()
    ]
    await timeline.append(tx, entries)


def _told(alert_ids: Sequence[UUID]) -> dict[str, object]:
    return {"count": len(alert_ids), "alerts": [str(id_) for id_ in alert_ids[:_SHOWN_ALERTS]]}


def _opened(tx: Tx, number: int, opening: Opening) -> Incident:
    return Incident(
        id=opening.id or tx.new_id(),
        number=number,
        title=opening.title,
        service_name=opening.service_name,
        service_key=name_key(opening.service_name),
        service_id=opening.service_id,
        severity=opening.severity,
        status=IncidentStatus.OPEN,
        source=opening.source,
        assignee_id=None,
        alert_count=opening.alert_count,
        version=1,
        newest_alert_at=tx.now if opening.alert_count else None,
        acknowledged_at=None,
        resolved_at=None,
        mtta_seconds=None,
        mttr_seconds=None,
        created_at=tx.now,
        updated_at=tx.now,
    )


def _row(incident: Incident) -> dict[str, object]:
    return {
        "id": incident.id,
        "number": incident.number,
        "title": incident.title,
        "service_name": incident.service_name,
        "service_key": incident.service_key,
        "service_id": incident.service_id,
        "severity": incident.severity.value,
        "severity_rank": badness(incident.severity),
        "status": incident.status.value,
        "source": incident.source,
        "alert_count": incident.alert_count,
        "newest_alert_at": incident.newest_alert_at,
        "created_at": incident.created_at,
        "updated_at": incident.updated_at,
    }
