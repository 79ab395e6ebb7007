"""The webhooks of Alertmanager and of Grafana."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from opsgraph.domains.alerts.formats import alertmanager_webhook, grafana
from opsgraph.domains.alerts.model import Action, Reports
from opsgraph.domains.alerts.rules.fingerprints import of_labels
from opsgraph.kernel.refusals import Invalid
from tests.support.clock import START
from tests.support.inbound import REPORTER, ZERO, json, notification, notified, only, reasons

Reader = Callable[[bytes, datetime, str], Reports]
BOTH = pytest.mark.parametrize("read", [alertmanager_webhook.read, grafana.read])
FINGERPRINT = "8d0eaf1e24f7d0a5"  # pragma: allowlist secret


def of_alertmanager(*alerts: Any, **values: Any) -> Reports:
    """What is read of a notification of Alertmanager."""
    return alertmanager_webhook.read(json(notification(*alerts, **values)), START, REPORTER)


def of_grafana(*alerts: Any, **values: Any) -> Reports:
    """What is read of a notification of Grafana."""
    body = {"version": "1", "orgId": 1, "title": "[FIRING:1]", "state": "alerting", "message": "m", **values}
    return grafana.read(json(notification(*alerts, **body)), START, REPORTER)


def test_firing_and_resolved_alerts_of_one_body_are_told_apart() -> None:
    """Each by its own status, whatever the body says of all."""
    ended = "2024-03-15T11:59:00Z"
    resolved = notified("b", status="resolved", startsAt="2024-03-15T11:00:00Z", endsAt=ended)
    reports = of_alertmanager(notified("a"), resolved, status="firing")
    (_, fires), (_, over) = reports.accepted
    assert (fires.action, fires.starts_at, fires.ends_at) == (Action.FIRE, START, None)
    assert (over.action, over.ends_at) == (Action.RESOLVE, datetime.fromisoformat(ended))
    assert (fires.source, fires.source_url, fires.message) == ("alertmanager", "http://prom/g", "a of api")


@BOTH
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (FINGERPRINT, FINGERPRINT),
        (None, None),
        ("", None),
        (FINGERPRINT.upper(), None),
        ("x" * 16, None),
        (FINGERPRINT + "0", None),
    ],
)
def test_the_fingerprint_that_it_comes_with_is_its_identity(
    read: Reader, given: str | None, expected: str | None
) -> None:
    """Where it is one; else that of its labels, which is the same when it comes from an Alertmanager."""
    report = only(read(json(notification(notified(fingerprint=given))), START, REPORTER))
    assert report.fingerprint == (expected or of_labels(report.labels))


@BOTH
@pytest.mark.parametrize(
    ("status", "end", "action", "ends_at"),
    [
        ("firing", ZERO, Action.FIRE, None),
        ("firing", "2024-03-15T11:59:00Z", Action.FIRE, None),
        ("FIRING", "2024-03-15T12:01:00Z", Action.FIRE, START + timedelta(minutes=1)),
        ("resolved", ZERO, Action.RESOLVE, None),
        ("Resolved", "2024-03-15T12:01:00Z", Action.RESOLVE, START + timedelta(minutes=1)),
        (None, ZERO, Action.FIRE, None),
        ("", "2024-03-15T11:59:00Z", Action.RESOLVE, START - timedelta(minutes=1)),
    ],
)
def test_the_status_is_believed(
    read: Reader, status: str | None, end: str, action: Action, ends_at: datetime | None
) -> None:
    """Clocks differ; without a status the end decides."""
    alert = notified(status=status, startsAt="2024-03-15T11:00:00Z", endsAt=end)
    report = only(read(json(notification(alert)), START, REPORTER))
    assert (report.action, report.ends_at) == (action, ends_at)


@BOTH
def test_alerts_that_the_sender_left_out_are_noticed(read: Reader) -> None:
    """With their number: those that came are taken."""
    reports = read(json(notification(notified(), truncatedAlerts=3)), START, REPORTER)
    assert len(reports.accepted) == 1
    assert reports.warnings == [
        "the sender left out 3 more alerts (truncatedAlerts): raise max_alerts in its configuration"
    ]


@pytest.mark.parametrize("truncated", [0, None, -1, "3", 1.5, [], {}])
def test_nothing_left_out_is_no_warning(truncated: Any) -> None:
    """Nor is what is no number."""
    assert of_alertmanager(notified(), truncatedAlerts=truncated).warnings == []


@BOTH
@pytest.mark.parametrize("count", [10, 11, 500])
def test_every_alert_of_a_group_is_kept(read: Reader, count: int) -> None:
    """Not the first ten; those with one summary are not one."""
    alerts = [notified(f"a{number}", annotations={"summary": "the same"}) for number in range(count)]
    reports = read(json(notification(*alerts)), START, REPORTER)
    assert [index for index, _ in reports.accepted] == list(range(count))
    assert len({report.fingerprint for _, report in reports.accepted}) == count


@BOTH
@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (None, "it is null, not an object"),
        ("x", "it is a text, not an object"),
        ({}, "labels is missing"),
        (notified(labels={}), "labels has no label with a value"),
        (notified(status="pending"), 'status "pending" is neither firing nor resolved'),
        (notified(status=1), "status is a number, not a text"),
        (notified(fingerprint=1), "fingerprint is a number, not a text"),
        (notified(startsAt="soon"), "is not an RFC 3339 instant"),
        (notified(endsAt="2024-03-15T11:59:00Z", startsAt="2024-03-15T12:00:00Z"), "endsAt is before startsAt"),
    ],
)
def test_a_bad_member_costs_no_other(read: Reader, member: Any, reason: str) -> None:
    """It is refused by its place."""
    reports = read(json(notification(notified("a"), member, notified("b"))), START, REPORTER)
    assert [index for index, _ in reports.accepted] == [0, 2]
    assert list(reasons(reports)) == [1]
    assert reason in reasons(reports)[1]


@BOTH
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "the body is not JSON"),
        (b"[]", "the body is an array, not an object"),
        (b"{}", "alerts is missing"),
        (b'{"alerts": {}}', "alerts is an object, not an array"),
        (b'{"alerts": 1}', "alerts is a number, not an array"),
    ],
)
def test_a_body_that_is_no_notification_is_refused(read: Reader, body: bytes, reason: str) -> None:
    """As a whole."""
    with pytest.raises(Invalid) as caught:
        read(body, START, REPORTER)
    assert reason in caught.value.message


@BOTH
def test_a_notification_of_nothing_is_fine(read: Reader) -> None:
    """An empty list, or null as Go writes one."""
    for body in (b'{"alerts": []}', b'{"alerts": null, "version": "9", "status": 3}'):
        assert read(body, START, REPORTER) == Reports()


def test_what_grafana_adds_is_found_in_the_annotations() -> None:
    """Addresses, values and how they came about; what the alert's author wrote goes before."""
    alert = notified(
        annotations={"summary": "s", "panelURL": "mine"},
        values={"A": 1.5, "B": None},
        valueString="[ var='A' value=1.5 ]",
        dashboardURL="http://grafana/d/1",
        panelURL="http://grafana/d/1?viewPanel=2",
        silenceURL="http://grafana/silence",
    )
    report = only(of_grafana(alert))
    assert (report.source, report.source_url) == ("grafana", "http://prom/g")
    assert report.annotations == {
        "dashboardURL": "http://grafana/d/1",
        "panelURL": "mine",
        "silenceURL": "http://grafana/silence",
        "valueString": "[ var='A' value=1.5 ]",
        "values": '{"A":1.5,"B":null}',
        "summary": "s",
    }


