"""How incidents are shown in the terminal, and printed for scripts."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import typer

from opsgraph.cli.printing import SEVERITY_STYLES, STATUS_STYLES, instant, print_table, styled
from opsgraph.kernel.text import printable

_LIST = ("NUMBER", "STATUS", "SEVERITY", "SERVICE", "ALERTS", "ASSIGNEE", "OPENED", "TITLE")
_ALERTS = ("STATUS", "SEVERITY", "TIMES", "SINCE", "MESSAGE")
_NOTES = ("WRITTEN", "AUTHOR", "NOTE")
_TIMELINE = ("AT", "WHAT", "WHO", "DETAIL")
_NOBODY = "-"


def print_incidents(incidents: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each incident, under the names of the columns."""
    rows = [
        (
            str(each["number"]),
            styled(each["status"], STATUS_STYLES),
            styled(each["severity"], SEVERITY_STYLES),
            each["serviceName"],
            str(each["alertCount"]),
            _name(each["assignee"]),
            instant(each["createdAt"], seconds=False),
            each["title"],
        )
        for each in incidents
    ]
    print_table(_LIST, rows)


def print_moved(incidents: Sequence[Mapping[str, Any]]) -> None:
    """Print what became of incidents that somebody did something about: a line each, number and status first."""
    for each in incidents:
        typer.echo(printable(f"{each['number']} {each['status']} {each['serviceName']}: {each['title']}"))


def print_incident(incident: Mapping[str, Any]) -> None:
    """Print all there is to say of an incident: facts line by line, then its lists."""
    for line in _facts(incident):
        typer.echo(printable(line))
    if incident["alerts"]["nodes"]:
        typer.echo()
        print_table(_ALERTS, [_alert(alert) for alert in incident["alerts"]["nodes"]])
    if incident["notes"]["nodes"]:
        typer.echo()
        notes = incident["notes"]["nodes"]
        print_table(_NOTES, [(instant(note["createdAt"]), note["author"], note["content"]) for note in notes])
    typer.echo()
    print_table(_TIMELINE, [_entry(entry) for entry in incident["timeline"]["nodes"]])


def _facts(incident: Mapping[str, Any]) -> Iterator[str]:
    team = (incident["service"] or {}).get("team")
    yield f"incident {incident['number']}"
    yield f"title {incident['title']}"
    yield f"status {incident['status']}"
    yield f"may become {', '.join(incident['allowedTransitions']) or 'nothing else'}"
    yield f"severity {incident['severity']}"
    yield f"service {incident['serviceName']}"
    yield f"team {_name(team)}"
    yield f"assignee {_name(incident['assignee'])}"
    yield f"source {incident['source'] or _NOBODY}"
    yield f"opened {instant(incident['createdAt'])}"
    yield f"acknowledged {_after(incident['acknowledgedAt'], incident['mttaSeconds'])}"
    yield f"resolved {_after(incident['resolvedAt'], incident['mttrSeconds'])}"
    yield f"affects {_impact(incident['impact'])}"
    yield f"alerts {_shown(incident['alerts'])}"


def _name(named: Mapping[str, str] | None) -> str:
    return named["name"] if named else _NOBODY


def _after(at: str | None, seconds: float | None) -> str:
    if at is None:
        return _NOBODY
    return instant(at) if seconds is None else f"{instant(at)} after {_duration(seconds)}"


def _duration(seconds: float) -> str:
    """Two units at most, which is as much as anyone takes in."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")) if count]
    return " ".join(parts[:2]) or "0 s"


def _impact(impact: Mapping[str, Any]) -> str:
    names = [service["name"] for service in impact["nodes"]]
    more = impact["totalCount"] - len(names)
    return ", ".join([*names, *([f"and {more:,} more"] if more > 0 else [])]) or "no other service"


def _shown(connection: Mapping[str, Any]) -> str:
    total, shown = connection["totalCount"], len(connection["nodes"])
    return str(total) if shown >= total else f"{total}, of which the newest {shown} are shown"


def _alert(alert: Mapping[str, Any]) -> Sequence[Any]:
    return (
        styled(alert["status"], STATUS_STYLES),
        styled(alert["severity"], SEVERITY_STYLES),
        f"{alert['occurrences']}x",
        instant(alert["startsAt"]),
        alert["message"],
    )


def _entry(entry: Mapping[str, Any]) -> Sequence[str]:
    return instant(entry["createdAt"]), entry["type"], entry["actor"], described(entry["detail"])


def described(detail: Mapping[str, Any]) -> str:
    """What a timeline tells, by its shape: new kinds of entries are shown as well."""
    match detail:
        case {"from": before, "to": after, **more}:
            reason = f" ({more['reason']})" if "reason" in more else ""
            return f"{before or 'nobody'} -> {after or 'nobody'}{reason}"
        case {"content": str(content)}:
            return content
        case {"count": int(count), "alerts": _}:
            return f"{count} alert{'' if count == 1 else 's'}"
        case {"part": part, "reason": reason}:
            return f"{part}: {reason}"
        case {"title": title, "severity": severity}:
            return f"{severity}: {title}"
    return json.dumps(detail, ensure_ascii=False)
