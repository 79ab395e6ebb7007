"""The opsgraph command, and what happens when it cannot do its work."""

import sys
from typing import Annotated

import typer

from opsgraph.cli.commands import Commands
from opsgraph.cli.failures import reported
from opsgraph.cli.version import version

app = typer.Typer(
    cls=Commands,
    name="opsgraph",
    help="One typed GraphQL API for the health of all your services.",
    epilog="Start with `opsgraph demo`, which serves demonstration data from a database of its own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """One typed GraphQL API for the health of all your services."""


def main() -> None:
    """Run the command that the arguments name; ends the process with its exit code."""
    with reported():
        app()
    sys.exit(0)
