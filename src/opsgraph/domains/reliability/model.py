"""Values and events of the reliability domain."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from opsgraph.domains.catalog.model import ServiceEvent
from opsgraph.kernel.changes import UNSET, Maybe

WINDOW = timedelta(days=30)
"""How far back reliability looks."""


class Basis(StrEnum):
    """What a part of the score rests on."""

    MEASURED = "MEASURED"
    DECLARED = "DECLARED"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class Sample:
    """A measured value and out of how many samples it was made."""

    value: float
    size: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured over the window; None where there was nothing to measure.

    Attributes:
        uptime_pct: share of health checks passed, 0-100; samples are checks.
        mttr_minutes: mean time from an incident's creation to its resolution; samples are resolved incidents. Without
            any, the mean age of those that are open, which are its samples then; 0 if none is.
        incidents_30d: how many incidents there were; samples are incidents.
        change_failure_rate_pct: share of deployments that failed, 0-100; samples are deployments.
    """

    uptime_pct: Sample | None = None
    mttr_minutes: Sample | None = None
    incidents_30d: Sample | None = None
    change_failure_rate_pct: Sample | None = None


@dataclass(frozen=True, slots=True)
class Declared:
    """What people say, for where nothing is measured; units as in `Measured`."""

    uptime_pct: float | None = None
    mttr_minutes: float | None = None
    incidents_30d: int | None = None
    change_failure_rate_pct: float | None = None


@dataclass(frozen=True, slots=True)
class ScorePart:
    """One part of the score.

    Attributes:
        name: `uptime`, `mttr`, `incidents` or `change_failure_rate`.
        points: points reached, or None where nothing is known.
        max_points: points that can be reached.
        basis: what it rests on.
        sample_size: how many samples were measured; 0 for what is declared or unknown.
    """

    name: str
    points: int | None
    max_points: int
    basis: Basis
    sample_size: int

    @property
    def measured(self) -> bool:
        """Whether it rests on measurements."""
        return self.basis is Basis.MEASURED


@dataclass(frozen=True, slots=True)
class Reliability:
    """How reliable a service has been over 30 days.

    Attributes:
        score: 0 to 100, to one decimal; points reached of those that the known parts could reach. None where none is.
        uptime_pct: measured, else declared, else None; so are the next three, in the units of `Measured`.
        mttr_minutes: see above.
        incidents_30d: see above.
        change_failure_rate_pct: see above.
        parts: always the four, in this order.
    """

    score: float | None
    uptime_pct: float | None
    mttr_minutes: float | None
    incidents_30d: int | None
    change_failure_rate_pct: float | None
    parts: tuple[ScorePart, ...]


@dataclass(frozen=True, slots=True)
class DoraKeys:
    """The five DORA measures of a service over 30 days (https://dora.dev/guides/dora-metrics/); None without samples.

    Attributes:
        deployments_per_day: deployment frequency.
        lead_time_seconds_median: from commit to deployment, of the deployments whose commit time is known.
        change_failure_rate_pct: share of deployments that failed, 0-100.
        recovery_seconds_median: from a failed deployment to the next successful one in the same environment.
        rework_rate_pct: share of deployments that were unplanned repairs, 0-100.
        deployments: how many there were.
        failures: how many of them failed.
        lead_time_samples: how many deployments have a commit time.
        recovery_samples: how many failed deployments were followed by a successful one.
    """

    deployments_per_day: float | None
    lead_time_seconds_median: float | None
    change_failure_rate_pct: float | None
    recovery_seconds_median: float | None
    rework_rate_pct: float | None
    deployments: int
    failures: int
    lead_time_samples: int
    recovery_samples: int


@dataclass(frozen=True, slots=True)
class ReliabilityInput:
    """What `declare` takes: what was left out stays as it is, None clears; units as in `Measured`."""

    service: str
    uptime_pct: Maybe[float | None] = UNSET
    mttr_minutes: Maybe[float | None] = UNSET
    incidents_30d: Maybe[int | None] = UNSET
    change_failure_rate_pct: Maybe[float | None] = UNSET


@dataclass(frozen=True, slots=True)
class ReliabilityDeclared(ServiceEvent):
    """Something about the reliability of a service was declared with another value than before."""
