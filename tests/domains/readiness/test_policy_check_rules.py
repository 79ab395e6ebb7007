"""Saving checks: what is accepted, what stays of those that are built in, and what is always so for SECURITY."""

import math
from typing import Any

import pytest

from opsgraph.domains.catalog.model import Lifecycle
from opsgraph.domains.readiness.model.policies import Check, CheckInput, Policy
from opsgraph.domains.readiness.rules import policies
from opsgraph.domains.readiness.rules.policies import DEFAULT
from opsgraph.kernel.refusals import Conflict, Invalid, NotFound
from tests.support.readiness_rules import OPERATIONS, RELIABILITY, SECURITY, check, policy

NEW: dict[str, Any] = {"category": RELIABILITY, "expression": "manifest.metrics"}


def with_check(name: str, kept: Policy = DEFAULT, **values: Any) -> Policy:
    """The policy after a check of this name was saved."""
    return policies.with_check(kept, CheckInput(name, **values))


def named(found: Policy, name: str) -> Check:
    """The check of this name."""
    return next(one for one in found.checks if one.name == name)


def test_a_check_is_added_last_with_what_was_given() -> None:
    """The rest is as for any other; texts lose the spaces around them, lists what is in them twice."""
    after = with_check(
        " Two regions ",
        **NEW,
        weight=2,
        description=" It runs in two. ",
        tiers=(2, 1, 2),
        tags=("eu", "public", "eu"),
        lifecycles=(Lifecycle.PRODUCTION, Lifecycle.EXPERIMENTAL),
    )
    assert after.version == 2
    assert after.checks[:-1] == DEFAULT.checks
    assert after.checks[-1] == Check(
        "Two regions",
        RELIABILITY,
        weight=2.0,
        description="It runs in two.",
        expression="manifest.metrics",
        tiers=(1, 2),
        tags=("eu", "public"),
        lifecycles=(Lifecycle.EXPERIMENTAL, Lifecycle.PRODUCTION),
    )


def test_no_fewer_checks_are_enabled_than_a_verdict_takes() -> None:
    """The last but so many can be disabled once another one is enabled; what is disabled already is no matter."""
    kept = policy(*(check(name, enabled=name != "d") for name in "abcd"))
    with pytest.raises(Invalid, match="3 checks, as many as a verdict takes, are enabled") as caught:
        with_check("a", kept, enabled=False)
    assert caught.value.field == ("enabled",)
    assert with_check("d", kept, enabled=False) is kept
    assert not named(with_check("a", with_check("d", kept, enabled=True), enabled=False), "a").enabled


def test_a_check_is_changed_in_its_place_whatever_the_case_of_its_name() -> None:
    """Its name stays as it was; None clears."""
    before = with_check("Two regions", **NEW, why="A region fails.", tiers=(1,), tags=("eu",))
    after = with_check("two REGIONS", before, weight=3, why=None, tiers=None, tags=(), enabled=False)
    assert after.version == 3
    assert after.checks[-1] == Check(
        "Two regions", RELIABILITY, weight=3.0, expression="manifest.metrics", enabled=False
    )
    assert with_check("TWO regions", after, weight=3.0, enabled=False) is after


def test_what_came_with_a_check_that_is_built_in_comes_back() -> None:
    """Its texts can be changed, and cleared to what they were."""
    after = with_check("Metrics", description="Another text.", fix="Ask us.", weight=5, hard_blocker=True)
    assert (named(after, "metrics").description, named(after, "metrics").fix) == ("Another text.", "Ask us.")
    cleared = with_check("metrics", after, description=None, fix=None, weight=1, hard_blocker=False)
    assert (cleared.version, cleared.checks) == (3, DEFAULT.checks)


def test_a_check_of_security_is_a_hard_blocker_from_the_start() -> None:
    """Also one that moves there."""
    after = with_check("Threat model", category=SECURITY, expression="manifest.metrics")
    assert named(after, "Threat model").hard_blocker
    moved = with_check("Two regions", with_check("Two regions", **NEW), category=SECURITY)
    assert named(moved, "Two regions").hard_blocker
    assert with_check("encryption", hard_blocker=True) is DEFAULT


def test_a_check_of_security_can_be_disabled() -> None:
    """It is a version like any other change."""
    after = with_check("encryption", enabled=False)
    assert (after.version, named(after, "encryption").enabled) == (2, False)


