"""The checks that are built in: what each asks, why, how to pass it, and how it is judged."""

from collections.abc import Mapping
from dataclasses import dataclass

from opsgraph.domains.readiness.model.policies import Check, ReadinessCategory
from opsgraph.domains.readiness.rules import judging
from opsgraph.domains.readiness.rules.judging import Judge

OBSERVABILITY, RELIABILITY, SECURITY, OPERATIONS = ReadinessCategory


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A check that is built in.

    Attributes:
        check: as the policy that is built in has it.
        section: the section that it rests on: what is too old there cannot be judged.
        judge: what becomes of it for a manifest.
    """

    check: Check
    section: str | None
    judge: Judge


def _entry(category: ReadinessCategory, name: str, judge: Judge, *texts: str, section: str | None = None) -> BuiltIn:
    description, why, fix = texts
    blocks = category is SECURITY
    check = Check(name, category, hard_blocker=blocks, description=description, why=why, fix=fix)
    return BuiltIn(check, section, judge)


BUILT_IN: tuple[BuiltIn, ...] = (
    _entry(
        OBSERVABILITY,
        "structured_logs",
        judging.flag("structured_logs"),
        "It writes logs that programs can read, with a level, a time and a request id.",
        "In an incident, logs are searched by field across services; free text cannot be.",
        "Write logs as JSON lines, then declare structured_logs.",
    ),
    _entry(
        OBSERVABILITY,
        "metrics",
        judging.flag("metrics"),
        "It exposes its traffic, errors, latency and saturation as metrics.",
        "Without the four signals nobody can tell whether it works, or what a release changed.",
        "Expose metrics for Prometheus or send them by OpenTelemetry, then declare metrics.",
    ),
    _entry(
        OBSERVABILITY,
        "dashboards",
        judging.flag("dashboards"),
        "A dashboard shows how it is doing and what it depends on.",
        "Whoever is called at night sees in a minute what is wrong, instead of writing queries.",
        "Make a dashboard of the four signals and link it from the service, then declare dashboards.",
    ),
    _entry(
        OBSERVABILITY,
        "alerting",
        judging.flag("alerting", "monitoring"),
        "Somebody is alerted when its users are affected.",
        "Otherwise its users are the monitoring.",
        "Alert on symptoms, best on the burn rate of an SLO, then declare alerting.",
    ),
    _entry(
        RELIABILITY,
        "slo_defined",
        judging.slo_defined,
        "It has at least one SLO.",
        "Reliability that nobody has put in numbers can be neither kept nor traded for speed.",
        "Save an SLO of what its users notice: availability or latency.",
    ),
    _entry(
        RELIABILITY,
        "sla_documented",
        judging.flag("sla_documented"),
        "What its users can rely on is written down.",
        "Teams that build on it would otherwise take what they see today for a promise.",
        "Write down availability, latency and support hours where its users look, then declare sla_documented.",
    ),
    _entry(
        RELIABILITY,
        "load_tested",
        judging.flag("load_tested"),
        "It was tested under the load that is expected of it, and beyond.",
        "The limit is found either in a test or in production.",
        "Run a load test at twice the expected peak and write down where it breaks, then declare load_tested.",
    ),
    _entry(
        RELIABILITY,
        "graceful_degradation",
        judging.flag("graceful_degradation"),
        "It goes on with less where something that it depends on fails.",
        "Otherwise the weakest of its dependencies decides how available it is.",
        "Set timeouts, retries with backoff and fallbacks, try them, then declare graceful_degradation.",
    ),
    _entry(
        RELIABILITY,
        "backups_tested",
        judging.flag("backups_tested"),
        "Its data was restored from a backup, as a test.",
        "A backup that was never restored is a hope.",
        "Restore the newest backup into an empty environment and time it, then declare backups_tested.",
    ),
    _entry(
        RELIABILITY,
        "slos_met",
        judging.slos_met,
        "None of its SLOs is breached.",
        "With the error budget spent, what the users need next is reliability, not a release.",
        "Bring the breached SLOs back within their budgets, or agree on other targets.",
        section="slo",
    ),
    _entry(
        SECURITY,
        "authentication",
        judging.flag("authentication"),
        "It knows who calls it, and refuses everyone else.",
        "Anything that can be reached will be called by somebody who should not.",
        "Ask for credentials on every endpoint but the probes, then declare authentication.",
    ),
    _entry(
        SECURITY,
        "secret_scanning",
        judging.flag("secret_scanning"),
        "Its code and its history are scanned for secrets.",
        "A key in a repository is found by others within minutes.",
        "Scan each push with a secret scanner and revoke what it finds, then declare secret_scanning.",
    ),
    _entry(
        SECURITY,
        "dependency_scanning",
        judging.flag("dependency_scanning"),
        "What it is built from is scanned for known vulnerabilities.",
        "Most of what runs was written by others, and its flaws are public.",
        "Scan dependencies and images on each build and each day, then declare dependency_scanning.",
    ),
    _entry(
        SECURITY,
        "encryption",
        judging.flag("encryption"),
        "Its data is encrypted on the way and at rest.",
        "Networks and disks are read by more people than one thinks.",
        "Serve TLS only and encrypt the storage, then declare encryption.",
    ),
    _entry(
        OPERATIONS,
        "runbook",
        judging.runbook,
        "There is a runbook for whoever is called at night.",
        "The one who is called is rarely the one who wrote it.",
        "Write what to do for each alert, then declare its address as runbook_url.",
    ),
    _entry(
        OPERATIONS,
        "on_call_coverage",
        judging.on_call_coverage,
        "Somebody is on call for it.",
        "An alert that reaches nobody is not an alert.",
        "Put it, or its team, on a schedule without gaps.",
        section=judging.ON_CALL,
    ),
    _entry(
        OPERATIONS,
        "rollback_plan",
        judging.flag("rollback_plan"),
        "How to go back to the version before is written down and tried.",
        "Most incidents follow a change; undoing it is the fastest way out.",
        "Try to go back once, migrations included, write down how, then declare rollback_plan.",
    ),
    _entry(
        OPERATIONS,
        "owner",
        judging.owner,
        "A team answers for it.",
        "What nobody owns, nobody fixes.",
        "Assign the service to a team.",
    ),
    _entry(
        OPERATIONS,
        "no_critical_incident",
        judging.no_critical_incident,
        "No critical incident of it is open.",
        "A release on top of an incident makes both harder to understand.",
        "Resolve the incident first.",
        section="incidents",
    ),
)
"""Every check that is built in, in the order of the policy: a new one is one entry here."""

BY_NAME: Mapping[str, BuiltIn] = {entry.check.name: entry for entry in BUILT_IN}
