"""The domains' enums as the schema shows them, with what each value means."""

from enum import StrEnum

import strawberry

from opsgraph.domains.alerts.model import AlertEventKind, AlertOutcome, AlertStatus, Severity
from opsgraph.domains.catalog.model import Lifecycle
from opsgraph.domains.cost.model import AnomalySeverity, CostTrend
from opsgraph.domains.governance.model import GovernanceStatus
from opsgraph.domains.health.model import HealthStatus
from opsgraph.domains.incidents.model import IncidentEventKind, IncidentOrder, IncidentStatus, TimelineEntryType
from opsgraph.domains.readiness.model.overrides import OverrideState
from opsgraph.domains.readiness.model.policies import ReadinessCategory
from opsgraph.domains.readiness.model.verdicts import CheckOutcome, ReadinessDecision, ReadinessEventKind
from opsgraph.domains.reliability.model import Basis
from opsgraph.domains.slo.model import BudgetingMethod, IndicatorKind
from opsgraph.kernel.actor import Role
from opsgraph.kernel.refusals import RefusalCode
from opsgraph.kernel.windows import CalendarWindow


def expose(enum: type[StrEnum], description: str, name: str | None = None, **values: str) -> None:
    """Make a domain's enum part of the schema; every value is described.

    Raises:
        TypeError: a value has no description, or a description no value.
    """
    strawberry.enum(enum, name=name, description=description)
    definition = enum.__strawberry_definition__  # type: ignore[attr-defined]  # Strawberry's mark on the class
    if {value.name for value in definition.values} != set(values):
        raise TypeError(f"every value of {enum.__name__} has one description")
    for value in definition.values:
        value.description = values[value.name]


