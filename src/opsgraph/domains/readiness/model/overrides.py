"""What people decide beside a verdict: overrides and exemptions."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from opsgraph.domains.readiness.model.verdicts import ReadinessDecision


class OverrideState(StrEnum):
    """How far an override has come. One APPROVED is in force until it expires; ENDED says why it ended."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    REVOKED = "REVOKED"
    ENDED = "ENDED"


STANDING = frozenset({OverrideState.PENDING, OverrideState.APPROVED})
"""Those that have not come to their end."""


@dataclass(frozen=True, slots=True)
class Override:
    """A decision that stands in for a verdict's, asked for by one person and approved by another.

    Attributes:
        verdict_id: the verdict it replaced when it was approved; None before.
        blockers: the hard blockers that were known when it was approved: a new one ends it.
        decided_by, decided_at, note: who approved or rejected it, when, and what they wrote.
        ended_by, ended_at, ended_reason: who or what ended it before its time.
    """

    id: UUID
    service_id: UUID
    decision: ReadinessDecision
    reason: str
    requested_by: str
    requested_at: datetime
    expires_at: datetime
    state: OverrideState
    verdict_id: UUID | None = None
    blockers: tuple[str, ...] = ()
    decided_by: str | None = None
    decided_at: datetime | None = None
    note: str | None = None
    ended_by: str | None = None
    ended_at: datetime | None = None
    ended_reason: str | None = None

    def in_force(self, now: datetime) -> bool:
        """Whether it stands in for the verdict."""
        return self.state is OverrideState.APPROVED and now < self.expires_at

    def over_since(self, now: datetime) -> datetime | None:
        """When it ended or was rejected, also where it expired and nobody has noted that; None while it stands."""
        if self.state in STANDING:
            return self.expires_at if now >= self.expires_at else None
        return self.ended_at or self.decided_at


@dataclass(frozen=True, slots=True)
class Beside:
    """The override that is shown beside a verdict, and whether it is what counts about the service."""

    override: Override
    counts: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody read before they decided about an override; None for what they do not say."""

    override_id: UUID | None = None
    verdict_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Exemption:
    """One check that is skipped for one service until an instant.

    Asked for by `requested_by` (None where an approver granted it unasked); in force once `approved_by` is someone.
    """

    id: UUID
    service_id: UUID
    check: str
    reason: str
    requested_by: str | None
    requested_at: datetime
    ends_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None
    ended_by: str | None = None
    ended_at: datetime | None = None

    def in_force(self, now: datetime) -> bool:
        """Whether its check is skipped."""
        return self.approved_by is not None and self.ended_at is None and now < self.ends_at
