"""PagerDuty's Events API."""

from datetime import datetime
from typing import Any

import pytest

from opsgraph.domains.alerts.formats.pagerduty import PagerDutyEvent, read
from opsgraph.domains.alerts.model import Action, Severity
from opsgraph.kernel.refusals import Invalid
from tests.support.inbound import REPORTER, ROUTING_KEY, json, trigger

NEW_KEY = "made-up-here"


def event(values: Any, service: str | None = None) -> PagerDutyEvent:
    """What is read of an event."""
    return read(json(values), REPORTER, NEW_KEY, service)


def errors(body: bytes) -> list[str]:
    """What is wrong with a body."""
    with pytest.raises(Invalid) as caught:
        read(body, REPORTER, NEW_KEY)
    assert caught.value.details is None or list(caught.value.details) == ["errors"]
    found = (caught.value.details or {"errors": [caught.value.message]})["errors"]
    assert isinstance(found, list)
    return found


def test_a_trigger_is_read_whole() -> None:
    """Everything that one can have."""
    read_event = event(
        trigger(
            client="Monitor",
            client_url="http://monitor/1",
            links=[{"href": "http://wiki", "text": "Runbook"}],
            images=[{"src": "http://graph.png"}],
            payload={
                "timestamp": "2024-03-15T11:59:00.123456789+0000",
                "component": "postgres",
                "group": "db",
                "class": "disk",
                "custom_details": {"free": "1%", "mounts": ["/", "/var"], "none": None},
            },
        )
    )
    report = read_event.report
    assert (read_event.routing_key, read_event.dedup_key) == (ROUTING_KEY, "disk")
    assert (report.action, report.service, report.message) == (Action.FIRE, "postgres", "disk full")
    assert (report.severity, report.source_severity, report.severity_recognised) == (Severity.HIGH, "error", True)
    assert report.labels == {"component": "postgres", "group": "db", "class": "disk", "source": "db-1"}
    assert report.starts_at == datetime.fromisoformat("2024-03-15T11:59:00.123456+00:00")
    assert (report.ends_at, report.source, report.source_url) == (None, "pagerduty", "http://monitor/1")
    assert report.annotations == {
        "free": "1%",
        "mounts": '["/","/var"]',
        "client": "Monitor",
        "client_url": "http://monitor/1",
        "links": '[{"href":"http://wiki","text":"Runbook"}]',
        "images": '[{"src":"http://graph.png"}]',
        "timestamp": "2024-03-15T11:59:00.123456789+0000",
    }


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("critical", Severity.CRITICAL),
        ("error", Severity.HIGH),
        ("warning", Severity.MEDIUM),
        ("info", Severity.INFO),
        ("Critical", Severity.CRITICAL),
    ],
)
def test_the_four_severities(word: str, severity: Severity) -> None:
    """As they are understood here."""
    assert event(trigger(payload={"severity": word})).report.severity is severity


@pytest.mark.parametrize(
    ("bound", "payload", "service"),
    [
        ("checkout", {"component": "postgres"}, "checkout"),
        (None, {"component": "postgres"}, "postgres"),
        (None, {"component": ""}, "db-1"),
        (None, {"component": 7}, "db-1"),
        (None, {}, "db-1"),
    ],
)
def test_the_service_is_that_of_the_key_else_what_the_payload_names(
    bound: str | None, payload: dict[str, Any], service: str
) -> None:
    """The component, else the source."""
    assert event(trigger(payload=payload), bound).report.service == service


@pytest.mark.parametrize(("word", "action"), [("acknowledge", Action.ACKNOWLEDGE), ("resolve", Action.RESOLVE)])
def test_later_events_need_the_key_alone(word: str, action: Action) -> None:
    """They are about the alert that a trigger with the same keys made."""
    later = event({"routing_key": ROUTING_KEY, "event_action": word, "dedup_key": "disk"})
    assert (later.report.action, later.dedup_key) == (action, "disk")
    assert later.report.fingerprint == event(trigger()).report.fingerprint


def test_a_trigger_without_a_key_gets_one() -> None:
    """So that later events can name it; two with one summary are two alerts."""
    for absent in (None, ""):
        made = event(trigger(dedup_key=absent))
        assert made.dedup_key == NEW_KEY
    other = read(json(trigger(dedup_key=None)), REPORTER, "another").report
    assert (other.message, made.report.message) == ("disk full", "disk full")
    assert other.fingerprint != made.report.fingerprint


def test_dedup_keys_hold_within_their_routing_key() -> None:
    """And the routing key, which is a secret, cannot be read anywhere in the report."""
    report = event(trigger()).report
    other = event(trigger(routing_key="f" * 32)).report
    assert report.fingerprint != other.fingerprint
    assert ROUTING_KEY not in repr(report)


