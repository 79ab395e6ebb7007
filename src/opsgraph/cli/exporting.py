"""`opsgraph export`."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from opsgraph.cli.opened import configured, opened
from opsgraph.workflows.export_format import FILES
from opsgraph.workflows.exporting.everything import export_everything
from opsgraph.workflows.exporting.openslo import export_openslo

app = typer.Typer(
    help="Write what the database holds in a form that imports again.",
    epilog="What is in each file is described in docs/imports.md.",
    no_args_is_help=True,
)

Output = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="Write to this file instead of standard output.")
]


@app.command()
def openslo(
    service: Annotated[str | None, typer.Option(metavar="NAME", help="The SLOs of this service only.")] = None,
    output: Output = None,
) -> None:
    """Print the SLOs as OpenSLO documents.

    Importing them gives the same SLOs, exporting those the same bytes.

    \b
    opsgraph export openslo > slos.yaml
    opsgraph export openslo --service checkout
    """
    asyncio.run(_openslo(service, output))


@app.command("all")
def everything(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder that is new or empty.")],
) -> None:
    """Write everything into a folder that `opsgraph import all` takes back.

    Teams, users, services, SLOs, budgets, costs, governance, reliability and
    deployments. Not what was measured, and no keys.

    \b
    opsgraph export all backup/
    """
    counts = asyncio.run(_everything(path))
    for kind, count in counts.items():
        typer.echo(f"{kind}: {count} in {path / FILES[kind]}")


async def _openslo(service: str | None, output: Path | None) -> None:
    async with opened(configured()) as core, aclosing(export_openslo(core.database, service)) as texts:
        with _writing(output) as write:
            async for text in texts:
                write(text)


async def _everything(path: Path) -> dict[str, int]:
    async with opened(configured()) as core:
        return await export_everything(core.database, core.clock.now(), path)


@contextmanager
def _writing(output: Path | None) -> Iterator[Callable[[str], object]]:
    """Something to write with; a file appears, or is replaced, when all of it is written."""
    if output is None:
        yield lambda text: typer.echo(text, nl=False)
        return
    unfinished = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with unfinished.open("w", encoding="utf-8", newline="\n") as stream:
            yield stream.write
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)
