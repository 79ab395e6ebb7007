"""The governance checks, and what their results add up to."""

from collections.abc import Mapping

from opsgraph.domains.governance.model import Check, CheckResult, Governance, GovernanceStatus
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import shown

CHECKS = (
    Check("runbook", "There is a runbook for whoever is called at night.", "a runbook"),
    Check("monitoring", "It is watched by dashboards and alerts.", "monitoring"),
    Check("ownership", "A team answers for it.", "an owner"),
    Check("documentation", "What it does and how to use it is written down.", "documentation"),
    Check("incident_response", "What happens in an incident is agreed and practised.", "an incident response plan"),
)
"""Every check. A new one is one entry here: it fails everywhere until it is recorded."""

KEYS = tuple(check.key for check in CHECKS)

NON_COMPLIANT_FROM = 3
"""So many failed checks make a service non-compliant."""


def check_key(value: str) -> str:
    """Accept the key of a check.

    Raises:
        Invalid: there is no such check; the details list those that there are.
    """
    if value not in KEYS:
        raise Invalid(
            f"there is no governance check called {shown(value)}; there are {', '.join(KEYS)}",
            "check",
            {"allowed": list(KEYS)},
        )
    return value


def judge(service_name: str, recorded: Mapping[str, bool]) -> Governance:
    """Judge a service by what was recorded for it.

    Args:
        service_name: named in each message.
        recorded: whether it passes, by check key; keys of checks that no longer exist are ignored.
    """
    if recorded.keys().isdisjoint(KEYS):
        return Governance(GovernanceStatus.NEEDS_REVIEW, ())
    checks = tuple(_result(service_name, check, recorded.get(check.key)) for check in CHECKS)
    return Governance(status(sum(not check.passed for check in checks)), checks)


def status(failed: int) -> GovernanceStatus:
    """What a number of failed checks makes of a service that has checks."""
    if failed == 0:
        return GovernanceStatus.COMPLIANT
    return GovernanceStatus.NON_COMPLIANT if failed >= NON_COMPLIANT_FROM else GovernanceStatus.NEEDS_REVIEW


def _result(service_name: str, check: Check, passed: bool | None) -> CheckResult:
    said = {True: "has", False: "lacks", None: "has no record of"}[passed]
    return CheckResult(check.key, passed is True, f"{service_name} {said} {check.evidence}")