def test_a_key_cannot_collide_with_another_by_its_end() -> None:
    """Where one key ends and the next begins counts."""
    one = event(trigger(routing_key="a" * 32, dedup_key="ab")).report.fingerprint
    assert one != event(trigger(routing_key="a" * 31 + "b", dedup_key="b")).report.fingerprint


@pytest.mark.parametrize("timestamp", ["yesterday", "", 5, None, "1969-01-01T00:00:00Z"])
def test_a_time_that_is_none_costs_no_alert(timestamp: Any) -> None:
    """It is as if it had not been said."""
    assert event(trigger(payload={"timestamp": timestamp})).report.starts_at is None


@pytest.mark.parametrize(
    ("values", "error"),
    [
        (trigger(routing_key=None), "'routing_key' is missing or blank"),
        (trigger(routing_key=" "), "'routing_key' is missing or blank"),
        (trigger(routing_key=5), "'routing_key' must be a string"),
        (trigger(routing_key="a" * 31), "Length of 'routing_key' is incorrect (should be 32 characters)"),
        (trigger(routing_key="a" * 33), "Length of 'routing_key' is incorrect (should be 32 characters)"),
        (trigger(event_action="close"), "'event_action' is missing or invalid"),
        (trigger(event_action=None), "'event_action' is missing or invalid"),
        (trigger(event_action=[]), "'event_action' is missing or invalid"),
        (trigger(event_action="resolve", dedup_key=None), "'dedup_key' is missing or blank"),
        (trigger(event_action="acknowledge", dedup_key=""), "'dedup_key' is missing or blank"),
        (trigger(dedup_key=5), "'dedup_key' must be a string"),
        (trigger(dedup_key="k" * 256), "Length of 'dedup_key' is too long (maximum 255 characters)"),
        ({**trigger(), "payload": None}, "'payload' is missing or not an object"),
        ({**trigger(), "payload": []}, "'payload' is missing or not an object"),
        (trigger(payload={"summary": ""}), "'payload.summary' is missing or blank"),
        (trigger(payload={"summary": 7}), "'payload.summary' must be a string"),
        (trigger(payload={"summary": "s" * 1_025}), "Length of 'payload.summary' is too long (maximum 1024"),
        (trigger(payload={"source": None}), "'payload.source' is missing or blank"),
        (trigger(payload={"severity": "fatal"}), "'payload.severity' is invalid"),
        (trigger(payload={"severity": None}), "'payload.severity' is missing or blank"),
        ([], "the body is not a JSON object"),
        ("x", "the body is not a JSON object"),
        (None, "the body is not a JSON object"),
    ],
)
def test_what_is_no_event_is_refused(values: Any, error: str) -> None:
    """Each with the field that is wrong."""
    (found,) = errors(json(values))
    assert found.startswith(error)


def test_every_error_is_named_at_once() -> None:
    """So that a sender is set up in one go."""
    assert len(errors(b'{"event_action": "trigger", "payload": {}}')) == 4


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": NaN}', b"[" * 100_000, b"\xff"])
def test_a_body_that_is_not_json_is_refused(body: bytes) -> None:
    """Whatever it is."""
    (found,) = errors(body)
    assert "not JSON" in found or "nested too deeply" in found


def test_the_longest_texts_are_accepted() -> None:
    """255 characters of a key, 1,024 of a summary."""
    read_event = event(trigger(dedup_key="k" * 255, payload={"summary": "s" * 1_024}))
    assert (read_event.dedup_key, read_event.report.message) == ("k" * 255, "s" * 1_024)


@pytest.mark.parametrize(
    ("values", "url"),
    [
        ({"client_url": "javascript:x", "links": [{"href": "http://wiki"}]}, "http://wiki"),
        ({"links": [5, {}, {"href": 7}, {"href": "https://b"}]}, "https://b"),
        ({"links": {"href": "http://wiki"}, "client_url": 5}, None),
    ],
)
def test_it_leads_to_the_first_address_that_a_page_may_link_to(values: dict[str, Any], url: str | None) -> None:
    """Odd links cost no alert."""
    assert event(trigger(**values)).report.source_url == url


def test_details_of_any_kind_are_kept() -> None:
    """An object by its names, anything else as a whole."""
    assert event(trigger(payload={"custom_details": "a text"})).report.annotations == {"custom_details": "a text"}
    assert event(trigger(payload={"custom_details": [1, 2]})).report.annotations == {"custom_details": "[1,2]"}
