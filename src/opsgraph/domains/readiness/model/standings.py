"""Where a service stands, and what an evaluation came to before it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from opsgraph.domains.readiness.model.verdicts import Judgement, ReadinessDecision


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a service stands: its newest verdict, the override in force, and when to look again.

    Attributes:
        verdict_id, decision: of the newest verdict; None if there is none, or the last evaluation was refused.
        override_decision, override_until: of the override that was approved; it counts until then, beside a verdict.
        refusal: why the last evaluation came to no verdict; None if it came to one.
        revision: counts what happened to its facts.
    """

    service_id: UUID
    verdict_id: UUID | None
    decision: ReadinessDecision | None
    override_decision: ReadinessDecision | None
    override_until: datetime | None
    refusal: str | None
    revision: int
    evaluated_at: datetime | None
    due_at: datetime

    def effective(self, now: datetime) -> ReadinessDecision | None:
        """What counts: the decision of the override in force, else that of the verdict; None if there is no verdict."""
        if self.decision is None:
            return None
        overridden = self.override_until is not None and now < self.override_until
        return self.override_decision if overridden else self.decision


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What judging a service came to, and what has to be true still when it is stored.

    Attributes:
        revision, verdict_id: where the service stood when its facts were read.
        judgement: what was decided; None where it was refused.
        refusal: why.
        policy_version: what it was decided by.
        manifest: what was judged, as a document.
        declaration_id: the declaration in it.
        evaluated_at: when the facts were read.
        due_at: when to look again.
        wanted: someone asked for it: it becomes a verdict also where it says what the last one says.
        differs: it says something else than the last verdict.
        insistent: it is stored whatever happened meanwhile; the service stays due then.
    """

    service_id: UUID
    revision: int
    verdict_id: UUID | None
    judgement: Judgement | None
    refusal: str | None
    policy_version: int
    manifest: Mapping[str, Any]
    declaration_id: UUID | None
    evaluated_at: datetime
    due_at: datetime
    wanted: bool = False
    differs: bool = True
    insistent: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What a verdict says, as far as another one may say the same: the results as they are stored."""

    decision: ReadinessDecision
    pass_rate: float
    results: str
    policy_version: int
    declaration_id: UUID | None
