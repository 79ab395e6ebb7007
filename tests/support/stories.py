"""The whole story of incidents, as their timelines tell it, beside what is stored."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select

from opsgraph.domains.access.tables import users
from opsgraph.domains.alerts.model import Alert, AlertStatus
from opsgraph.domains.incidents.model import Incident, IncidentStatus
from opsgraph.domains.incidents.tables import notes, timeline
from tests.support.intake import Desk

COUNTED = {"STATUS_CHANGED", "SEVERITY_CHANGED", "ASSIGNED", "NOTED"}
"""What raises an incident's version."""


@dataclass(frozen=True, slots=True)
class Story:
    """What can be told of an incident, once from its timeline and once from what is stored."""

    status: str
    severity: str
    assignee: str | None
    notes: frozenset[str]
    alerts: int
    firing: int
    version: int


@dataclass(frozen=True, slots=True)
class Stored:
    """All incidents and alerts at one moment."""

    incidents: dict[UUID, Incident]
    alerts: dict[UUID, Alert]

    def alerts_of(self, incident_id: UUID) -> set[UUID]:
        """The ids of an incident's alerts."""
        return {alert.id for alert in self.alerts.values() if alert.incident_id == incident_id}


async def look(desk: Desk) -> Stored:
    """Everything as it is now."""
    incidents, alerts = await desk.incidents(), await desk.alerts()
    return Stored({incident.id: incident for incident in incidents}, {alert.id: alert for alert in alerts})


async def assert_told(desk: Desk, stored: Stored) -> None:
    """Each timeline by itself leads to the incident as it is; its times are in order."""
    told = await _told(desk)
    names, written = await _names(desk), await _written(desk)
    for id_, incident in stored.incidents.items():
        firing = [a for a in stored.alerts.values() if a.incident_id == id_ and a.status is AlertStatus.FIRING]
        as_stored = Story(
            status=incident.status,
            severity=incident.severity,
            assignee=names.get(incident.assignee_id) if incident.assignee_id else None,
            notes=written.get(id_, frozenset()),
            alerts=incident.alert_count,
            firing=len(firing),
            version=incident.version,
        )
        assert as_stored == told[id_]
        assert incident.alert_count == len(stored.alerts_of(id_))
        assert 0 <= (incident.mtta_seconds or 0) <= (incident.mttr_seconds or float("inf"))
        assert (incident.status is IncidentStatus.RESOLVED) == (incident.mttr_seconds is not None)


def assert_final(before: Stored, after: Stored) -> None:
    """What was resolved is as it was, but for notes and what they do to its version; its alerts are the same."""
    for id_, was in before.incidents.items():
        if was.status is IncidentStatus.RESOLVED:
            now = after.incidents[id_]
            assert replace(now, version=was.version, updated_at=was.updated_at) == was
            assert after.alerts_of(id_) == before.alerts_of(id_)
            assert all(after.alerts[alert].status is AlertStatus.RESOLVED for alert in after.alerts_of(id_))


async def _told(desk: Desk) -> dict[UUID, Story]:
    query = select(timeline.c.incident_id, timeline.c.type, timeline.c.detail).order_by(timeline.c.id)
    found: dict[UUID, Story] = {}
    async with desk.core.database.reading() as session:
        for row in await session.execute(query):
            found[row.incident_id] = _next(found.get(row.incident_id), row.type, orjson.loads(row.detail))
    return found


def _next(story: Story | None, kind: str, detail: dict[str, Any]) -> Story:
    """The story with one more entry, which has to follow from what was told before."""
    if story is None:
        assert kind == "CREATED"
        return Story("OPEN", detail["severity"], None, frozenset(), 0, 0, 1)
    changes: dict[str, Any] = {"version": story.version + (kind in COUNTED)}
    if (changed := _CHANGED.get(kind)) is not None:
        assert getattr(story, changed) == detail["from"] != detail["to"]
        changes[changed] = detail["to"]
    if kind == "NOTED":
        changes["notes"] = story.notes | {detail["content"]}
    if kind == "ALERT_ATTACHED":
        changes |= {"alerts": story.alerts + detail["count"], "firing": story.firing + detail["count"]}
    if kind == "ALERT_RESOLVED":
        changes["firing"] = story.firing - detail["count"]
    return replace(story, **changes)


_CHANGED = {"STATUS_CHANGED": "status", "SEVERITY_CHANGED": "severity", "ASSIGNED": "assignee"}


async def _names(desk: Desk) -> dict[UUID, str]:
    async with desk.core.database.reading() as session:
        return {row.id: row.name for row in await session.execute(select(users.c.id, users.c.name))}


async def _written(desk: Desk) -> dict[UUID, frozenset[str]]:
    """The notes of each incident; all are different."""
    found: dict[UUID, frozenset[str]] = {}
    async with desk.core.database.reading() as session:
        for row in await session.execute(select(notes.c.incident_id, notes.c.content)):
            assert row.content not in found.get(row.incident_id, frozenset())
            found[row.incident_id] = found.get(row.incident_id, frozenset()) | {row.content}
    return found
