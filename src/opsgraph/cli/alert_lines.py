"""How events of alerts are shown: coloured lines for people at a terminal, fields between tabs for scripts."""

from collections.abc import Mapping
from typing import Any

import typer
from rich.console import Console
from rich.text import Text

from opsgraph.cli.printing import SEVERITY_STYLES, at_terminal, instant
from opsgraph.kernel.text import printable

_KIND_STYLES = {"FIRED": "red", "RESOLVED": "green", "SILENCED": "dim", "UNSILENCED": "yellow"}


def print_event(event: Mapping[str, Any]) -> None:
    """Print what happened to an alert, as a line."""
    alert = event["alert"]
    number = str(alert["incident"]["number"]) if alert["incident"] else "-"
    fields = (event["at"], event["kind"], alert["severity"], alert["serviceName"], number, alert["message"])
    if at_terminal():
        Console().print(_coloured(*fields), soft_wrap=True)
    else:
        typer.echo("\t".join(map(printable, fields)))


def _coloured(at: str, kind: str, severity: str, service: str, number: str, message: str) -> Text:
    incident = "" if number == "-" else f"  incident {number}"
    return Text.assemble(
        (instant(at), "dim"),
        "  ",
        (f"{severity:<8}", SEVERITY_STYLES.get(severity, "")),
        "  ",
        (f"{kind:<8}", _KIND_STYLES.get(kind, "")),
        "  ",
        (printable(service), "bold"),
        "  ",
        printable(message),
        (incident, "cyan"),
    )
