"""Reading and writing OpenSLO documents."""

from decimal import Decimal
from pathlib import Path

import pytest

from opsgraph.domains.slo.formats import openslo
from opsgraph.domains.slo.formats.openslo_values import OpenSlo, SloDocument
from opsgraph.domains.slo.model import IndicatorKind
from opsgraph.kernel.documents import read_documents

SAMPLES = Path(__file__).parents[2] / "data" / "openslo"

WINDOW = "timeWindow: [{duration: 30d, isRolling: true}]"
METHOD = "budgetingMethod: Occurrences"
INDICATOR = (
    "indicator: {metadata: {name: x}, spec: {ratioMetric: {good: {metricSource: {spec: {query: g}}}, "
    "total: {metricSource: {spec: {query: t}}}}}}"
)
RATIO = "{{spec: {{ratioMetric: {{{}: {{metricSource: {{spec: {{query: q}}}}}}}}}}}}"
THRESHOLD = "{spec: {thresholdMetric: {metricSource: {spec: {query: q}}}}}"
OBJECTIVES = "objectives: [{target: 0.99}]"


def read(*texts: str) -> OpenSlo:
    """Read texts as the files 1.yaml, 2.yaml, ..."""
    parts = [part for n, text in enumerate(texts, 1) for part in read_documents(text, f"{n}.yaml")]
    return openslo.read(parts)


def sample(name: str) -> str:
    """The text of a sample file."""
    return (SAMPLES / name).read_text(encoding="utf-8")


def slo_text(*spec: str, name: str = "a", metadata: str = "") -> str:
    """An SLO of the service web whose spec has these lines; what they do not say is said for them."""
    defaults = {"timeWindow": WINDOW, "budgetingMethod": METHOD, "indicator": INDICATOR, "objectives": OBJECTIVES}
    filled = [line for key, line in defaults.items() if not any(given.startswith(f"{key}:") for given in spec)]
    lines = "".join(f"  {line}\n" for line in ["service: web", *filled, *spec] if line.partition(":")[2].strip())
    return f"apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: {name}, {metadata}}}\nspec:\n{lines}"


def only(text: str) -> SloDocument:
    """The one SLO of a text in which nothing is refused."""
    found = read(text)
    assert found.refusals == ()
    (slo,) = found.slos
    return slo


def test_objectives_become_slos() -> None:
    """Each objective is an SLO of its own, with the indicator that another file defines."""
    first, second, _ = read(sample("checkout.yaml"), sample("indicators.yaml")).slos
    assert (first.service, first.name, second.name) == ("checkout", "latency", "latency-2")
    assert (first.target, second.target) == (Decimal(95), Decimal("99.9"))
    assert (first.window_days, first.budgeting_method, first.indicator) == (28, "OCCURRENCES", "EXTERNAL")
    assert (first.display_name, first.description) == ("Checkout is quick", "Orders are taken quickly.")
    assert first.total_query is not None
    assert first.total_query.startswith("histogram_quantile(\n  0.99,")
    assert (first.source["op"], first.source["value"], first.good_query) == ("lte", "0.30", None)


def test_bad_events_and_structured_sources_are_kept() -> None:
    """What is no plain query of good or all events survives, and is never taken for one."""
    slo = read(sample("checkout.yaml"), sample("indicators.yaml")).slos[2]
    assert (slo.good_query, slo.total_query) == (
        None,
        '{"factor": 0.5, "name": "requests", "namespace": "shop", "period": 60}',
    )
    assert slo.source["bad"] == {"query": 'sum(rate(http_requests_total{code=~"5.."}[5m]))', "type": "Prometheus"}
    assert (slo.calendar, slo.time_zone, slo.window_days) == ("QUARTER", "Europe/Berlin", None)
    assert (slo.budgeting_method, slo.slice_target, slo.slice_seconds) == ("TIMESLICES", Decimal(90), 300)


def test_services_and_skipped_kinds() -> None:
    """Services are given to the importer; other kinds are named."""
    found = read(sample("indicators.yaml"))
    assert [(service.name, service.display_name, service.description) for service in found.services] == [
        ("checkout", "Checkout", "Takes orders")
    ]
    assert [str(warning) for warning in found.warnings] == [
        '1.yaml:20: cloud: kind "DataSource" is not imported; the document was skipped'
    ]


