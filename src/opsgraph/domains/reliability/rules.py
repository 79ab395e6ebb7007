"""The reliability score and the DORA keys of one service."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from math import isfinite
from statistics import median
from typing import Any
from uuid import UUID

from opsgraph.domains.catalog.model import Deployment, DeploymentOutcome
from opsgraph.domains.incidents.model import Trouble
from opsgraph.domains.reliability.model import (
    WINDOW,
    Basis,
    Declared,
    DoraKeys,
    Measured,
    Reliability,
    Sample,
    ScorePart,
)
from opsgraph.kernel.refusals import Invalid

MOST_INCIDENTS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Scale:
    """How one value is turned into points.

    Attributes:
        part: the name of the part of the score.
        attribute: the name of the value in `Measured` and `Declared`.
        steps: (bound, points), best first; the first bound that the value reaches decides, the bound included.
        otherwise: the points of a value that reaches none.
        rising: whether more is better.
    """

    part: str
    attribute: str
    steps: tuple[tuple[float, int], ...]
    otherwise: int
    rising: bool = False

    @property
    def most(self) -> int:
        """The points that can be reached."""
        return self.steps[0][1]

    def points(self, value: float) -> int:
        """The points of a value."""
        for bound, points in self.steps:
            if value >= bound if self.rising else value <= bound:
                return points
        return self.otherwise


SCALES = (
    Scale("uptime", "uptime_pct", ((99.99, 40), (99.9, 35), (99.5, 25), (99.0, 15)), otherwise=5, rising=True),
    Scale("mttr", "mttr_minutes", ((5, 25), (15, 20), (30, 15), (60, 10)), otherwise=5),
    Scale("incidents", "incidents_30d", ((0, 20), (2, 15), (5, 10)), otherwise=5),
    Scale("change_failure_rate", "change_failure_rate_pct", ((5, 15), (15, 10), (30, 5)), otherwise=0),
)
"""The four parts of the score: percent, minutes, a count, percent; 100 points in all."""


def declaration(values: Mapping[str, Any]) -> dict[str, Any]:
    """Accept values by their attribute of `Declared`; None clears one.

    Raises:
        Invalid: a percentage outside 0-100, or minutes or a count below 0 or not finite; names the field.
    """
    for name, value in values.items():
        if value is not None:
            _LIMITS[name](value, name)
    return dict(values)


def judge(declared: Declared, measured: Measured) -> Reliability:
    """Score what is known: points reached of those that the known parts could reach, in percent."""
    known = [_known(scale, declared, measured) for scale in SCALES]
    parts = tuple(_part(scale, *fact) for scale, fact in zip(SCALES, known, strict=True))
    uptime, mttr, incidents, change_failure_rate = (value for value, _, _ in known)
    return Reliability(
        score=score(parts),
        uptime_pct=uptime,
        mttr_minutes=mttr,
        incidents_30d=None if incidents is None else int(incidents),
        change_failure_rate_pct=change_failure_rate,
        parts=parts,
    )


def score(parts: Sequence[ScorePart]) -> float | None:
    """Points reached of those that the known parts could reach, 0-100 to one decimal; None if nothing is known."""
    known = [part for part in parts if part.points is not None]
    if not known:
        return None
    share = Decimal(100 * sum(part.points or 0 for part in known)) / sum(part.max_points for part in known)
    return float(share.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP))


def failures(deployments: Sequence[Deployment], blamed: Collection[UUID] = ()) -> set[UUID]:
    """The deployments that failed: marked so, or blamed by an incident. Each counts once.

    Args:
        deployments: of any service.
        blamed: ids of deployments that incidents name as their cause.
    """
    return {d.id for d in deployments if d.outcome is DeploymentOutcome.FAILED or d.id in blamed}


def measured_changes(deployments: Sequence[Deployment], blamed: Collection[UUID] = ()) -> Sample | None:
    """The change failure rate of a service in percent; None without deployments."""
    rate = _percent(len(failures(deployments, blamed)), len(deployments))
    return None if rate is None else Sample(rate, len(deployments))


def measured(deployments: Sequence[Deployment], trouble: Trouble | None, blamed: Collection[UUID] = ()) -> Measured:
    """What was measured of a service over the window.

    Args:
        deployments: all of the window to production.
        trouble: what its incidents come to; None if it never had any.
        blamed: ids of deployments that incidents name as their cause.
    """
    return Measured(
        mttr_minutes=None if trouble is None else _mttr(trouble),
        incidents_30d=None if trouble is None else Sample(trouble.incidents, trouble.incidents),
        change_failure_rate_pct=measured_changes(deployments, blamed),
    )


def dora(deployments: Sequence[Deployment], blamed: Collection[UUID] = ()) -> DoraKeys:
    """The DORA keys of one service.

    Args:
        deployments: all of the window to production, oldest first.
        blamed: ids of deployments that incidents name as their cause.
    """
    failed = failures(deployments, blamed)
    lead_times = [(d.deployed_at - d.committed_at).total_seconds() for d in deployments if d.committed_at is not None]
    recoveries = _recoveries(deployments, failed)
    return DoraKeys(
        deployments_per_day=len(deployments) / WINDOW.days if deployments else None,
        lead_time_seconds_median=median(lead_times) if lead_times else None,
        change_failure_rate_pct=_percent(len(failed), len(deployments)),
        recovery_seconds_median=median(recoveries) if recoveries else None,
        rework_rate_pct=_percent(sum(d.rework for d in deployments), len(deployments)),
        deployments=len(deployments),
        failures=len(failed),
        lead_time_samples=len(lead_times),
        recovery_samples=len(recoveries),
    )


def _mttr(trouble: Trouble) -> Sample:
    """Minutes from creation to resolution; without any resolution, the age of what is open, or 0 if nothing is."""
    if trouble.resolved:
        return Sample(trouble.mttr_seconds / 60, trouble.resolved)
    return Sample(trouble.age_seconds / 60, trouble.unresolved)


def _known(scale: Scale, declared: Declared, measured: Measured) -> tuple[float | None, Basis, int]:
    sample: Sample | None = getattr(measured, scale.attribute)
    if sample is not None:
        return sample.value, Basis.MEASURED, sample.size
    value: float | None = getattr(declared, scale.attribute)
    return value, Basis.NONE if value is None else Basis.DECLARED, 0


def _part(scale: Scale, value: float | None, basis: Basis, size: int) -> ScorePart:
    points = None if value is None else scale.points(value)
    return ScorePart(scale.part, points, scale.most, basis, size)


def _recoveries(deployments: Sequence[Deployment], failed: Collection[UUID]) -> list[float]:
    next_success: dict[str, datetime] = {}
    seconds = []
    for deployment in reversed(deployments):
        if deployment.id not in failed:
            next_success[deployment.environment] = deployment.deployed_at
        elif deployment.environment in next_success:
            seconds.append((next_success[deployment.environment] - deployment.deployed_at).total_seconds())
    return seconds


def _percent(part: int, whole: int) -> float | None:
    """A share in percent, exact wherever a float can be: multiplied before it is divided."""
    return 100 * part / whole if whole else None


def _percentage(value: float, field: str) -> None:
    if not 0 <= value <= 100:
        raise Invalid(f"{field} is {value}; it takes 0 to 100", field)


def _minutes(value: float, field: str) -> None:
    if not isfinite(value) or value < 0:
        raise Invalid(f"{field} is {value}; it takes minutes, 0 or more", field)


def _count(value: int, field: str) -> None:
    if not 0 <= value <= MOST_INCIDENTS:
        raise Invalid(f"{field} is {value}; it takes 0 to {MOST_INCIDENTS}", field)


_LIMITS: dict[str, Callable[[Any, str], None]] = {
    "uptime_pct": _percentage,
    "mttr_minutes": _minutes,
    "incidents_30d": _count,
    "change_failure_rate_pct": _percentage,
}
