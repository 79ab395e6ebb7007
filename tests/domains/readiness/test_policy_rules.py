"""The policy: what is built in, what may be changed about it, and that its invariants survive every change."""

import json
import math
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.catalog.model import Lifecycle
from opsgraph.domains.readiness.model.policies import CheckInput, Policy, PolicyInput, ReadinessCategory
from opsgraph.domains.readiness.rules import policies
from opsgraph.domains.readiness.rules.policies import DEFAULT
from opsgraph.kernel.refusals import Invalid, Refusal
from tests.support.readiness_rules import OBSERVABILITY, OPERATIONS, RELIABILITY, SECURITY

NEW: dict[str, Any] = {"category": RELIABILITY, "expression": "manifest.metrics"}


def changed(kept: Policy = DEFAULT, **values: Any) -> Policy:
    """The policy after a save."""
    return policies.changed(kept, PolicyInput(**values))


def with_check(name: str, kept: Policy = DEFAULT, **values: Any) -> Policy:
    """The policy after a check of this name was saved."""
    return policies.with_check(kept, CheckInput(name, **values))


def test_the_policy_that_is_built_in() -> None:
    """90 and 70 percent, three checks at least, and every weight is 1."""
    assert (DEFAULT.version, DEFAULT.go_threshold_pct, DEFAULT.conditional_threshold_pct) == (1, 90, 70)
    assert DEFAULT.minimum_checks == 3
    assert DEFAULT.category_weights == dict.fromkeys(ReadinessCategory, 1.0)
    assert {one.weight for one in DEFAULT.checks} == {1.0}
    assert [one.name for one in DEFAULT.checks if one.hard_blocker] == [
        one.name for one in DEFAULT.checks if one.category is SECURITY
    ]


def test_what_is_changed_is_the_next_version_and_the_rest_stays() -> None:
    """Weights of categories that are not named are kept."""
    after = changed(go_threshold_pct=95, minimum_checks=5, category_weights={SECURITY: 3})
    assert after == replace(
        DEFAULT,
        version=2,
        go_threshold_pct=95.0,
        minimum_checks=5,
        category_weights={**DEFAULT.category_weights, SECURITY: 3.0},
    )
    assert changed(after, conditional_threshold_pct=1).version == 3


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"go_threshold_pct": 90},
        {"conditional_threshold_pct": 70.0, "minimum_checks": 3},
        {"category_weights": {}},
        {"category_weights": {SECURITY: 1}},
    ],
)
def test_saving_the_same_is_no_version(values: dict[str, Any]) -> None:
    """It is the very same policy."""
    assert changed(**values) is DEFAULT


def test_both_thresholds_can_be_the_same() -> None:
    """Then nothing is conditional."""
    assert changed(go_threshold_pct=70).go_threshold_pct == 70
    assert changed(conditional_threshold_pct=100, go_threshold_pct=100).conditional_threshold_pct == 100


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        (
            {"go_threshold_pct": 0, "conditional_threshold_pct": 0},
            "go_threshold_pct",
            "go_threshold_pct is 0; it takes 1 to 100 (percent)",
        ),
        (
            {"conditional_threshold_pct": 0.0},
            "conditional_threshold_pct",
            "conditional_threshold_pct is 0; it takes 1 to 100 (percent)",
        ),
        ({"conditional_threshold_pct": 1e-300}, "conditional_threshold_pct", "is 1e-300; it takes 1 to 100"),
        ({"go_threshold_pct": -1}, "go_threshold_pct", "it takes 1 to 100"),
        ({"minimum_checks": 20}, "minimum_checks", "minimum_checks is 20, and 19 checks are enabled"),
        ({"go_threshold_pct": 100.001}, "go_threshold_pct", "go_threshold_pct is 100.001; it takes"),
        ({"go_threshold_pct": math.nan}, "go_threshold_pct", "go_threshold_pct is nan"),
        ({"conditional_threshold_pct": math.inf}, "conditional_threshold_pct", "is inf"),
        (
            {"go_threshold_pct": 69.5},
            "go_threshold_pct",
            "go_threshold_pct is 69.5, less than the 70 of conditionalThresholdPct; GO takes no less",
        ),
        (
            {"conditional_threshold_pct": 90.5},
            "conditional_threshold_pct",
            "conditional_threshold_pct is 90.5, more than the 90 of goThresholdPct; GO takes no less",
        ),
        ({"go_threshold_pct": 50, "conditional_threshold_pct": 60}, "go_threshold_pct", "less than the 60"),
        ({"minimum_checks": 2}, "minimum_checks", "minimum_checks is 2; it takes 3 to 500"),
        ({"minimum_checks": 0}, "minimum_checks", "3 to 500"),
        ({"minimum_checks": 501}, "minimum_checks", "3 to 500"),
        (
            {"category_weights": {SECURITY: 0}},
            "category_weights",
            "category_weights: the weight of SECURITY is 0; it takes more than 0 and at most 1000",
        ),
        ({"category_weights": {OPERATIONS: 1_000.5}}, "category_weights", "OPERATIONS is 1000.5"),
        ({"category_weights": {OPERATIONS: math.nan}}, "category_weights", "OPERATIONS is nan"),
    ],
)
def test_bad_policies_are_refused_with_field_and_reason(values: dict[str, Any], field: str, message: str) -> None:
    """Each refusal names what was wrong and what would be right."""
    with pytest.raises(Invalid) as caught:
        changed(**values)
    assert message in caught.value.message
    assert caught.value.field == (field,)


