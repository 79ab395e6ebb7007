"""PagerDuty's Events API, version 2: what its many senders post to `/v2/enqueue`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from opsgraph.domains.alerts.formats.bodies import decoded, storable
from opsgraph.domains.alerts.formats.instants import guessed
from opsgraph.domains.alerts.formats.texts import cut, first_of, kept, service_name, web_address
from opsgraph.domains.alerts.model import Action, AlertReport
from opsgraph.domains.alerts.rules.fingerprints import scoped
from opsgraph.domains.alerts.rules.severity import severity_of
from opsgraph.kernel.refusals import Invalid

SOURCE = "pagerduty"
ROUTING_KEY_LENGTH = 32
DEDUP_KEY_LENGTH = 255
SUMMARY_LENGTH = 1_024

_ACTIONS = {"trigger": Action.FIRE, "acknowledge": Action.ACKNOWLEDGE, "resolve": Action.RESOLVE}
_SEVERITIES = ("critical", "error", "warning", "info")
_LABELS = ("component", "group", "class", "source")
_ANYTHING = msgspec.json.Decoder(Any)

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PagerDutyEvent:
    """An event: the integration's key, the key that later events about the same use, and what it reports."""

    routing_key: str
    dedup_key: str
    report: AlertReport


def read(body: bytes, reporter: str, new_key: str, service: str | None = None) -> PagerDutyEvent:
    """Read an event.

    Args:
        body: the body as it came.
        reporter: on whose behalf.
        new_key: the dedup key of a trigger that has none.
        service: the service that the routing key is bound to, if it is.

    Raises:
        Invalid: it is not JSON, or not an event; `details` has each error in PagerDuty's words.
    """
    event = decoded(_ANYTHING, storable(body))
    if not isinstance(event, dict):
        raise Invalid("Event object is invalid", details={"errors": ["the body is not a JSON object"]})
    if errors := list(_errors(event)):
        raise Invalid("Event object is invalid", details={"errors": errors})
    dedup_key = event.get("dedup_key") or new_key
    action = _ACTIONS[event["event_action"]]
    payload = event.get("payload") if action is Action.FIRE else None
    report = _report(event, payload or {}, action, dedup_key, service, reporter)
    return PagerDutyEvent(event["routing_key"], dedup_key, report)


def routing_key_of(body: bytes) -> str | None:
    """The routing key of an event, which says who sends it; None where there is none, or no event."""
    try:
        event = decoded(_ANYTHING, storable(body))
    except Invalid:
        return None
    key = event.get("routing_key") if isinstance(event, dict) else None
    return key if isinstance(key, str) else None


def _errors(event: Values) -> Iterator[str]:
    action, dedup_key = event.get("event_action"), event.get("dedup_key")
    yield from _text_errors(event.get("routing_key"), "routing_key")
    if _is_text(event.get("routing_key")) and len(event["routing_key"]) != ROUTING_KEY_LENGTH:
        yield f"Length of 'routing_key' is incorrect (should be {ROUTING_KEY_LENGTH} characters)"
    if action not in _ACTIONS if isinstance(action, str) else True:
        yield "'event_action' is missing or invalid (must be one of: 'trigger', 'acknowledge' or 'resolve')"
    yield from _dedup_key_errors(dedup_key, needed=action in ("acknowledge", "resolve"))
    if action == "trigger":
        yield from _payload_errors(event.get("payload"))


def _dedup_key_errors(dedup_key: Any, *, needed: bool) -> Iterator[str]:
    if needed:
        yield from _text_errors(dedup_key, "dedup_key")
    elif not isinstance(dedup_key, str | None):
        yield "'dedup_key' must be a string"
    if isinstance(dedup_key, str) and len(dedup_key) > DEDUP_KEY_LENGTH:
        yield f"Length of 'dedup_key' is too long (maximum {DEDUP_KEY_LENGTH} characters)"


def _payload_errors(payload: Any) -> Iterator[str]:
    if not isinstance(payload, dict):
        yield "'payload' is missing or not an object"
        return
    for name in ("summary", "source", "severity"):
        yield from _text_errors(payload.get(name), f"payload.{name}")
    if _is_text(payload.get("summary")) and len(payload["summary"]) > SUMMARY_LENGTH:
        yield f"Length of 'payload.summary' is too long (maximum {SUMMARY_LENGTH} characters)"
    if _is_text(payload.get("severity")) and payload["severity"].lower() not in _SEVERITIES:
        yield "'payload.severity' is invalid (must be one of: 'critical', 'error', 'warning' or 'info')"


def _text_errors(value: Any, name: str) -> Iterator[str]:
    if value is None or value == "" or (isinstance(value, str) and not value.strip()):
        yield f"'{name}' is missing or blank"
    elif not isinstance(value, str):
        yield f"'{name}' must be a string"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _report(
    event: Values, payload: Values, action: Action, dedup_key: str, service: str | None, reporter: str
) -> AlertReport:
    word = payload.get("severity")
    severity, recognised = severity_of(word)
    candidates = (service, payload.get("component"), payload.get("source"))
    timestamp = payload.get("timestamp")
    return AlertReport(
        fingerprint=scoped(SOURCE, event["routing_key"], dedup_key),
        service=service_name(each for each in candidates if isinstance(each, str)),
        severity=severity,
        message=cut(payload.get("summary") or dedup_key),
        source=SOURCE,
        reporter=reporter,
        action=action,
        source_severity=word,
        severity_recognised=recognised,
        labels={name: cut(payload[name]) for name in _LABELS if _is_text(payload.get(name))},
        annotations=kept(dict(_annotations(event, payload))),
        starts_at=guessed(timestamp) if isinstance(timestamp, str) else None,
        source_url=_url(event),
    )


def _annotations(event: Values, payload: Values) -> Iterator[tuple[str, str]]:
    """Whatever else is said, each as a text; details by their own names."""
    details = payload.get("custom_details")
    for name, value in (details if isinstance(details, dict) else {"custom_details": details}).items():
        yield from _annotation(name, value)
    for name in ("client", "client_url", "links", "images"):
        yield from _annotation(name, event.get(name))
    yield from _annotation("timestamp", payload.get("timestamp"))


def _annotation(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if value not in (None, "", [], {}):
        yield name, value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _url(event: Values) -> str | None:
    links = event.get("links")
    hrefs = [link.get("href") for link in links if isinstance(link, dict)] if isinstance(links, list) else []
    found = (web_address(each) for each in (event.get("client_url"), *hrefs) if isinstance(each, str))
    return first_of(found)
