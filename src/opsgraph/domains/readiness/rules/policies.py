"""The policy: what is built in, what may be changed about it, and the text that a version is kept as."""

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from opsgraph.domains.catalog import rules as catalog
from opsgraph.domains.catalog.model import Lifecycle
from opsgraph.domains.readiness.model.policies import Check, CheckInput, Policy, PolicyInput, ReadinessCategory
from opsgraph.domains.readiness.rules import expressions
from opsgraph.domains.readiness.rules.built_in import BUILT_IN, BY_NAME
from opsgraph.kernel.changes import given
from opsgraph.kernel.refusals import Conflict, Invalid, NotFound
from opsgraph.kernel.text import free_name, free_text, name_key, shown

FEWEST_CHECKS = 3
LOWEST_THRESHOLD = 1
MOST_CHECKS = 500
LARGEST_WEIGHT = 1_000
TEXT_LENGTH = 1_000

DEFAULT = Policy(
    version=1,
    go_threshold_pct=90.0,
    conditional_threshold_pct=70.0,
    minimum_checks=FEWEST_CHECKS,
    category_weights=dict.fromkeys(ReadinessCategory, 1.0),
    checks=tuple(entry.check for entry in BUILT_IN),
)
"""The policy that is built in."""


def changed(policy: Policy, wanted: PolicyInput) -> Policy:
    """The next version of the policy, or the same one if it says that already; what was left out stays.

    Raises:
        Invalid: a threshold, a weight or the minimum is out of bounds, GO takes less than CONDITIONAL_GO, or fewer
            checks are enabled than a verdict takes.
    """
    values = {name: _ACCEPT_POLICY[name](value) for name, value in given(wanted).items()}
    if "category_weights" in values:
        values["category_weights"] = {**policy.category_weights, **values["category_weights"]}
    after = replace(policy, **values)
    if after.go_threshold_pct < after.conditional_threshold_pct:
        raise _crossed(after, values)
    if _enabled(after) < after.minimum_checks:
        few = f"minimum_checks is {after.minimum_checks}, and {_enabled(after)} checks are enabled; enable more first"
        raise Invalid(few, "minimum_checks")
    return _next(policy, after)


def with_check(policy: Policy, wanted: CheckInput) -> Policy:
    """The next version of the policy, with a check added or changed, or the same one if it has that already.

    Whether its expression compiles is not looked at. Texts that are cleared of a check that is built in become those
    that came with it.

    Raises:
        Invalid: a value is missing or out of bounds, or cannot be changed of this check, or too few would be enabled.
        NotFound: there is no such check, and too little is given to add one.
        Conflict: there are as many checks as there may be.
    """
    name = free_name(wanted.name)
    kept = next((check for check in policy.checks if name_key(check.name) == name_key(name)), None)
    values = _accepted(wanted, kept)
    if kept is None:
        return _next(policy, replace(policy, checks=(*policy.checks, _added(policy, name, values))))
    check = _guarded(kept, values)
    if kept.enabled and not check.enabled and _enabled(policy) <= policy.minimum_checks:
        few = f"{policy.minimum_checks} checks, as many as a verdict takes, are enabled; enable another one first"
        raise Invalid(few, "enabled")
    return _next(policy, replace(policy, checks=tuple(check if one is kept else one for one in policy.checks)))


def document(policy: Policy) -> dict[str, Any]:
    """A version of the policy as JSON; `read` gives it back."""
    return {
        "go_threshold_pct": policy.go_threshold_pct,
        "conditional_threshold_pct": policy.conditional_threshold_pct,
        "minimum_checks": policy.minimum_checks,
        "category_weights": {category.value: weight for category, weight in policy.category_weights.items()},
        "checks": [_plain(check) for check in policy.checks],
    }


def read(document: Mapping[str, Any], version: int) -> Policy:
    """The version of the policy that `document` made JSON of."""
    weights = {ReadinessCategory(name): weight for name, weight in document["category_weights"].items()}
    return Policy(
        version=version,
        go_threshold_pct=document["go_threshold_pct"],
        conditional_threshold_pct=document["conditional_threshold_pct"],
        minimum_checks=document["minimum_checks"],
        category_weights=weights,
        checks=tuple(_check(**values) for values in document["checks"]),
    )


def _enabled(policy: Policy) -> int:
    return sum(check.enabled for check in policy.checks)


def _next(policy: Policy, after: Policy) -> Policy:
    return policy if after == policy else replace(after, version=policy.version + 1)


def _crossed(after: Policy, values: Mapping[str, Any]) -> Invalid:
    """Names the threshold that was given, or the one for GO if both were."""
    go, conditional = _said(after.go_threshold_pct), _said(after.conditional_threshold_pct)
    if "go_threshold_pct" in values:
        return Invalid(
            f"go_threshold_pct is {go}, less than the {conditional} of conditionalThresholdPct; GO takes no less",
            "go_threshold_pct",
        )
    return Invalid(
        f"conditional_threshold_pct is {conditional}, more than the {go} of goThresholdPct; GO takes no less",
        "conditional_threshold_pct",
    )


def _said(number: float) -> str:
    return repr(float(number)).removesuffix(".0")


def _threshold(field: str) -> Callable[[float], float]:
    def accept(value: float) -> float:
        if not LOWEST_THRESHOLD <= value <= 100:
            raise Invalid(f"{field} is {_said(value)}; it takes {LOWEST_THRESHOLD} to 100 (percent)", field)
        return float(value)

    return accept


