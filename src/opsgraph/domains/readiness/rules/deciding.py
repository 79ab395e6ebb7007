"""The decision: from the results of checks to GO, CONDITIONAL_GO or NO_GO, with what explains it. Exact arithmetic."""

import math
from collections.abc import Iterable, Mapping, Sequence
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

_Weights = Mapping[str, Fraction]


def decide(policy: Policy, results: Sequence[CheckResult]) -> Judgement:
    """Decide by the results of checks: any blocker is NO_GO, else the share of weight that passed decides.

    Raises:
        Conflict: fewer checks apply than the policy asks for.
    """
    applicable = [result for result in results if _applies(result)]
    if len(applicable) < policy.minimum_checks:
        raise _too_few(len(applicable), policy.minimum_checks)
    weights = {result.name: _effective(policy, result) for result in applicable}
    rate, blocking = _rate(applicable, weights), blockers(results)
    decision = _decision(policy, rate, blocked=bool(blocking))
    conditional = decision is ReadinessDecision.CONDITIONAL_GO
    return Judgement(
        decision=decision,
        pass_rate=_as_float(rate),
        results=tuple(results),
        blockers=blocking,
        conditions=_conditions(policy, applicable) if conditional else (),
        to_go=_to_go(policy, applicable, weights),
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


def _effective(policy: Policy, result: CheckResult) -> Fraction:
    """What a check counts: its weight times that of its category."""
    category = policy.category_weights.get(result.category, 1.0)
    return _fraction(result.weight) * _fraction(category)


def _rate(applicable: Iterable[CheckResult], weights: _Weights) -> Fraction:
    """The share of weight that passed."""
    passed = (weights[result.name] for result in applicable if result.outcome is CheckOutcome.PASSED)
    return sum(passed, Fraction(0)) / sum(weights.values(), Fraction(0))


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
    return " ".join((f"{why}. {fix}" if fix else why).split())


def _to_go(policy: Policy, applicable: Sequence[CheckResult], weights: _Weights) -> tuple[str, ...]:
    """The fewest checks that have to pass for a GO: all that block, then those that weigh most."""
    against = [result for result in applicable if _stands_against(result)]
    needed = [result.name for result in against if blocks(result)]
    others = sorted((r.name for r in against if not blocks(r)), key=lambda name: -weights[name])  # ties: in their order
    missing = sum(weights.values(), Fraction(0)) * _threshold(policy.go_threshold_pct)
    missing -= sum((weights[r.name] for r in applicable if r.outcome is CheckOutcome.PASSED), Fraction(0))
    missing -= sum((weights[name] for name in needed), Fraction(0))
    for name in others:
        if missing <= 0:
            break
        needed.append(name)
        missing -= weights[name]
    return tuple(needed)


def _category(category: ReadinessCategory, applicable: Sequence[CheckResult]) -> CategoryResult:
    weights = {result.name: _fraction(result.weight) for result in applicable}
    passed = sum(result.outcome is CheckOutcome.PASSED for result in applicable)
    return CategoryResult(category, _as_float(_rate(applicable, weights)), passed, len(applicable))


def _too_few(applicable: int, minimum: int) -> Conflict:
    apply = {0: "no check applies", 1: "only 1 check applies"}.get(applicable, f"only {applicable} checks apply")
    return Conflict(
        f"{apply} to this service; a verdict takes at least {minimum}",
        "service",
        {"applicable": applicable, "minimum": minimum},
    )
