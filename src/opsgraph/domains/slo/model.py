"""Values and events of the SLO domain. Percentages are 0-100, instants are aware and in UTC."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from opsgraph.domains.catalog.model import Service, ServiceEvent
from opsgraph.kernel.changes import UNSET, Maybe
from opsgraph.kernel.windows import CalendarWindow

DEFAULT_SLICE_SECONDS = 60
"""The length of a slice where an SLO does not set one."""


class IndicatorKind(StrEnum):
    """Where an SLO's indicator comes from."""

    DECLARED = "DECLARED"
    REQUEST_SUCCESS = "REQUEST_SUCCESS"
    LATENCY_UNDER = "LATENCY_UNDER"
    AVAILABILITY = "AVAILABILITY"
    EXTERNAL = "EXTERNAL"


class BudgetingMethod(StrEnum):
    """How events become a percentage.

    OCCURRENCES: good of all events. TIMESLICES: the share of slices whose ratio meets the slice target.
    RATIO_TIMESLICES: the mean of the slices' ratios. Slices without events do not count.
    """

    OCCURRENCES = "OCCURRENCES"
    TIMESLICES = "TIMESLICES"
    RATIO_TIMESLICES = "RATIO_TIMESLICES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What an SLO promises and how that is measured.

    Attributes:
        name: as first spelled.
        description: what it promises, for people.
        target: percent, above 0 and under 100.
        indicator: where the indicator comes from.
        declared: percent; what someone says it is, for DECLARED only.
        latency_threshold_ms: for LATENCY_UNDER: requests under it are good.
        window_days: length of a rolling window, or None.
        calendar: the period of a calendar window, or None; exactly one of the two is set.
        time_zone: the IANA zone of a calendar window.
        budgeting_method: how events become a percentage.
        slice_target: percent that a good slice reaches, for TIMESLICES.
        slice_seconds: length of a slice: whole minutes that divide an hour.
        good_query: where good events of an EXTERNAL indicator are counted, kept for whoever reports them.
        total_query: likewise, for all events.
    """

    name: str
    description: str | None = None
    target: float
    indicator: IndicatorKind = IndicatorKind.DECLARED
    declared: float | None = None
    latency_threshold_ms: float | None = None
    window_days: int | None = None
    calendar: CalendarWindow | None = None
    time_zone: str | None = None
    budgeting_method: BudgetingMethod = BudgetingMethod.OCCURRENCES
    slice_target: float | None = None
    slice_seconds: int | None = None
    good_query: str | None = None
    total_query: str | None = None

    @property
    def slice_minutes(self) -> int:
        """The length of a slice in minutes."""
        return (self.slice_seconds or DEFAULT_SLICE_SECONDS) // 60


@dataclass(frozen=True, slots=True)
class SloState:
    """An SLO as judged at one instant; everything but the coverage is None while it is unknown.

    Attributes:
        current: percent over the window.
        is_met: whether `current` reaches the target.
        budget_remaining_pct: percent of the budget, never under 0, to one decimal.
        budget_remaining_signed_pct: the same, negative where more than the budget was spent.
        budget_remaining_minutes: minutes of complete failure that the budget still allows, never under 0.
        burn_rate: how fast the budget is spent over the window; 1 spends exactly all of it.
        exhausts_at: when the budget will be spent at this rate; None if never, or beyond the year 9999.
        coverage_pct: share of the window's minutes so far that have events; 100 or 0 for a declared indicator.
        evaluated_at: when it was judged.
    """

    current: float | None = None
    is_met: bool | None = None
    budget_remaining_pct: float | None = None
    budget_remaining_signed_pct: float | None = None
    budget_remaining_minutes: float | None = None
    burn_rate: float | None = None
    exhausts_at: datetime | None = None
    coverage_pct: float | None = None
    evaluated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo(Definition):
    """A service level objective with its state as last judged."""

    id: UUID
    service_id: UUID
    state: SloState = SloState()


@dataclass(frozen=True, slots=True)
class Totals:
    """What happened in some stretch of time.

    Attributes:
        good: good events.
        total: all events.
        minutes: minutes with events.
        good_slices: slices whose ratio meets the slice target.
        slices: slices with events.
        ratio_sum: sum of the ratios (0-1) of those slices.
    """

    good: float = 0.0
    total: float = 0.0
    minutes: int = 0
    good_slices: int = 0
    slices: int = 0
    ratio_sum: float = 0.0

    def __add__(self, other: "Totals") -> "Totals":
        """What happened in both stretches, which do not overlap."""
        return Totals(
            self.good + other.good,
            self.total + other.total,
            self.minutes + other.minutes,
            self.good_slices + other.good_slices,
            self.slices + other.slices,
            self.ratio_sum + other.ratio_sum,
        )


@dataclass(frozen=True, slots=True)
class MinuteSums:
    """Events of one minute, which is counted from 1970-01-01T00:00Z."""

    minute: int
    good: float
    total: float


@dataclass(frozen=True, slots=True)
class TargetSince:
    """A target in percent and the instant from which it applies."""

    since: datetime
    target: float


@dataclass(frozen=True, slots=True)
class SloSummary:
    """How many SLOs a service has; unknown ones are in `total` only."""

    met: int = 0
    breached: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class SloExport:
    """An SLO with all that a document about it needs; `source` is what `save_slo` was given, JSON-compatible."""

    service: Service
    slo: Slo
    source: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class SloInput:
    """What `save_slo` takes: the natural key (service and name), and what is to change.

    `current` is the declared percentage. `source` is opaque: a JSON-compatible dict of what an imported document says
    beyond these values, kept for the export.
    """

    service: str
    name: str
    target: Maybe[float | None] = UNSET
    description: Maybe[str | None] = UNSET
    current: Maybe[float | None] = UNSET
    indicator: Maybe[IndicatorKind | None] = UNSET
    latency_threshold_ms: Maybe[float | None] = UNSET
    window_days: Maybe[int | None] = UNSET
    calendar: Maybe[CalendarWindow | None] = UNSET
    time_zone: Maybe[str | None] = UNSET
    budgeting_method: Maybe[BudgetingMethod | None] = UNSET
    slice_target: Maybe[float | None] = UNSET
    slice_seconds: Maybe[int | None] = UNSET
    good_query: Maybe[str | None] = UNSET
    total_query: Maybe[str | None] = UNSET
    source: Maybe[dict[str, Any] | None] = UNSET


@dataclass(frozen=True, slots=True)
class SloDates:
    """How old what is known about the SLOs of one service is; None where there is nothing of that kind.

    Attributes:
        counted: of the newest event of each SLO that is counted by events, the oldest: the minute in which it was.
        declared: of the last change of each SLO whose indicator is declared, the oldest.
    """

    counted: datetime | None = None
    declared: datetime | None = None


@dataclass(frozen=True, slots=True)
class SloEventsInput:
    """What `record_slo_events` takes: counts to add; without `at` they happened now."""

    service: str
    slo: str
    good: float
    total: float
    at: datetime | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class SloFilter:
    """Which SLOs are wanted: all conditions hold. None means no condition."""

    services: tuple[str, ...] | None = None
    is_met: bool | None = None


@dataclass(frozen=True, slots=True)
class SloChanged(ServiceEvent):
    """An SLO of a service was saved, deleted or given events."""
