"""Values and events of the catalog domain."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from opsgraph.kernel.changes import UNSET, Maybe
from opsgraph.kernel.events import Event

PRODUCTION_ENVIRONMENTS = ("production", "prod")
"""The environments whose deployments count for change failure rate and the DORA keys."""


class Lifecycle(StrEnum):
    """How far a service has come."""

    EXPERIMENTAL = "EXPERIMENTAL"
    PRODUCTION = "PRODUCTION"
    DEPRECATED = "DEPRECATED"


class ServiceOrder(StrEnum):
    """Orders that the catalog itself can give; others come with a `Rank`."""

    NAME = "NAME"
    TIER = "TIER"


class DeploymentOutcome(StrEnum):
    """How a deployment ended."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Team:
    """A group of people that owns services."""

    id: UUID
    name: str
    title: str | None


@dataclass(frozen=True, slots=True)
class Home:
    """Where something belongs that names a service: the keys of the names of the service and of its team."""

    service: str
    team: str | None


@dataclass(frozen=True, slots=True)
class Link:
    """A web address that belongs to a service."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Service:
    """Something that is run and owned; `tier` goes from 1 (most critical) to 4."""

    id: UUID
    name: str
    title: str | None
    description: str | None
    tier: int
    lifecycle: Lifecycle
    team_id: UUID | None
    archived_at: datetime | None


@dataclass(frozen=True, slots=True)
class Deployment:
    """One version of a service brought to one environment."""

    id: UUID
    service_id: UUID
    version: str
    environment: str
    committed_at: datetime | None
    deployed_at: datetime
    outcome: DeploymentOutcome
    rework: bool


@dataclass(frozen=True, slots=True)
class TeamInput:
    """What `save_team` takes; `origin` is the team's identity in the catalog it was imported from."""

    name: str
    title: Maybe[str | None] = UNSET
    origin: Maybe[str | None] = UNSET


@dataclass(frozen=True, slots=True)
class ServiceInput:
    """What `save_service` takes: the natural key, and what is to change.

    `team` and `depends_on` are names; `origin` is the service's identity in the catalog it was imported from.
    """

    name: str
    title: Maybe[str | None] = UNSET
    description: Maybe[str | None] = UNSET
    team: Maybe[str | None] = UNSET
    tier: Maybe[int | None] = UNSET
    lifecycle: Maybe[Lifecycle | None] = UNSET
    tags: Maybe[list[str] | None] = UNSET
    depends_on: Maybe[list[str] | None] = UNSET
    links: Maybe[list[Link] | None] = UNSET
    origin: Maybe[str | None] = UNSET


@dataclass(frozen=True, slots=True)
class DeploymentInput:
    """What `record_deployment` takes; without `deployed_at` it happened now."""

    service: str
    version: str
    environment: str = "production"
    deployed_at: datetime | None = None
    committed_at: datetime | None = None
    failed: bool = False
    rework: bool = False
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceFilter:
    """Which services are wanted: all conditions hold, any value of a list does. None means no condition."""

    names: tuple[str, ...] | None = None
    teams: tuple[str, ...] | None = None
    tiers: tuple[int, ...] | None = None
    tags: tuple[str, ...] | None = None
    lifecycles: tuple[Lifecycle, ...] | None = None
    search: str | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True)
class ServiceEvent(Event):
    """Something happened to one service."""

    service_id: UUID


@dataclass(frozen=True, slots=True)
class ServiceSaved(ServiceEvent):
    """A service was created, changed, renamed, archived or restored."""


@dataclass(frozen=True, slots=True)
class DeploymentRecorded(ServiceEvent):
    """A version was deployed."""
