"""What keeps an alert quiet: silences and maintenance windows, compiled, against a plain reading of each."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.alerts.model import MaintenanceWindow, Matcher, Severity, Silence
from opsgraph.domains.alerts.rules.matching import test_of as condition
from opsgraph.domains.alerts.rules.silencing import CompiledSilences, Silencer, in_force, labels_seen
from opsgraph.kernel.text import name_key
from tests.support.alerts import API, HOUR
from tests.support.clock import START

SILENCE = Silence(UUID(int=1), API, "known", "ann", START, START + HOUR)
WINDOW = MaintenanceWindow(UUID(int=2), ("Api",), (), "planned", "ann", False, START, START + HOUR)

NAMES = st.sampled_from(["service", "severity", "job"])
VALUES = st.sampled_from(["", "api", "web", "high", "critical"])
MATCHERS = st.builds(Matcher, NAMES, VALUES, st.booleans(), st.booleans())
TIMES = st.sampled_from([START - HOUR, START, START + HOUR])
IDS = st.integers(0, 2**64).map(lambda number: UUID(int=number))
SILENCES = st.builds(
    Silence, IDS, st.lists(MATCHERS, min_size=1, max_size=3).map(tuple), st.just("r"), st.just("a"), TIMES, TIMES
)
WINDOWS = st.builds(
    MaintenanceWindow,
    IDS,
    st.lists(st.sampled_from(["API", "web", "Straße"]), max_size=2).map(tuple),
    st.lists(MATCHERS, max_size=2).map(tuple),
    st.just("r"),
    st.just("a"),
    st.booleans(),
    TIMES,
    TIMES,
)


def means(silencer: Silencer, labels: dict[str, str], service: str, severity: Severity) -> bool:
    """Whether a silencer means an alert, one condition after the other."""
    seen = {**labels}
    seen["service"] = seen.get("service") or service
    seen["severity"] = seen.get("severity") or severity.value.lower()
    named = isinstance(silencer, MaintenanceWindow) and name_key(service) in map(name_key, silencer.services)
    return named or (bool(silencer.matchers) and condition(silencer.matchers)(seen))


@given(
    silences=st.lists(SILENCES, max_size=4),
    windows=st.lists(WINDOWS, max_size=4),
    labels=st.dictionaries(NAMES, VALUES),
    service=st.sampled_from(["api", "WEB", "STRASSE", ""]),
    severity=st.sampled_from(list(Severity)),
)
def test_compiled_silences_decide_as_each_alone(
    silences: list[Silence],
    windows: list[MaintenanceWindow],
    labels: dict[str, str],
    service: str,
    severity: Severity,
) -> None:
    """However they are looked up, the same alerts are quiet for the same reasons."""
    compiled = CompiledSilences(silences, windows)
    every: list[Silencer] = [*silences, *windows]
    expected = {s.id for s in every if in_force(s, START) and means(s, labels, service, severity)}
    found: list[Silencer] = compiled.silencers(labels, service, severity, START)
    first = compiled.silencer(labels, service, severity, START)
    assert ({s.id for s in found}, len(found)) == (expected, len(expected))
    assert (first is None and not expected) or (first is not None and first.id in expected)


@pytest.mark.parametrize(
    ("at", "quiet"),
    [(-1, False), (0, True), (1, True), (3600 * 10**6 - 1, True), (3600 * 10**6, False)],
)
def test_a_silence_is_in_force_from_its_start_up_to_its_end(at: int, quiet: bool) -> None:
    """The start belongs to it, the end does not; to the microsecond."""
    now = START + timedelta(microseconds=at)
    assert in_force(SILENCE, now) is quiet
    assert (CompiledSilences([SILENCE]).silencer({}, "api", Severity.HIGH, now) is SILENCE) is quiet


def test_a_window_means_its_services_without_case_and_what_matchers_find() -> None:
    """Either is enough: the service, or labels that fulfil every matcher."""
    window = replace(WINDOW, matchers=(Matcher("team", "pay.*", regex=True),))
    compiled = CompiledSilences(windows=[window])
    for labels, service, quiet in (({}, "API", True), ({"team": "payments"}, "web", True), ({}, "web", False)):
        assert (compiled.silencer(labels, service, Severity.LOW, START) is window) is quiet


def test_matchers_see_service_and_severity_unless_the_alert_says_otherwise() -> None:
    """What the source sent stays; an empty label counts as absent."""
    assert labels_seen({}, "Api", Severity.HIGH) == {"service": "Api", "severity": "high"}
    assert labels_seen({"severity": "page", "service": ""}, "api", Severity.CRITICAL) == {
        "severity": "page",
        "service": "api",
    }


def test_nothing_is_asked_where_there_is_no_silence() -> None:
    """Most of the time there is none, and taking in alerts should not pay for it."""
    assert not CompiledSilences()
    assert CompiledSilences([SILENCE])
    assert CompiledSilences(windows=[WINDOW])
