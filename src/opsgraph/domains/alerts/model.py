"""Values and events of the alerts domain."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from opsgraph.kernel.changes import UNSET, Maybe
from opsgraph.kernel.events import Entry, Event, Topic


class Severity(StrEnum):
    """How bad it is, worst first."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
    INFO = "INFO"

    __hash__ = str.__hash__  # the same as an enum's own, without a call of Python: slots are looked up by it


WORST_FIRST = tuple(Severity)
"""The severities in the order of their declaration."""


class AlertStatus(StrEnum):
    """Whether an alert still fires."""

    FIRING = "FIRING"
    RESOLVED = "RESOLVED"


class ResolvedBy(StrEnum):
    """What ended an alert: its source said so, a person did, or its time was over."""

    SOURCE = "SOURCE"
    PERSON = "PERSON"
    TIME = "TIME"


class AlertOutcome(StrEnum):
    """What taking in one report of an alert led to."""

    NEW_INCIDENT = "NEW_INCIDENT"
    ATTACHED = "ATTACHED"
    DEDUPLICATED = "DEDUPLICATED"
    SILENCED = "SILENCED"
    RESOLVED = "RESOLVED"
    IGNORED = "IGNORED"


class Action(StrEnum):
    """What a report wants."""

    FIRE = "FIRE"
    RESOLVE = "RESOLVE"
    ACKNOWLEDGE = "ACKNOWLEDGE"


class AlertReport(msgspec.Struct, frozen=True):
    """What a source says about one alert, normalised: the same shape for every format.

    It is a struct because many thousands a second are made: that takes a fifth of the time of a frozen dataclass.

    Attributes:
        fingerprint: the alert's identity, see `rules.fingerprints`.
        service: the service's name as sent, registered or not.
        severity: as it is understood here; ignored when it does not fire.
        message: what people read.
        source: the kind of source: `alertmanager`, `grafana`, `pagerduty`, `generic`, `api` and so on.
        reporter: on whose behalf, as timelines name it: `integration:NAME`, or an actor's name.
        action: what is wanted.
        source_severity: the source's own word.
        severity_recognised: whether that word is known here; if not, the severity is MEDIUM.
        labels: what silences match on.
        annotations: whatever else the source says.
        starts_at: when it began, if the source says; it tells one episode from the next.
        ends_at: when it is over unless it is reported again, or when it was, if the source says.
        source_url: where the source shows it.
    """

    fingerprint: str
    service: str
    severity: Severity
    message: str
    source: str
    reporter: str
    action: Action = Action.FIRE
    source_severity: str | None = None
    severity_recognised: bool = True
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    source_url: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A member of a batch that cannot be taken: its place, counted from 0, and why."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Reports:
    """A batch as a format's reader gives it: what can be taken, by place, what cannot, and what the sender left out."""

    accepted: list[tuple[int, AlertReport]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class Taken(msgspec.Struct, frozen=True):
    """What became of one report, once committed."""

    outcome: AlertOutcome
    alert_id: UUID | None = None
    incident_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """A stored alert: one episode of one fingerprint."""

    id: UUID
    fingerprint: str
    service_name: str
    service_id: UUID | None
    severity: Severity
    source_severity: str | None
    severity_recognised: bool
    status: AlertStatus
    message: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    source: str
    source_url: str | None
    occurrences: int
    starts_at: datetime
    first_seen_at: datetime
    last_seen_at: datetime
    ends_at: datetime | None
    resolved_at: datetime | None
    resolved_by: ResolvedBy | None
    incident_id: UUID | None
    silenced: bool
    flapping: bool


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts are wanted: all conditions hold, any value of a list does. None means no condition."""

    statuses: tuple[AlertStatus, ...] | None = None
    severities: tuple[Severity, ...] | None = None
    services: tuple[str, ...] | None = None
    teams: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    sources: tuple[str, ...] | None = None
    silenced: bool | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """The numbers that taking in alerts goes by.

    Attributes:
        window: an alert joins an incident whose newest alert is no older than this.
        same_episode: for how long after a person resolved it a report with the same start is the same episode.
        auto_resolve: whether an incident ends by itself when all of its alerts have, and how long after; None: not.
        resolve_timeout: after how long without a report an alert without an end is over; None: never.
        info_incidents: whether alerts of severity INFO make incidents.
    """

    window: timedelta = timedelta(minutes=5)
    same_episode: timedelta = timedelta(minutes=60)
    auto_resolve: timedelta | None = None
    resolve_timeout: timedelta | None = None
    info_incidents: bool = False


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on one label; a label that is absent counts as empty. Regular expressions match the whole value."""

    label: str
    value: str
    regex: bool = False
    negative: bool = False


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts whose labels fulfil every matcher make no incident from `starts_at` until `ends_at`."""

    id: UUID
    matchers: tuple[Matcher, ...]
    reason: str
    created_by: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """Planned work: a silence for services (by name), or for alerts that fulfil every matcher."""

    id: UUID
    services: tuple[str, ...]
    matchers: tuple[Matcher, ...]
    reason: str
    created_by: str
    exclude_from_slos: bool
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class SilenceInput:
    """What `create_silence` takes; without a start it begins now."""

    matchers: tuple[Matcher, ...]
    reason: str
    ends_at: datetime
    starts_at: datetime | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class MaintenanceWindowInput:
    """What `save_maintenance_window` takes: without an id it is a new one; what was left out stays as it is."""

    id: UUID | None = None
    services: Maybe[tuple[str, ...] | None] = UNSET
    matchers: Maybe[tuple[Matcher, ...] | None] = UNSET
    reason: Maybe[str | None] = UNSET
    starts_at: Maybe[datetime | None] = UNSET
    ends_at: Maybe[datetime | None] = UNSET
    exclude_from_slos: Maybe[bool | None] = UNSET


class AlertEventKind(StrEnum):
    """What happened to an alert, as its feed tells it."""

    FIRED = "FIRED"
    RESOLVED = "RESOLVED"
    SILENCED = "SILENCED"
    UNSILENCED = "UNSILENCED"
    FLAPPING = "FLAPPING"


@dataclass(frozen=True, slots=True)
class AlertChanged(Event):
    """Something happened to an alert; `alert` is as it was right afterwards."""

    kind: AlertEventKind
    alert: Alert

    def entry(self) -> Entry:
        """The alert as of the event; `queries.alerts.alert_from` reads it back."""
        return Entry(Topic.ALERTS, self.kind.value, self.alert.id, self.alert)
