"""The generic webhook: an alert as any script can write it, or an array of them, for `/webhooks/alerts`."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn

from opsgraph.domains.alerts.formats.bodies import MOST_MEMBERS
from opsgraph.domains.alerts.formats.instants import instant
from opsgraph.domains.alerts.formats.own import own_report
from opsgraph.domains.alerts.model import Action, AlertReport, Refused, Reports
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import shown

SOURCE = "generic"

_ACTIONS = {"firing": Action.FIRE, "resolved": Action.RESOLVE}
_KINDS = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "an array", dict: "an object"}


class _Repeating(dict[str, Any]):
    """An object that has a key twice: which one was meant, only the sender knows."""

    repeated = ""


def read(body: bytes, now: datetime, reporter: str) -> Reports:  # noqa: ARG001 - every format is read alike
    """Read an alert or an array of alerts.

    Raises:
        Invalid: the body is not JSON, neither an object nor an array, or has more than 50,000 alerts.
    """
    value = _parsed(body)
    if not isinstance(value, dict | list):
        raise Invalid(f"the body is {_kind(value)}, not an alert or an array of alerts")
    members = [value] if isinstance(value, dict) else value
    if len(members) > MOST_MEMBERS:
        raise Invalid(f"the body has {len(members):,} alerts; at most {MOST_MEMBERS:,} are accepted")
    reports = Reports()
    for index, member in enumerate(members):
        try:
            reports.accepted.append((index, _report(member, reporter)))
        except Invalid as refusal:
            reports.refused.append(Refused(index, refusal.message))
    return reports


def _report(member: Any, reporter: str) -> AlertReport:
    if not isinstance(member, dict):
        raise Invalid(f"an alert is an object, not {_kind(member)}")
    _refuse_repeated(member, "the alert")
    starts_at = _text(member, "startsAt")
    return own_report(
        service=_text(member, "service") or "",
        severity=_text(member, "severity"),
        message=_text(member, "message"),
        source=SOURCE,
        reporter=reporter,
        action=_action(_text(member, "status")),
        dedup_key=_text(member, "dedupKey"),
        labels=_texts(member, "labels"),
        annotations=_texts(member, "annotations"),
        starts_at=instant(starts_at, "startsAt") if starts_at else None,
    )


def _action(status: str | None) -> Action:
    action = _ACTIONS.get((status or "firing").lower())
    if action is None:
        raise Invalid(f"status {shown(status or '')} is neither firing nor resolved", "status")
    return action


def _text(member: Mapping[str, Any], name: str) -> str | None:
    value = member.get(name)
    if value is not None and not isinstance(value, str):
        raise Invalid(f"{name} is {_kind(value)}, not a text", name)
    return value


def _texts(member: Mapping[str, Any], name: str) -> Mapping[str, str]:
    value = member.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Invalid(f"{name} is {_kind(value)}, not an object", name)
    _refuse_repeated(value, name)
    for each in value:
        if not isinstance(value[each], str | None):
            raise Invalid(f"{name}.{shown(each)} is {_kind(value[each])}, not a text", name)
    return value


def _refuse_repeated(value: Mapping[str, Any], what: str) -> None:
    if isinstance(value, _Repeating):
        raise Invalid(f"{what} has the key {shown(value.repeated)} twice")


def _kind(value: Any) -> str:
    return "null" if value is None else _KINDS[type(value) if type(value) in _KINDS else dict]


def _parsed(body: bytes) -> Any:
    try:
        text = body.decode("utf-8-sig")
        return json.loads(
            text, object_pairs_hook=_object, parse_int=_number, parse_float=float, parse_constant=_no_number
        )
    except UnicodeDecodeError as error:
        raise Invalid(f"the body is not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise Invalid(f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise Invalid("the body is nested too deeply") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    repeating = _Repeating(found)
    names = [name for name, _ in pairs]
    repeating.repeated = next(name for name in names if names.count(name) > 1)
    return repeating


def _number(text: str) -> float:
    return float(text)  # no number of an alert is used: only what kind of value it is


def _no_number(text: str) -> NoReturn:
    raise Invalid(f"the body is not JSON: {text} is no number")