def test_a_policy_reads_back() -> None:
    """As JSON: every value of every check."""
    after = with_check("a", **NEW, tags=("eu",), tiers=(1,), lifecycles=(Lifecycle.PRODUCTION,))
    for one in (DEFAULT, after):
        text = json.dumps(policies.document(one))
        assert policies.read(json.loads(text), one.version) == one


POLICY_INPUTS = st.builds(
    PolicyInput,
    go_threshold_pct=st.floats(-10, 110),
    conditional_threshold_pct=st.floats(-10, 110),
    minimum_checks=st.integers(0, 20),
    category_weights=st.dictionaries(st.sampled_from(ReadinessCategory), st.floats(-1, 1_100)),
) | st.builds(PolicyInput, go_threshold_pct=st.floats(0.1, 100))
CHECK_INPUTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "A", "b", "encryption", "metrics", "METRICS"])},
    optional={
        "category": st.sampled_from(ReadinessCategory),
        "expression": st.sampled_from(["manifest.metrics", "true"]),
        "weight": st.floats(-1, 1_100),
        "hard_blocker": st.booleans(),
        "enabled": st.booleans(),
        "fix": st.none() | st.just("Do it."),
        "tiers": st.none() | st.lists(st.integers(0, 5), max_size=3).map(tuple),
    },
)


@given(st.lists(POLICY_INPUTS | CHECK_INPUTS.map(lambda values: CheckInput(**values)), max_size=12))
def test_no_sequence_of_changes_breaks_an_invariant(inputs: list[PolicyInput | CheckInput]) -> None:
    """What is refused changes nothing; each change is one version; saving the same again is none."""
    kept = DEFAULT
    for wanted in inputs:
        before = kept
        with suppress(Refusal):
            kept = apply(kept, wanted)
            assert apply(kept, wanted) is kept
        assert kept.version == before.version + (kept != before)
        assert_sound(kept)
        assert policies.read(json.loads(json.dumps(policies.document(kept))), kept.version) == kept


def apply(kept: Policy, wanted: PolicyInput | CheckInput) -> Policy:
    """The policy after either kind of change."""
    if isinstance(wanted, PolicyInput):
        return policies.changed(kept, wanted)
    return policies.with_check(kept, wanted)


def assert_sound(found: Policy) -> None:
    """The thresholds are in order, weights within bounds, SECURITY blocks, and what is built in is what it was."""
    assert 1 <= found.conditional_threshold_pct <= found.go_threshold_pct <= 100
    assert 3 <= found.minimum_checks <= sum(one.enabled for one in found.checks)
    assert all(0 < weight <= 1_000 for weight in found.category_weights.values())
    assert all(0 < one.weight <= 1_000 for one in found.checks)
    assert all(one.hard_blocker for one in found.checks if one.category is SECURITY)
    assert len({one.name.lower() for one in found.checks}) == len(found.checks)
    built_in = [(one.name, one.category, one.expression) for one in found.checks[: len(DEFAULT.checks)]]
    assert built_in == [(one.name, one.category, None) for one in DEFAULT.checks]
    assert OBSERVABILITY in found.category_weights