def test_an_alert_of_grafana_leads_to_its_panel() -> None:
    """Where it does not say where it was made."""
    alert = notified(generatorURL="", panelURL="http://grafana/p", dashboardURL="http://grafana/d")
    assert only(of_grafana(alert)).source_url == "http://grafana/p"
    assert only(of_grafana({**alert, "panelURL": ""})).source_url == "http://grafana/d"


def test_odd_additions_cost_no_alert() -> None:
    """Whatever they hold: they are no more than additions."""
    alert = notified(values=[], valueString=7, dashboardURL=None, panelURL={}, silenceURL=[])
    assert only(of_grafana(alert)).annotations == {"summary": "HighErrorRate of api"}


def signature(secret: str, signed: bytes) -> str:
    """HMAC-SHA256 in hexadecimal."""
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def test_a_signature_is_over_the_body_or_over_time_and_body() -> None:
    """With the secret that both know."""
    body = b'{"alerts": []}'
    assert grafana.is_signed(body, "s3cret", signature("s3cret", body))
    assert grafana.is_signed(body, "s3cret", f" {signature('s3cret', body).upper()} ")
    assert grafana.is_signed(body, "s3cret", signature("s3cret", b"1710504000:" + body), "1710504000")


@pytest.mark.parametrize(
    ("given", "timestamp"),
    [
        ("", None),
        ("é", None),
        (signature("other", b"body"), None),
        (signature("s3cret", b"body "), None),
        (signature("s3cret", b"body"), "1710504000"),
        (signature("s3cret", b"1710504000:body"), None),
        (signature("s3cret", b"1710504000:body"), "1710504001"),
    ],
)
def test_any_other_signature_is_none(given: str, timestamp: str | None) -> None:
    """Of another secret, another body or another time."""
    assert not grafana.is_signed(b"body", "s3cret", given, timestamp)
