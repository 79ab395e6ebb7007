"""Whatever is sent: formats refuse what they must with a reason, raise nothing else, and never lose a good member."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opsgraph.domains.alerts.formats import alertmanager, alertmanager_webhook, generic, grafana, pagerduty
from opsgraph.domains.alerts.model import AlertReport, Refused, Reports
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import NAME_LENGTH, TEXT_LENGTH
from tests.support.clock import START
from tests.support.inbound import REPORTER, labelled, notification, notified, own, trigger

Reader = Callable[[bytes, datetime, str], Reports]

FIELDS = [
    "labels", "annotations", "startsAt", "endsAt", "generatorURL", "status", "fingerprint", "alerts", "truncatedAlerts",
    "values", "valueString", "panelURL", "service", "severity", "message", "dedupKey", "routing_key", "event_action",
    "dedup_key", "payload", "summary", "source", "component", "custom_details", "links", "client_url", "timestamp",
]  # fmt: skip
WORDS = st.sampled_from(["", "firing", "resolved", "trigger", "high", "2024-03-15T12:00:00Z", "0001-01-01T00:00:00Z"])
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | WORDS | st.text()
NAMES = st.sampled_from(FIELDS) | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=20
)


def read_event(body: bytes, now: datetime, reporter: str) -> Reports:
    """An event of PagerDuty's as a batch of one."""
    return Reports([(0, pagerduty.read(body, reporter, "new").report)])


def as_array(members: list[Any]) -> Any:
    """Members as the body of a format whose body is an array."""
    return members


def as_notification(members: list[Any]) -> Any:
    """Members as the alerts of a notification."""
    return notification(*members)


READERS: dict[str, Reader] = {
    "alertmanager": alertmanager.read,
    "alertmanager_webhook": alertmanager_webhook.read,
    "grafana": grafana.read,
    "generic": generic.read,
    "pagerduty": read_event,
}
BATCHES: dict[str, tuple[Callable[[list[Any]], Any], Callable[..., Any]]] = {
    "alertmanager": (as_array, lambda number: labelled(f"good-{number}")),
    "alertmanager_webhook": (as_notification, lambda number: notified(f"good-{number}")),
    "grafana": (as_notification, lambda number: notified(f"good-{number}")),
    "generic": (as_array, lambda number: own(message=f"good-{number}")),
}


def assert_storable(report: AlertReport) -> None:
    """Nothing that a database or an index refuses, and nothing without an identity or a text."""
    texts = [report.service, report.message, report.fingerprint, *report.labels.values(), *report.annotations.values()]
    assert all("\0" not in text for text in (*texts, *report.labels, *report.annotations))
    assert orjson.dumps([dict(report.labels), dict(report.annotations), texts])
    assert 0 < len(report.service) <= NAME_LENGTH
    assert 0 < len(report.message) <= TEXT_LENGTH
    assert len(report.fingerprint) in {16, 64}
    assert all(each is None or each.tzinfo is not None for each in (report.starts_at, report.ends_at))


def read(name: str, body: bytes) -> Reports:
    """What a reader makes of a body; of one that it refuses, nothing. Every reason can be sent back."""
    try:
        reports = READERS[name](body, START, REPORTER)
    except Invalid as refusal:
        reports = Reports(refused=[Refused(0, refusal.message)])
    assert all(orjson.dumps(each.reason) for each in reports.refused)
    return reports


@pytest.mark.parametrize("name", READERS)
@given(value=VALUES)
@example(value=[labelled()])
@example(value=notification(notified()))
@example(value=trigger())
@example(value=own())
def test_any_json_is_read_or_refused(name: str, value: Any) -> None:
    """What is read can be stored, whatever it was."""
    for _, report in read(name, orjson.dumps(value)).accepted:
        assert_storable(report)


@pytest.mark.parametrize("name", READERS)
@given(body=st.binary(max_size=60))
@example(body=b'{"routing_key": "\\ud800')
@example(body=b'[{"labels": {"a": "\\u00')
@example(body=b"\xef\xbb\xbf[]")
def test_any_bytes_are_read_or_refused(name: str, body: bytes) -> None:
    """What is no JSON has no alerts in it."""
    assert read(name, body).accepted == []


@pytest.mark.parametrize("name", BATCHES)
@given(members=st.lists(VALUES | st.none(), max_size=8))
def test_no_good_member_is_lost_among_others(name: str, members: list[Any]) -> None:
    """Between any others each keeps its place, and every member is either taken or refused with a reason."""
    wrap, good = BATCHES[name]
    mixed = [each for number, member in enumerate(members) for each in (good(number), member)]
    reports = read(name, orjson.dumps(wrap(mixed)))
    accepted = dict(reports.accepted)
    refused = {each.index: each.reason for each in reports.refused}
    assert set(range(0, len(mixed), 2)) <= accepted.keys()
    assert accepted.keys() | refused.keys() == set(range(len(mixed)))
    assert accepted.keys().isdisjoint(refused)
    assert all(refused.values())
    assert all(f"good-{number}" in accepted[2 * number].message for number in range(len(members)))


@pytest.mark.parametrize("name", ["alertmanager", "generic"])
@given(
    texts=st.dictionaries(st.text(min_size=1), st.text(st.characters(codec=None)), max_size=4),
    noise=st.text(max_size=9),
)
def test_texts_of_every_script_are_kept_or_cleaned(name: str, texts: dict[str, str], noise: str) -> None:
    """Halves of surrogate pairs and NUL included."""
    import json  # noqa: PLC0415 - the fast one does not write what is tested here

    labels = {"alertname": f"a{noise}", **texts}
    body = json.dumps([labelled(labels=labels) if name == "alertmanager" else own(labels=labels)]).encode()
    reports = read(name, body)
    assert len(reports.accepted) + len(reports.refused) == 1
    assert name == "generic" or reports.refused == []
    for _, report in reports.accepted:
        assert_storable(report)
