"""Tables of the health domain."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text
from sqlmodel import Field, SQLModel

from opsgraph.domains.governance.model import GovernanceStatus
from opsgraph.domains.health.model import HealthStatus
from opsgraph.storage.columns import Amount, Instant, one_of, table_of


class ServiceHealthRow(SQLModel, table=True):
    """The stored health of a service, with the figures that lists show.

    `rank` is the place of the status in the order worst first; `cost_rank` the cost as a number to sort by; `due_at`
    is when the evaluating worker looks again.
    """

    __tablename__ = "service_health"
    __table_args__ = (
        one_of("status", HealthStatus),
        one_of("composite", HealthStatus),
        one_of("telemetry", HealthStatus),
        one_of("governance", GovernanceStatus),
        CheckConstraint("slos_met + slos_unmet <= slos_total", name="slos"),
        Index("ix_service_health_rank", "rank", "service_id"),
        Index("ix_service_health_cost_rank", "cost_rank", "service_id"),
    )

    service_id: UUID = Field(primary_key=True, foreign_key="service.id")
    status: str = HealthStatus.UNKNOWN.value
    rank: int = 3
    composite: str = HealthStatus.UNKNOWN.value
    telemetry: str = HealthStatus.UNKNOWN.value
    points: int = 0
    signals: str = Field(default="[]", sa_type=Text)
    reliability_score: float | None = None
    governance: str = GovernanceStatus.NEEDS_REVIEW.value
    monthly_cost: Decimal = Field(default=Decimal(0), sa_type=Amount)
    currency: str | None = None
    other_costs: str = Field(default="[]", sa_type=Text)
    cost_rank: float = 0.0
    over_budget: bool = False
    slos_met: int = 0
    slos_unmet: int = 0
    slos_total: int = 0
    evaluated_at: datetime = Field(sa_type=Instant)
    due_at: datetime = Field(sa_type=Instant, index=True)
    updated_at: datetime = Field(sa_type=Instant)


stored = table_of(ServiceHealthRow)
