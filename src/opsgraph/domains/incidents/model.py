"""Values and events of the incidents domain."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

from opsgraph.domains.alerts.model import Severity
from opsgraph.kernel.events import Entry, Event, Topic


class IncidentStatus(StrEnum):
    """How far the work on an incident has come."""

    OPEN = "OPEN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    IN_PROGRESS = "IN_PROGRESS"
    RESOLVED = "RESOLVED"


class TimelineEntryType(StrEnum):
    """What a timeline tells."""

    CREATED = "CREATED"
    ALERT_ATTACHED = "ALERT_ATTACHED"
    ALERT_RESOLVED = "ALERT_RESOLVED"
    STATUS_CHANGED = "STATUS_CHANGED"
    ASSIGNED = "ASSIGNED"
    NOTED = "NOTED"
    SEVERITY_CHANGED = "SEVERITY_CHANGED"
    SNOOZED = "SNOOZED"
    WOKEN = "WOKEN"
    MERGED = "MERGED"
    LINKED = "LINKED"
    ESCALATED = "ESCALATED"
    NOTIFIED = "NOTIFIED"
    FAILED = "FAILED"


class IncidentEventKind(StrEnum):
    """What happened to an incident, as its feed tells it."""

    CREATED = "CREATED"
    ALERT_ATTACHED = "ALERT_ATTACHED"
    STATUS_CHANGED = "STATUS_CHANGED"
    ASSIGNED = "ASSIGNED"
    NOTED = "NOTED"
    SEVERITY_CHANGED = "SEVERITY_CHANGED"
    SNOOZED = "SNOOZED"
    WOKEN = "WOKEN"
    MERGED = "MERGED"
    ESCALATED = "ESCALATED"


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident; `mtta_seconds` and `mttr_seconds` count from its creation."""

    id: UUID
    number: int
    title: str
    service_name: str
    service_key: str
    service_id: UUID | None
    severity: Severity
    status: IncidentStatus
    source: str | None
    assignee_id: UUID | None
    alert_count: int
    version: int
    newest_alert_at: datetime | None
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    mtta_seconds: float | None
    mttr_seconds: float | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Slot:
    """A service, by the key of its name, and a severity: of these, one incident is opened at a time."""

    service_key: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One entry of an incident's timeline; `id` counts up in the order of what happened."""

    id: int
    incident_id: UUID
    type: TimelineEntryType
    actor: str
    detail: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A timeline entry that is to be written; its time is the transaction's."""

    incident_id: UUID
    type: TimelineEntryType
    actor: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Note:
    """What someone wrote about an incident."""

    id: UUID
    incident_id: UUID
    author: str
    content: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents are wanted: all conditions hold, any value of a list does. None means no condition."""

    statuses: tuple[IncidentStatus, ...] | None = None
    severities: tuple[Severity, ...] | None = None
    services: tuple[str, ...] | None = None
    teams: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    assignees: tuple[str, ...] | None = None
    unassigned: bool | None = None
    snoozed: bool | None = None
    search: str | None = None


IncidentKey: TypeAlias = UUID | int
"""What names an incident: its id or its number."""


@dataclass(frozen=True, slots=True)
class IncidentInput:
    """What `create` takes: a registered service by name."""

    service: str
    title: str
    severity: Severity
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class TransitionInput:
    """Which incident is to move, with a note, and the version it has as far as whoever asks knows."""

    incident: IncidentKey
    note: str | None = None
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class BulkTransitionInput:
    """Which incidents are to move, by number, and a note for each of them."""

    numbers: tuple[int, ...]
    note: str | None = None


@dataclass(frozen=True, slots=True)
class AssignInput:
    """Whom an incident is assigned to, by name; None: to nobody."""

    incident: IncidentKey
    user: str | None
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class SeverityInput:
    """How bad an incident is from now on, and why."""

    incident: IncidentKey
    severity: Severity
    note: str | None = None
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class NoteInput:
    """What is to be written about an incident."""

    incident: IncidentKey
    content: str
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and median of some seconds; None where there are none."""

    mean: float | None = None
    median: float | None = None


@dataclass(frozen=True, slots=True)
class IncidentStats:
    """How many incidents there were, each status and severity counted, and how long they took, in seconds."""

    by_status: Mapping[IncidentStatus, int]
    by_severity: Mapping[Severity, int]
    mtta: Spread
    mttr: Spread

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.by_status.values())


@dataclass(frozen=True, slots=True)
class Trouble:
    """What the incidents of a service come to over a window.

    Attributes:
        incidents: how many began in it.
        resolved: how many were resolved in it.
        mttr_seconds: mean time of those from creation to resolution; 0 if there are none.
        unresolved: how many are not resolved, whenever they began.
        age_seconds: mean age of those; 0 if there are none.
    """

    incidents: int = 0
    resolved: int = 0
    mttr_seconds: float = 0.0
    unresolved: int = 0
    age_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Burden:
    """What a service bears: how many of its incidents are not resolved, and of those how many are CRITICAL.

    `recent` counts those that began after an instant, whatever became of them.
    """

    unresolved: int = 0
    critical: int = 0
    recent: int = 0


class IncidentOrder(StrEnum):
    """The orders of incidents."""

    NEWEST = "NEWEST"
    OLDEST = "OLDEST"
    SEVERITY = "SEVERITY"


@dataclass(frozen=True, slots=True)
class IncidentChanged(Event):
    """Something happened to an incident; `incident` is as it was right afterwards."""

    kind: IncidentEventKind
    incident: Incident

    def entry(self) -> Entry:
        """The incident as of the event; `queries.incidents.incident_from` reads it back."""
        return Entry(Topic.INCIDENTS, self.kind.value, self.incident.id, self.incident)
