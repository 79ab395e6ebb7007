"""The decision: bounds, exact thresholds, blockers, what it asks for, and the least that makes it GO."""

import itertools
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.readiness.model.policies import Policy, ReadinessCategory
from opsgraph.domains.readiness.model.verdicts import CategoryResult, CheckResult, Judgement, ReadinessDecision
from opsgraph.domains.readiness.rules import deciding
from opsgraph.domains.readiness.rules.deciding import decide
from opsgraph.kernel.refusals import Conflict
from tests.support.readiness_rules import (
    ERROR,
    FAILED,
    OBSERVABILITY,
    OPERATIONS,
    PASSED,
    RELIABILITY,
    SECURITY,
    SKIPPED,
    check,
    judged,
    policy,
    result,
    results,
)

GO, CONDITIONAL_GO, NO_GO = ReadinessDecision
Judged = tuple[Policy, list[CheckResult]]


def passing(found: list[CheckResult], names: tuple[str, ...]) -> list[CheckResult]:
    """The same results, but these pass."""
    return [replace(one, outcome=PASSED) if one.name in names else one for one in found]


def test_seven_of_eight_equal_checks_is_a_conditional_go_of_88_percent() -> None:
    """None of them is about security."""
    judgement = decide(policy(), results(7, 1))
    assert (judgement.decision, judgement.pass_rate) == (CONDITIONAL_GO, 0.875)
    assert deciding.shown(judgement.pass_rate) == "88%"
    assert (judgement.blockers, judgement.to_go) == ((), ("reliability_7",))


def test_all_failed_is_a_no_go() -> None:
    """Of nothing passes nothing."""
    judgement = decide(policy(), results(0, 8))
    assert (judgement.decision, judgement.pass_rate) == (NO_GO, 0.0)
    assert deciding.shown(judgement.pass_rate) == "0%"


def test_one_failed_security_check_is_a_no_go_that_names_it() -> None:
    """Whatever else passes, and however little it weighs."""
    found = [*results(99), result("encryption", FAILED, SECURITY, weight=0.001)]
    judgement = decide(policy(), found)
    assert (judgement.decision, judgement.blockers, judgement.to_go) == (NO_GO, ("encryption",), ("encryption",))
    assert deciding.shown(judgement.pass_rate) == "99%"


@pytest.mark.parametrize(
    ("applicable", "message"),
    [
        (0, "no check applies to this service; a verdict takes at least 3"),
        (1, "only 1 check applies to this service; a verdict takes at least 3"),
        (2, "only 2 checks apply to this service; a verdict takes at least 3"),
    ],
)
def test_fewer_checks_than_the_minimum_are_refused(applicable: int, message: str) -> None:
    """Skipped ones do not count; a program finds the numbers."""
    with pytest.raises(Conflict) as caught:
        decide(policy(), [*results(applicable), *(result(f"skipped_{place}", SKIPPED) for place in range(9))])
    assert (caught.value.message, caught.value.field) == (message, ("service",))
    assert caught.value.details == {"applicable": applicable, "minimum": 3}


def test_checks_that_failed_or_could_not_be_evaluated_apply() -> None:
    """Three of them are a verdict."""
    judgement = decide(policy(), [result("a"), result("b", FAILED), result("c", ERROR), result("d", SKIPPED)])
    assert (judgement.decision, judgement.pass_rate) == (NO_GO, 1 / 3)


@pytest.mark.parametrize(
    ("passed", "failed", "decision"),
    [(9, 1, GO), (89, 11, CONDITIONAL_GO), (7, 3, CONDITIONAL_GO), (69, 31, NO_GO), (10, 0, GO)],
)
def test_thresholds_are_met_exactly(passed: int, failed: int, decision: ReadinessDecision) -> None:
    """Nine of ten is 90 %, and that is enough."""
    assert decide(policy(), results(passed, failed)).decision is decision


@pytest.mark.parametrize("weight", [0.1, 0.3, 1.1, 1e-9, 333.3])
def test_thresholds_are_met_exactly_whatever_the_weight(weight: float) -> None:
    """Floats would add up to a little less, or more."""
    found = [replace(one, weight=weight) for one in results(9, 1)]
    assert decide(policy(category_weights={RELIABILITY: 0.7}), found).decision is GO
    found = [replace(one, weight=weight) for one in results(899, 101)]
    assert decide(policy(), found).decision is CONDITIONAL_GO


