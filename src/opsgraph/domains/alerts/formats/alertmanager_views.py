"""What Alertmanager's API, version 2, shows: alerts, groups, silences and the status, as its OpenAPI file has them.

Labels are shown as they were sent. Alerts that came without an alertname, from other kinds of sources, are given one,
with the labels that matchers see.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from opsgraph.domains.alerts.model import Alert, Matcher, Silence
from opsgraph.domains.alerts.rules.silencing import Silencer, labels_seen
from opsgraph.kernel.clock import rfc3339

RECEIVER = "opsgraph"
"""Alertmanager has receivers by name; everything here is received by opsgraph."""

_CONFIG = f"route:\n  receiver: {RECEIVER}\nreceivers:\n- name: {RECEIVER}\n"
_NO_END = "0001-01-01T00:00:00Z"

Json = dict[str, Any]


def alert_view(alert: Alert, silencers: Sequence[Silencer]) -> Json:
    """An alert that fires, and what keeps it quiet now."""
    named = "alertname" in alert.labels
    added = (
        {} if named else {"alertname": alert.message, **labels_seen(alert.labels, alert.service_name, alert.severity)}
    )
    return {
        "annotations": {**({} if named else {"summary": alert.message}), **alert.annotations},
        "endsAt": rfc3339(alert.ends_at) if alert.ends_at else _NO_END,
        "fingerprint": alert.fingerprint,
        "receivers": [{"name": RECEIVER}],
        "startsAt": rfc3339(alert.starts_at),
        "status": {
            "inhibitedBy": [],
            "mutedBy": [],
            "silencedBy": [str(silencer.id) for silencer in silencers],
            "state": "suppressed" if silencers else "active",
        },
        "updatedAt": rfc3339(alert.last_seen_at),
        "generatorURL": alert.source_url or "",
        "labels": {**added, **alert.labels},
    }


def group_views(alerts: Iterable[tuple[Alert, Json]]) -> list[Json]:
    """Alerts with their views, grouped by service and severity, as they are when incidents are made of them."""

    def group_of(pair: tuple[Alert, Json]) -> tuple[str, str]:
        return pair[0].service_name, pair[0].severity.value.lower()

    return [
        {
            "alerts": [view for _, view in members],
            "labels": {"service": service, "severity": severity},
            "receiver": {"name": RECEIVER},
        }
        for (service, severity), members in groupby(sorted(alerts, key=group_of), key=group_of)
    ]


def silence_view(silence: Silence, now: datetime) -> Json:
    """A silence, and whether it is still to come, in force or over."""
    return {
        "id": str(silence.id),
        "status": {"state": _state(silence, now)},
        "updatedAt": rfc3339(silence.starts_at),
        "comment": silence.reason,
        "createdBy": silence.created_by,
        "endsAt": rfc3339(silence.ends_at),
        "matchers": [_matcher_view(matcher) for matcher in silence.matchers],
        "startsAt": rfc3339(silence.starts_at),
    }


def status_view(version: str, started: datetime) -> Json:
    """What clients ask for before anything else."""
    return {
        "cluster": {"name": "", "peers": [], "status": "disabled"},
        "config": {"original": _CONFIG},
        "uptime": rfc3339(started),
        "versionInfo": {
            "branch": "",
            "buildDate": "",
            "buildUser": "",
            "goVersion": "",
            "revision": "",
            "version": version,
        },
    }


def _state(silence: Silence, now: datetime) -> str:
    if silence.ends_at <= now:
        return "expired"
    return "pending" if silence.starts_at > now else "active"


def _matcher_view(matcher: Matcher) -> Mapping[str, Any]:
    return {
        "isEqual": not matcher.negative,
        "isRegex": matcher.regex,
        "name": matcher.label,
        "value": matcher.value,
    }
