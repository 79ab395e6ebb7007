"""What becomes of a check: expressions, facts that are too old, and checks that are not asked."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from opsgraph.domains.catalog.model import Lifecycle
from opsgraph.domains.readiness.model.expressions import Evaluated
from opsgraph.domains.readiness.model.manifests import Facts, Manifest, Section
from opsgraph.domains.readiness.model.overrides import Exemption
from opsgraph.domains.readiness.model.policies import Check, Policy
from opsgraph.domains.readiness.model.verdicts import CheckOutcome, CheckResult
from opsgraph.domains.readiness.rules import ages, checking
from opsgraph.domains.readiness.rules.built_in import BY_NAME
from tests.support.readiness_rules import (
    ERROR,
    FAILED,
    NOW,
    PASSED,
    RELIABILITY,
    SECURITY,
    SKIPPED,
    SUBJECT,
    check,
    exemption,
    facts,
    manifest,
    policy,
)

TRUE, FALSE = {"custom": Evaluated(True)}, {"custom": Evaluated(False)}
GRANTED = {"approved_by": "Apo", "approved_at": NOW}


def run(
    rules: Policy,
    known: Manifest | None = None,
    exemptions: Mapping[str, Exemption] | None = None,
    evaluated: Mapping[str, Evaluated] | None = None,
) -> tuple[CheckResult, ...]:
    """What becomes of the checks of a policy for the service api."""
    return checking.run(rules, known or manifest(), SUBJECT, exemptions or {}, evaluated or {}, NOW)


def one(asked: Check, known: Manifest | None = None, **values: Any) -> tuple[CheckOutcome, str]:
    """What becomes of one check, and why."""
    (result,) = run(policy(asked), known, **values)
    return result.outcome, result.message


def test_results_are_those_of_the_policy() -> None:
    """In its order, with category and weight; every check of SECURITY blocks; disabled ones do not appear."""
    asked = (
        check("b", weight=2.5, hard_blocker=True),
        check("off", enabled=False),
        check("a", SECURITY, hard_blocker=False),
    )
    evaluated = {"a": Evaluated(True), "b": Evaluated(False), "off": Evaluated(True)}
    assert run(policy(*asked), evaluated=evaluated) == (
        CheckResult("b", RELIABILITY, 2.5, True, FAILED, "false: manifest.metrics"),
        CheckResult("a", SECURITY, 1.0, True, PASSED, "true: manifest.metrics"),
    )


@pytest.mark.parametrize(
    ("evaluated", "expected"),
    [
        (Evaluated(True), (PASSED, "true: manifest.metrics")),
        (Evaluated(False), (FAILED, "false: manifest.metrics")),
        (Evaluated(error="division by zero\nat 1:3"), (ERROR, "its expression has no value: division by zero at 1:3")),
        (Evaluated(True, error="out of time"), (ERROR, "its expression has no value: out of time")),
        (Evaluated(), (ERROR, "its expression is neither true nor false")),
        (Evaluated(1), (ERROR, "its expression is neither true nor false")),  # type: ignore[arg-type]  # what a bug would do
        (None, (ERROR, "its expression was not evaluated")),
    ],
)
def test_an_expression_passes_where_it_is_true_and_nowhere_else(
    evaluated: Evaluated | None, expected: tuple[CheckOutcome, str]
) -> None:
    """What has no value is an error, never a pass."""
    assert one(check(), evaluated={} if evaluated is None else {"custom": evaluated}) == expected


def test_a_long_expression_is_shown_in_one_line_that_is_cut() -> None:
    """However it was written."""
    text = "manifest.metrics\n  && " + " && ".join(["manifest.alerting"] * 20)
    _, message = one(check(expression=text), evaluated=TRUE)
    assert message.startswith("true: manifest.metrics && manifest.alerting")
    assert message.endswith("…")
    assert len(message) == len("true: ") + 200


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"tiers": (1, 2)}, "not asked of tier 3"),
        ({"tags": ("internal",)}, 'not asked of services without the tag "internal"'),
        ({"tags": ("internal", "us")}, 'not asked of services without one of the tags "internal", "us"'),
        ({"lifecycles": (Lifecycle.EXPERIMENTAL,)}, "not asked of services that are PRODUCTION"),
        ({"tiers": (1,), "tags": ("internal",)}, "not asked of tier 3"),
        ({"tiers": (3,), "tags": ("internal",)}, 'not asked of services without the tag "internal"'),
    ],
)
def test_a_check_that_is_not_for_a_service_is_skipped(values: dict[str, Any], message: str) -> None:
    """It says why, whatever its expression comes to."""
    for evaluated in (TRUE, FALSE, {}):
        assert one(check(**values), evaluated=evaluated) == (SKIPPED, message)


@pytest.mark.parametrize(
    "values",
    [
        {"tiers": (3, 4)},
        {"tags": ("internal", "eu")},
        {"lifecycles": (Lifecycle.DEPRECATED, Lifecycle.PRODUCTION)},
        {"tiers": (3,), "tags": ("public",), "lifecycles": (Lifecycle.PRODUCTION,)},
    ],
)
def test_a_check_that_is_for_a_service_is_asked(values: dict[str, Any]) -> None:
    """Any one of the tags is enough; of the three kinds of limits each has to be met."""
    assert one(check(**values), evaluated=FALSE)[0] is FAILED


def test_an_exemption_skips_its_check_while_it_is_in_force() -> None:
    """It says until when, by whom and why, in one line; a request for one does nothing."""
    asked = BY_NAME["encryption"].check
    granted = exemption(**GRANTED, reason="It stores nothing,\nyet")
    expected = (SKIPPED, "exempt until 2024-03-16 by Apo: It stores nothing, yet")
    assert one(asked, exemptions={"encryption": granted}) == expected
    for other in (exemption(), replace(granted, ends_at=NOW), replace(granted, ended_at=NOW)):
        assert one(asked, exemptions={"encryption": other})[0] is FAILED
    assert one(asked, exemptions={"metrics": granted})[0] is FAILED


def test_a_check_that_nobody_knows_any_more_is_an_error() -> None:
    """As a policy of a later version of opsgraph could have."""
    message = "this version of opsgraph has no such check; disable it"
    assert one(check("perpetual_motion", expression=None)) == (ERROR, message)


@pytest.mark.parametrize(
    ("section", "age", "message"),
    [
        ("slo", timedelta(days=9), "slo facts are 9 days old, older than 7 days"),
        ("slo", timedelta(days=8, hours=23), "slo facts are 8 days old, older than 7 days"),
        ("slo", timedelta(days=7, seconds=1), "slo facts are older than 7 days"),
        ("slo", timedelta(days=7), None),
        ("health", timedelta(days=1), "health facts are 1 day old, older than 1 hour"),
        ("health", timedelta(hours=2), "health facts are 2 hours old, older than 1 hour"),
        ("health", timedelta(minutes=119), "health facts are older than 1 hour"),
        ("health", timedelta(hours=1), None),
        ("cost", timedelta(days=63), "cost facts are 63 days old, older than 62 days"),
        ("incidents", timedelta(days=900), None),
        ("slo", None, None),
        ("slo", -timedelta(days=8), None),
    ],
)
def test_facts_that_are_too_old_make_an_error_of_an_expression(
    section: str, age: timedelta | None, message: str | None
) -> None:
    """Also of one that is true; the age is told, in no finer unit than the limit."""
    field = {"slo": "count", "health": "points", "cost": "monthly", "incidents": "open"}[section]
    asked = check(expression=f"manifest.{section}.{field} >= 0")
    outcome, said = one(asked, manifest({}, None, facts(section, {}, age)), evaluated=TRUE)
    assert (outcome, said) == ((ERROR, message) if message else (PASSED, f"true: {asked.expression}"))


@pytest.mark.parametrize("limit", [timedelta(seconds=90), timedelta(minutes=150), timedelta(days=1)])
def test_a_limit_is_told_in_a_unit_of_which_it_is_a_whole_number(limit: timedelta) -> None:
    """Nothing is said to be older than something that is older than it."""
    known = Facts(Section("x", {}, limit), {}, NOW - 2 * limit)
    expected = {
        90: "x facts are 3 minutes old, older than 90 seconds",
        9_000: "x facts are 5 hours old, older than 150 minutes",
        86_400: "x facts are 2 days old, older than 1 day",
    }
    assert ages.too_old(known, NOW) == expected[int(limit.total_seconds())]


def test_a_check_that_reads_other_facts_does_not_mind() -> None:
    """Of those that it reads the first that is too old is named."""
    old = manifest({}, None, facts("slo", {}, timedelta(days=9)), facts("health", {}, timedelta(days=2)))
    assert one(check(expression="manifest.cost.monthly < 9.0"), old, evaluated=TRUE)[0] is PASSED
    assert one(check(expression="manifest.runbook_url != 'manifest.slo.count'"), old, evaluated=TRUE)[0] is PASSED
    both = check(expression="manifest.slo.met > 0 && manifest.health.points == 0")
    assert one(both, old, evaluated=TRUE) == (ERROR, "health facts are 2 days old, older than 1 hour")


def test_facts_that_are_too_old_make_an_error_of_a_check_that_is_built_in() -> None:
    """Unless it only asks whether there are any, or is not asked."""
    known = manifest({}, None, facts("slo", {"count": 1, "met": 1, "breached": 0}, timedelta(days=9)))
    met, defined = BY_NAME["slos_met"].check, BY_NAME["slo_defined"].check
    assert one(met, known) == (ERROR, "slo facts are 9 days old, older than 7 days")
    assert one(defined, known) == (PASSED, "1 SLO is defined")
    assert one(replace(met, tiers=(1,)), known)[0] is SKIPPED
    assert one(met, known, exemptions={"slos_met": exemption(**GRANTED, check="slos_met")})[0] is SKIPPED
