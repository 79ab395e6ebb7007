"""Grafana's alerting webhook: Alertmanager's shape, with addresses of panels and the values that were measured."""

import hashlib
import hmac
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from opsgraph.domains.alerts.formats.alertmanager_webhook import (
    Notification,
    NotifiedAlert,
    notified,
    read_notification,
)
from opsgraph.domains.alerts.formats.bodies import decoded, storable
from opsgraph.domains.alerts.formats.labelled import Origin
from opsgraph.domains.alerts.model import AlertReport, Reports

SOURCE = "grafana"


class _GrafanaAlert(
    NotifiedAlert,
    rename={
        "starts_at": "startsAt",
        "ends_at": "endsAt",
        "generator_url": "generatorURL",
        "silence_url": "silenceURL",
        "dashboard_url": "dashboardURL",
        "panel_url": "panelURL",
        "value_string": "valueString",
    },
):
    silence_url: Any = None
    dashboard_url: Any = None
    panel_url: Any = None
    value_string: Any = None
    values: Any = None


_NOTIFICATION = msgspec.json.Decoder(Notification)
_ALERT = msgspec.json.Decoder(_GrafanaAlert)


def read(body: bytes, now: datetime, reporter: str) -> Reports:
    """Read a notification, each of its alerts alone; what Grafana adds to an alert is found in its annotations.

    Raises:
        Invalid: the body is not JSON, not an object with alerts, or has too many.
    """
    notification = decoded(_NOTIFICATION, storable(body))
    return read_notification(notification, partial(_read, Origin(SOURCE, reporter), now))


def is_signed(body: bytes, secret: str, signature: str, timestamp: str | None = None) -> bool:
    """Whether a signature is Grafana's for this body: HMAC-SHA256 in hexadecimal.

    Args:
        body: the body as it came.
        secret: what Grafana and opsgraph share.
        signature: the value of X-Grafana-Alerting-Signature.
        timestamp: the value of the header that Grafana was told to send the time in, if it was: it is signed as well.
    """
    signed = body if timestamp is None else timestamp.encode() + b":" + body
    expected = hmac.new(secret.encode("utf-8", "surrogateescape"), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.strip().lower().encode())


def _read(origin: Origin, now: datetime, member: msgspec.Raw) -> AlertReport:
    alert = decoded(_ALERT, member)
    alert.annotations = {**_additions(alert), **(alert.annotations or {})}
    urls = (alert.panel_url, alert.dashboard_url)
    return notified(origin, now, alert, alert.generator_url or next((url for url in urls if _is_text(url)), None))


def _additions(alert: _GrafanaAlert) -> dict[str, str | None]:
    found: dict[str, str | None] = {
        "dashboardURL": alert.dashboard_url,
        "panelURL": alert.panel_url,
        "silenceURL": alert.silence_url,
        "valueString": alert.value_string,
    }
    if alert.values:
        found["values"] = msgspec.json.encode(alert.values).decode()
    return {name: value for name, value in found.items() if _is_text(value)}


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)
