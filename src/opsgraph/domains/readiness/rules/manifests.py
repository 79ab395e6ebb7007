"""Manifests: what may be declared, how two declarations differ, and what documents and expressions see of one."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsgraph.domains.catalog.rules import URL_LENGTH, web_address
from opsgraph.domains.readiness.model.manifests import Facts, FieldType, Manifest, Section
from opsgraph.domains.readiness.rules import ages, free_values
from opsgraph.domains.readiness.rules.free_values import Path, dotted, said, text_of
from opsgraph.kernel.clock import rfc3339
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import shown

CUSTOM = "custom"
"""The field of free values."""

_FLAGS = {
    "structured_logs": "It writes logs that programs can read, such as JSON lines.",
    "metrics": "It exposes metrics of its traffic, errors, latency and saturation.",
    "dashboards": "A dashboard shows how it is doing.",
    "alerting": "Somebody is alerted when it fails.",
    "sla_documented": "What its users can rely on is written down.",
    "load_tested": "It was tested under the load that is expected of it, and more.",
    "graceful_degradation": "It goes on with less where something that it depends on is away.",
    "backups_tested": "Its data was restored from a backup, as a test.",
    "authentication": "It knows who calls it, and refuses everyone else.",
    "secret_scanning": "Its code and its history are scanned for secrets.",  # pragma: allowlist secret
    "dependency_scanning": "What it is built from is scanned for known vulnerabilities.",
    "encryption": "Its data is encrypted on the way and at rest.",
    "rollback_plan": "How to go back to the version before is written down and tried.",
}
_RUNBOOK = "The address of what to do when it fails; http or https."
_CUSTOM = "Anything else, by name, for checks of your own."

DECLARED: Mapping[str, FieldType] = {
    **dict.fromkeys(_FLAGS, FieldType.BOOL),
    "runbook_url": FieldType.LINK,
    CUSTOM: FieldType.MAP,
}
"""The fields that a service can declare, with their types."""

MEASURED = frozenset(
    {"service", "slo", "health", "cost", "governance", "incidents", "deployments", "reliability", "oncall"}
)
"""Names that nobody declares, because what they say is measured; for a message that says so."""

_FIELD = "values"
_DOCUMENT = "https://json-schema.org/draft/2020-12/schema"
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two declarations at one place; None where one of them has nothing there."""

    path: str
    before: Any
    after: Any


def accept(values: Mapping[str, Any]) -> dict[str, Any]:
    """Accept all that a service declares, in the order of the known fields.

    Raises:
        Invalid: a field is not known or has a value of another type, or there is too much; the field is its path.
    """
    for name in values:
        if name not in DECLARED:
            raise Invalid(_unknown(name), (_FIELD, name), {"allowed": list(DECLARED)})
    accepted = {name: _ACCEPT[kind](name, values[name]) for name, kind in DECLARED.items() if name in values}
    free_values.accept(accepted, _FIELD)
    return accepted


def json_schema() -> dict[str, Any]:
    """What `accept` takes, as a JSON Schema (draft 2020-12)."""
    flags = {name: {"type": "boolean", "default": False, "description": text} for name, text in _FLAGS.items()}
    link = {"type": "string", "format": "uri", "pattern": "^https?://", "maxLength": URL_LENGTH}
    free = {"type": "object", "maxProperties": free_values.MOST_ENTRIES, "description": _CUSTOM}
    return {
        "$schema": _DOCUMENT,
        "title": "What a service declares about itself",
        "type": "object",
        "properties": {**flags, "runbook_url": {**link, "description": _RUNBOOK}, CUSTOM: free},
        "additionalProperties": False,
    }


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """What differs between two declarations, by path: objects are compared name by name, lists as a whole."""
    return tuple(_compared(before, after, ()))