def test_a_threshold_is_the_number_that_was_written() -> None:
    """33.3 % is 333 of 1,000, not the nearest float."""
    lenient = policy(conditional_threshold_pct=33.3)
    assert decide(lenient, results(333, 667)).decision is CONDITIONAL_GO
    assert decide(lenient, results(332, 668)).decision is NO_GO


def test_categories_weigh_in() -> None:
    """A check counts by its weight times that of its category."""
    found = [result("logs", FAILED, OBSERVABILITY, weight=2), *results(2)]
    weighed = decide(policy(category_weights={OBSERVABILITY: 0.5, RELIABILITY: 1.5}), found)
    assert weighed.pass_rate == 0.75
    assert decide(policy(), found).pass_rate == 0.5


def test_conditions_are_one_line_each_with_why_and_how_to_pass() -> None:
    """In the order of the checks; nothing that passed or was skipped is asked for."""
    asked = policy(check("b", fix="Do\nthis."), check("c"), check("a", fix="Do that."))
    found = [
        *results(8),
        result("b", FAILED, message="not declared"),
        result("c", ERROR, message="slo facts are older than 7 days"),
        result("a", SKIPPED, message="not asked of tier 3"),
    ]
    judgement = decide(asked, found)
    assert judgement.decision is CONDITIONAL_GO
    assert judgement.conditions == ("b: not declared. Do this.", "c: slo facts are older than 7 days")


@pytest.mark.parametrize("found", [results(10), results(9, 1), results(1, 9)])
def test_only_a_conditional_go_has_conditions(found: list[CheckResult]) -> None:
    """A GO asks for nothing, and a NO_GO says what would make it GO."""
    assert decide(policy(), found).conditions == ()


def test_the_least_for_a_go_is_every_blocker_then_what_weighs_most() -> None:
    """Among equals the first in the policy; what weighs little is left."""
    found = [
        result("light", FAILED, weight=1),
        result("first", FAILED, weight=5),
        result("second", ERROR, weight=5),
        result("heavy", FAILED, OPERATIONS, weight=5),
        result("blocker", ERROR, weight=0.5, hard_blocker=True),
        result("security", FAILED, SECURITY),
        result("good", PASSED, weight=5),
    ]
    judgement = decide(policy(category_weights={OPERATIONS: 2.0}, go_threshold_pct=75.0), found)
    assert judgement.to_go == ("blocker", "security", "heavy", "first")


@pytest.mark.parametrize(
    ("pass_rate", "words"),
    [
        (0.875, "88%"),
        (0.285, "29%"),
        (0.125, "13%"),
        (0.124999, "12%"),
        (2 / 3, "67%"),
        (1.0, "100%"),
        (0.999, "99%"),
        (0.995, "99%"),
        (0.9999999999999999, "99%"),
        (0.0, "0%"),
        (0.004, "0%"),
        (5e-324, "0%"),
    ],
)
def test_a_rate_is_shown_in_whole_percent(pass_rate: float, words: str) -> None:
    """Halves go up; all of it is said only of all of it."""
    assert deciding.shown(pass_rate) == words


def test_a_rate_of_almost_everything_is_not_everything() -> None:
    """Also where the nearest float would be 1."""
    found = [*(result(f"heavy_{place}", weight=1_000) for place in range(3)), result("light", FAILED, weight=1e-300)]
    judgement = decide(policy(), found)
    assert (judgement.decision, deciding.shown(judgement.pass_rate)) == (GO, "99%")
    assert judgement.pass_rate < 1


def test_categories_come_out_by_weight_where_any_check_applied() -> None:
    """In their order; counts are of checks that apply."""
    found = [
        result("a", PASSED, SECURITY, weight=3),
        result("b", ERROR, SECURITY),
        result("c", SKIPPED, SECURITY),
        result("d", FAILED, OBSERVABILITY),
        result("e", SKIPPED, OPERATIONS),
    ]
    assert deciding.categories(found) == (
        CategoryResult(OBSERVABILITY, 0.0, 0, 1),
        CategoryResult(SECURITY, 0.75, 1, 2),
    )


