"""Values and events of the governance domain."""

from dataclasses import dataclass
from enum import StrEnum

from opsgraph.domains.catalog.model import ServiceEvent


class GovernanceStatus(StrEnum):
    """How many duties are fulfilled."""

    COMPLIANT = "COMPLIANT"
    NON_COMPLIANT = "NON_COMPLIANT"
    NEEDS_REVIEW = "NEEDS_REVIEW"


@dataclass(frozen=True, slots=True)
class Check:
    """One duty.

    Attributes:
        key: what it is called in the API.
        description: what it asks, for people.
        evidence: what a service that passes has; completes "api has ..." and "api lacks ...".
    """

    key: str
    description: str
    evidence: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Whether a service passes one check, and a message that names the service."""

    name: str
    passed: bool
    message: str


@dataclass(frozen=True, slots=True)
class Governance:
    """The checks of a service, in their usual order; none at all where nothing was recorded."""

    status: GovernanceStatus
    checks: tuple[CheckResult, ...]


@dataclass(frozen=True, slots=True)
class GovernanceChanged(ServiceEvent):
    """A governance check of a service was recorded with another answer than before."""
