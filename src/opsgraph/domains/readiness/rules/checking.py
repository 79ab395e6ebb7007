"""What becomes of each check for one service."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from opsgraph.domains.readiness.model.expressions import Evaluated
from opsgraph.domains.readiness.model.manifests import Manifest
from opsgraph.domains.readiness.model.overrides import Exemption
from opsgraph.domains.readiness.model.policies import Check, Policy, Subject
from opsgraph.domains.readiness.model.verdicts import CheckOutcome, CheckResult
from opsgraph.domains.readiness.rules import ages
from opsgraph.domains.readiness.rules.built_in import BY_NAME
from opsgraph.domains.readiness.rules.deciding import blocks
from opsgraph.domains.readiness.rules.expressions import named_sections
from opsgraph.domains.readiness.rules.judging import Finding
from opsgraph.kernel.text import shown

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class _Case:
    """A service with all that its checks are judged by."""

    manifest: Manifest
    subject: Subject
    exemptions: Mapping[str, Exemption]
    evaluated: Mapping[str, Evaluated]
    now: datetime


def run(
    policy: Policy,
    manifest: Manifest,
    subject: Subject,
    exemptions: Mapping[str, Exemption],
    evaluated: Mapping[str, Evaluated],
    now: datetime,
) -> tuple[CheckResult, ...]:
    """What becomes of each check that is enabled, in the order of the policy.

    A check that is not for this service, or that it is exempt from, is SKIPPED; one that rests on facts that are too
    old, or whose expression has no value, is an ERROR.

    Args:
        policy: what is asked.
        manifest: what is known about the service.
        subject: the service.
        exemptions: those of the service, by the name of the check.
        evaluated: what the expressions of checks came to, by the name of the check.
        now: as of when.
    """
    case = _Case(manifest, subject, exemptions, evaluated, now)
    return tuple(_result(check, _judged(check, case)) for check in policy.checks if check.enabled)


def _result(check: Check, finding: Finding) -> CheckResult:
    message = " ".join(finding.message.split())  # one line of a log
    return CheckResult(check.name, check.category, check.weight, blocks(check), finding.outcome, message)


def _judged(check: Check, case: _Case) -> Finding:
    reason = _not_asked(check, case.subject) or _exempt(case.exemptions.get(check.name), case.now)
    if reason is not None:
        return Finding(CheckOutcome.SKIPPED, reason)
    stale = _stale(check, case)
    if stale is not None:
        return Finding(CheckOutcome.ERROR, stale)
    if check.expression is not None:
        return _expression(check.expression, case.evaluated.get(check.name))
    if check.name not in BY_NAME:
        return Finding(CheckOutcome.ERROR, "this version of opsgraph has no such check; disable it")
    return BY_NAME[check.name].judge(case.manifest)


def _not_asked(check: Check, subject: Subject) -> str | None:
    """Why a check is not for a service; None where it is."""
    if check.tiers and subject.tier not in check.tiers:
        return f"not asked of tier {subject.tier}"
    if check.tags and not set(check.tags) & set(subject.tags):
        tags = ", ".join(shown(tag) for tag in check.tags)
        return f"not asked of services without {'the tag' if len(check.tags) == 1 else 'one of the tags'} {tags}"
    if check.lifecycles and subject.lifecycle not in check.lifecycles:
        return f"not asked of services that are {subject.lifecycle.value}"
    return None


def _exempt(exemption: Exemption | None, now: datetime) -> str | None:
    if exemption is None or not exemption.in_force(now):
        return None
    until = exemption.ends_at.astimezone(UTC).date().isoformat()
    return f"exempt until {until} by {exemption.approved_by}: {_cut(exemption.reason)}"


def _stale(check: Check, case: _Case) -> str | None:
    """Why what a check rests on does not count; the first of the sections, if there are several."""
    measured = case.manifest.measured
    found = (ages.too_old(measured[name], case.now) for name in sorted(_sections(check) & measured.keys()))
    return next((reason for reason in found if reason is not None), None)


def _sections(check: Check) -> frozenset[str]:
    if check.expression is not None:
        return named_sections(check.expression)
    section = BY_NAME[check.name].section if check.name in BY_NAME else None
    return frozenset() if section is None else frozenset((section,))


def _expression(text: str, evaluated: Evaluated | None) -> Finding:
    if evaluated is None:
        return Finding(CheckOutcome.ERROR, "its expression was not evaluated")
    if evaluated.error is not None:
        return Finding(CheckOutcome.ERROR, f"its expression has no value: {_cut(evaluated.error)}")
    if not isinstance(evaluated.value, bool):
        return Finding(CheckOutcome.ERROR, "its expression is neither true nor false")
    outcome = CheckOutcome.PASSED if evaluated.value else CheckOutcome.FAILED
    return Finding(outcome, f"{'true' if evaluated.value else 'false'}: {_cut(text)}")


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