def test_the_old_version_is_read() -> None:
    """Ratio metrics within objectives, and windows by unit and count."""
    slo = only(sample("old.yaml"))
    assert (slo.calendar, slo.time_zone, slo.slice_seconds) == ("MONTH", "UTC", 60)
    assert (slo.good_query, slo.total_query, slo.source["counter"]) == ("good_total", "all_total", True)
    assert slo.source["good"] == {"type": "prometheus"}


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("objectives: [{target: 1}]", "spec.objectives[0].target is 100 %; a target lies above 0 and below 100 %, "),
        ("objectives: [{targetPercent: 100}]", "spec.objectives[0].targetPercent is 100 %; a target lies above 0"),
        ("objectives: [{target: 0}]", "because a budget of zero can never be spent"),
        ("objectives: [{target: 99.9}]", "a target is a fraction such as 0.999; for percent there is targetPercent"),
        ("objectives: [{target: 0.9, targetPercent: 90}]", "takes either target or targetPercent; it has both"),
        ("objectives: [{displayName: x}]", "takes either target or targetPercent; it has neither"),
        ("objectives: [{target: high}]", "spec.objectives[0].target is a text, not a number"),
        ("objectives: []", "spec.objectives is missing; there must be one at least"),
        ("objectives: {target: 0.9}", "spec.objectives is a mapping, not a list"),
        ("timeWindow: [{duration: 91d, isRolling: true}]", "is 91d; a rolling window has 1 to 90 whole days"),
        ("timeWindow: [{duration: 36h, isRolling: true}]", "is 36h; a rolling window has 1 to 90 whole days"),
        ("timeWindow: [{duration: 0d, isRolling: true}]", 'duration "0d" is not a duration such as 28d, 4w or 1M'),
        ("timeWindow: [{duration: 5, isRolling: true}]", "spec.timeWindow[0].duration is a number, not a text"),
        ("timeWindow: [{duration: 1w}, {duration: 2w}]", "spec.timeWindow has 2 windows; it takes one"),
        (
            "timeWindow: [{duration: 2w, isRolling: false}]",
            "a calendar window is a week (1w), a month (1M) or a quarter",
        ),
        ("timeWindow: [{duration: 1w, calendar: {timeZone: Mars/Base}}]", 'time zone "Mars/Base" is not an IANA zone'),
        ("timeWindow: [{duration: 1w, isRolling: maybe}]", "isRolling is a text, not true or false"),
        ("timeWindows: [{unit: Day, count: 1.5}]", "takes a unit such as Day or Month and a whole count"),
        ("budgetingMethod: Weekly", 'budgetingMethod "Weekly" is not Occurrences, Timeslices, RatioTimeslices'),
        ("indicator: {spec: {}}", "spec.indicator.spec takes either a ratioMetric or a thresholdMetric"),
        ("indicator: {spec: {ratioMetric: {counter: true}}}", "has no good, bad, total or raw metric"),
        ("indicator: {spec: {ratioMetric: {good: {metricSource: {spec: x}}}}}", "spec is a text, not a mapping"),
        (
            f"indicator: {{spec: {{thresholdMetric: {{metricSource: {{spec: {{a: {'x' * 10_000}}}}}}}}}}}",
            "characters as JSON",
        ),
        (
            "objectives: [{target: 0.9, timeSliceTarget: 1.1}]",
            "timeSliceTarget is 1.1; it lies above 0 and is at most 1",
        ),
        (
            f"indicator: {THRESHOLD}\nobjectives: [{{target: 0.9, op: eq, value: 1}}]",
            'op "eq" is not lte, gte, lt, gt',
        ),
        ("indicatorRef: nowhere", 'spec.indicatorRef names the SLI "nowhere", which is in none of the files read'),
    ],
)
def test_what_does_not_fit_is_refused(spec: str, reason: str) -> None:
    """Each refusal names the place and says what would fit."""
    filler = "timeWindow: " if spec.startswith("timeWindows") else "indicator: " if "indicatorRef" in spec else ""
    found = read(slo_text(*spec.split("\n"), *([filler] if filler else [])))
    assert found.slos == ()
    (refusal,) = found.refusals
    assert reason in refusal.reason
    assert (refusal.file, refusal.name) == ("1.yaml", "a")


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("objectives: [{target: 0.9, op: gt}]", "spec.objectives[0].op is for threshold metrics only and was left out"),
        ("objectives: [{target: 0.9, compositeWeight: 2}]", "compositeWeight is not supported and was left out"),
        ("objectives: [{target: 0.9, timeSliceTarget: 0.9}]", "has no effect with this budgeting method"),
        ("alertPolicies: [{alertPolicyRef: x}]", "spec.alertPolicies are not imported"),
        ("budgetingMethod:", "spec.budgetingMethod is missing; Occurrences is assumed"),
        ("timeWindow:", "spec.timeWindow is missing; 28 rolling days are assumed"),
        ("timeWindow: [{duration: 1M, isRolling: true}]", "is 1M and rolling; it is read as 30 days"),
        ("timeWindow: [{duration: 1w, isRolling: false}]", "calendar is missing; periods begin at midnight UTC"),
        ("timeWindow: [{duration: 1w, calendar: {}}]", "timeZone is missing; UTC is assumed"),
        ("timeWindow: [{duration: 1w, isRolling: true, calendar: {timeZone: UTC}}]", "the window is rolling"),
        (f"indicator: {THRESHOLD}\nobjectives: [{{target: 0.9, op: lt}}]", "spec.objectives[0].value is missing"),
        (f"indicator: {RATIO.format('good')}", "has good; it takes good and total, bad and total, or raw"),
        (f"indicator: {RATIO.format('raw')}", "ratioMetric.rawType is missing; it takes success or failure"),
        (f"indicator: {RATIO.format('rawType: odd, raw')}", 'rawType "odd" was left out; it takes success or failure'),
        (
            "indicator: {spec: {thresholdMetric: {metricSource: {type: x}}}}",
            "spec is missing; there is nothing to query",
        ),
        ("indicatorRef: x", "spec.indicatorRef was left out: there is an indicator"),
        ("priority: high", "spec.priority is not supported and was left out"),
    ],
)
def test_what_is_superfluous_is_warned_of(spec: str, reason: str) -> None:
    """The SLO is imported and one warning says what was assumed or left out."""
    found = read(slo_text(*spec.split("\n")))
    assert [reason in warning.reason for warning in found.warnings] == [True]
    assert len(found.slos) == 1


