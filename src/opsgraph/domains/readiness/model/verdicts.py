"""Verdicts, and what they are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from opsgraph.domains.catalog.model import ServiceEvent
from opsgraph.domains.readiness.model.policies import ReadinessCategory
from opsgraph.kernel.events import Entry, Topic


class ReadinessDecision(StrEnum):
    """What a verdict says, best first."""

    GO = "GO"
    CONDITIONAL_GO = "CONDITIONAL_GO"
    NO_GO = "NO_GO"


class CheckOutcome(StrEnum):
    """What became of a check. ERROR is never a pass; SKIPPED counts neither way."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What became of a check of one service, and why; frozen in its verdict."""

    name: str
    category: ReadinessCategory
    weight: float
    hard_blocker: bool
    outcome: CheckOutcome
    message: str


@dataclass(frozen=True, slots=True)
class CategoryResult:
    """A category's share of a verdict: counts of applicable checks; `pass_rate` is by weight, between 0 and 1."""

    category: ReadinessCategory
    pass_rate: float
    passed: int
    total: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules decided: the decision, the share of weight that passed (0-1), and everything that explains it.

    Attributes:
        blockers: names of hard blockers that failed or could not be evaluated.
        conditions: what a CONDITIONAL_GO asks for; empty otherwise.
        to_go: names of the fewest checks that would have to pass for a GO; empty for a GO.
    """

    decision: ReadinessDecision
    pass_rate: float
    results: tuple[CheckResult, ...]
    blockers: tuple[str, ...]
    conditions: tuple[str, ...]
    to_go: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A stored judgement with what it was made from. `manifest` is the JSON document that was judged."""

    id: UUID
    service_id: UUID
    decision: ReadinessDecision
    pass_rate: float
    policy_version: int
    manifest: Mapping[str, Any]
    results: tuple[CheckResult, ...]
    conditions: tuple[str, ...]
    to_go: tuple[str, ...]
    evaluated_by: str
    evaluated_at: datetime


class ReadinessEventKind(StrEnum):
    """What happened to a service's readiness."""

    DECISION_CHANGED = "DECISION_CHANGED"
    OVERRIDDEN = "OVERRIDDEN"
    OVERRIDE_ENDED = "OVERRIDE_ENDED"


@dataclass(frozen=True, slots=True)
class ReadinessChanged(ServiceEvent):
    """The decision about a service, or what stands in for it, is another one; `previous` is None for the first."""

    kind: ReadinessEventKind
    verdict_id: UUID
    decision: ReadinessDecision
    effective: ReadinessDecision
    previous: ReadinessDecision | None

    def entry(self) -> Entry:
        """What readinessFeed shows."""
        facts = {
            "verdict_id": self.verdict_id,
            "decision": self.decision,
            "effective": self.effective,
            "previous": self.previous,
        }
        return Entry(Topic.READINESS, self.kind.value, self.service_id, facts)
