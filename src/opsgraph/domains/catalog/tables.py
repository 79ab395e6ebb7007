"""Tables of the catalog domain."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from opsgraph.domains.catalog.model import DeploymentOutcome, Lifecycle
from opsgraph.storage.columns import Instant, KeyText, between, one_of, table_of


class TeamRow(SQLModel, table=True):
    """A team."""

    __tablename__ = "team"
    __table_args__ = (CheckConstraint("length(name) BETWEEN 1 AND 200", name="name"),)

    id: UUID = Field(primary_key=True)
    name: str
    name_key: str = Field(sa_type=KeyText, unique=True)
    title: str | None = None
    origin: str | None = Field(default=None, unique=True)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class MembershipRow(SQLModel, table=True):
    """A user's membership of a team."""

    __tablename__ = "team_membership"

    team_id: UUID = Field(primary_key=True, foreign_key="team.id")
    user_id: UUID = Field(primary_key=True, foreign_key="user_account.id", index=True)


class ServiceRow(SQLModel, table=True):
    """A service; archived ones keep their name."""

    __tablename__ = "service"
    __table_args__ = (
        CheckConstraint("length(name) BETWEEN 1 AND 63", name="name"),
        between("tier", 1, 4),
        one_of("lifecycle", Lifecycle),
        Index("ix_service_tier_name_key", "tier", "name_key"),
    )

    id: UUID = Field(primary_key=True)
    name: str
    name_key: str = Field(sa_type=KeyText, unique=True)
    title: str | None = None
    description: str | None = None
    tier: int = 3
    lifecycle: str = Lifecycle.PRODUCTION.value
    team_id: UUID | None = Field(default=None, foreign_key="team.id", index=True)
    origin: str | None = Field(default=None, unique=True)
    archived_at: datetime | None = Field(default=None, sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class ServiceTagRow(SQLModel, table=True):
    """A tag of a service, in the order given."""

    __tablename__ = "service_tag"
    __table_args__ = (CheckConstraint("length(tag) BETWEEN 1 AND 63", name="tag"),)

    service_id: UUID = Field(primary_key=True, foreign_key="service.id")
    tag: str = Field(primary_key=True, index=True)
    position: int


class ServiceLinkRow(SQLModel, table=True):
    """A link of a service, in the order given."""

    __tablename__ = "service_link"

    service_id: UUID = Field(primary_key=True, foreign_key="service.id")
    position: int = Field(primary_key=True)
    title: str
    url: str


class DependencyRow(SQLModel, table=True):
    """`service_id` depends on `depends_on_id`."""

    __tablename__ = "service_dependency"
    __table_args__ = (CheckConstraint("service_id <> depends_on_id", name="not_itself"),)

    service_id: UUID = Field(primary_key=True, foreign_key="service.id")
    depends_on_id: UUID = Field(primary_key=True, foreign_key="service.id", index=True)


class DeploymentRow(SQLModel, table=True):
    """A deployment; never changed."""

    __tablename__ = "deployment"
    __table_args__ = (
        one_of("outcome", DeploymentOutcome),
        CheckConstraint("committed_at IS NULL OR committed_at <= deployed_at", name="committed_first"),
        Index("ix_deployment_service_id_deployed_at", "service_id", "deployed_at", "id"),
    )

    id: UUID = Field(primary_key=True)
    service_id: UUID = Field(foreign_key="service.id")
    version: str
    environment: str
    committed_at: datetime | None = Field(default=None, sa_type=Instant)
    deployed_at: datetime = Field(sa_type=Instant)
    outcome: str
    rework: bool = False
    created_at: datetime = Field(sa_type=Instant)


teams = table_of(TeamRow)
memberships = table_of(MembershipRow)
services = table_of(ServiceRow)
service_tags = table_of(ServiceTagRow)
service_links = table_of(ServiceLinkRow)
dependencies = table_of(DependencyRow)
deployments = table_of(DeploymentRow)
