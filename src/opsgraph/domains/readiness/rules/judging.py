"""How built-in checks are judged: by what is declared, recorded or measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from opsgraph.domains.readiness.model.manifests import Manifest
from opsgraph.domains.readiness.model.verdicts import CheckOutcome

ON_CALL = "oncall"
"""The section that says whether somebody is on call."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of a check, and why, for people."""

    outcome: CheckOutcome
    message: str


Judge = Callable[[Manifest], Finding]


def _found(passed: bool, message: str) -> Finding:
    return Finding(CheckOutcome.PASSED if passed else CheckOutcome.FAILED, message)


def flag(name: str, duty: str | None = None) -> Judge:
    """Whether a flag is declared; an explicit answer about a governance duty beats it."""

    def judge(manifest: Manifest) -> Finding:
        if duty is not None and duty in manifest.recorded:
            return _recorded(manifest.recorded, duty)
        value = manifest.declared.get(name)
        if value is True:
            return Finding(CheckOutcome.PASSED, "declared")
        return Finding(CheckOutcome.FAILED, "declared false" if value is False else "not declared")

    return judge


def _recorded(recorded: Mapping[str, bool], duty: str) -> Finding:
    passed = recorded[duty]
    return _found(passed, f"governance check {duty} is recorded as {'passed' if passed else 'failed'}")


def runbook(manifest: Manifest) -> Finding:
    """Whether there is a runbook, as recorded, else as declared."""
    if "runbook" in manifest.recorded:
        return _recorded(manifest.recorded, "runbook")
    link = manifest.declared.get("runbook_url")
    return _found(bool(link), f"runbook_url is {link}" if link else "no runbook_url is declared")


def owner(manifest: Manifest) -> Finding:
    """Whether somebody owns it, as recorded, else whether it has a team."""
    if "ownership" in manifest.recorded:
        return _recorded(manifest.recorded, "ownership")
    service = manifest.measured.get("service")
    team = service.values.get("team") if service else None
    return _found(team is not None, f"team {team} owns it" if team is not None else "no team owns it")


def _measured(section: str, *fields: str, what: str) -> Callable[[Callable[..., Finding]], Judge]:
    """Judge by these values of a section: skipped where nobody measures it, an error where a value is missing."""

    def judged_by(rule: Callable[..., Finding]) -> Judge:
        def judge(manifest: Manifest) -> Finding:
            facts = manifest.measured.get(section)
            if facts is None:
                return Finding(CheckOutcome.SKIPPED, f"{what} not measured here")
            values: list[Any] = [facts.values.get(field) for field in fields]
            if None in values:
                return Finding(CheckOutcome.ERROR, f"{what} not known for this service")
            return rule(*values)

        return judge

    return judged_by


@_measured("slo", "count", what="SLOs are")
def slo_defined(count: int) -> Finding:
    """Whether there is any SLO, however old what is known about it."""
    return _found(count > 0, f"{_counted(count, 'SLO', 'is')} defined")


@_measured("slo", "count", "met", "breached", what="SLOs are")
def slos_met(count: int, met: int, breached: int) -> Finding:
    """Whether no SLO is breached; skipped where none can be judged. Those that cannot are named."""
    judged = met + breached
    if not judged:
        why = "none of them has been judged yet" if count else "none is defined"
        return Finding(CheckOutcome.SKIPPED, f"no SLO to judge by: {why}")
    if breached:
        noun, verb = "SLO" if judged == 1 else "SLOs", "is" if breached == 1 else "are"
        return _found(False, f"{breached} of {judged} {noun} {verb} breached")
    unknown = count - judged
    if unknown:
        verb, has = "is" if met == 1 else "are", "has" if unknown == 1 else "have"
        return _found(True, f"{met} of {count} SLOs {verb} met, {unknown} {has} no data, none is missed")
    return _found(True, f"{_counted(met, 'SLO', 'is')} met, none breached")


@_measured("incidents", "open_critical", what="incidents are")
def no_critical_incident(critical: int) -> Finding:
    """Whether no critical incident is open."""
    return _found(critical == 0, f"{_counted(critical, 'critical incident', 'is')} open")


@_measured(ON_CALL, "covered", what="on-call coverage is")
def on_call_coverage(covered: bool) -> Finding:
    """Whether somebody is on call."""
    return _found(covered is True, "somebody is on call" if covered is True else "nobody is on call")


def _counted(count: int, noun: str, verb: str) -> str:
    """`no SLO is`, `1 SLO is`, `2 SLOs are`: with a verb of which only `is` has to follow the number."""
    if count == 1:
        return f"1 {noun} {verb}"
    return f"no {noun} {verb}" if count == 0 else f"{count} {noun}s are"
