"""Tables of the readiness domain."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlmodel import Field, SQLModel

from opsgraph.domains.readiness.model.overrides import OverrideState
from opsgraph.domains.readiness.model.verdicts import ReadinessDecision
from opsgraph.storage.columns import Instant, KeyText, between, one_of, table_of

_PENDING = text("state = 'PENDING'")
_APPROVED = text("state = 'APPROVED'")
_NOT_ENDED = text("ended_at IS NULL")


class ManifestRow(SQLModel, table=True):
    """What a service declared; append-only. `declared` is a JSON object."""

    __tablename__ = "readiness_manifest"
    __table_args__ = (Index("ix_readiness_manifest_service_id", "service_id", "id"),)

    id: UUID = Field(primary_key=True)
    service_id: UUID = Field(foreign_key="service.id")
    declared: str = Field(sa_type=Text)
    declared_by: str
    created_at: datetime = Field(sa_type=Instant)


class PolicyRow(SQLModel, table=True):
    """A version of the policy as a whole, with every check; append-only. Its id is the version, counted from 1."""

    __tablename__ = "readiness_policy"
    __table_args__ = (CheckConstraint("id >= 1", name="version"),)

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    document: str = Field(sa_type=Text)
    changed_by: str
    created_at: datetime = Field(sa_type=Instant)


class VerdictRow(SQLModel, table=True):
    """What was decided about a service, by which version of the policy, from which manifest; append-only."""

    __tablename__ = "readiness_verdict"
    __table_args__ = (
        one_of("decision", ReadinessDecision),
        between("pass_rate", 0, 1),
        Index("ix_readiness_verdict_service_id", "service_id", "id"),
    )

    id: UUID = Field(primary_key=True)
    service_id: UUID = Field(foreign_key="service.id")
    decision: str
    pass_rate: float
    policy_version: int = Field(foreign_key="readiness_policy.id")
    manifest_id: UUID | None = Field(default=None, foreign_key="readiness_manifest.id")
    manifest: str = Field(sa_type=Text)
    results: str = Field(sa_type=Text)
    conditions: str = Field(sa_type=Text)
    to_go: str = Field(sa_type=Text)
    evaluated_by: str
    evaluated_at: datetime = Field(sa_type=Instant)


class StateRow(SQLModel, table=True):
    """Where a service stands now: its newest verdict, the override in force, and when to look again.

    `revision` counts what happened to its facts: an evaluation that began before the last change is not stored.
    `refusal` says why there was no verdict at the last evaluation: then there is none now.
    """

    __tablename__ = "readiness_state"
    __table_args__ = (
        one_of("decision", ReadinessDecision),
        one_of("override_decision", ReadinessDecision),
        CheckConstraint("(override_decision IS NULL) = (override_until IS NULL)", name="override"),
        CheckConstraint("(decision IS NULL) = (verdict_id IS NULL)", name="verdict"),
        Index("ix_readiness_state_due_at", "due_at"),
        Index("ix_readiness_state_decision", "decision"),
    )

    service_id: UUID = Field(primary_key=True, foreign_key="service.id")
    verdict_id: UUID | None = Field(default=None, foreign_key="readiness_verdict.id")
    decision: str | None = None
    override_decision: str | None = None
    override_until: datetime | None = Field(default=None, sa_type=Instant)
    refusal: str | None = None
    revision: int = 0
    evaluated_at: datetime | None = Field(default=None, sa_type=Instant)
    due_at: datetime = Field(sa_type=Instant)


class OverrideRow(SQLModel, table=True):
    """An override from the request to its end. `blockers` is a JSON list of names of checks."""

    __tablename__ = "readiness_override"
    __table_args__ = (
        one_of("decision", ReadinessDecision),
        one_of("state", OverrideState),
        CheckConstraint("length(reason) BETWEEN 1 AND 10000", name="reason"),
        CheckConstraint("(state = 'PENDING') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("decided_by IS NULL OR decided_by <> requested_by OR state <> 'APPROVED'", name="two_people"),
        Index("ix_readiness_override_service_id", "service_id", "id"),
        Index(
            "uq_readiness_override_pending",
            "service_id",
            unique=True,
            sqlite_where=_PENDING,
            postgresql_where=_PENDING,
        ),
        Index(
            "uq_readiness_override_approved",
            "service_id",
            unique=True,
            sqlite_where=_APPROVED,
            postgresql_where=_APPROVED,
        ),
    )

    id: UUID = Field(primary_key=True)
    service_id: UUID = Field(foreign_key="service.id")
    decision: str
    reason: str
    requested_by: str
    requested_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    state: str = OverrideState.PENDING.value
    verdict_id: UUID | None = Field(default=None, foreign_key="readiness_verdict.id")
    blockers: str = Field(default="[]", sa_type=Text)
    decided_by: str | None = None
    decided_at: datetime | None = Field(default=None, sa_type=Instant)
    note: str | None = None
    ended_by: str | None = None
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_reason: str | None = None
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class ExemptionRow(SQLModel, table=True):
    """A check that is skipped for a service, from the request to its end."""

    __tablename__ = "readiness_exemption"
    __table_args__ = (
        CheckConstraint("length(reason) BETWEEN 1 AND 10000", name="reason"),
        CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="approved"),
        CheckConstraint("approved_by <> requested_by", name="two_people"),  # or either of them is nobody
        Index("ix_readiness_exemption_service_id", "service_id", "id"),
        Index(
            "uq_readiness_exemption_check",
            "service_id",
            "check_key",
            unique=True,
            sqlite_where=_NOT_ENDED,
            postgresql_where=_NOT_ENDED,
        ),
    )

    id: UUID = Field(primary_key=True)
    service_id: UUID = Field(foreign_key="service.id")
    check_name: str
    check_key: str = Field(sa_type=KeyText)
    reason: str
    requested_by: str | None = None
    requested_at: datetime = Field(sa_type=Instant)
    ends_at: datetime = Field(sa_type=Instant)
    approved_by: str | None = None
    approved_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_by: str | None = None
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


manifests = table_of(ManifestRow)
policies = table_of(PolicyRow)
verdicts = table_of(VerdictRow)
states = table_of(StateRow)
overrides = table_of(OverrideRow)
exemptions = table_of(ExemptionRow)
