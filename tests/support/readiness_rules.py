"""Policies, results, manifests and permits for tests of rules; no database knows them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from opsgraph.domains.catalog.model import Lifecycle
from opsgraph.domains.readiness.model.manifests import Facts, FieldType, Manifest, Section
from opsgraph.domains.readiness.model.overrides import Exemption, Override, OverrideState
from opsgraph.domains.readiness.model.policies import Check, Policy, ReadinessCategory, Subject
from opsgraph.domains.readiness.model.verdicts import CheckOutcome, CheckResult, ReadinessDecision
from opsgraph.domains.readiness.rules import policies

NOW = datetime(2024, 3, 15, 12, 0, tzinfo=UTC)
NOBODY = UUID(int=0)
OBSERVABILITY, RELIABILITY, SECURITY, OPERATIONS = ReadinessCategory
PASSED, FAILED, SKIPPED, ERROR = CheckOutcome

SUBJECT = Subject(NOBODY, "api", tier=3, lifecycle=Lifecycle.PRODUCTION, tags=("public", "eu"))

SECTIONS = (
    Section("service", {"name": FieldType.STRING, "team": FieldType.STRING, "tags": FieldType.STRINGS}),
    Section("slo", dict.fromkeys(("count", "met", "breached", "unknown"), FieldType.INT), timedelta(days=7)),
    Section("health", {"status": FieldType.STRING, "points": FieldType.INT}, timedelta(hours=1)),
    Section("cost", {"monthly": FieldType.DOUBLE, "over_budget": FieldType.BOOL}, timedelta(days=62)),
    Section("incidents", {"open": FieldType.INT, "open_critical": FieldType.INT}),
)
"""Sections of facts, as something outside measures them."""

_BY_NAME = {section.name: section for section in SECTIONS}

WEIGHTS = st.integers(1, 1_000_000).map(lambda thousandths: thousandths / 1_000)


def check(name: str = "custom", category: ReadinessCategory = RELIABILITY, **values: Any) -> Check:
    """A check of a team's own; `values` as in `Check`."""
    return Check(name, category, **{"expression": "manifest.metrics", **values})


def policy(*checks: Check, **values: Any) -> Policy:
    """The policy that is built in, with other checks if there are any; `values` as in `Policy`."""
    defaults = {name: getattr(policies.DEFAULT, name) for name in Policy.__slots__}
    return Policy(**{**defaults, **({"checks": checks} if checks else {}), **values})


def result(
    name: str, outcome: CheckOutcome = PASSED, category: ReadinessCategory = RELIABILITY, **values: Any
) -> CheckResult:
    """What became of a check of weight 1."""
    weight, hard_blocker = values.get("weight", 1.0), values.get("hard_blocker", category is SECURITY)
    return CheckResult(name, category, weight, hard_blocker, outcome, values.get("message", outcome.value.lower()))


def results(passed: int, failed: int = 0, category: ReadinessCategory = RELIABILITY) -> list[CheckResult]:
    """So many results of weight 1."""
    outcomes = [PASSED] * passed + [FAILED] * failed
    return [result(f"{category.value.lower()}_{place}", outcome, category) for place, outcome in enumerate(outcomes)]


def facts(section: str, values: Mapping[str, Any], age: timedelta | None = None) -> Facts:
    """What a section says, measured so long ago."""
    return Facts(_BY_NAME[section], values, None if age is None else NOW - age)


def manifest(
    declared: Mapping[str, Any] | None = None, recorded: Mapping[str, bool] | None = None, *measured: Facts
) -> Manifest:
    """All that is known about a service."""
    return Manifest(declared or {}, {each.section.name: each for each in measured}, recorded or {})


def override(**values: Any) -> Override:
    """A request of Eda for GO until tomorrow; `values` as in `Override`."""
    usual = {
        "id": NOBODY,
        "service_id": NOBODY,
        "decision": ReadinessDecision.GO,
        "reason": "It is urgent",
        "requested_by": "Eda",
        "requested_at": NOW - timedelta(hours=1),
        "expires_at": NOW + timedelta(days=1),
        "state": OverrideState.PENDING,
    }
    return Override(**{**usual, **values})


def exemption(**values: Any) -> Exemption:
    """A request of Eda, until tomorrow; `values` as in `Exemption`."""
    usual = {
        "id": NOBODY,
        "service_id": NOBODY,
        "check": "encryption",
        "reason": "It stores nothing",
        "requested_by": "Eda",
        "requested_at": NOW - timedelta(hours=1),
        "ends_at": NOW + timedelta(days=1),
    }
    return Exemption(**{**usual, **values})


@st.composite
def judged(draw: st.DrawFn, most: int = 8) -> tuple[Policy, list[CheckResult]]:
    """A policy, and results of enough checks that apply."""
    conditional = draw(st.floats(0.5, 100))
    weights = {category: draw(WEIGHTS) for category in ReadinessCategory}
    found = draw(st.lists(_results(), max_size=most))
    named = [result(f"check_{place}", **values) for place, values in enumerate(found)]
    always = [result(f"always_{place}", draw(st.sampled_from((PASSED, FAILED, ERROR)))) for place in range(3)]
    thresholds = {"go_threshold_pct": draw(st.floats(conditional, 100)), "conditional_threshold_pct": conditional}
    return policy(**thresholds, category_weights=weights), [*named, *always]


def _results() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "outcome": st.sampled_from(CheckOutcome),
            "category": st.sampled_from(ReadinessCategory),
            "weight": WEIGHTS,
        },
        optional={"hard_blocker": st.just(True)},
    )
