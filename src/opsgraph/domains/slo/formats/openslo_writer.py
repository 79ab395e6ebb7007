"""SLOs written as ``openslo/v1`` documents that `openslo.read` reads back to equal values.

What OpenSLO has no field for (indicators that opsgraph measures itself, a declared value) stands in annotations. It
asks for an indicator all the same, so such an SLO carries a raw ratio whose metric source is opsgraph.
"""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from opsgraph.domains.slo.formats.openslo_indicators import json_text
from opsgraph.domains.slo.formats.openslo_values import (
    CURRENT_ANNOTATION,
    INDICATOR_ANNOTATION,
    LATENCY_ANNOTATION,
    METHODS,
    OWN_SOURCE,
    VERSION,
    SloDocument,
    to_fraction,
)
from opsgraph.domains.slo.formats.openslo_windows import UTC_ZONE
from opsgraph.domains.slo.model import IndicatorKind
from opsgraph.domains.slo.rules.acceptance import DEFAULT_DAYS
from opsgraph.kernel.documents import Document, read_documents, write_documents
from opsgraph.kernel.windows import CalendarWindow

_METHOD_NAMES = {method: name for name, method in METHODS.items()}
_DURATIONS = {CalendarWindow.WEEK: "1w", CalendarWindow.MONTH: "1M", CalendarWindow.QUARTER: "1Q"}
_START = "2024-01-01 00:00:00"  # a Monday: the start of a week, a month and a quarter

_Mapping = dict[str, object]


def write(slos: Sequence[SloDocument]) -> str:
    """Write one document for each SLO, ordered by service and name; the same bytes for the same values."""
    ordered = sorted(slos, key=lambda slo: (slo.service, slo.name))
    return write_documents([_document(slo) for slo in ordered])


def _document(slo: SloDocument) -> _Mapping:
    metric = _metric(slo)
    return {
        "apiVersion": VERSION,
        "kind": "SLO",
        "metadata": _given(name=slo.name, displayName=slo.display_name, annotations=_annotations(slo)),
        "spec": _given(
            description=slo.description,
            service=slo.service,
            indicator=_indicator(slo, metric),
            timeWindow=[_window(slo)],
            budgetingMethod=_METHOD_NAMES[slo.budgeting_method],
            objectives=[_objective(slo, is_threshold="thresholdMetric" in metric)],
        ),
    }


def _annotations(slo: SloDocument) -> _Mapping | None:
    annotations: _Mapping = {
        INDICATOR_ANNOTATION: None if slo.indicator is IndicatorKind.EXTERNAL else slo.indicator.value,
        CURRENT_ANNOTATION: None if slo.current is None else format(slo.current, "f"),
        LATENCY_ANNOTATION: None if slo.latency_threshold_ms is None else format(slo.latency_threshold_ms, "f"),
    }
    return _given(**annotations) or None


def _indicator(slo: SloDocument, metric: _Mapping) -> _Mapping:
    names = _mapping(slo.source.get("indicator"))
    return {
        "metadata": _given(name=_text(names, "name") or slo.name, displayName=_text(names, "displayName")),
        "spec": {**_given(description=_text(names, "description")), **metric},
    }


def _metric(slo: SloDocument) -> _Mapping:
    """What the indicator measures: a threshold, a ratio, or nothing that OpenSLO could query."""
    if slo.source.get("metric") == "threshold" and slo.total_query is not None:
        return {"thresholdMetric": _query(slo.total_query, slo.source.get("total"))}
    bad, raw = (_mapping(slo.source.get(key)) for key in ("bad", "raw"))
    queries = {
        "good": _query(slo.good_query, slo.source.get("good")),
        "bad": _query(_text(bad, "query"), bad),
        "total": _query(slo.total_query, slo.source.get("total")),
        "raw": _query(_text(raw, "query"), raw),
    }
    given = _given(**queries)
    if not given:
        return _own_metric(slo)
    raw_type = _text(slo.source, "rawType") if "raw" in given else None
    return {"ratioMetric": {**_given(counter=_flag(slo.source, "counter"), rawType=raw_type), **given}}


def _own_metric(slo: SloDocument) -> _Mapping:
    source = {"type": OWN_SOURCE, "spec": {"indicator": slo.indicator.value}}
    return {"ratioMetric": {"counter": False, "rawType": "success", "raw": {"metricSource": source}}}


def _query(query: str | None, origin: object) -> _Mapping | None:
    if query is None:
        return None
    known = _mapping(origin)
    spec = _specification(query) if known.get("structured") is True else None
    source = _given(metricSourceRef=_text(known, "ref"), type=_text(known, "type"))
    return {"metricSource": {**source, "spec": spec or {"query": query}}}


def _specification(query: str) -> _Mapping | None:
    """The mapping that a JSON text stands for; None if it would not come back as the same text."""
    try:
        spec = json.loads(query, parse_float=Decimal)
        parts = read_documents(write_documents([spec]), "") if isinstance(spec, dict) else []
    except (ValueError, RecursionError):
        return None
    back = [json_text(part.value) for part in parts if isinstance(part, Document)]
    return spec if back == [query] else None


def _window(slo: SloDocument) -> _Mapping:
    if slo.calendar is None:
        return {"duration": f"{slo.window_days or DEFAULT_DAYS}d", "isRolling": True}
    calendar = {"startTime": _START, "timeZone": slo.time_zone or UTC_ZONE}
    return {"duration": _DURATIONS[slo.calendar], "isRolling": False, "calendar": calendar}


def _objective(slo: SloDocument, *, is_threshold: bool) -> _Mapping:
    return _given(
        displayName=_text(slo.source, "objective"),
        op=_text(slo.source, "op") if is_threshold else None,
        value=_number(_text(slo.source, "value")) if is_threshold else None,
        target=to_fraction(slo.target),
        timeSliceTarget=None if slo.slice_target is None else to_fraction(slo.slice_target),
        timeSliceWindow=None if slo.slice_seconds is None else f"{slo.slice_seconds // 60}m",
    )


def _given(**values: object) -> _Mapping:
    return {key: value for key, value in values.items() if value is not None}


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(source: Mapping[str, object], key: str) -> str | None:
    value = source.get(key)
    return value if isinstance(value, str) else None


def _flag(source: Mapping[str, object], key: str) -> bool | None:
    value = source.get(key)
    return value if isinstance(value, bool) else None


def _number(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        return None
