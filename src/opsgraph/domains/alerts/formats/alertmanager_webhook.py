"""Alertmanager's webhook, version 4: what its `webhook_configs` post. Grafana's has the same shape, and more."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from opsgraph.domains.alerts.formats.bodies import decoded, read_members, storable
from opsgraph.domains.alerts.formats.labelled import Interval, Origin, checked_labels, during, filled, interval, report
from opsgraph.domains.alerts.model import Action, AlertReport, Reports
from opsgraph.domains.alerts.rules.fingerprints import of_labels
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import shown

SOURCE = "alertmanager"

_FINGERPRINT = re.compile("[0-9a-f]{16}")
_ACTIONS = {"firing": Action.FIRE, "resolved": Action.RESOLVE}


class Notification(msgspec.Struct, rename={"truncated": "truncatedAlerts"}):
    """The body: its alerts, and how many the sender left out."""

    alerts: list[msgspec.Raw] | None
    truncated: Any = 0


class NotifiedAlert(
    msgspec.Struct, rename={"starts_at": "startsAt", "ends_at": "endsAt", "generator_url": "generatorURL"}
):
    """An alert of the body, with its own status: one body may mix firing and resolved ones."""

    labels: dict[str, str | None]
    annotations: dict[str, str | None] | None = None
    status: str | None = None
    starts_at: str | None = None
    ends_at: str | None = None
    generator_url: str | None = None
    fingerprint: str | None = None


_NOTIFICATION = msgspec.json.Decoder(Notification)
_ALERT = msgspec.json.Decoder(NotifiedAlert)


def read(body: bytes, now: datetime, reporter: str) -> Reports:
    """Read a notification, each of its alerts alone. A warning says how many the sender left out, if any.

    Raises:
        Invalid: the body is not JSON, not an object with alerts, or has too many.
    """
    notification = decoded(_NOTIFICATION, storable(body))
    return read_notification(notification, partial(_read, Origin(SOURCE, reporter), now))


def read_notification(notification: Notification, read: Callable[[msgspec.Raw], AlertReport]) -> Reports:
    """Read each alert of a notification by ``read``, and note what is absent from it.

    Raises:
        Invalid: there are too many alerts.
    """
    reports = read_members(notification.alerts or [], read)
    truncated = notification.truncated
    if isinstance(truncated, int) and truncated > 0:
        reports.warnings.append(
            f"the sender left out {truncated} more alerts (truncatedAlerts): raise max_alerts in its configuration"
        )
    return reports


def notified(origin: Origin, now: datetime, alert: NotifiedAlert, url: str | None) -> AlertReport:
    """The report of an alert whose status is stated; without one it is over when it has ended.

    Its identity is the fingerprint that it comes with, else that of its labels.

    Raises:
        Invalid: no labels, an instant that is none, or a status that is not known.
    """
    labels = checked_labels(alert.labels)
    when = interval(alert.starts_at, alert.ends_at, now)
    action = _action(alert.status, when, now)
    if action is Action.FIRE and when.is_over(now):
        when = Interval(when.starts_at, None)  # it fires, whatever its end says: clocks differ
    given = alert.fingerprint or ""
    fingerprint = given if _FINGERPRINT.fullmatch(given) else of_labels(labels)
    return during(report(origin, fingerprint, labels, filled(alert.annotations), url), action, when)


def _action(status: str | None, when: Interval, now: datetime) -> Action:
    if not status:
        return Action.RESOLVE if when.is_over(now) else Action.FIRE
    action = _ACTIONS.get(status.lower())
    if action is None:
        raise Invalid(f"status {shown(status)} is neither firing nor resolved", "status")
    return action


def _read(origin: Origin, now: datetime, member: msgspec.Raw) -> AlertReport:
    alert = decoded(_ALERT, member)
    return notified(origin, now, alert, alert.generator_url)