def test_a_bad_objective_costs_no_other() -> None:
    """The other objectives keep the names of their places."""
    found = read(slo_text("objectives: [{target: 0.9}, {target: 2}, {target: 0.8}]"))
    assert [slo.name for slo in found.slos] == ["a", "a-3"]
    assert [refusal.name for refusal in found.refusals] == ["a-2"]


def test_names_are_unique_within_a_service() -> None:
    """The second SLO of a name is refused and points to the first."""
    found = read(slo_text(), slo_text(name="A"))
    assert [str(refusal) for refusal in found.refusals] == ['2.yaml:9: A: web has an SLO "A" already, at 1.yaml:9']


def test_a_refused_indicator_refuses_what_refers_to_it() -> None:
    """Both the SLI and the SLO are named."""
    sli = "apiVersion: openslo/v1\nkind: SLI\nmetadata: {name: x}\nspec: {}\n"
    found = read(slo_text("indicator: ", "indicatorRef: x"), sli)
    assert [refusal.name for refusal in found.refusals] == ["x", "a"]
    assert found.refusals[1].reason.endswith("which was refused")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("kind: SLO", "apiVersion is missing"),
        ("apiVersion: openslo/v1", "kind is missing"),
        ("apiVersion: openslo.com/v2alpha\nkind: SLO", 'apiVersion "openslo.com/v2alpha" is not supported'),
        ("apiVersion: openslo/v1\nkind: SLO", "metadata is missing"),
        ("apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: 5}\nspec: {}", "metadata.name is a number, not a text"),
        (slo_text(metadata="annotations: {opsgraph.dev/indicator: MAGIC}"), 'opsgraph.dev/indicator "MAGIC" is not'),
        (slo_text(metadata="annotations: {opsgraph.dev/current: '101'}"), "it takes 0 to 100 percent"),
        (slo_text(metadata="annotations: {opsgraph.dev/current: NaN}"), 'opsgraph.dev/current "NaN" is not a number'),
        (slo_text(metadata="annotations: {opsgraph.dev/latency-threshold-ms: '0'}"), "is 0; it takes over 0"),
        ("a: [", "not valid YAML"),
    ],
)
def test_other_documents_are_refused(text: str, reason: str) -> None:
    """What is not OpenSLO, or not of a version that is read, is refused with its reason."""
    (refusal,) = read(text).refusals
    assert reason in refusal.reason


def test_an_slo_needs_an_indicator() -> None:
    """Unless an annotation of ours says that opsgraph measures it, or someone declares it."""
    (refusal,) = read(slo_text("indicator: ")).refusals
    assert refusal.reason == "there is neither an indicator nor an indicatorRef"
    slo = only(
        slo_text("indicator: ", metadata="annotations: {opsgraph.dev/indicator: DECLARED, opsgraph.dev/current: 99}")
    )
    assert (slo.indicator, slo.current, slo.good_query) == (IndicatorKind.DECLARED, Decimal(99), None)


def test_timeslices_need_a_slice_target() -> None:
    """There is no sensible default, so it is refused; the length of a slice has one."""
    (refusal,) = read(slo_text("budgetingMethod: Timeslices")).refusals
    assert refusal.reason == "spec.objectives[0].timeSliceTarget is missing; Timeslices cannot do without"
    found = read(slo_text("budgetingMethod: RatioTimeslices"))
    assert [slo.slice_seconds for slo in found.slos] == [60]
    assert "slices of one minute are assumed" in found.warnings[0].reason


def test_indicators_are_unique() -> None:
    """The second SLI of a name is refused; the first is what references mean."""
    sli = f"apiVersion: openslo/v1\nkind: SLI\nmetadata: {{name: x}}\n{THRESHOLD[1:-1]}\n"
    found = read(sli, sli.replace("query: q", "query: r"), slo_text("indicator: ", "indicatorRef: x"))
    assert [str(refusal) for refusal in found.refusals] == [
        '2.yaml:1: x: SLI "x" is defined before; names of SLIs are unique'
    ]
    assert [slo.total_query for slo in found.slos] == ["q"]


def test_foreign_documents_are_skipped() -> None:
    """Manifests of other systems beside the SLOs are no errors."""
    found = read("apiVersion: apps/v1\nkind: Deployment\n")
    assert (found.refusals, len(found.warnings)) == ((), 1)