@pytest.mark.parametrize(
    ("name", "values", "field", "message"),
    [
        ("", NEW, "name", "name is empty"),
        ("x" * 201, NEW, "name", "201 characters"),
        ("a", {"category": RELIABILITY}, "expression", "expression is missing; a new check needs one"),
        ("a", {"expression": "manifest.metrics"}, "category", "category is missing; a new check needs one"),
        ("a", {**NEW, "expression": "  "}, "expression", "expression is empty"),
        ("a", {**NEW, "expression": "x" * 2_001}, "expression", "at most 2000"),
        ("a", {**NEW, "expression": "a\0"}, "expression", "U+0000"),
        ("a", {**NEW, "weight": 0}, "weight", "weight is 0; it takes more than 0 and at most 1000"),
        ("a", {**NEW, "weight": -0.5}, "weight", "weight is -0.5"),
        ("a", {**NEW, "weight": 1_001}, "weight", "weight is 1001"),
        ("a", {**NEW, "weight": math.inf}, "weight", "weight is inf"),
        ("a", {**NEW, "weight": math.nan}, "weight", "weight is nan"),
        ("a", {**NEW, "description": "x" * 1_001}, "description", "at most 1000"),
        ("a", {**NEW, "why": "\0"}, "why", "U+0000"),
        ("a", {**NEW, "fix": "x" * 1_001}, "how_to_fix", "how_to_fix has 1001 characters"),
        ("a", {**NEW, "tiers": (1, 5)}, "tiers", "tiers has 5; it takes 1 (most critical) to 4"),
        ("a", {**NEW, "tags": ("",)}, "tags", "tags is empty"),
        ("a", {**NEW, "tags": ("x" * 64,)}, "tags", "at most 63"),
        (
            "a",
            {**NEW, "category": SECURITY, "hard_blocker": False},
            "hard_blocker",
            'hard_blocker of the check "a" is always true, for it is about SECURITY',
        ),
        ("encryption", {"hard_blocker": False}, "hard_blocker", 'the check "encryption" is always true'),
        ("Custom", {"category": SECURITY, "hard_blocker": False}, "hard_blocker", 'the check "custom" is always true'),
        (
            "metrics",
            {"expression": "true"},
            "expression",
            'expression cannot be set: the check "metrics" is built in; add one of your own',
        ),
        (
            "metrics",
            {"category": OPERATIONS},
            "category",
            'category cannot be changed: the check "metrics" is built in',
        ),
        ("encryption", {"category": OPERATIONS}, "category", "is built in"),
        (
            "secure",
            {"category": OPERATIONS},
            "category",
            'category of the check "secure" cannot be changed: what is about SECURITY stays a hard blocker; disable it',
        ),
    ],
)
def test_bad_checks_are_refused_with_field_and_reason(
    name: str, values: dict[str, Any], field: str, message: str
) -> None:
    """Each refusal names what was wrong and what would be right."""
    kept = policy(*DEFAULT.checks, check("custom"), check("secure", SECURITY, hard_blocker=True))
    with pytest.raises(Invalid) as caught:
        with_check(name, kept, **values)
    assert message in caught.value.message
    assert caught.value.field == (field,)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "metric",
            'there is no check called "metric"; did you mean "metrics"? A new one needs a category and an expression',
        ),
        ("two region", 'there is no check called "two region"; did you mean "Two regions"? A new one needs'),
        ("entirely new", 'there is no check called "entirely new"; A new one needs a category and an expression'),
    ],
)
def test_a_check_that_is_not_there_is_not_added_by_mistake(name: str, message: str) -> None:
    """Whoever misspells a name is told the one that is meant."""
    with pytest.raises(NotFound) as caught:
        with_check(name, policy(*DEFAULT.checks, check("Two regions")), enabled=False)
    assert caught.value.message.startswith(message)
    assert caught.value.field == ("name",)


def test_there_are_only_so_many_checks() -> None:
    """What is there can still be changed."""
    full = policy(*(check(f"check {number}") for number in range(500)))
    with pytest.raises(Conflict, match="there are 500 checks already"):
        with_check("one more", full, **NEW)
    assert with_check("check 7", full, enabled=False).version == 2