@given(judged())
def test_a_verdict_is_within_bounds_and_follows_from_what_it_says(case: Judged) -> None:
    """The rate is a share; a blocker is NO_GO; all passed is GO; the thresholds decide the rest."""
    rules, found = case
    judgement = decide(rules, found)
    assert 0 <= judgement.pass_rate <= 1
    assert judgement.results == tuple(found)
    assert set(judgement.blockers) == {
        one.name for one in found if one.outcome in {FAILED, ERROR} and (one.hard_blocker or one.category is SECURITY)
    }
    all_passed = all(one.outcome in {PASSED, SKIPPED} for one in found)
    assert (judgement.pass_rate == 1) == all_passed == (deciding.shown(judgement.pass_rate) == "100%")
    assert judgement.decision is expected(rules, found, judgement)


def expected(rules: Policy, found: list[CheckResult], judgement: Judgement) -> ReadinessDecision:
    """The decision, computed in the most simple-minded way."""
    weights = {
        one.name: Fraction(repr(one.weight)) * Fraction(repr(rules.category_weights[one.category]))
        for one in found
        if one.outcome is not SKIPPED
    }
    passed = sum(weights[one.name] for one in found if one.outcome is PASSED)
    percent = 100 * passed / sum(weights.values())
    if judgement.blockers or percent < Fraction(repr(rules.conditional_threshold_pct)):
        return NO_GO
    return GO if percent >= Fraction(repr(rules.go_threshold_pct)) else CONDITIONAL_GO


@given(judged(), st.data())
def test_passing_one_more_never_makes_it_worse(case: Judged, data: st.DataObject) -> None:
    """Whatever the weights and the thresholds."""
    rules, found = case
    against = [one.name for one in found if one.outcome in {FAILED, ERROR}]
    name = data.draw(st.sampled_from(against or [found[0].name]))
    after = [replace(one, outcome=PASSED) if one.name == name and against else one for one in found]
    before, then = decide(rules, found), decide(rules, after)
    order = list(ReadinessDecision)
    assert order.index(then.decision) <= order.index(before.decision)
    assert then.pass_rate >= before.pass_rate
    assert set(then.blockers) <= set(before.blockers)


@given(judged(), st.integers(-3, 3))
def test_only_the_ratio_of_weights_counts(case: Judged, power: int) -> None:
    """Ten times the weight of every check, or of every category, changes nothing."""

    def times_ten(weight: float) -> float:
        return float(Decimal(repr(weight)).scaleb(power))

    rules, found = case
    before = decide(rules, found)
    then = decide(rules, [replace(one, weight=times_ten(one.weight)) for one in found])
    assert replace(then, results=before.results) == before
    weights = {category: times_ten(weight) for category, weight in rules.category_weights.items()}
    assert decide(replace(rules, category_weights=weights), found) == before


@given(judged(most=6))
def test_what_would_make_it_go_does_and_nothing_less_would(case: Judged) -> None:
    """Compared with every smaller set of checks that did not pass."""
    rules, found = case
    judgement = decide(rules, found)
    assert (judgement.to_go == ()) == (judgement.decision is GO)
    assert decide(rules, passing(found, judgement.to_go)).decision is GO
    against = [one.name for one in found if one.outcome in {FAILED, ERROR}]
    for names in itertools.combinations(against, max(0, len(judgement.to_go) - 1)):
        if judgement.to_go:
            assert decide(rules, passing(found, names)).decision is not GO


@given(judged())
def test_conditions_name_every_check_that_did_not_pass(case: Judged) -> None:
    """Of a CONDITIONAL_GO, and of nothing else."""
    rules, found = case
    judgement = decide(rules, found)
    against = [one.name for one in found if one.outcome in {FAILED, ERROR}]
    named = [line.split(":")[0] for line in judgement.conditions]
    assert named == (against if judgement.decision is CONDITIONAL_GO else [])


@given(judged())
def test_categories_add_up_to_what_applies(case: Judged) -> None:
    """Each check in its own."""
    _, found = case
    categories = deciding.categories(found)
    assert [one.category for one in categories] == [
        c for c in ReadinessCategory if c in {o.category for o in categories}
    ]
    assert sum(one.total for one in categories) == sum(one.outcome is not SKIPPED for one in found)
    assert sum(one.passed for one in categories) == sum(one.outcome is PASSED for one in found)
    assert all((one.pass_rate == 1) == (one.passed == one.total) for one in categories)
