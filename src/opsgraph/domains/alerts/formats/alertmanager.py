"""Alertmanager's API, version 2: what Prometheus and amtool post to `/api/v2/alerts`."""

from datetime import datetime
from functools import lru_cache, partial

import msgspec

from opsgraph.domains.alerts.formats.bodies import decoded, read_members, storable
from opsgraph.domains.alerts.formats.labelled import Origin, checked_labels, during, filled, interval, report
from opsgraph.domains.alerts.model import Action, AlertReport, Reports
from opsgraph.domains.alerts.rules.fingerprints import of_labels

SOURCE = "alertmanager"

_NAMES = {"starts_at": "startsAt", "ends_at": "endsAt", "generator_url": "generatorURL"}


_LONGEST_REMEMBERED = 2_000


class _Alert(msgspec.Struct, rename=_NAMES):
    labels: msgspec.Raw
    annotations: msgspec.Raw = msgspec.Raw(b"null")
    starts_at: str | None = None
    ends_at: str | None = None
    generator_url: str | None = None


class _Texts(msgspec.Struct):
    labels: dict[str, str | None]
    annotations: dict[str, str | None] | None


_BATCH = msgspec.json.Decoder(list[msgspec.Raw])
_ALERT = msgspec.json.Decoder(_Alert)
_TEXTS = msgspec.json.Decoder(_Texts)


def read(body: bytes, now: datetime, reporter: str) -> Reports:
    """Read an array of alerts; one that has ended by now is resolved.

    Raises:
        Invalid: the body is not JSON, not an array, or has too many alerts.
    """
    members = decoded(_BATCH, storable(body))
    return read_members(members, partial(_read, reporter, now))


def _read(reporter: str, now: datetime, member: msgspec.Raw) -> AlertReport:
    alert = decoded(_ALERT, member)
    labels, annotations, url = bytes(alert.labels), bytes(alert.annotations), alert.generator_url
    tell = _remembered if len(labels) + len(annotations) + len(url or "") <= _LONGEST_REMEMBERED else _told
    told = tell(reporter, labels, annotations, url)
    when = interval(alert.starts_at, alert.ends_at, now)
    return during(told, Action.RESOLVE if when.is_over(now) else Action.FIRE, when)


def _told(reporter: str, labels: bytes, annotations: bytes, url: str | None) -> AlertReport:
    texts = decoded(_TEXTS, b'{"labels":%b,"annotations":%b}' % (labels, annotations))
    checked = checked_labels(texts.labels)
    return report(Origin(SOURCE, reporter), of_labels(checked), checked, filled(texts.annotations), url)


# An alert is sent again every minute while it fires, with these and other times.
_remembered = lru_cache(maxsize=8_192)(_told)
