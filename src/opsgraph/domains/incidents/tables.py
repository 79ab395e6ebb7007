"""Tables of the incidents domain."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlmodel import Field, SQLModel

from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.incidents.model import IncidentStatus, TimelineEntryType
from opsgraph.storage.columns import Instant, KeyText, Position, one_of, table_of

_OPEN = text("status <> 'RESOLVED'")
_UNREGISTERED = text("service_id IS NULL")


class IncidentRow(SQLModel, table=True):
    """An incident; `severity_rank` is a number to sort by: the greater, the worse."""

    __tablename__ = "incident"
    __table_args__ = (
        one_of("severity", Severity),
        one_of("status", IncidentStatus),
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("length(title) BETWEEN 1 AND 1024", name="title"),
        CheckConstraint("alert_count >= 0", name="alert_count"),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("(status = 'RESOLVED') = (resolved_at IS NOT NULL)", name="resolved_at"),
        CheckConstraint("mtta_seconds <= mttr_seconds", name="mtta_first"),
        Index("ix_incident_open", "service_key", "severity", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_incident_status", "status", "id"),
        Index("ix_incident_service_id", "service_id", "id"),
        Index("ix_incident_service_id_resolved_at", "service_id", "resolved_at"),
        Index("ix_incident_assignee_id", "assignee_id", "id"),
        Index("ix_incident_severity_rank", "severity_rank", "id"),
        Index("ix_incident_unregistered", "service_key", sqlite_where=_UNREGISTERED, postgresql_where=_UNREGISTERED),
        {"postgresql_with": {"fillfactor": 80}},  # room for counts of alerts to stay in place
    )

    id: UUID = Field(primary_key=True)
    number: int = Field(unique=True)
    title: str
    service_name: str
    service_key: str = Field(sa_type=KeyText)
    service_id: UUID | None = Field(default=None, foreign_key="service.id")
    severity: str
    severity_rank: int
    status: str = IncidentStatus.OPEN.value
    source: str | None = None
    assignee_id: UUID | None = Field(default=None, foreign_key="user_account.id")
    alert_count: int = 0
    version: int = 1
    newest_alert_at: datetime | None = Field(default=None, sa_type=Instant)
    acknowledged_at: datetime | None = Field(default=None, sa_type=Instant)
    resolved_at: datetime | None = Field(default=None, sa_type=Instant)
    mtta_seconds: float | None = None
    mttr_seconds: float | None = None
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class IncidentSlotRow(SQLModel, table=True):
    """What is locked, in sorted order, by whoever opens, raises or ends incidents of a service and severity."""

    __tablename__ = "incident_slot"
    __table_args__ = (one_of("severity", Severity),)

    service_key: str = Field(primary_key=True, sa_type=KeyText)
    severity: str = Field(primary_key=True, sa_type=KeyText)
    used_at: datetime = Field(sa_type=Instant)


class TimelineRow(SQLModel, table=True):
    """What happened to an incident; append-only. Ids are counted up in the order of what happened."""

    __tablename__ = "incident_timeline"
    __table_args__ = (
        one_of("type", TimelineEntryType),
        Index("ix_incident_timeline_incident_id", "incident_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=Position)
    incident_id: UUID = Field(foreign_key="incident.id")
    type: str
    actor: str
    detail: str = Field(default="{}", sa_type=Text)
    created_at: datetime = Field(sa_type=Instant)


class NoteRow(SQLModel, table=True):
    """What someone wrote about an incident; never changed."""

    __tablename__ = "incident_note"
    __table_args__ = (
        CheckConstraint("length(content) BETWEEN 1 AND 10000", name="content"),
        Index("ix_incident_note_incident_id", "incident_id", "id"),
    )

    id: UUID = Field(primary_key=True)
    incident_id: UUID = Field(foreign_key="incident.id")
    author: str
    content: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Instant)


incidents = table_of(IncidentRow)
slots = table_of(IncidentSlotRow)
timeline = table_of(TimelineRow)
notes = table_of(NoteRow)
