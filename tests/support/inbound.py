"""Alerts as other systems send them, for tests."""

from typing import Any

import orjson

from opsgraph.domains.alerts.model import AlertReport, Reports

ROUTING_KEY = "0123456789abcdef0123456789abcdef"  # pragma: allowlist secret
REPORTER = "integration:test"
ZERO = "0001-01-01T00:00:00Z"


def labelled(name: str = "HighErrorRate", **values: Any) -> dict[str, Any]:
    """An alert of Alertmanager's API."""
    labels = {"alertname": name, "service": "api", "severity": "critical"}
    return {"labels": labels, "annotations": {"summary": f"{name} of api"}, **values}


def notification(*alerts: Any, **values: Any) -> dict[str, Any]:
    """A body of Alertmanager's webhook, with everything that one has."""
    return {
        "version": "4",
        "groupKey": '{}:{alertname="HighErrorRate"}',
        "truncatedAlerts": 0,
        "receiver": "opsgraph",
        "status": "firing",
        "groupLabels": {"alertname": "HighErrorRate"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": list(alerts),
        **values,
    }


def notified(name: str = "HighErrorRate", **values: Any) -> dict[str, Any]:
    """An alert of Alertmanager's webhook: it fires since noon."""
    firing = {"status": "firing", "startsAt": "2024-03-15T12:00:00Z", "endsAt": ZERO, "generatorURL": "http://prom/g"}
    return {**labelled(name), **firing, **values}


def trigger(**values: Any) -> dict[str, Any]:
    """An event of PagerDuty's API; what is named `payload` is added to its payload."""
    payload = {"summary": "disk full", "source": "db-1", "severity": "error", **values.pop("payload", {})}
    return {"routing_key": ROUTING_KEY, "event_action": "trigger", "dedup_key": "disk", "payload": payload, **values}


def own(**values: Any) -> dict[str, Any]:
    """An alert of the generic webhook."""
    return {"service": "api", "severity": "high", "message": "5xx spike", **values}


def json(value: Any) -> bytes:
    """A body."""
    return orjson.dumps(value)


def only(reports: Reports) -> AlertReport:
    """The one report of a batch of which nothing was refused."""
    assert reports.refused == []
    ((index, report),) = reports.accepted
    assert index == 0
    return report


def reasons(reports: Reports) -> dict[int, str]:
    """Why members were refused, by their places."""
    return {refused.index: refused.reason for refused in reports.refused}
