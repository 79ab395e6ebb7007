"""The duties, and what the results of their checks add up to."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from opsgraph.domains.governance.model import CheckResult, Duty, DutyInput, Governance, GovernanceStatus
from opsgraph.kernel.changes import given
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import LABEL_LENGTH, free_name, free_text, shown

CHECKS = (
    Duty("runbook", "There is a runbook for whoever is called at night.", "a runbook"),
    Duty("monitoring", "It is watched by dashboards and alerts.", "monitoring"),
    Duty("ownership", "A team answers for it.", "an owner"),
    Duty("documentation", "What it does and how to use it is written down.", "documentation"),
    Duty("incident_response", "What happens in an incident is agreed and practised.", "an incident response plan"),
)
"""The duties that are built in; an organisation may describe them otherwise, or disable them."""

KEYS = tuple(duty.key for duty in CHECKS)

BUILT_IN: Mapping[str, Duty] = {duty.key: duty for duty in CHECKS}

NON_COMPLIANT_FROM = 3
"""So many failed checks make a service non-compliant."""

MOST_ADDED = 100
"""How many duties an organisation may add."""

_KEY = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_DESCRIPTION_LENGTH = 1_000


def all_duties(saved: Iterable[Duty]) -> tuple[Duty, ...]:
    """Every duty: the built-in ones in their order, as they were changed, then those that were added, by key.

    Args:
        saved: what the organisation added or changed, each key once.
    """
    by_key = {duty.key: duty for duty in saved}
    added = sorted(by_key.keys() - BUILT_IN.keys())
    return (*(by_key.get(duty.key, duty) for duty in CHECKS), *(by_key[key] for key in added))


def in_force(saved: Iterable[Duty]) -> tuple[Duty, ...]:
    """The duties that are asked of every service, in the order of `all_duties`."""
    return tuple(duty for duty in all_duties(saved) if duty.enabled)


def duty_key(value: str) -> str:
    """Accept the key of a duty that may be new.

    Raises:
        Invalid: it is not 1 to 63 characters of snake_case.
    """
    if len(value) > LABEL_LENGTH or not _KEY.fullmatch(value):
        raise Invalid(
            f"key {shown(value)} is not snake_case of 1 to {LABEL_LENGTH} characters: lower-case letters and digits, "
            "beginning with a letter, with single underscores between them",
            "key",
        )
    return value


def duty_changes(wanted: DutyInput) -> dict[str, Any]:
    """What is to be stored of a duty: the values that were given, accepted; None as what is built in, if it is.

    Raises:
        Invalid: a text is empty, missing, too long or has characters that are not accepted; names the field.
    """
    built_in = BUILT_IN.get(wanted.key)
    values = {name: value for name, value in given(wanted).items() if name != "key"}
    for name, value in values.items():
        if value is None:
            values[name] = _usual(built_in, name)
        elif name in _ACCEPT:
            values[name] = _ACCEPT[name](value)
    return values


def new_duty(key: str, values: Mapping[str, Any]) -> Duty:
    """The duty that is stored where none of that key was: a built-in one, changed, or one that is added.

    Raises:
        Invalid: one that is added lacks a text; names the field.
    """
    kept = {name: _usual(BUILT_IN.get(key), name) for name in _FIELDS if name not in values}
    return Duty(key, **kept, **values)


def check_key(value: str, duties: Collection[Duty] = CHECKS) -> str:
    """Accept the key of a check.

    Raises:
        Invalid: there is no such check; the details list those that there are.
    """
    keys = [duty.key for duty in duties]
    if value not in keys:
        raise Invalid(
            f"there is no governance check called {shown(value)}; there are {', '.join(keys)}",
            "check",
            {"allowed": keys},
        )
    return value


def judge(
    service_name: str, recorded: Mapping[str, bool], implied: Collection[str] = (), duties: Collection[Duty] = CHECKS
) -> Governance:
    """Judge a service by what was recorded for it and, where nothing was, by what it declares.

    Args:
        service_name: named in each message.
        recorded: whether it passes, by check key; keys of checks that no longer exist are ignored.
        implied: keys of the checks that it passes by what it declares, unless another answer was recorded.
        duties: those in force.
    """
    if recorded.keys().isdisjoint(duty.key for duty in duties):
        return Governance(GovernanceStatus.NEEDS_REVIEW, ())
    checks = tuple(_result(service_name, duty, recorded.get(duty.key), duty.key in implied) for duty in duties)
    return Governance(status(sum(not check.passed for check in checks)), checks)


def status(failed: int) -> GovernanceStatus:
    """What a number of failed checks makes of a service that has checks."""
    if failed == 0:
        return GovernanceStatus.COMPLIANT
    return GovernanceStatus.NON_COMPLIANT if failed >= NON_COMPLIANT_FROM else GovernanceStatus.NEEDS_REVIEW


def _result(service_name: str, duty: Duty, passed: bool | None, implied: bool) -> CheckResult:
    said = {True: "has", False: "lacks", None: "declares" if implied else "has no record of"}[passed]
    return CheckResult(duty.key, passed or (passed is None and implied), f"{service_name} {said} {duty.evidence}")


def _description(value: str) -> str:
    text = free_text(value, "description", _DESCRIPTION_LENGTH).strip()
    if not text:
        raise Invalid("description is empty; it says what the duty asks", "description")
    return text


def _evidence(value: str) -> str:
    return free_name(value, "evidence")


_ACCEPT: Mapping[str, Callable[[str], str]] = {"description": _description, "evidence": _evidence}
_FIELDS = ("description", "evidence", "enabled")


def _usual(built_in: Duty | None, name: str) -> Any:
    """What a field of a duty is where nobody said anything."""
    if name == "enabled":
        return True
    if built_in is None:
        raise Invalid(f"{name} is missing; a duty that is not built in needs one", name)
    return getattr(built_in, name)
