"""What makes two reports the same alert."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.alerts.rules.fingerprints import of_content, of_labels, scoped

LABELS = st.dictionaries(st.text(max_size=8), st.text(max_size=12), max_size=6)


def fnv1a(labels: dict[str, str]) -> str:
    """The fingerprint as prometheus/common defines it, byte by byte."""
    state = 14695981039346656037
    for name, value in sorted(labels.items()):
        for byte in b"%b\xff%b\xff" % (name.encode(), value.encode()):
            state = (state ^ byte) * 1099511628211 % 2**64
    return f"{state:016x}"


def test_labels_have_the_fingerprint_that_an_alertmanager_gives_them() -> None:
    """As Alertmanager 0.25 answered to an alert with these labels; the first is that of no labels."""
    labels = {
        "alertname": "HighErrorRate",
        "cluster": "eu-1",
        "instance": "10.0.0.1:9090",
        "job": "node",
        "service": "api",
        "severity": "critical",
    }
    assert of_labels({}) == "cbf29ce484222325"  # pragma: allowlist secret
    assert of_labels(labels) == "5b93c6b701b1bdcd"  # pragma: allowlist secret


@given(LABELS)
def test_it_is_the_hash_of_the_names_and_values_that_are_not_empty(labels: dict[str, str]) -> None:
    """Whatever the script, seen before or not."""
    expected = fnv1a({name: value for name, value in labels.items() if value})
    assert of_labels(labels) == of_labels(dict(reversed(labels.items()))) == expected


@pytest.mark.parametrize("length", [1, 199, 200, 201, 5_000])
def test_long_labels_hash_alike(length: int) -> None:
    """Whether they are remembered or not."""
    for labels in ({"name": "x" * length}, {"n" * length: "ä"}):
        assert of_labels(labels) == of_labels(labels) == fnv1a(labels)


def test_content_is_service_severity_and_the_beginning_of_the_message() -> None:
    """SHA-256 of `api|high|5xx spike`, as anyone can compute it."""
    expected = "b226fcad4b4d926066ac32a62798f6163b7cb14f1a9035f88590c0482a2a485b"  # pragma: allowlist secret
    assert of_content("api", Severity.HIGH, "5xx spike") == expected


def test_only_the_first_hundred_characters_of_a_message_count() -> None:
    """The hundredth does, the next does not."""
    first = of_content("api", Severity.HIGH, "x" * 99 + "a")
    assert first == of_content("api", Severity.HIGH, "x" * 99 + "a and more")
    assert first != of_content("api", Severity.HIGH, "x" * 99 + "b")


def test_service_and_severity_count() -> None:
    """Each changes the fingerprint."""
    others = {of_content("web", Severity.HIGH, "m"), of_content("api", Severity.LOW, "m")}
    assert len({of_content("api", Severity.HIGH, "m"), *others}) == 3


@given(st.lists(st.text(max_size=4), max_size=4), st.lists(st.text(max_size=4), max_size=4))
def test_scopes_do_not_run_into_one_another(some: list[str], others: list[str]) -> None:
    """Other parts give another fingerprint, wherever the boundaries between them are."""
    assert (scoped(*some) == scoped(*others)) == (some == others)


def test_a_scope_does_not_tell_its_parts() -> None:
    """One of them may be a secret; and characters that are none in UTF-8 are hashed like any."""
    fingerprints = [scoped("pagerduty", "K" * 32, key) for key in ("disk", "\ud800", "\udfff")]
    assert all(len(each) == 64 and "K" not in each for each in fingerprints)
    assert all(one != other for one, other in pairwise(fingerprints))
