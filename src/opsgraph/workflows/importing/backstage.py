"""Backstage catalogs: groups become teams, users become their members, components become services.

The files are the source of truth for what they can say: title, description, lifecycle, team, tags, links and
dependencies of a service, the title of a team, the mail address of a user. What they cannot say (the tier, a user's
time zone) is kept, and so is the name that something has here.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from opsgraph.domains.catalog.formats import backstage
from opsgraph.domains.catalog.formats.backstage_entities import Catalog
from opsgraph.kernel.actor import Actor
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.importing.backstage_people import load_people, load_teams
from opsgraph.workflows.importing.backstage_services import load_services
from opsgraph.workflows.importing.reading import documents_at
from opsgraph.workflows.importing.report import ImportReport
from opsgraph.workflows.importing.storing import AS_USUAL, Options, store

KINDS = ("teams", "users", "services")


async def import_backstage(
    database: Database, actor: Actor, now: datetime, paths: Sequence[Path], options: Options = AS_USUAL
) -> ImportReport:
    """Import the entities of all YAML files at these paths in one transaction.

    Never raises for what a file says; see the report.
    """
    report = ImportReport.on(*KINDS, dry_run=options.dry_run)
    catalog = backstage.read(await documents_at(paths, report, options))
    report.take(catalog.refusals, catalog.warnings)
    load = partial(load_catalog, catalog=catalog, report=report, options=options)
    await store(database, actor, now, report, options, load)
    return report


async def load_catalog(tx: Tx, catalog: Catalog, report: ImportReport, options: Options = AS_USUAL) -> None:
    """Save a catalog that was read, whatever the order of its files."""
    teams = await load_teams(tx, catalog, report)
    await load_people(tx, catalog, teams, report)
    await load_services(tx, catalog, teams, report, options)
