"""Values of the health domain, and the protocol by which a subsystem contributes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from opsgraph.domains.catalog.model import Service, ServiceEvent
from opsgraph.domains.cost.model import CostProfile
from opsgraph.domains.governance.model import Governance, GovernanceStatus
from opsgraph.domains.reliability.model import Reliability
from opsgraph.domains.slo.model import Slo
from opsgraph.kernel.events import Entry, Topic
from opsgraph.kernel.money import Money

PLUGIN_GROUP = "opsgraph.health"
"""The entry point group under which packages register a `Subsystem`."""

MOST_POINTS = 100
"""What one signal may add; more is taken for a mistake of its subsystem."""


class HealthStatus(StrEnum):
    """How a service is doing."""

    HEALTHY = "HEALTHY"
    DEGRADED = "DEGRADED"
    CRITICAL = "CRITICAL"
    DOWN = "DOWN"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Signal:
    """Points that a subsystem adds, 0 to 100, and why; more points are worse."""

    subsystem: str
    points: int
    message: str


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """All that is known about one service at one instant: what subsystems judge."""

    service: Service
    slos: Sequence[Slo]
    cost: CostProfile
    reliability: Reliability
    governance: Governance
    telemetry: HealthStatus
    now: datetime


class Subsystem(Protocol):
    """Something that has a say in a service's health.

    `evaluate` is called within a transaction, for each service whose facts may have changed: it is pure and quick, and
    does no input or output. One that raises, or gives anything but signals of 0 to 100 points, adds none; that it
    failed is shown as a signal.
    """

    name: str

    def evaluate(self, facts: ServiceFacts) -> Sequence[Signal]:
        """The points that this subsystem adds, none if all is well."""
        ...


@dataclass(frozen=True, slots=True)
class Health:
    """A service's health: the worse of what its facts (composite) and its traffic (telemetry) say."""

    status: HealthStatus
    composite: HealthStatus
    telemetry: HealthStatus
    points: int
    signals: Sequence[Signal]
    evaluated_at: datetime


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures about a service that lists and the platform report show.

    `monthly_cost` is in the currency the service is judged in, `other_costs` are in others. `slos_unmet` counts SLOs
    that are known to be missed; one without data is neither met nor unmet.
    """

    reliability_score: float | None
    governance: GovernanceStatus
    monthly_cost: Decimal
    currency: str | None
    other_costs: Sequence[Money]
    over_budget: bool
    slos_met: int
    slos_unmet: int
    slos_total: int


@dataclass(frozen=True, slots=True)
class ServiceSummary:
    """One line of the platform report."""

    service_id: UUID
    name: str
    team: str | None
    status: HealthStatus
    summary: Summary


@dataclass(frozen=True, slots=True)
class PlatformReport:
    """The state of the whole platform; amounts are rounded to two decimals."""

    by_status: dict[HealthStatus, int]
    overall: HealthStatus
    slo_breaches: int
    over_budget: int
    governance_compliant: int
    monthly_cost: Sequence[Money]
    mean_reliability_score: float

    @property
    def total_services(self) -> int:
        """How many services there are that are not archived."""
        return sum(self.by_status.values())


@dataclass(frozen=True, slots=True)
class HealthChanged(ServiceEvent):
    """A service's status is another one than before."""

    previous: HealthStatus
    current: HealthStatus

    def entry(self) -> Entry:
        """What a feed of services' health shows; the log adds when it was."""
        facts = {"previous": self.previous.value, "current": self.current.value}
        return Entry(Topic.SERVICE_HEALTH, "CHANGED", self.service_id, facts)
