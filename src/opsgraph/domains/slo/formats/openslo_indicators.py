"""OpenSLO's indicators: which queries they hold, and what of them only an export needs."""

import json
from dataclasses import dataclass, field
from decimal import Decimal

from opsgraph.domains.slo.formats.openslo_values import OWN_SOURCE
from opsgraph.kernel.fields import Fields, Warn
from opsgraph.kernel.text import TEXT_LENGTH, free_name, free_text, shown

RAW_TYPES = ("success", "failure")

_INDICATOR_KEYS = frozenset({"metadata", "spec", "thresholdMetric", "ratioMetric", "description"})
_RATIO_KEYS = frozenset({"counter", "incremental", "good", "bad", "total", "raw", "rawType"})


@dataclass(frozen=True, slots=True)
class Indicator:
    """What is measured; `source` holds what `SloDocument.source` keeps of it."""

    good_query: str | None = None
    total_query: str | None = None
    is_threshold: bool = False
    source: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Metric:
    """A query and where it is sent; empty if the document gives none."""

    query: str | None = None
    origin: dict[str, object] = field(default_factory=dict)

    def whole(self) -> dict[str, object]:
        return {} if self.query is None else {"query": self.query, **self.origin}


def read_indicator(fields: Fields, warn: Warn) -> Indicator:
    """Read an SLI, or an indicator within an SLO (``metadata`` and ``spec``, or the bare metric of v1alpha).

    Raises:
        Misfit: no metric or two, or a wrong type.
    """
    spec = fields.mapping("spec") or fields
    ratio, threshold = spec.mapping("ratioMetric"), spec.mapping("thresholdMetric")
    if (ratio is None) == (threshold is None):
        raise spec.misfit(f"{spec.label() or 'the indicator'} takes either a ratioMetric or a thresholdMetric")
    spec.warn_beyond(_INDICATOR_KEYS, warn)
    indicator = _threshold(spec, warn) if ratio is None else read_ratio(ratio, warn)
    names = _names(fields, spec)
    return Indicator(
        indicator.good_query,
        indicator.total_query,
        indicator.is_threshold,
        {**({"indicator": names} if names else {}), **indicator.source},
    )


def read_ratio(ratio: Fields, warn: Warn) -> Indicator:
    """Read a ratio of good or bad events to all, or a ratio that comes ready-made (raw).

    Queries of bad events and raw ratios are kept in the source, because they do not count good events.

    Raises:
        Misfit: no metric at all, or a wrong type.
    """
    ratio.warn_beyond(_RATIO_KEYS, warn)
    if _is_own(ratio):
        return Indicator()
    good, bad, total, raw = (_metric(ratio, key, warn) for key in ("good", "bad", "total", "raw"))
    _check_parts(ratio, warn)
    counter = ratio.flag("counter" if ratio.has("counter") else "incremental")
    source: dict[str, object] = {
        "counter": counter,
        "good": good.origin,
        "bad": bad.whole(),
        "total": total.origin,
        "raw": raw.whole(),
        "rawType": _raw_type(ratio, warn) if raw.query is not None else None,
    }
    kept = {key: value for key, value in source.items() if value not in (None, {})}
    has_query = any(metric.query is not None for metric in (good, bad, total, raw))
    return Indicator(good.query, total.query, source=kept if has_query else {})


def json_text(value: object) -> str:
    """The one JSON text of a metric source's specification: keys sorted, numbers without a fraction as integers."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=_json_number)


def _threshold(spec: Fields, warn: Warn) -> Indicator:
    metric = _metric(spec, "thresholdMetric", warn)
    if metric.query is None:
        return Indicator()
    source: dict[str, object] = {"metric": "threshold", **({"total": metric.origin} if metric.origin else {})}
    return Indicator(total_query=metric.query, is_threshold=True, source=source)


def _names(fields: Fields, spec: Fields) -> dict[str, object]:
    metadata = fields.mapping("metadata")
    names = {
        "name": metadata.checked("name", free_name) if metadata else None,
        "displayName": metadata.checked("displayName", free_text) if metadata else None,
        "description": spec.checked("description", free_text),
    }
    return {key: name for key, name in names.items() if name is not None}


def _is_own(ratio: Fields) -> bool:
    """Whether an export of ours wrote it in place of queries that there are none of."""
    raw = ratio.mapping("raw")
    source = raw.mapping("metricSource") if raw else None
    return source is not None and source.text("type") == OWN_SOURCE


def _check_parts(ratio: Fields, warn: Warn) -> None:
    given = [key for key in ("good", "bad", "total", "raw") if ratio.has(key)]
    if not given:
        raise ratio.misfit(f"{ratio.label()} has no good, bad, total or raw metric")
    if given not in (["good", "total"], ["bad", "total"], ["raw"]):
        reason = f"{ratio.label()} has {' and '.join(given)}; it takes good and total, bad and total, or raw"
        warn(ratio.line(), reason)


def _raw_type(ratio: Fields, warn: Warn) -> str | None:
    kind = ratio.checked("rawType", free_name)
    if kind in RAW_TYPES:
        return kind
    problem = "is missing" if kind is None else f"{shown(kind)} was left out"
    warn(ratio.line("rawType"), f"{ratio.label('rawType')} {problem}; it takes {' or '.join(RAW_TYPES)}")
    return None


def _metric(fields: Fields, key: str, warn: Warn) -> _Metric:
    metric = fields.mapping(key)
    if metric is None:
        return _Metric()
    source = metric.mapping("metricSource")
    if source is None:
        return _old_metric(metric, warn)
    spec = source.mapping("spec")
    source.warn_beyond(frozenset({"type", "metricSourceRef", "spec"}), warn)
    if spec is None or not spec.values:
        warn(source.line(), f"{source.label('spec')} is missing; there is nothing to query")
        return _Metric()
    structured = set(spec.values) != {"query"} or not isinstance(spec.values["query"], str)
    origin = {
        "type": source.checked("type", free_text),
        "ref": source.checked("metricSourceRef", free_text),
        "structured": True if structured else None,
    }
    query = _structured(spec) if structured else spec.checked("query", free_text)
    return _Metric(query, {key: value for key, value in origin.items() if value is not None})


def _structured(spec: Fields) -> str:
    text = json_text(spec.values)
    if len(text) > TEXT_LENGTH:
        raise spec.misfit(f"{spec.label()} has {len(text)} characters as JSON; at most {TEXT_LENGTH} are accepted")
    return text


def _old_metric(metric: Fields, warn: Warn) -> _Metric:
    """A metric as v1alpha writes it: ``source``, ``queryType`` and ``query``."""
    metric.warn_beyond(frozenset({"source", "query"}), warn)
    query = metric.required("query", free_text)
    kind = metric.checked("source", free_text)
    return _Metric(query, {} if kind is None else {"type": kind})


def _json_number(value: object) -> int | float:
    if not isinstance(value, Decimal):
        raise TypeError(f"{value!r} does not come from a document")
    return int(value) if value == value.to_integral_value() else float(value)
