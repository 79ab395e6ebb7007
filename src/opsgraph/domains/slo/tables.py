"""Tables of the SLO domain."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from opsgraph.domains.slo.model import BudgetingMethod, IndicatorKind
from opsgraph.kernel.windows import CalendarWindow
from opsgraph.storage.columns import Instant, KeyText, between, one_of, table_of

_SLICES = ", ".join(str(minutes * 60) for minutes in range(1, 61) if 60 % minutes == 0)


def _inner_pct(column: str) -> CheckConstraint:
    return CheckConstraint(f"{column} > 0 AND {column} < 100", name=column)


class SloRow(SQLModel, table=True):
    """An SLO as defined; `source` is JSON that only its export reads."""

    __tablename__ = "slo"
    __table_args__ = (
        UniqueConstraint("service_id", "name_key"),
        Index("ix_slo_name_key_id", "name_key", "id"),
        CheckConstraint("length(name) BETWEEN 1 AND 200", name="name"),
        one_of("indicator", IndicatorKind),
        one_of("budgeting_method", BudgetingMethod),
        one_of("calendar", CalendarWindow),
        _inner_pct("target"),
        CheckConstraint("slice_target > 0 AND slice_target <= 100", name="slice_target"),
        between("declared", 0, 100),
        between("window_days", 1, 90),
        CheckConstraint("latency_threshold_ms > 0", name="latency_threshold_ms"),
        CheckConstraint(f"slice_seconds IN ({_SLICES})", name="slice_seconds"),
        CheckConstraint("(window_days IS NULL) <> (calendar IS NULL)", name="one_window"),
        CheckConstraint("(calendar IS NULL) = (time_zone IS NULL)", name="time_zone"),
        CheckConstraint("declared IS NULL OR indicator = 'DECLARED'", name="declared_only"),
        CheckConstraint("indicator <> 'LATENCY_UNDER' OR latency_threshold_ms IS NOT NULL", name="threshold_needed"),
        CheckConstraint("budgeting_method <> 'TIMESLICES' OR slice_target IS NOT NULL", name="slice_target_needed"),
    )

    id: UUID = Field(primary_key=True)
    service_id: UUID = Field(foreign_key="service.id")
    name: str
    name_key: str = Field(sa_type=KeyText)
    description: str | None = None
    target: float
    indicator: str
    declared: float | None = None
    latency_threshold_ms: float | None = None
    window_days: int | None = None
    calendar: str | None = None
    time_zone: str | None = None
    budgeting_method: str
    slice_target: float | None = None
    slice_seconds: int | None = None
    good_query: str | None = None
    total_query: str | None = None
    source: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class SloStateRow(SQLModel, table=True):
    """An SLO as last judged; every SLO has one."""

    __tablename__ = "slo_state"
    __table_args__ = (
        CheckConstraint("(current IS NULL) = (is_met IS NULL)", name="known_whole"),
        between("current", 0, 100),
        between("coverage_pct", 0, 100),
    )

    slo_id: UUID = Field(primary_key=True, foreign_key="slo.id")
    current: float | None = None
    is_met: bool | None = None
    budget_remaining_pct: float | None = None
    budget_remaining_signed_pct: float | None = None
    budget_remaining_minutes: float | None = None
    burn_rate: float | None = None
    exhausts_at: datetime | None = Field(default=None, sa_type=Instant)
    coverage_pct: float
    evaluated_at: datetime = Field(sa_type=Instant)


class SloTargetRow(SQLModel, table=True):
    """A target and since when it applies."""

    __tablename__ = "slo_target"
    __table_args__ = (_inner_pct("target"),)

    slo_id: UUID = Field(primary_key=True, foreign_key="slo.id")
    since: datetime = Field(primary_key=True, sa_type=Instant)
    target: float


class SloMinuteRow(SQLModel, table=True):
    """Events reported for one minute, which is counted from 1970-01-01T00:00Z; minutes without events have no row."""

    __tablename__ = "slo_minute"
    __table_args__ = (
        CheckConstraint("total > 0 AND good >= 0 AND good <= total", name="events"),
        {"sqlite_with_rowid": False},
    )

    slo_id: UUID = Field(primary_key=True, foreign_key="slo.id")
    minute: int = Field(primary_key=True)
    good: float
    total: float


class SloHourRow(SQLModel, table=True):
    """What the minutes of one hour, which is counted from 1970-01-01T00:00Z, add up to."""

    __tablename__ = "slo_hour"
    __table_args__ = (
        CheckConstraint("total > 0 AND good >= 0 AND good <= total", name="events"),
        between("minutes", 1, 60),
        CheckConstraint("good_slices >= 0 AND good_slices <= slices AND slices <= minutes", name="slices"),
        CheckConstraint("ratio_sum >= 0 AND ratio_sum <= slices", name="ratio_sum"),
        {"sqlite_with_rowid": False},
    )

    slo_id: UUID = Field(primary_key=True, foreign_key="slo.id")
    hour: int = Field(primary_key=True)
    good: float
    total: float
    minutes: int
    good_slices: int
    slices: int
    ratio_sum: float


slos = table_of(SloRow)
slo_states = table_of(SloStateRow)
slo_targets = table_of(SloTargetRow)
slo_minutes = table_of(SloMinuteRow)
slo_hours = table_of(SloHourRow)