def _minimum(value: int) -> int:
    if not FEWEST_CHECKS <= value <= MOST_CHECKS:
        raise Invalid(f"minimum_checks is {value}; it takes {FEWEST_CHECKS} to {MOST_CHECKS}", "minimum_checks")
    return value


def _category_weights(values: Mapping[ReadinessCategory, float]) -> dict[ReadinessCategory, float]:
    return {
        category: _weight(value, f"category_weights: the weight of {category.value}", "category_weights")
        for category, value in values.items()
    }


def _weight(value: float, label: str = "weight", field: str = "weight") -> float:
    if not math.isfinite(value) or not 0 < value <= LARGEST_WEIGHT:
        raise Invalid(f"{label} is {_said(value)}; it takes more than 0 and at most {LARGEST_WEIGHT}", field)
    return float(value)


_ACCEPT_POLICY: Mapping[str, Callable[[Any], Any]] = {
    "go_threshold_pct": _threshold("go_threshold_pct"),
    "conditional_threshold_pct": _threshold("conditional_threshold_pct"),
    "minimum_checks": _minimum,
    "category_weights": _category_weights,
}


def _accepted(wanted: CheckInput, kept: Check | None) -> dict[str, Any]:
    """The values of a check that were given, each by itself; None as what came with it, else as nothing."""
    values = {name: value for name, value in given(wanted).items() if name != "name"}
    usual = BY_NAME[kept.name].check if kept is not None and kept.name in BY_NAME else _PLAIN
    for name, value in values.items():
        if value is None:
            values[name] = getattr(usual, name)
        elif name in _ACCEPT_CHECK:
            values[name] = _ACCEPT_CHECK[name](value)
    return values


def _added(policy: Policy, name: str, values: Mapping[str, Any]) -> Check:
    missing = [field for field in ("category", "expression") if field not in values]
    if len(missing) == 2:
        raise _unknown(policy, name)
    if missing:
        raise Invalid(f"{missing[0]} is missing; a new check needs one", missing[0])
    if len(policy.checks) >= MOST_CHECKS:
        raise Conflict(f"there are {MOST_CHECKS} checks already; change one of those that are disabled", "name")
    return _blocking(Check(name, **values), values)


def _guarded(kept: Check, values: Mapping[str, Any]) -> Check:
    """A check with other values, but for those that it has for good."""
    name, category = shown(kept.name), values.get("category", kept.category)
    if kept.expression is None and "expression" in values:
        raise Invalid(f"expression cannot be set: the check {name} is built in; add one of your own", "expression")
    if kept.expression is None and category is not kept.category:
        raise Invalid(f"category cannot be changed: the check {name} is built in", "category")
    if kept.category is ReadinessCategory.SECURITY and category is not kept.category:
        why = "what is about SECURITY stays a hard blocker; disable it instead"
        raise Invalid(f"category of the check {name} cannot be changed: {why}", "category")
    return _blocking(replace(kept, **values), values)


def _blocking(check: Check, values: Mapping[str, Any]) -> Check:
    """A check of SECURITY is a hard blocker, and nobody can say otherwise."""
    if check.category is not ReadinessCategory.SECURITY:
        return check
    if values.get("hard_blocker", True) is False:
        name = shown(check.name)
        raise Invalid(f"hard_blocker of the check {name} is always true, for it is about SECURITY", "hard_blocker")
    return replace(check, hard_blocker=True)


def _unknown(policy: Policy, name: str) -> NotFound:
    names = {name_key(check.name): check.name for check in policy.checks}
    near = [names[key] for key in difflib.get_close_matches(name_key(name), names, n=1, cutoff=0.7)]
    hint = f"did you mean {shown(near[0])}? " if near else ""
    return NotFound(
        f"there is no check called {shown(name)}; {hint}A new one needs a category and an expression", "name"
    )


def _text(field: str) -> Callable[[str], str]:
    return lambda value: free_text(value.strip(), field, TEXT_LENGTH)


def _tiers(values: tuple[int, ...]) -> tuple[int, ...]:
    for value in values:
        if value not in catalog.TIERS:
            raise Invalid(f"tiers has {value}; it takes 1 (most critical) to 4", "tiers")
    return tuple(sorted(set(values)))


def _tags(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(catalog.tags(values))


def _lifecycles(values: tuple[Lifecycle, ...]) -> tuple[Lifecycle, ...]:
    return tuple(lifecycle for lifecycle in Lifecycle if lifecycle in values)


_ACCEPT_CHECK: Mapping[str, Callable[[Any], Any]] = {
    "expression": expressions.accepted,
    "weight": _weight,
    "description": _text("description"),
    "why": _text("why"),
    "fix": _text("how_to_fix"),
    "tiers": _tiers,
    "tags": _tags,
    "lifecycles": _lifecycles,
}
_PLAIN = Check("", ReadinessCategory.OPERATIONS)
"""What a check is where nobody says anything."""


def _plain(check: Check) -> dict[str, Any]:
    values = {field.name: getattr(check, field.name) for field in fields(check)}
    lifecycles = [lifecycle.value for lifecycle in check.lifecycles]
    return {
        **values,
        "category": check.category.value,
        "tiers": list(check.tiers),
        "tags": list(check.tags),
        "lifecycles": lifecycles,
    }


def _check(category: str, tiers: list[int], tags: list[str], lifecycles: list[str], **values: Any) -> Check:
    return Check(
        category=ReadinessCategory(category),
        tiers=tuple(tiers),
        tags=tuple(tags),
        lifecycles=tuple(Lifecycle(name) for name in lifecycles),
        **values,
    )