def document(manifest: Manifest, now: datetime) -> dict[str, Any]:
    """All that is known about a service as JSON, to be kept beside the verdict on it.

    What it did not declare is absent, and counts as false. Each section says how old its facts are, and whether that is
    too old for them to count.
    """
    return {
        "declared": dict(manifest.declared),
        "declared_at": rfc3339(manifest.declared_at) if manifest.declared_at else None,
        "recorded": dict(manifest.recorded),
        "recorded_at": {key: rfc3339(at) for key, at in manifest.recorded_at.items()},
        "measured": {name: _section(facts, now) for name, facts in manifest.measured.items()},
    }


def bindings(manifest: Manifest) -> dict[str, Any]:
    """The values of a manifest by the names that expressions use.

    A flag that was not declared is false, a link empty, and free values none; what could not be measured has no value.
    """
    bound = {_variable(name): manifest.declared.get(name, _DEFAULTS[kind]) for name, kind in DECLARED.items()}
    for name, facts in manifest.measured.items():
        for field, kind in facts.section.fields.items():
            if facts.values.get(field) is not None:
                bound[_variable(name, field)] = _typed(facts.values[field], kind)
    return bound


def fields(sections: Iterable[Section]) -> dict[str, FieldType]:
    """Every name that expressions can use, with its type: what can be declared, and what these sections measure."""
    measured = {_variable(s.name, field): kind for s in sections for field, kind in s.fields.items()}
    return {**{_variable(name): kind for name, kind in DECLARED.items()}, **measured}


def _unknown(name: str) -> str:
    if name in MEASURED:
        return f"{name} is measured and cannot be declared; values of your own go under {CUSTOM}"
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-\s]", "_", name[:100]).lower()
    near = difflib.get_close_matches(snake, DECLARED, n=1, cutoff=0.7)
    if near:
        return f"there is no field {shown(name)}; did you mean {near[0]}?"
    return (
        f"there is no field {shown(name)}; values of your own go under {CUSTOM}, the others are {', '.join(DECLARED)}"
    )


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Invalid(f"{name} is {said(value)}; it takes true or false", (_FIELD, name))
    return value


def _link(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{name} is {said(value)}; it takes an http or https address", (_FIELD, name))
    if not value:
        raise Invalid(f"{name} is empty; leave it out where there is none", (_FIELD, name))
    try:
        return web_address(value, name)
    except Invalid as refusal:
        raise Invalid(f"{name}: {refusal.message}", (_FIELD, name)) from refusal


def _free(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise Invalid(f"{name} is {said(value)}; it takes an object", (_FIELD, name))
    return dict(value)


_ACCEPT: Mapping[FieldType, Callable[[str, Any], Any]] = {
    FieldType.BOOL: _flag,
    FieldType.LINK: _link,
    FieldType.MAP: _free,
}
_DEFAULTS: Mapping[FieldType, Any] = {FieldType.BOOL: False, FieldType.LINK: "", FieldType.MAP: {}}


def _compared(before: Mapping[str, Any], after: Mapping[str, Any], path: Path) -> Iterator[Difference]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, _ABSENT), after.get(name, _ABSENT)
        if _is_within(old, new) or _is_within(new, old):
            yield from _compared(_entries(old), _entries(new), (*path, name))
        elif old is _ABSENT or new is _ABSENT or text_of(old) != text_of(new):
            yield Difference(dotted((*path, name)), None if old is _ABSENT else old, None if new is _ABSENT else new)


def _is_within(one: Any, other: Any) -> bool:
    """Whether what differs is to be found among the entries: of an object, beside another one or beside nothing."""
    return isinstance(one, Mapping) and (isinstance(other, Mapping) or (other is _ABSENT and bool(one)))


def _entries(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _section(facts: Facts, now: datetime) -> dict[str, Any]:
    return {
        "values": dict(facts.values),
        "as_of": rfc3339(facts.as_of) if facts.as_of else None,
        "age_seconds": ages.seconds(facts, now),
        "stale": facts.is_stale(now),
    }


def _variable(*path: str) -> str:
    return ".".join(("manifest", *path))


def _typed(value: Any, kind: FieldType) -> Any:
    """A measured value as expressions see its type: amounts are decimals where they are kept."""
    return float(value) if kind is FieldType.DOUBLE else list(value) if kind is FieldType.STRINGS else value
