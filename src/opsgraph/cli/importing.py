"""`opsgraph import`."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from opsgraph.app import Core
from opsgraph.cli.failures import CommandError
from opsgraph.cli.import_report import NOTHING_READ, as_json, exit_code, lines, one_line
from opsgraph.cli.opened import configured, opened
from opsgraph.cli.progress import progress_bar
from opsgraph.domains.cost.formats.mapping import DEFAULT, ServiceMap, read_map
from opsgraph.kernel.actor import LOCAL
from opsgraph.workflows.importing.backstage import import_backstage
from opsgraph.workflows.importing.everything import import_everything
from opsgraph.workflows.importing.files import UnusableFileError, find_files, read_text
from opsgraph.workflows.importing.focus import import_focus
from opsgraph.workflows.importing.openslo import import_openslo
from opsgraph.workflows.importing.report import ImportReport
from opsgraph.workflows.importing.storing import Options

app = typer.Typer(
    help="Load files of others straight into the database, from single files or whole folders.",
    epilog="Exit codes: 0 all was imported, 1 something was refused, 2 nothing could be read. See docs/imports.md.",
    no_args_is_help=True,
)

Paths = Annotated[
    list[Path],
    typer.Argument(metavar="PATH...", help="Files, or folders to search for them, those below included."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say exactly what would happen, and store nothing.")]
Strict = Annotated[bool, typer.Option("--strict", help="Store nothing at all if anything is refused.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
Map = Annotated[Path | None, typer.Option("--map", metavar="FILE", help="YAML rules that say whose cost a charge is.")]

Import = Callable[[Core, Options], Awaitable[ImportReport]]


@app.command()
def backstage(paths: Paths, dry_run: DryRun = False, strict: Strict = False, as_json: AsJson = False) -> None:
    """Import a Backstage catalog: components, and the groups and users that own them.

    Folders are searched for .yaml and .yml files. Groups become teams, users
    their members, components services. Importing again brings them up to date
    with the files.

    \b
    opsgraph import backstage catalog-info.yaml
    opsgraph import backstage --dry-run ~/src
    """

    def work(core: Core, options: Options) -> Awaitable[ImportReport]:
        return import_backstage(core.database, LOCAL, core.clock.now(), paths, options)

    _run(work, dry_run=dry_run, strict=strict, as_json_=as_json)


@app.command()
def openslo(paths: Paths, dry_run: DryRun = False, strict: Strict = False, as_json: AsJson = False) -> None:
    """Import OpenSLO documents: SLOs with their indicators, and services.

    Folders are searched for .yaml and .yml files; all are read before the
    references between them are followed. Each objective becomes an SLO. A
    service that the catalog lacks is created, with a warning.

    \b
    opsgraph import openslo slos/
    opsgraph export openslo | opsgraph import openslo /dev/stdin
    """

    def work(core: Core, options: Options) -> Awaitable[ImportReport]:
        return import_openslo(core.database, LOCAL, core.clock.now(), paths, options)

    _run(work, dry_run=dry_run, strict=strict, as_json_=as_json)


@app.command()
def focus(
    paths: Paths, map_: Map = None, dry_run: DryRun = False, strict: Strict = False, as_json: AsJson = False
) -> None:
    """Import FOCUS cost and usage files, and print what they add up to.

    Folders are searched for .csv and .csv.gz files. All files of one command
    are added up; what was imported before of the same provider, account and
    billing period is replaced. Give all parts of a bill at once.

    Without --map, the first of the tags service, opsgraph/service,
    service_name and app names the service of a charge. Charges without a
    service are kept as unallocated.

    \b
    opsgraph import focus 2024-09.csv
    opsgraph import focus --map services.yaml exports/2024-09/
    """

    def work(core: Core, options: Options) -> Awaitable[ImportReport]:
        return import_focus(core.database, LOCAL, core.clock.now(), paths, mapping, options)

    mapping = _mapping(map_)
    _run(work, dry_run=dry_run, strict=strict, as_json_=as_json)


@app.command("all")
def everything(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder that `opsgraph export all` wrote.")],
    dry_run: DryRun = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Import everything that `opsgraph export all` wrote.

    Into an empty database, or one with data of its own: what the folder says
    is created or brought up to date, what it does not say stays.

    \b
    opsgraph import all backup/
    """

    def work(core: Core, options: Options) -> Awaitable[ImportReport]:
        return import_everything(core.database, LOCAL, core.clock.now(), path, options)

    _run(work, dry_run=dry_run, strict=strict, as_json_=as_json)


def _mapping(path: Path | None) -> ServiceMap:
    """The map in a file, or what applies without one.

    Raises:
        CommandError: it cannot be read, or something in it is wrong; names every place.
    """
    if path is None:
        return DEFAULT
    files, problems = find_files([path], ("",))
    if len(files) != 1:
        reasons = [str(problem) for problem in problems] or [f"{path}: a map is one file"]
        raise _nothing_imported(reasons)
    try:
        found = read_map(read_text(files[0]), files[0].name)
    except UnusableFileError as error:
        raise _nothing_imported([str(error.of(files[0]))]) from error
    if isinstance(found, ServiceMap):
        return found
    raise _nothing_imported([str(finding) for finding in found])


def _nothing_imported(reasons: Sequence[str]) -> CommandError:
    listed = "".join(f"\n{one_line(reason)}" for reason in reasons)
    return CommandError(f"nothing was imported, because the map cannot be used:{listed}", NOTHING_READ)


def _run(work: Import, *, dry_run: bool, strict: bool, as_json_: bool) -> None:
    with progress_bar() as progress:
        report, currency = asyncio.run(_report(work, Options(dry_run, strict, progress)))
    if as_json_:
        typer.echo(as_json(report))
    else:
        for line in lines(report, currency):
            typer.echo(line)
    raise typer.Exit(exit_code(report))


async def _report(work: Import, options: Options) -> tuple[ImportReport, str]:
    async with opened(configured()) as core:
        return await work(core, options), core.settings.currency
