"""The decision: from the results of checks to GO, CONDITIONAL_GO or NO_GO, with what explains it. Exact arithmetic."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache

from opsgraph.domains.readiness.model.policies import Check, Policy, ReadinessCategory
from opsgraph.domains.readiness.model.verdicts import (
    CategoryResult,
    CheckOutcome,
    CheckResult,
    Judgement,
    ReadinessDecision,
)
from opsgraph.kernel.refusals import Conflict

_ALMOST_ALL = math.nextafter(1.0, 0.0)
_ALMOST_ALL_SHOWN = 99
_REMEMBERED = 1_024


@dataclass(frozen=True, slots=True)
class _Weighed:
    """What each check counts, by name, and what all of them do, and those that passed."""

    weights: Mapping[str, Fraction]
    total: Fraction
    passed: Fraction

    @property
    def rate(self) -> Fraction:
        return self.passed / self.total


def decide(policy: Policy, results: Sequence[CheckResult]) -> Judgement:
    """Decide by the results of checks: any blocker is NO_GO, else the share of weight that passed decides.

    Raises:
        Conflict: fewer checks apply than the policy asks for.
    """
    applicable = [result for result in results if _applies(result)]
    if len(applicable) < policy.minimum_checks:
        raise _too_few(len(applicable), policy.minimum_checks)
    weighed = _weigh(applicable, policy.category_weights)
    decision = _decision(policy, weighed.rate, blocked=bool(blockers(results)))
    conditional = decision is ReadinessDecision.CONDITIONAL_GO
    return Judgement(
        decision=decision,
        pass_rate=_as_float(weighed.rate),
        results=tuple(results),
        blockers=blockers(results),
        conditions=_conditions(policy, applicable) if conditional else (),
        to_go=_to_go(policy, applicable, weighed),
    )


def blockers(results: Iterable[CheckResult]) -> tuple[str, ...]:
    """The names of the hard blockers that failed or could not be evaluated, in the order of the results."""
    return tuple(result.name for result in results if blocks(result) and _stands_against(result))


def blocks(check: Check | CheckResult) -> bool:
    """Whether a failure or an error of a check is NO_GO: every one of SECURITY is a hard blocker."""
    return check.hard_blocker or check.category is ReadinessCategory.SECURITY


def categories(results: Sequence[CheckResult]) -> tuple[CategoryResult, ...]:
    """How each category came out of which any check applied, by the weights of its checks."""
    return tuple(
        _category(category, applicable)
        for category in ReadinessCategory
        if (applicable := [result for result in results if result.category is category and _applies(result)])
    )


def shown(pass_rate: float) -> str:
    """A pass rate as people read it: whole percent, halves up; 100 only if everything passed."""
    percent = int((_exact(pass_rate) * 100).quantize(Decimal(1), ROUND_HALF_UP))
    return f"{percent if pass_rate >= 1 else min(percent, _ALMOST_ALL_SHOWN)}%"


def _applies(result: CheckResult) -> bool:
    return result.outcome is not CheckOutcome.SKIPPED


def _stands_against(result: CheckResult) -> bool:
    """Whether a check applies and did not pass."""
    return result.outcome in {CheckOutcome.FAILED, CheckOutcome.ERROR}


def _exact(number: float) -> Decimal:
    """A number as it was written: 0.1 is a tenth."""
    return Decimal(repr(float(number)))


@lru_cache(maxsize=_REMEMBERED)
def _fraction(number: float) -> Fraction:
    return Fraction(_exact(number))


@lru_cache(maxsize=_REMEMBERED)
def _effective(weight: float, category_weight: float) -> Fraction:
    """What a check counts: its weight times that of its category."""
    return _fraction(weight) * _fraction(category_weight)


def _weigh(applicable: Iterable[CheckResult], categories: Mapping[ReadinessCategory, float]) -> _Weighed:
    weights, passed = {}, Fraction(0)
    for result in applicable:
        weights[result.name] = weight = _effective(result.weight, categories.get(result.category, 1.0))
        if result.outcome is CheckOutcome.PASSED:
            passed += weight
    return _Weighed(weights, sum(weights.values(), Fraction(0)), passed)


def _as_float(rate: Fraction) -> float:
    """The nearest float, but 1 only if everything passed."""
    return 1.0 if rate == 1 else min(float(rate), _ALMOST_ALL)


def _decision(policy: Policy, rate: Fraction, *, blocked: bool) -> ReadinessDecision:
    if blocked or rate < _threshold(policy.conditional_threshold_pct):
        return ReadinessDecision.NO_GO
    is_go = rate >= _threshold(policy.go_threshold_pct)
    return ReadinessDecision.GO if is_go else ReadinessDecision.CONDITIONAL_GO


def _threshold(pct: float) -> Fraction:
    return _fraction(pct) / 100


def _conditions(policy: Policy, applicable: Iterable[CheckResult]) -> tuple[str, ...]:
    """One line for each check that did not pass: its name, why, and how to pass it."""
    fixes = {check.name: check.fix for check in policy.checks}
    against = (result for result in applicable if _stands_against(result))
    return tuple(_line(result, fixes.get(result.name, "")) for result in against)


def _line(result: CheckResult, fix: str) -> str:
    why = f"{result.name}: {result.message}"
    return " ".join((f"{why.rstrip('.')}. {fix}" if fix else why).split())


def _to_go(policy: Policy, applicable: Iterable[CheckResult], weighed: _Weighed) -> tuple[str, ...]:
    """The fewest checks that have to pass for a GO: all that block, then those that weigh most."""
    against = [result for result in applicable if _stands_against(result)]
    needed = [result.name for result in against if blocks(result)]
    others = [result.name for result in against if not blocks(result)]
    others.sort(key=weighed.weights.__getitem__, reverse=True)  # equal ones keep their order
    missing = weighed.total * _threshold(policy.go_threshold_pct) - weighed.passed
    missing -= sum((weighed.weights[name] for name in needed), Fraction(0))
    for name in others:
        if missing <= 0:
            break
        needed.append(name)
        missing -= weighed.weights[name]
    return tuple(needed)


def _category(category: ReadinessCategory, applicable: Sequence[CheckResult]) -> CategoryResult:
    passed = sum(result.outcome is CheckOutcome.PASSED for result in applicable)
    return CategoryResult(category, _as_float(_weigh(applicable, {}).rate), passed, len(applicable))


def _too_few(applicable: int, minimum: int) -> Conflict:
    apply = {0: "no check applies", 1: "only 1 check applies"}.get(applicable, f"only {applicable} checks apply")
    return Conflict(
        f"{apply} to this service; a verdict takes at least {minimum}",
        "service",
        {"applicable": applicable, "minimum": minimum},
    )
