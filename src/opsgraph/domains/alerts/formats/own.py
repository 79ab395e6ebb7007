"""Alerts in our own words, from scripts and people: checked as strictly as any other input of ours.

A long message is cut all the same: somebody wants to be paged.
"""

from collections.abc import Mapping
from datetime import datetime

from opsgraph.domains.alerts.formats.instants import EARLIEST
from opsgraph.domains.alerts.formats.texts import LABELS_LENGTH, cut, kept, length_of
from opsgraph.domains.alerts.model import Action, AlertReport, Severity
from opsgraph.domains.alerts.rules.fingerprints import of_content, scoped
from opsgraph.domains.alerts.rules.severity import own_severity
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import free_name, free_text, name_key

DEDUP_KEY_LENGTH = 255


def own_report(
    *,
    service: str,
    severity: str | None,
    message: str | None,
    source: str,
    reporter: str,
    action: Action = Action.FIRE,
    dedup_key: str | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    starts_at: datetime | None = None,
) -> AlertReport:
    """An alert as someone tells it to us.

    Its identity is the dedup key, which holds within its service, else its content. To resolve by a dedup key, neither
    severity nor message is needed.

    Raises:
        Invalid: something is missing, too long, a word that is not known, or not storable; names the field.
    """
    service = free_name(service, "service")
    key = free_text(dedup_key, "dedupKey", DEDUP_KEY_LENGTH) if dedup_key else None
    by_key = key is not None and action is not Action.FIRE
    understood = Severity.MEDIUM if severity is None and by_key else own_severity(_given(severity, "severity"))
    said = _message(key if message is None and by_key else message)
    if starts_at is not None and starts_at < EARLIEST:
        raise Invalid("startsAt is before 1970", "startsAt")
    return AlertReport(
        fingerprint=scoped("own", name_key(service), key) if key else of_content(service, understood, said),
        service=service,
        severity=understood,
        message=said,
        source=source,
        reporter=reporter,
        action=action,
        source_severity=severity,
        labels=_texts(labels, "labels"),
        annotations=kept(_texts(annotations, "annotations")),
        starts_at=starts_at,
    )


def _given(text: str | None, field: str) -> str:
    if text is None or not text.strip():
        raise Invalid(f"{field} is missing or empty", field)
    return text


def _message(text: str | None) -> str:
    return free_text(cut(_given(text, "message").strip()), "message")


def _texts(texts: Mapping[str, str] | None, field: str) -> dict[str, str]:
    """Labels or annotations that have a value.

    Raises:
        Invalid: a name or value that cannot be stored, or labels of more than 65,536 characters.
    """
    found = {}
    for name, value in (texts or {}).items():
        place = f"{field}.{name}"
        free_text(name, f"a name in {field}")
        if not name.strip():
            raise Invalid(f"{field} has a member without a name", field)
        if value:
            found[name] = free_text(value, place, LABELS_LENGTH) if field == "labels" else free_text(cut(value), place)
    if field == "labels" and (length := length_of(found)) > LABELS_LENGTH:
        raise Invalid(f"labels has {length:,} characters; at most {LABELS_LENGTH:,} are accepted", field)
    return found
