"""OpenSLO's objectives: each becomes one SLO, from what its document says for all of them and what it adds."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from opsgraph.domains.slo.formats.openslo_indicators import Indicator
from opsgraph.domains.slo.formats.openslo_values import (
    CURRENT_ANNOTATION,
    INDICATOR_ANNOTATION,
    LATENCY_ANNOTATION,
    METHODS,
    SloDocument,
    to_percent,
)
from opsgraph.domains.slo.formats.openslo_windows import Window, read_slice, read_window
from opsgraph.domains.slo.model import BudgetingMethod, IndicatorKind
from opsgraph.kernel.fields import Fields, Warn
from opsgraph.kernel.text import free_name, free_text, shown

OPERATORS = ("lte", "gte", "lt", "gt")

_SPEC_KEYS = frozenset(
    {"description", "service", "indicator", "indicatorRef", "timeWindow", "timeWindows", "budgetingMethod"}
    | {"objectives", "alertPolicies"}
)
_OBJECTIVE_KEYS = frozenset(
    {"displayName", "op", "value", "target", "targetPercent", "timeSliceTarget", "timeSliceWindow"}
    | {"indicator", "indicatorRef", "ratioMetrics"}
)


@dataclass(frozen=True, slots=True)
class Annotated:
    """What opsgraph's own annotations say; for others' documents, the defaults."""

    indicator: IndicatorKind = IndicatorKind.EXTERNAL
    current: Decimal | None = None
    latency_threshold_ms: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Shared:
    """What the objectives of one document have in common."""

    name: str
    display_name: str | None
    service: str
    description: str | None
    window: Window
    method: BudgetingMethod
    annotated: Annotated
    indicator: Indicator | None


def read_shared(metadata: Fields, spec: Fields, indicator: Indicator | None, warn: Warn) -> Shared:
    """Read what stands outside the objectives.

    Raises:
        Misfit: something needed is missing, or does not fit.
    """
    spec.warn_beyond(_SPEC_KEYS, warn)
    if spec.entries("alertPolicies"):
        warn(spec.line("alertPolicies"), f"{spec.label('alertPolicies')} are not imported")
    return Shared(
        name=metadata.required("name", free_name),
        display_name=metadata.checked("displayName", free_text),
        service=spec.required("service", free_name),
        description=spec.checked("description", free_text),
        window=read_window(spec, warn),
        method=_method(spec, warn),
        annotated=_annotated(metadata),
        indicator=indicator,
    )


def read_objective(
    objective: Fields, shared: Shared, name: str, own_indicator: Indicator | None, warn: Warn
) -> SloDocument:
    """Read one objective as the SLO called ``name``; an indicator of its own replaces the shared one.

    Raises:
        Misfit: the target, the slices, the operator or the indicator do not fit.
    """
    objective.warn_beyond(_OBJECTIVE_KEYS, warn)
    indicator = own_indicator or shared.indicator
    if indicator is None and shared.annotated.indicator is IndicatorKind.EXTERNAL:
        raise objective.misfit("there is neither an indicator nor an indicatorRef")
    slice_target, slice_seconds = _slices(objective, shared.method, warn)
    return SloDocument(
        service=shared.service,
        name=name,
        target=_target(objective),
        indicator=shared.annotated.indicator,
        window_days=shared.window.days,
        calendar=shared.window.calendar,
        time_zone=shared.window.time_zone,
        budgeting_method=shared.method,
        slice_target=slice_target,
        slice_seconds=slice_seconds,
        good_query=indicator.good_query if indicator else None,
        total_query=indicator.total_query if indicator else None,
        description=shared.description,
        current=shared.annotated.current,
        latency_threshold_ms=shared.annotated.latency_threshold_ms,
        source=_source(objective, shared, name, indicator or Indicator(), warn),
        file=objective.document.file,
        line=objective.line(),
    )


def _method(spec: Fields, warn: Warn) -> BudgetingMethod:
    text = spec.checked("budgetingMethod", free_name)
    if text is None:
        warn(spec.line(), f"{spec.label('budgetingMethod')} is missing; Occurrences is assumed")
        return BudgetingMethod.OCCURRENCES
    known = {name.lower(): method for name, method in METHODS.items()}
    if text.lower() not in known:
        raise spec.misfit(f"budgetingMethod {shown(text)} is not {', '.join(METHODS)}", "budgetingMethod")
    return known[text.lower()]


def _annotated(metadata: Fields) -> Annotated:
    annotations = metadata.mapping("annotations")
    if annotations is None:
        return Annotated()
    kind = annotations.text(INDICATOR_ANNOTATION) or IndicatorKind.EXTERNAL.value
    if kind not in IndicatorKind.__members__:
        wanted = ", ".join(IndicatorKind)
        raise annotations.misfit(f"{INDICATOR_ANNOTATION} {shown(kind)} is not {wanted}", INDICATOR_ANNOTATION)
    current = _annotated_number(annotations, CURRENT_ANNOTATION)
    if current is not None and not 0 <= current <= 100:
        raise annotations.misfit(f"{CURRENT_ANNOTATION} is {current}; it takes 0 to 100 percent", CURRENT_ANNOTATION)
    threshold = _annotated_number(annotations, LATENCY_ANNOTATION)
    if threshold is not None and threshold <= 0:
        raise annotations.misfit(f"{LATENCY_ANNOTATION} is {threshold}; it takes over 0", LATENCY_ANNOTATION)
    return Annotated(IndicatorKind[kind], current, threshold)


def _annotated_number(annotations: Fields, key: str) -> Decimal | None:
    """A number that stands in an annotation, whose values are texts."""
    value = annotations.values.get(key)
    if not isinstance(value, str):
        return annotations.number(key)
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number.adjusted()) > 100:
        raise annotations.misfit(f"{key} {shown(value)} is not a number", key)
    return number


def _target(objective: Fields) -> Decimal:
    """The target in percent."""
    fraction, percent = objective.number("target"), objective.number("targetPercent")
    if (fraction is None) == (percent is None):
        problem = "has neither" if fraction is None else "has both"
        raise objective.misfit(f"{objective.label()} takes either target or targetPercent; it {problem}")
    if fraction is not None and fraction > 1:
        wanted = "a target is a fraction such as 0.999; for percent there is targetPercent"
        raise objective.misfit(f"{objective.label('target')} is {fraction}; {wanted}", "target")
    key = "targetPercent" if fraction is None else "target"
    target = percent if fraction is None else to_percent(fraction)
    if target is None or not 0 < target < 100:
        reason = f"{objective.label(key)} is {target or 0:f} %; a target lies above 0 and below 100 %, "
        raise objective.misfit(f"{reason}because a budget of zero can never be spent", key)
    return target


def _slices(objective: Fields, method: BudgetingMethod, warn: Warn) -> tuple[Decimal | None, int | None]:
    """The slice target in percent and the slice length in seconds; kept also where the method has no use for them."""
    needs_target, needs_length = method is BudgetingMethod.TIMESLICES, method is not BudgetingMethod.OCCURRENCES
    for key, needed in (("timeSliceTarget", needs_target), ("timeSliceWindow", needs_length)):
        if objective.has(key) and not needed:
            warn(objective.line(key), f"{objective.label(key)} has no effect with this budgeting method")
    target = _slice_target(objective) if needs_target or objective.has("timeSliceTarget") else None
    length = read_slice(objective, warn) if needs_length or objective.has("timeSliceWindow") else None
    return target, length


def _slice_target(objective: Fields) -> Decimal:
    fraction = objective.number("timeSliceTarget")
    if fraction is None:
        raise objective.misfit(f"{objective.label('timeSliceTarget')} is missing; Timeslices cannot do without")
    if not 0 < fraction <= 1:
        reason = f"{objective.label('timeSliceTarget')} is {fraction}; it lies above 0 and is at most 1"
        raise objective.misfit(reason, "timeSliceTarget")
    return to_percent(fraction)


def _source(objective: Fields, shared: Shared, name: str, indicator: Indicator, warn: Warn) -> dict[str, object]:
    """What only an export needs, without what it would put in by itself."""
    source = dict(indicator.source)
    names = source.get("indicator")
    if isinstance(names, dict) and names.get("name") == name:
        source["indicator"] = {key: value for key, value in names.items() if key != "name"}
    source["displayName"] = shared.display_name
    source["objective"] = objective.checked("displayName", free_text)
    source |= _comparison(objective, is_threshold=indicator.is_threshold, warn=warn)
    return {key: value for key, value in source.items() if value not in (None, {})}


def _comparison(objective: Fields, *, is_threshold: bool, warn: Warn) -> dict[str, object]:
    """The operator and value by which a threshold metric is judged; a ratio has no use for them."""
    for key in ("op", "value"):
        if objective.has(key) != is_threshold:
            problem = "is missing" if is_threshold else "is for threshold metrics only and was left out"
            warn(objective.line(key), f"{objective.label(key)} {problem}")
    if not is_threshold:
        return {}
    operator, value = objective.checked("op", free_name), objective.number("value")
    if operator is not None and operator not in OPERATORS:
        raise objective.misfit(f"{objective.label('op')} {shown(operator)} is not {', '.join(OPERATORS)}", "op")
    return {"op": operator, "value": None if value is None else format(value, "f")}
