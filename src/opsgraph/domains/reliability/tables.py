"""Tables of the reliability domain."""

from datetime import datetime
from sys import float_info
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from opsgraph.storage.columns import Instant, between, table_of


class ReliabilityDeclarationRow(SQLModel, table=True):
    """What people say about the reliability of a service."""

    __tablename__ = "reliability_declaration"
    __table_args__ = (
        between("uptime_pct", 0, 100),
        between("mttr_minutes", 0, float_info.max),
        CheckConstraint("incidents_30d >= 0", name="incidents_30d"),
        between("change_failure_rate_pct", 0, 100),
    )

    id: UUID = Field(primary_key=True)
    service_id: UUID = Field(foreign_key="service.id", unique=True)
    uptime_pct: float | None = None
    mttr_minutes: float | None = None
    incidents_30d: int | None = None
    change_failure_rate_pct: float | None = None
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


declarations = table_of(ReliabilityDeclarationRow)
