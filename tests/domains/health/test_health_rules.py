"""The rules of health: points, the worse of two views, the platform."""

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.catalog.model import Lifecycle, Service
from opsgraph.domains.governance import rules as governance
from opsgraph.domains.governance.model import GovernanceStatus
from opsgraph.domains.health import rules
from opsgraph.domains.health.model import HealthStatus, ServiceFacts, Signal, Summary
from opsgraph.domains.health.rules import BUILT_IN
from opsgraph.domains.reliability import rules as reliability
from opsgraph.domains.reliability.model import Declared, Measured
from opsgraph.domains.slo.model import Slo, SloState
from opsgraph.kernel.money import Money
from tests.support.clock import START
from tests.support.cost import cost, judged, monthly
from tests.support.slo import defined

HEALTHY, DEGRADED, CRITICAL, DOWN, UNKNOWN = HealthStatus
API = Service(UUID(int=1), "api", None, None, 3, Lifecycle.PRODUCTION, None, None)
NOTHING = ServiceFacts(
    service=API,
    slos=(),
    cost=judged([]),
    reliability=reliability.judge(Declared(), Measured()),
    governance=governance.judge("api", {}),
    telemetry=UNKNOWN,
    now=START,
)
NEVER_JUDGED = SloState()
MET, MISSED = SloState(99.95, True), SloState(99.8, False)


def slos(*states: SloState) -> dict[str, Any]:
    """SLOs of 99.9 % in these states."""
    return {"slos": tuple(defined(state=state) for state in states)}


def scoring(score: float | None) -> dict[str, Any]:
    """A reliability score."""
    return {"reliability": replace(NOTHING.reliability, score=score)}


def failing(checks: int) -> dict[str, Any]:
    """Governance with so many failed checks."""
    recorded = {key: place >= checks for place, key in enumerate(governance.KEYS)}
    return {"governance": governance.judge("api", recorded)}


def spending(*amounts: str, budget: str | None = None) -> dict[str, Any]:
    """What was billed from 2024-01 on, and the budget, in USD."""
    return {"cost": judged(monthly("2024-01", *amounts), budget=budget)}


@pytest.mark.parametrize(
    ("known", "points", "status"),
    [
        ({}, 0, UNKNOWN),
        (slos(MET), 0, HEALTHY),
        (slos(NEVER_JUDGED), 0, UNKNOWN),
        (slos(MET, NEVER_JUDGED), 0, HEALTHY),
        (slos(MISSED), 2, DEGRADED),
        (slos(MET, MISSED, MISSED, MISSED), 2, DEGRADED),
        (scoring(None), 0, UNKNOWN),
        (scoring(0.0), 2, DEGRADED),
        (scoring(49.9), 2, DEGRADED),
        (scoring(50.0), 1, HEALTHY),
        (scoring(69.9), 1, HEALTHY),
        (scoring(70.0), 0, HEALTHY),
        (scoring(100.0), 0, HEALTHY),
        (failing(0), 0, HEALTHY),
        (failing(1), 1, HEALTHY),
        (failing(2), 1, HEALTHY),
        (failing(3), 2, DEGRADED),
        (failing(4), 2, DEGRADED),
        (failing(5), 2, DEGRADED),
        (spending(budget="100"), 0, UNKNOWN),
        (spending("500"), 0, HEALTHY),
        (spending("99.99", budget="100"), 0, HEALTHY),
        (spending("100", budget="100"), 0, HEALTHY),
        (spending("100.000000000000000001", budget="100"), 1, HEALTHY),
        (spending("500", "100", budget="100"), 0, HEALTHY),
        (spending("0", "101", budget="100"), 1, HEALTHY),
        (spending("500", budget="0"), 0, HEALTHY),
        (spending("-500", budget="100"), 0, HEALTHY),
        ({"cost": judged([cost("2024-01", 500, "EUR")], budget="100")}, 0, HEALTHY),
        ({"telemetry": HEALTHY}, 0, HEALTHY),
    ],
)
def test_points_on_both_sides_of_each_boundary(known: dict[str, Any], points: int, status: HealthStatus) -> None:
    """Of each subsystem, where it alone has something to say; a service about which nothing is known is UNKNOWN."""
    health = rules.judge(replace(NOTHING, **known), BUILT_IN)
    assert (health.points, health.status) == (points, status)
    assert sum(signal.points for signal in health.signals) == points
    assert all(signal.message.startswith("api ") for signal in health.signals)
    assert health.evaluated_at == START


