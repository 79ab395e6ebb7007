"""Tables of the governance domain."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from opsgraph.storage.columns import Instant, KeyText, table_of


class GovernanceCheckRow(SQLModel, table=True):
    """Whether a service passes one check.

    The keys are not listed in a CHECK: a new check is an entry in the rules, not a migration.
    """

    __tablename__ = "governance_check"
    __table_args__ = (
        CheckConstraint("length(check_key) BETWEEN 1 AND 63", name="check_key"),
        UniqueConstraint("service_id", "check_key"),
    )

    id: UUID = Field(primary_key=True)
    service_id: UUID = Field(foreign_key="service.id")
    check_key: str = Field(sa_type=KeyText)
    passed: bool
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class GovernanceDutyRow(SQLModel, table=True):
    """A check that the organisation added to the built-in ones, or how it changed one of them."""

    __tablename__ = "governance_duty"
    __table_args__ = (CheckConstraint("length(key) BETWEEN 1 AND 63", name="key"),)

    id: UUID = Field(primary_key=True)
    key: str = Field(sa_type=KeyText, unique=True)
    description: str
    evidence: str
    enabled: bool = True
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class GovernanceImpliedRow(SQLModel, table=True):
    """A check that a service passes by what it declares, unless an answer was recorded."""

    __tablename__ = "governance_implied"

    service_id: UUID = Field(primary_key=True, foreign_key="service.id")
    check_key: str = Field(primary_key=True, sa_type=KeyText)


governance_duties = table_of(GovernanceDutyRow)
governance_implied = table_of(GovernanceImpliedRow)
governance_checks = table_of(GovernanceCheckRow)
