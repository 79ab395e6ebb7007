"""The policy: checks, their weights, and the thresholds of a decision."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from opsgraph.domains.catalog.model import Lifecycle
from opsgraph.kernel.changes import UNSET, Maybe


class ReadinessCategory(StrEnum):
    """What a check is about."""

    OBSERVABILITY = "OBSERVABILITY"
    RELIABILITY = "RELIABILITY"
    SECURITY = "SECURITY"
    OPERATIONS = "OPERATIONS"


@dataclass(frozen=True, slots=True)
class Subject:
    """The service that is judged, as far as checks can be limited to some services."""

    id: UUID
    name: str
    tier: int
    lifecycle: Lifecycle
    tags: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """A check of the policy.

    Attributes:
        name: unique without case; built-in ones are snake_case.
        weight: greater than 0; multiplied by its category's.
        hard_blocker: a failure or an error of it is NO_GO whatever the rate; always so for SECURITY.
        description: what it asks; `why` it matters and `fix`, how to pass it, for people.
        expression: CEL over `manifest` that is true where it passes; None for a built-in check.
        tiers, tags, lifecycles: only services of one of these; empty for all. Of tags any one is enough.
        enabled: one that is not is no check of any service.
    """

    name: str
    category: ReadinessCategory
    weight: float = 1.0
    hard_blocker: bool = False
    description: str = ""
    why: str = ""
    fix: str = ""
    expression: str | None = None
    tiers: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    lifecycles: tuple[Lifecycle, ...] = ()
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Policy:
    """A version of the policy; thresholds in percent (0-100)."""

    version: int
    go_threshold_pct: float
    conditional_threshold_pct: float
    minimum_checks: int
    category_weights: Mapping[ReadinessCategory, float]
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class PolicyInput:
    """What `save_policy` takes: what is to change."""

    go_threshold_pct: Maybe[float] = UNSET
    conditional_threshold_pct: Maybe[float] = UNSET
    minimum_checks: Maybe[int] = UNSET
    category_weights: Maybe[Mapping[ReadinessCategory, float]] = UNSET


@dataclass(frozen=True, slots=True)
class CheckInput:
    """What `save_check` takes: the natural key, and what is to change."""

    name: str
    category: Maybe[ReadinessCategory] = UNSET
    expression: Maybe[str] = UNSET
    enabled: Maybe[bool] = UNSET
    weight: Maybe[float] = UNSET
    hard_blocker: Maybe[bool] = UNSET
    description: Maybe[str | None] = UNSET
    why: Maybe[str | None] = UNSET
    fix: Maybe[str | None] = UNSET
    tiers: Maybe[tuple[int, ...] | None] = UNSET
    tags: Maybe[tuple[str, ...] | None] = UNSET
    lifecycles: Maybe[tuple[Lifecycle, ...] | None] = UNSET