CHOICES = (
    [("slo", 0, slos(MET)), ("slo", 2, slos(MISSED))],
    [("reliability", 0, scoring(70.0)), ("reliability", 1, scoring(50.0)), ("reliability", 2, scoring(49.0))],
    [("governance", 0, failing(0)), ("governance", 1, failing(2)), ("governance", 2, failing(3))],
    [("cost", 0, spending("1", budget="1")), ("cost", 1, spending("2", budget="1"))],
)


@pytest.mark.parametrize("chosen", list(product(*CHOICES)), ids=lambda parts: "+".join(str(part[1]) for part in parts))
def test_points_add_up_over_subsystems(chosen: Sequence[tuple[str, int, dict[str, Any]]]) -> None:
    """4 and more are CRITICAL, 2 and 3 DEGRADED, less is HEALTHY; each point says where it comes from."""
    known = {name: value for _, _, facts in chosen for name, value in facts.items()}
    health = rules.judge(replace(NOTHING, **known), BUILT_IN)
    total = sum(points for _, points, _ in chosen)
    assert health.points == total
    assert health.composite is health.status
    assert health.status is (CRITICAL if total >= 4 else DEGRADED if total >= 2 else HEALTHY)
    assert [(s.subsystem, s.points) for s in health.signals] == [(name, n) for name, n, _ in chosen if n]


@pytest.mark.parametrize(("composite", "telemetry"), list(product(HealthStatus, repeat=2)))
def test_the_status_is_the_worse_of_both_views(composite: HealthStatus, telemetry: HealthStatus) -> None:
    """DOWN is worst, then CRITICAL, DEGRADED, HEALTHY; UNKNOWN gives way to whatever is known."""
    order = [UNKNOWN, HEALTHY, DEGRADED, CRITICAL, DOWN]
    assert rules.worse(composite, telemetry) is max(composite, telemetry, key=order.index)


@pytest.mark.parametrize(
    ("telemetry", "status"),
    [(UNKNOWN, DEGRADED), (HEALTHY, DEGRADED), (DEGRADED, DEGRADED), (CRITICAL, CRITICAL), (DOWN, DOWN)],
)
def test_telemetry_can_only_worsen_what_facts_say(telemetry: HealthStatus, status: HealthStatus) -> None:
    """Both views are shown beside the status, and the points stay those of the facts."""
    health = rules.judge(replace(NOTHING, telemetry=telemetry, **slos(MISSED)), BUILT_IN)
    assert (health.status, health.composite, health.telemetry, health.points) == (status, DEGRADED, telemetry, 2)


class Says:
    """A subsystem of a third party that always gives so many points."""

    name = "third party"

    def __init__(self, points: int) -> None:
        self.points = points

    def evaluate(self, facts: ServiceFacts) -> Sequence[Signal]:
        """Always the same."""
        return [Signal("pretends to be another", self.points, f"about {facts.service.name}")]


@pytest.mark.parametrize(("points", "status"), [(0, UNKNOWN), (1, HEALTHY), (2, DEGRADED), (4, CRITICAL)])
def test_a_third_party_makes_a_service_known_by_points_only(points: int, status: HealthStatus) -> None:
    """Its signal is shown in any case, under its own name."""
    health = rules.judge(NOTHING, [*BUILT_IN, Says(points)])
    assert health.status is status
    assert health.signals == (Signal("third party", points, "about api"),)


