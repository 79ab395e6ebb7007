"""What OpenSLO documents say, as frozen values, and the marks by which opsgraph knows its own."""

from dataclasses import dataclass, field
from decimal import Context, Decimal

from opsgraph.domains.slo.model import BudgetingMethod, IndicatorKind
from opsgraph.kernel.findings import Finding
from opsgraph.kernel.windows import CalendarWindow

VERSION = "openslo/v1"
OLD_VERSION = "openslo/v1alpha"

INDICATOR_ANNOTATION = "opsgraph.dev/indicator"
CURRENT_ANNOTATION = "opsgraph.dev/current"
LATENCY_ANNOTATION = "opsgraph.dev/latency-threshold-ms"

OWN_SOURCE = "opsgraph"
"""The metric source type of an indicator that stands for what opsgraph measures itself, or has no query."""

METHODS = {
    "Occurrences": BudgetingMethod.OCCURRENCES,
    "Timeslices": BudgetingMethod.TIMESLICES,
    "RatioTimeslices": BudgetingMethod.RATIO_TIMESLICES,
}
"""Budgeting methods by the names that OpenSLO gives them."""

_EXACT = Context(prec=400)  # more digits than a number of a document may have


@dataclass(frozen=True, slots=True)
class SloDocument:
    """One objective of an OpenSLO document: an SLO to be, or one to be exported.

    Attributes:
        service: the service's name as the document spells it.
        name: the document's name; the second and further objectives add ``-2``, ``-3``.
        target: percent, 0 < target < 100.
        indicator: EXTERNAL, unless an annotation of ours says otherwise.
        window_days: the length of a rolling window; None for a calendar window.
        calendar: the period of a calendar window; None for a rolling window.
        time_zone: the IANA zone of a calendar window.
        budgeting_method: how events become a percentage.
        slice_target: percent; TIMESLICES needs it, the others have no use for it.
        slice_seconds: length of a slice; OCCURRENCES has no use for it.
        good_query: what counts good events, or the JSON text of a source that is more than one query.
        total_query: what counts all events, or a threshold metric's query; likewise.
        description: what the SLO promises, for people.
        current: percent, for DECLARED.
        latency_threshold_ms: for LATENCY_UNDER.
        source: JSON-compatible; what else an export needs and opsgraph does not use: display names, the indicator's
            names, metric sources, a threshold's operator and value, queries of bad events and of raw ratios.
        file: where it was read; no part of the value.
        line: likewise, counted from 1.
    """

    service: str
    name: str
    target: Decimal
    indicator: IndicatorKind = IndicatorKind.EXTERNAL
    window_days: int | None = None
    calendar: CalendarWindow | None = None
    time_zone: str | None = None
    budgeting_method: BudgetingMethod = BudgetingMethod.OCCURRENCES
    slice_target: Decimal | None = None
    slice_seconds: int | None = None
    good_query: str | None = None
    total_query: str | None = None
    description: str | None = None
    current: Decimal | None = None
    latency_threshold_ms: Decimal | None = None
    source: dict[str, object] = field(default_factory=dict)
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)

    @property
    def display_name(self) -> str | None:
        """The document's display name, which opsgraph keeps and does not show."""
        name = self.source.get("displayName")
        return name if isinstance(name, str) else None


@dataclass(frozen=True, slots=True)
class ServiceDocument:
    """A document of kind Service."""

    name: str
    display_name: str | None
    description: str | None
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class OpenSlo:
    """What was read, in the order of the files."""

    slos: tuple[SloDocument, ...]
    services: tuple[ServiceDocument, ...]
    refusals: tuple[Finding, ...]
    warnings: tuple[Finding, ...]


def to_percent(fraction: Decimal) -> Decimal:
    """0.995 to 99.5, exactly."""
    return fraction.scaleb(2, _EXACT)


def to_fraction(percent: Decimal) -> Decimal:
    """99.5 to 0.995, exactly, without trailing zeros."""
    return percent.scaleb(-2, _EXACT).normalize(_EXACT)
