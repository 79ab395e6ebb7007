"""Tables of the alerts domain."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, Index, Text, literal_column, text
from sqlmodel import Field, SQLModel

from opsgraph.domains.alerts.model import AlertStatus, ResolvedBy, Severity
from opsgraph.storage.columns import Instant, KeyText, one_of, table_of

_FIRING = text("status = 'FIRING'")
_SILENCED = text("status = 'FIRING' AND silenced")
_BY_PERSON = text("resolved_by = 'PERSON'")
_UNREGISTERED = text("service_id IS NULL")


class AlertRow(SQLModel, table=True):
    """An alert: one episode of one fingerprint, from its first firing to its end.

    No index has a column that a repeat changes (occurrences, last_seen_at, ends_at), so that repeats stay in place.
    """

    __tablename__ = "alert"
    __table_args__ = (
        one_of("severity", Severity),
        one_of("status", AlertStatus),
        CheckConstraint("occurrences >= 1", name="occurrences"),
        CheckConstraint("(status = 'RESOLVED') = (resolved_at IS NOT NULL)", name="resolved_at"),
        one_of("resolved_by", ResolvedBy),
        Index("uq_alert_firing", "fingerprint", unique=True, sqlite_where=_FIRING, postgresql_where=_FIRING),
        Index("ix_alert_status", "status", "id"),
        Index("ix_alert_incident_id", "incident_id", "id"),
        Index("ix_alert_service_id", "service_id", "id"),
        Index("ix_alert_silenced", "id", sqlite_where=_SILENCED, postgresql_where=_SILENCED),
        Index("ix_alert_ended", "fingerprint", "resolved_at", sqlite_where=_BY_PERSON, postgresql_where=_BY_PERSON),
        Index("ix_alert_unregistered", "service_key", sqlite_where=_UNREGISTERED, postgresql_where=_UNREGISTERED),
        {"postgresql_with": {"fillfactor": 80}},  # room for repeats to stay in place
    )

    id: UUID = Field(primary_key=True)
    fingerprint: str = Field(sa_type=KeyText)
    service_name: str
    service_key: str = Field(sa_type=KeyText)
    service_id: UUID | None = Field(default=None, foreign_key="service.id")
    severity: str
    source_severity: str | None = None
    severity_recognised: bool = True
    status: str = AlertStatus.FIRING.value
    message: str = Field(sa_type=Text)
    labels: str = Field(default="{}", sa_type=Text)
    annotations: str = Field(default="{}", sa_type=Text)
    source: str
    source_url: str | None = None
    occurrences: int = 1
    starts_at: datetime = Field(sa_type=Instant)
    first_seen_at: datetime = Field(sa_type=Instant)
    last_seen_at: datetime = Field(sa_type=Instant)
    ends_at: datetime | None = Field(default=None, sa_type=Instant)
    resolved_at: datetime | None = Field(default=None, sa_type=Instant)
    resolved_by: str | None = None
    incident_id: UUID | None = Field(default=None, foreign_key="incident.id")
    silenced: bool = False
    flapping: bool = False


class SilenceRow(SQLModel, table=True):
    """A silence: alerts whose labels match make no incident while it lasts."""

    __tablename__ = "silence"
    __table_args__ = (
        CheckConstraint("length(reason) BETWEEN 1 AND 10000", name="reason"),
        CheckConstraint("starts_at <= ends_at", name="starts_first"),
        Index("ix_silence_ends_at", "ends_at", "id"),
    )

    id: UUID = Field(primary_key=True)
    matchers: str = Field(sa_type=Text)
    reason: str
    created_by: str
    starts_at: datetime = Field(sa_type=Instant)
    ends_at: datetime = Field(sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class MaintenanceWindowRow(SQLModel, table=True):
    """Planned work: alerts of its services, or whose labels match, make no incident while it lasts."""

    __tablename__ = "maintenance_window"
    __table_args__ = (
        CheckConstraint("length(reason) BETWEEN 1 AND 10000", name="reason"),
        CheckConstraint("starts_at <= ends_at", name="starts_first"),
        Index("ix_maintenance_window_ends_at", "ends_at", "id"),
    )

    id: UUID = Field(primary_key=True)
    services: str = Field(default="[]", sa_type=Text)
    matchers: str = Field(default="[]", sa_type=Text)
    reason: str
    created_by: str
    exclude_from_slos: bool = False
    starts_at: datetime = Field(sa_type=Instant)
    ends_at: datetime = Field(sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


alerts = table_of(AlertRow)
FIRING: ColumnElement[Any] = literal_column("alert.status = 'FIRING'")
"""Spelt out, and without a type: with a parameter, or as a comparison, the indexes of what fires are out of reach."""

silences = table_of(SilenceRow)
maintenance_windows = table_of(MaintenanceWindowRow)