def test_messages_name_what_is_wrong() -> None:
    """The service, the SLO with both percentages, the score, the failed checks, the money and the month."""
    known = {
        **slos(replace(MISSED, current=97.56884291111881), MET),
        **scoring(66.7),
        **failing(2),
        **spending("2800", "3500.5", budget="3000"),
    }
    messages = [signal.message for signal in rules.judge(replace(NOTHING, **known), BUILT_IN).signals]
    assert messages == [
        "api misses availability (97.5688 % of 99.9 %)",
        "api has a reliability score of 66.7",
        "api lacks a runbook; api lacks monitoring",
        "api cost 3500.50 USD in 2024-02, over its budget of 3000.00",
    ]


@given(st.integers(1, 10**8 - 1), st.floats(0, 100, exclude_max=True))
def test_a_missed_slo_never_reads_as_if_it_were_met(target: int, share: float) -> None:
    """Even missed by a hair: what is shown as reached is less than what is shown as the target, which is exact."""
    wanted = float(Decimal(target).scaleb(-6))
    slo: Slo = replace(defined(target=wanted), state=SloState(wanted * share / 100, False))
    message = rules.judge(replace(NOTHING, slos=(slo,)), BUILT_IN).signals[0].message
    reached, shown = re.fullmatch(r"api misses availability \(([\d.]+) % of ([\d.]+) %\)", message).groups()  # type: ignore[union-attr]  # no match is a failure
    assert Decimal(reached) < Decimal(shown) == Decimal(repr(wanted))


amounts = st.decimals("0.000000000000000001", "999999999999999999", places=18, allow_nan=False)


@given(amounts, amounts | st.just(Decimal("1e-18")))
def test_a_cost_over_budget_never_reads_as_if_it_were_within(budget: Decimal, excess: Decimal) -> None:
    """Even exceeded by a hair: the two amounts that are shown differ, and the cost is the higher one."""
    spent_on = [cost("2024-01", amount) for amount in (budget, excess)]
    profile = judged(spent_on, budget=budget)
    message = rules.judge(replace(NOTHING, cost=profile), BUILT_IN).signals[0].message
    spent, allowed = re.fullmatch(r"api cost ([\d.]+) USD in 2024-01, over its budget of ([\d.]+)", message).groups()  # type: ignore[union-attr]  # as above
    assert Decimal(spent) > Decimal(allowed)


def test_the_summary_counts_unknown_slos_in_the_total_only() -> None:
    """Met, missed, all; and the figures as the domains below have them."""
    parts = [*monthly("2024-01", 10, 20), cost("2024-01", 3, "EUR")]
    known = {**slos(MET, MISSED, MISSED, NEVER_JUDGED), **scoring(60.0), **failing(3)}
    facts = replace(NOTHING, cost=judged(parts, budget=15), **known)
    assert rules.summarise(facts) == Summary(
        reliability_score=60.0,
        governance=GovernanceStatus.NON_COMPLIANT,
        monthly_cost=Decimal(20),
        currency="USD",
        other_costs=(Money(Decimal(3), "EUR"),),
        over_budget=True,
        slos_met=1,
        slos_unmet=2,
        slos_total=4,
    )


@given(st.dictionaries(st.sampled_from(HealthStatus), st.integers(0, 3)))
def test_the_platform_is_as_its_worst_service(counts: dict[HealthStatus, int]) -> None:
    """UNKNOWN services count only when there are no others; without any the platform is UNKNOWN."""
    present = {status for status, count in counts.items() if count}
    worst = next((status for status in (DOWN, CRITICAL, DEGRADED, HEALTHY) if status in present), UNKNOWN)
    assert rules.overall(counts) is worst


def test_every_status_has_a_place_in_lists() -> None:
    """Worst first, UNKNOWN before HEALTHY: it is worth a look."""
    assert rules.WORST_FIRST == (DOWN, CRITICAL, DEGRADED, UNKNOWN, HEALTHY)
