"""Alertmanager's API, version 2: what Prometheus and amtool post to `/api/v2/alerts`."""

from datetime import datetime
from functools import partial

import msgspec

from opsgraph.domains.alerts.formats.bodies import decoded, read_members, storable
from opsgraph.domains.alerts.formats.labelled import Origin, checked_labels, filled, interval, report
from opsgraph.domains.alerts.model import Action, AlertReport, Reports
from opsgraph.domains.alerts.rules.fingerprints import of_labels

SOURCE = "alertmanager"

_NAMES = {"starts_at": "startsAt", "ends_at": "endsAt", "generator_url": "generatorURL"}


class _Alert(msgspec.Struct, rename=_NAMES):
    labels: dict[str, str | None]
    annotations: dict[str, str | None] | None = None
    starts_at: str | None = None
    ends_at: str | None = None
    generator_url: str | None = None


_BATCH = msgspec.json.Decoder(list[msgspec.Raw])
_ALERT = msgspec.json.Decoder(_Alert)


def read(body: bytes, now: datetime, reporter: str) -> Reports:
    """Read an array of alerts; one that has ended by now is resolved.

    Raises:
        Invalid: the body is not JSON, not an array, or has too many alerts.
    """
    members = decoded(_BATCH, storable(body))
    return read_members(members, partial(_read, Origin(SOURCE, reporter), now))


def _read(origin: Origin, now: datetime, member: msgspec.Raw) -> AlertReport:
    alert = decoded(_ALERT, member)
    labels = checked_labels(alert.labels)
    when = interval(alert.starts_at, alert.ends_at, now)
    action = Action.RESOLVE if when.is_over(now) else Action.FIRE
    return report(origin, of_labels(labels), labels, filled(alert.annotations), action, when, alert.generator_url)
