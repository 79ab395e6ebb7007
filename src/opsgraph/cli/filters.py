"""Options that say which alerts or incidents are wanted."""

from typing import Annotated, Any

import typer

from opsgraph.domains.alerts.model import Severity

Severities = Annotated[
    list[Severity] | None,
    typer.Option(
        "--severity",
        metavar="SEVERITY",
        case_sensitive=False,
        help="Only critical, high, medium, low or info ones; may be repeated.",
    ),
]
Services = Annotated[
    list[str] | None, typer.Option("--service", metavar="NAME", help="Only those of this service; may be repeated.")
]
Teams = Annotated[
    list[str] | None,
    typer.Option("--team", metavar="NAME", help="Only those of services that this team owns; may be repeated."),
]


def conditions(**values: Any) -> dict[str, Any]:
    """A filter of the API of what was given."""
    return {name: value for name, value in values.items() if value}
