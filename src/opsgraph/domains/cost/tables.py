"""Tables of the cost domain."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from opsgraph.storage.columns import Amount, Instant, KeyText, table_of


def _month() -> CheckConstraint:
    return CheckConstraint(
        "length(month) = 7 AND month >= '1970-01' AND month <= '2199-12' "
        "AND substr(month, 5, 1) = '-' AND substr(month, 6, 2) BETWEEN '01' AND '12'",
        name="month",
    )


def _currency() -> CheckConstraint:
    return CheckConstraint("length(currency) = 3 AND currency = upper(currency)", name="currency")


class CostOriginRow(SQLModel, table=True):
    """Where contributions come from; the row that imports of the same origin lock."""

    __tablename__ = "cost_origin"
    __table_args__ = (CheckConstraint("length(name) BETWEEN 1 AND 500", name="name"),)

    id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=KeyText, unique=True)
    created_at: datetime = Field(sa_type=Instant)


class CostContributionRow(SQLModel, table=True):
    """What one origin says a service cost in a month."""

    __tablename__ = "cost_contribution"
    __table_args__ = (_month(), _currency(), UniqueConstraint("service_id", "month", "currency", "origin_id"))

    id: UUID = Field(primary_key=True)
    service_id: UUID = Field(foreign_key="service.id")
    month: str = Field(sa_type=KeyText)
    currency: str = Field(sa_type=KeyText)
    origin_id: UUID = Field(foreign_key="cost_origin.id", index=True)
    billed: Decimal = Field(sa_type=Amount)
    effective: Decimal | None = Field(default=None, sa_type=Amount)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class CostUnallocatedRow(SQLModel, table=True):
    """What one origin says was spent in a month and could not be given to a service."""

    __tablename__ = "cost_unallocated"
    __table_args__ = (_month(), _currency(), UniqueConstraint("month", "currency", "origin_id"))

    id: UUID = Field(primary_key=True)
    month: str = Field(sa_type=KeyText)
    currency: str = Field(sa_type=KeyText)
    origin_id: UUID = Field(foreign_key="cost_origin.id", index=True)
    billed: Decimal = Field(sa_type=Amount)
    effective: Decimal | None = Field(default=None, sa_type=Amount)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class CostBudgetRow(SQLModel, table=True):
    """What a service may cost a month."""

    __tablename__ = "cost_budget"
    # On SQLite amounts are text, and a text with a minus sign sorts before '0': the CHECK means the same on both.
    __table_args__ = (CheckConstraint("amount >= 0", name="amount"), _currency())

    id: UUID = Field(primary_key=True)
    service_id: UUID = Field(foreign_key="service.id", unique=True)
    amount: Decimal = Field(sa_type=Amount)
    currency: str = Field(sa_type=KeyText)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


origins = table_of(CostOriginRow)
contributions = table_of(CostContributionRow)
unallocated = table_of(CostUnallocatedRow)
budgets = table_of(CostBudgetRow)
