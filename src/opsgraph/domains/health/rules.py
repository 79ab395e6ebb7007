"""Composite health from all subsystems, and the platform's state from its services'."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from operator import index

from opsgraph.domains.cost.model import CostProfile
from opsgraph.domains.health.model import (
    MOST_POINTS,
    Health,
    HealthStatus,
    ServiceFacts,
    Signal,
    Subsystem,
    Summary,
)
from opsgraph.domains.slo.model import Slo
from opsgraph.kernel.money import to_cents
from opsgraph.kernel.text import TEXT_LENGTH

CRITICAL_POINTS = 4
DEGRADED_POINTS = 2
LOW_SCORE = 50
FAIR_SCORE = 70
MANY_FAILED_CHECKS = 3

WORST_FIRST = (
    HealthStatus.DOWN,
    HealthStatus.CRITICAL,
    HealthStatus.DEGRADED,
    HealthStatus.UNKNOWN,
    HealthStatus.HEALTHY,
)
"""The order in which services are listed by health."""


class SloSubsystem:
    """Any SLO that is missed: 2 points. One without data is no breach."""

    name = "slo"

    def evaluate(self, facts: ServiceFacts) -> Sequence[Signal]:
        """Name the SLOs that are missed."""
        missed = [slo for slo in facts.slos if slo.state.is_met is False]
        if not missed:
            return ()
        return (Signal(self.name, 2, f"{facts.service.name} misses {', '.join(map(_missed, missed))}"),)


class ReliabilitySubsystem:
    """A reliability score under 50: 2 points; under 70: 1 point."""

    name = "reliability"

    def evaluate(self, facts: ServiceFacts) -> Sequence[Signal]:
        """Tell a score that is low."""
        score = facts.reliability.score
        if score is None or score >= FAIR_SCORE:
            return ()
        points = 2 if score < LOW_SCORE else 1
        return (Signal(self.name, points, f"{facts.service.name} has a reliability score of {score:g}"),)


class GovernanceSubsystem:
    """Three or more failed checks: 2 points; one or two: 1 point."""

    name = "governance"

    def evaluate(self, facts: ServiceFacts) -> Sequence[Signal]:
        """Tell which checks failed."""
        failed = [check for check in facts.governance.checks if not check.passed]
        if not failed:
            return ()
        points = 2 if len(failed) >= MANY_FAILED_CHECKS else 1
        return (Signal(self.name, points, "; ".join(check.message for check in failed)),)


class CostSubsystem:
    """Over budget: 1 point."""

    name = "cost"

    def evaluate(self, facts: ServiceFacts) -> Sequence[Signal]:
        """Tell by how much the budget is exceeded."""
        if not facts.cost.over_budget:
            return ()
        return (Signal(self.name, 1, f"{facts.service.name} {_overspent(facts.cost)}"),)


BUILT_IN: tuple[Subsystem, ...] = (SloSubsystem(), ReliabilitySubsystem(), GovernanceSubsystem(), CostSubsystem())
"""The subsystems that opsgraph comes with."""


def judge(facts: ServiceFacts, subsystems: Sequence[Subsystem]) -> Health:
    """The health of one service: 4 points or more CRITICAL, 2 or more DEGRADED, else HEALTHY.

    The status is the worse of that and of the telemetry's, which does not worsen it when UNKNOWN. A service about which
    nothing is known is UNKNOWN, unless a third party's subsystem has something to say.
    """
    signals = [signal for subsystem in subsystems for signal in _asked(subsystem, facts)]
    points = sum(signal.points for signal in signals)
    composite = by_points(points) if points or is_known(facts) else HealthStatus.UNKNOWN
    status = worse(composite, facts.telemetry)
    return Health(status, composite, facts.telemetry, points, tuple(signals), facts.now)


def by_points(points: int) -> HealthStatus:
    """The composite status that points make."""
    if points >= CRITICAL_POINTS:
        return HealthStatus.CRITICAL
    return HealthStatus.DEGRADED if points >= DEGRADED_POINTS else HealthStatus.HEALTHY


def worse(one: HealthStatus, other: HealthStatus) -> HealthStatus:
    """The worse of two; UNKNOWN gives way to whatever is known."""
    known = [status for status in (one, other) if status is not HealthStatus.UNKNOWN]
    return min(known, key=WORST_FIRST.index, default=HealthStatus.UNKNOWN)


def is_known(facts: ServiceFacts) -> bool:
    """Whether anything is known: a judged SLO, a cost, a governance check, a reliability fact or telemetry."""
    return bool(
        any(slo.state.is_met is not None for slo in facts.slos)
        or facts.cost.entries
        or facts.governance.checks
        or facts.reliability.score is not None
        or facts.telemetry is not HealthStatus.UNKNOWN
    )


def summarise(facts: ServiceFacts) -> Summary:
    """The figures that lists show."""
    met = [slo.state.is_met for slo in facts.slos]
    return Summary(
        reliability_score=facts.reliability.score,
        governance=facts.governance.status,
        monthly_cost=facts.cost.latest,
        currency=facts.cost.currency,
        other_costs=facts.cost.other_currencies,
        over_budget=facts.cost.over_budget,
        slos_met=met.count(True),
        slos_unmet=met.count(False),
        slos_total=len(met),
    )


def overall(counts: Mapping[HealthStatus, int]) -> HealthStatus:
    """The platform's health: the worst of its services'; UNKNOWN ones count only when there are no others."""
    present = [status for status, count in counts.items() if count and status is not HealthStatus.UNKNOWN]
    return min(present, key=WORST_FIRST.index, default=HealthStatus.UNKNOWN)


def _asked(subsystem: Subsystem, facts: ServiceFacts) -> Sequence[Signal]:
    try:
        return tuple(_accepted(subsystem, signal) for signal in subsystem.evaluate(facts))
    except Exception as error:  # noqa: BLE001 - a third party's mistake must not stop anyone's health
        message = f"could not be evaluated: {type(error).__name__}: {error}"
        return (Signal(subsystem.name, 0, _storable(message)),)


def _accepted(subsystem: Subsystem, signal: Signal) -> Signal:
    points = index(signal.points)
    if not 0 <= points <= MOST_POINTS:
        raise ValueError(f"it gives {points} points; a signal takes 0 to {MOST_POINTS}")
    return Signal(subsystem.name, points, _storable(str(signal.message)))


def _storable(message: str) -> str:
    """The message without lone surrogates, which no database keeps, and no longer than any other text."""
    return message[:TEXT_LENGTH].encode(errors="replace").decode()


def _missed(slo: Slo) -> str:
    """The SLO, what was reached, rounded down so that a miss by a hair does not read as a hit, and the target."""
    reached = Decimal(repr(slo.state.current)).quantize(Decimal("0.0001"), ROUND_FLOOR)
    return f"{slo.name} ({_plain(reached)} % of {_plain(Decimal(repr(slo.target)))} %)"


def _overspent(cost: CostProfile) -> str:
    """What was spent of which budget: to two decimals, exactly where these do not tell one from the other."""
    spent, budget = cost.latest, cost.budget_monthly or Decimal(0)
    if to_cents(spent) != to_cents(budget):
        spent, budget = to_cents(spent), to_cents(budget)
    return f"cost {spent:f} {cost.currency} in {cost.latest_month}, over its budget of {budget:f}"


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
