"""Alerts that are labels and annotations: what Prometheus, Alertmanager and Grafana send has this in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
from msgspec.structs import replace

from opsgraph.domains.alerts.formats.instants import stated
from opsgraph.domains.alerts.formats.texts import (
    LABELS_LENGTH,
    cut,
    first_of,
    kept,
    length_of,
    service_name,
    web_address,
)
from opsgraph.domains.alerts.model import Action, AlertReport
from opsgraph.domains.alerts.rules.severity import severity_of
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import NAME_LENGTH

Texts = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Origin:
    """What all alerts of a body have in common: the kind of source, and on whose behalf it reports."""

    source: str
    reporter: str


class Interval(msgspec.Struct, frozen=True):
    """When an alert began and ended, or will end."""

    starts_at: datetime
    ends_at: datetime | None

    def is_over(self, now: datetime) -> bool:
        """Whether the end is not in the future."""
        return self.ends_at is not None and self.ends_at <= now


def filled(texts: Texts | None) -> dict[str, str]:
    """Labels or annotations without those that are empty, which mean absent."""
    return {name: value for name, value in texts.items() if value} if texts else {}


def checked_labels(texts: Texts) -> dict[str, str]:
    """The labels of an alert.

    Raises:
        Invalid: none has a value, one has no name, or they have more than 65,536 characters.
    """
    labels = filled(texts)
    if not labels:
        raise Invalid("labels has no label with a value", "labels")
    if "" in labels:
        raise Invalid("labels has a label without a name", "labels")
    if (length := length_of(labels)) > LABELS_LENGTH:
        raise Invalid(f"labels has {length:,} characters; at most {LABELS_LENGTH:,} are accepted", "labels")
    return labels


def interval(starts_at: str | None, ends_at: str | None, now: datetime) -> Interval:
    """When an alert began and ends; without a start it began now, or when it ended if that was earlier.

    Raises:
        Invalid: one of them is not an instant, or it ends before it begins.
    """
    start, end = stated(starts_at, "startsAt"), stated(ends_at, "endsAt")
    if start is None:
        return Interval(now if end is None else min(now, end), end)
    if end is not None and end < start:
        raise Invalid("endsAt is before startsAt", "endsAt")
    return Interval(start, end)


def report(
    origin: Origin,
    fingerprint: str,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    url: str | None,
) -> AlertReport:
    """An alert's service, severity and message, found where such alerts have them; `during` gives it its time."""
    word = first_of((labels.get("severity"), labels.get("priority")))
    severity, recognised = severity_of(word)
    return AlertReport(
        fingerprint=fingerprint,
        service=service_name((labels.get("service"), labels.get("service_name"), labels.get("job"))),
        severity=severity,
        message=_message(labels, annotations),
        source=origin.source,
        reporter=origin.reporter,
        source_severity=word and cut(word, NAME_LENGTH),
        severity_recognised=recognised,
        labels=labels,
        annotations=kept(annotations),
        source_url=web_address(url),
    )


def during(told: AlertReport, action: Action, when: Interval) -> AlertReport:
    """The same report with what is wanted, and when."""
    return replace(told, action=action, starts_at=when.starts_at, ends_at=when.ends_at)


def _message(labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
    said = first_of(annotations.get(name) for name in ("summary", "description", "message"))
    return cut(said or first_of((labels.get("alertname"),)) or ", ".join(f"{n}={v}" for n, v in labels.items()))
