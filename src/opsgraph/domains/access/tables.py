"""Tables of the access domain."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text
from sqlmodel import Field, SQLModel

from opsgraph.storage.columns import Instant, KeyText, table_of


class UserAccount(SQLModel, table=True):
    """A person who is a member of teams, is on call, or acts."""

    __tablename__ = "user_account"
    __table_args__ = (CheckConstraint("length(name) BETWEEN 1 AND 200", name="name"),)

    id: UUID = Field(primary_key=True)
    name: str
    name_key: str = Field(sa_type=KeyText, unique=True)
    email: str | None = None
    time_zone: str | None = None
    active: bool = True
    origin: str | None = Field(default=None, unique=True)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class ApiKeyRow(SQLModel, table=True):
    """A key: what it may do, and the SHA-256 of its secret, which is shown once and kept nowhere.

    `routing_hash` is that of the part of the secret by which senders that have room for no more are known.
    """

    __tablename__ = "api_key"
    __table_args__ = (CheckConstraint("length(name) BETWEEN 1 AND 200", name="name"),)

    id: UUID = Field(primary_key=True)
    name: str
    name_key: str = Field(sa_type=KeyText, unique=True)
    roles: str
    prefix: str
    secret_hash: str = Field(sa_type=KeyText, unique=True)
    routing_hash: str | None = Field(default=None, sa_type=KeyText, unique=True)
    service_id: UUID | None = Field(default=None, foreign_key="service.id")
    created_by: str
    expires_at: datetime | None = Field(default=None, sa_type=Instant)
    last_used_at: datetime | None = Field(default=None, sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class AuditRow(SQLModel, table=True):
    """An act that needs a right, done or denied; append-only. `detail` is a JSON object."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_actor_key", "actor_key", "id"),)

    id: UUID = Field(primary_key=True)
    actor: str
    actor_key: str = Field(sa_type=KeyText)
    action: str
    allowed: bool
    detail: str = Field(default="{}", sa_type=Text)
    address: str | None = None
    recorded_at: datetime = Field(sa_type=Instant)


api_keys = table_of(ApiKeyRow)
audit = table_of(AuditRow)
users = table_of(UserAccount)
