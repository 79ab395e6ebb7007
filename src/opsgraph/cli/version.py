"""`opsgraph --version`."""

from importlib.metadata import version as installed_version

import typer


def version(wanted: bool) -> None:
    """Print the version and end the process, if it was asked for."""
    if wanted:
        typer.echo(f"opsgraph {installed_version('opsgraph')}")
        raise typer.Exit
