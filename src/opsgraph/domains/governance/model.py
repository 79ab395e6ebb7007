"""Values and events of the governance domain."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from opsgraph.domains.catalog.model import ServiceEvent
from opsgraph.kernel.changes import UNSET, Maybe
from opsgraph.kernel.events import Event


class GovernanceStatus(StrEnum):
    """How many duties are fulfilled."""

    COMPLIANT = "COMPLIANT"
    NON_COMPLIANT = "NON_COMPLIANT"
    NEEDS_REVIEW = "NEEDS_REVIEW"


@dataclass(frozen=True, slots=True)
class Duty:
    """What is asked of every service; one check of each of them.

    Attributes:
        key: what it is called in the API.
        description: what it asks, for people.
        evidence: what a service that passes has; completes "api has ..." and "api lacks ...".
        enabled: whether it is asked at all.
    """

    key: str
    description: str
    evidence: str
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class DutyInput:
    """What `save_duty` takes: the natural key, and what is to change; None takes back what is built in."""

    key: str
    description: Maybe[str | None] = UNSET
    evidence: Maybe[str | None] = UNSET
    enabled: Maybe[bool | None] = UNSET


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Whether a service passes one check, and a message that names the service."""

    name: str
    passed: bool
    message: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was recorded of a check of a service, and when: recording the same again changes neither."""

    passed: bool
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Governance:
    """The checks of a service, in the order of the duties; none at all where nothing was recorded."""

    status: GovernanceStatus
    checks: tuple[CheckResult, ...]


@dataclass(frozen=True, slots=True)
class GovernanceChanged(ServiceEvent):
    """A governance check of a service was recorded, or is implied, with another answer than before."""


@dataclass(frozen=True, slots=True)
class DutiesChanged(Event):
    """What is asked of every service is something else than before."""
