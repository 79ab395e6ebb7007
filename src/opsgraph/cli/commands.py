"""Every command: where it is, and what the list of commands says of it.

A command is imported when it is run. Help, the version and mistyped names do not wait for the whole application.
"""

from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup


class Command(NamedTuple):
    """A command that is yet to be imported.

    Attributes:
        module: the module of this package that it is in.
        member: its function, its `typer.Typer` if it has commands of its own, or what is made of either.
        summary: the first paragraph of its help.
    """

    module: str
    member: str
    summary: str


COMMANDS = {
    "serve": Command("serve", "serve", "Serve the API, the pages and, unless OPSGRAPH_WORKERS=off, the workers."),
    "migrate": Command("migrating", "migrate", "Bring the database to the newest schema."),
    "demo": Command(
        "demo",
        "demo",
        "Serve demonstration data from a database of its own, which keeps moving while it is served.",
    ),
    "import": Command(
        "importing",
        "app",
        "Load files of others straight into the database, from single files or whole folders.",
    ),
    "export": Command("exporting", "app", "Write what the database holds in a form that imports again."),
    "report": Command("report", "report", "Print the platform report: the state of all services, worst first."),
    "incidents": Command(
        "incidents",
        "app",
        "See incidents, and respond to them: on a server with --url, else on the database at hand.",
    ),
    "alerts": Command("alerts", "app", "Send alerts to a running server, and watch them live."),
    "gate": Command("gate", "command", "Judge a service now, say why, and let the exit code tell a pipeline."),
    "keys": Command("keys", "app", "Make, list and revoke keys: on a server with --url, else on the database at hand."),
    "schema": Command("schema", "schema", "Print the GraphQL schema, as schema.graphql has it."),
}


class Commands(TyperGroup):
    """A group that lists its commands from `COMMANDS`, and imports the one that is asked for."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, command in COMMANDS.items():
            self.add_command(_command(name, _unimported, command.summary))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that the arguments name, and the arguments left for it; ends in a usage error without one."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, imported(str(name)), rest


def imported(name: str) -> Any:
    """A command, ready to be run."""
    command = COMMANDS[name]
    found = getattr(import_module(f"opsgraph.cli.{command.module}"), command.member)
    if isinstance(found, TyperCommand):
        return found
    return typer.main.get_group(found) if isinstance(found, typer.Typer) else _command(name, found)


def _command(name: str, function: Any, summary: str | None = None) -> Any:
    alone = typer.Typer(add_completion=False)
    alone.command(name, help=summary)(function)
    return typer.main.get_command(alone)


def _unimported() -> None:
    """Stands in for a command where only its name and its summary matter."""