expose(
    RefusalCode,
    "Why something was refused.",
    name="ProblemCode",
    NOT_FOUND="What was named does not exist.",
    INVALID="The input breaks a rule of its own.",
    CONFLICT="The present state does not allow it; the same input may succeed later.",
    FORBIDDEN="The actor lacks the role.",
    UNAUTHENTICATED="Nobody known is asking.",
)
expose(
    Role,
    "What someone may do.",
    VIEWER="Reads everything.",
    RESPONDER="Also acts on incidents and alerts.",
    EDITOR="Also changes catalog, SLOs, costs, schedules and sources.",
    APPROVER="Approves readiness overrides.",
    ADMIN="Manages keys and policies, and holds every other role.",
    INGEST="Posts alerts, telemetry, heartbeats, SLO events, costs and deployments, and reads nothing.",
)
expose(
    Lifecycle,
    "How far a service has come.",
    EXPERIMENTAL="Tried out; nobody relies on it yet.",
    PRODUCTION="Relied upon.",
    DEPRECATED="On its way out.",
)
expose(
    HealthStatus,
    "How a service is doing.",
    HEALTHY="Nothing to worry about: under 2 points.",
    DEGRADED="Something is wrong: 2 or 3 points.",
    CRITICAL="Much is wrong: 4 points or more.",
    DOWN="Not available.",
    UNKNOWN="Nothing is known about it.",
)
expose(
    GovernanceStatus,
    "How a service keeps the organisation's rules.",
    COMPLIANT="Every check passes.",
    NON_COMPLIANT="Three or more checks fail.",
    NEEDS_REVIEW="One or two checks fail, or none was recorded.",
)
expose(
    CostTrend,
    "Where a service's cost is going, from its two newest months.",
    DECREASING="More than 5 % less.",
    STABLE="Within 5 % either way, or nothing to compare.",
    INCREASING="More than 5 % more.",
    SPIKING="More than 20 % more.",
)
expose(
    AnomalySeverity,
    "How far the current month runs ahead of the one before.",
    MINOR="More than 10 % ahead.",
    MAJOR="20 % ahead or more.",
    CRITICAL="50 % ahead or more.",
)
expose(
    Basis,
    "Where a figure comes from.",
    MEASURED="Measured from what happened.",
    DECLARED="Declared by someone, for want of a measurement.",
    NONE="Not known.",
)
expose(
    IndicatorKind,
    "What an SLO measures.",
    DECLARED="Someone sets the current value.",
    REQUEST_SUCCESS="The share of requests that succeeded.",
    LATENCY_UNDER="The share of requests that took less than a threshold.",
    AVAILABILITY="The share of health checks that passed.",
    EXTERNAL="Good and total events that are reported or pulled from elsewhere.",
)
expose(
    BudgetingMethod,
    "How an SLO's error budget is spent.",
    OCCURRENCES="By events: good of total.",
    TIMESLICES="By time: the share of slices whose ratio meets the slice target.",
    RATIO_TIMESLICES="By time: the mean of the slices' ratios.",
)
expose(
    CalendarWindow,
    "A window that begins with the calendar's.",
    WEEK="From Monday.",
    MONTH="From the first of the month.",
    QUARTER="From the first of January, April, July or October.",
)
expose(
    Severity,
    "How bad an alert or an incident is, worst first.",
    CRITICAL="Someone has to be woken: page, critical, fatal, emergency, P1.",
    HIGH="Someone has to look soon: high, error, major, P2.",
    MEDIUM="Someone has to look: medium, warning, minor, P3, and whatever word is not known.",
    LOW="It can wait: low, P4.",
    INFO="Nobody has to do anything: info, notice, P5. It makes no incident unless a setting says so.",
)
expose(
    AlertStatus,
    "Whether an alert still fires.",
    FIRING="It does.",
    RESOLVED="It has ended; the same again is a new alert.",
)
expose(
    AlertOutcome,
    "What taking in one report of an alert led to.",
    NEW_INCIDENT="A new alert, which opened an incident.",
    ATTACHED="A new alert, which joined an open incident.",
    DEDUPLICATED="The alert fires already: it was counted.",
    SILENCED="A new alert that a silence or a maintenance window keeps from an incident.",
    RESOLVED="The alert ended.",
    IGNORED="It is for information, belongs to an episode that a person has resolved, or there was nothing to end.",
)
expose(
    IncidentStatus,
    "How far the work on an incident has come.",
    OPEN="Nobody has taken it on yet.",
    ACKNOWLEDGED="Someone has seen it.",
    IN_PROGRESS="Someone works on it.",
    RESOLVED="It is over, for good.",
)
expose(
    TimelineEntryType,
    "What a timeline tells.",
    CREATED="The incident was opened.",
    ALERT_ATTACHED="Alerts joined it.",
    ALERT_RESOLVED="Alerts of it ended.",
    STATUS_CHANGED="It moved to another status.",
    ASSIGNED="It was assigned to someone else, or to nobody.",
    NOTED="Someone wrote a note.",
    SEVERITY_CHANGED="It got better or worse.",
    SNOOZED="It was put off.",
    WOKEN="It is no longer put off.",
    MERGED="Another incident became part of it, or it of another.",
    LINKED="A deployment was named as its cause.",
    ESCALATED="Those whom its escalation policy names next were asked.",
    NOTIFIED="Someone was notified.",
    FAILED="Something that should have followed did not; the detail says why.",
)
expose(
    IncidentOrder,
    "How incidents are ordered.",
    NEWEST="The newest first.",
    OLDEST="The oldest first.",
    SEVERITY="The worst first, and of these the newest first.",
)
expose(
    AlertEventKind,
    "What happened to an alert.",
    FIRED="It began.",
    RESOLVED="It ended.",
    SILENCED="It was silenced.",
    UNSILENCED="What silenced it is over.",
    FLAPPING="It begins and ends again and again.",
)
expose(
    IncidentEventKind,
    "What happened to an incident.",
    CREATED="It was opened.",
    ALERT_ATTACHED="Another alert joined it.",
    STATUS_CHANGED="The work on it has come further.",
    ASSIGNED="Somebody else works on it, or nobody.",
    NOTED="Somebody wrote a note.",
    SEVERITY_CHANGED="It got worse, or less bad.",
    SNOOZED="It was put off.",
    WOKEN="It is no longer put off.",
    MERGED="It became a part of another one, or another one of it.",
    ESCALATED="Others were called.",
)
expose(
    ReadinessDecision,
    "Whether a service is ready for production, best first.",
    GO="It is: the pass rate reaches the threshold, and nothing blocks.",
    CONDITIONAL_GO="It is, on conditions that are listed.",
    NO_GO="It is not: a hard blocker did not pass, or too little did.",
)
expose(
    ReadinessCategory,
    "What a check of readiness is about.",
    OBSERVABILITY="Whether one can see what it does.",
    RELIABILITY="Whether it keeps working, and comes back.",
    SECURITY="Whether it is protected. Its checks are always hard blockers.",
    OPERATIONS="Whether people can run it.",
)
expose(
    CheckOutcome,
    "What became of a check.",
    PASSED="It holds.",
    FAILED="It does not hold.",
    SKIPPED="It is not asked of this service, or cannot be asked; it counts neither way.",
    ERROR="It could not be evaluated, or rests on facts that are too old; it counts and is never a pass.",
)
expose(
    OverrideState,
    "How far an override has come.",
    name="ReadinessOverrideState",
    PENDING="Somebody asks for it; it has no effect.",
    APPROVED="Another person approved it; it stands in for the verdict until it expires.",
    REJECTED="An approver refused it.",
    REVOKED="An approver took it back, or whoever asked for it did.",
    ENDED="It expired, another one took its place, or a new hard blocker ended it.",
)
expose(
    ReadinessEventKind,
    "What happened to the readiness of a service.",
    DECISION_CHANGED="A verdict decides otherwise than the one before, or is the first.",
    OVERRIDDEN="An override stands in for the verdict.",
    OVERRIDE_ENDED="The verdict counts again.",
)
