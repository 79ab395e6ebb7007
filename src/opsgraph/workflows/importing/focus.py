"""FOCUS cost files: charges are read row by row and stored as one sum a service, month, currency and origin.

All files of one import are added up before anything is stored, so that a bill in several parts is one bill; what the
origins in them (provider, account and billing period) said before is replaced.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from opsgraph.domains.catalog.model import Service
from opsgraph.domains.cost import commands, rules
from opsgraph.domains.cost.formats.focus import read_rows
from opsgraph.domains.cost.formats.focus_totals import Cell, CellKey, Totals, aggregate
from opsgraph.domains.cost.formats.mapping import DEFAULT, ServiceMap
from opsgraph.domains.cost.model import Contribution
from opsgraph.kernel.actor import Actor
from opsgraph.kernel.findings import Finding
from opsgraph.kernel.money import FRACTION_DIGITS
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import name_key
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.batches import service_batches
from opsgraph.workflows.importing.files import CSV_ENDINGS, InputFile, UnusableFileError, read_lines
from opsgraph.workflows.importing.focus_allocation import Allocation
from opsgraph.workflows.importing.reading import Meter, files_at, in_thread
from opsgraph.workflows.importing.report import CostFigures, ImportReport
from opsgraph.workflows.importing.storing import AS_USUAL, Options, store

KINDS = ("costs",)


async def import_focus(
    database: Database,
    actor: Actor,
    now: datetime,
    paths: Sequence[Path],
    mapping: ServiceMap = DEFAULT,
    options: Options = AS_USUAL,
) -> ImportReport:
    """Import the charges of all CSV files at these paths, also gzipped ones, in one transaction.

    Takes memory for the sums and the catalog's names, not for the rows. Never raises for what a file says; see the
    report.

    Args:
        database: where to.
        actor: on whose behalf.
        now: the instant of the import.
        paths: files and folders.
        mapping: whose cost a charge is.
        options: how to import.
    """
    report = ImportReport.on(*KINDS, dry_run=options.dry_run)
    files = _without_twins(files_at(paths, CSV_ENDINGS, report), report)
    allocation = Allocation(mapping, await _services(database))
    meter = Meter(options, sum(file.size for file in files))
    totals = await in_thread(meter, partial(_add_up, files, allocation, report, meter))
    _note(report, totals, allocation)
    parts = _contributions(totals, allocation, report, files)
    await store(database, actor, now, report, options, partial(_replace, parts=parts, report=report))
    return report


def _without_twins(files: Sequence[InputFile], report: ImportReport) -> list[InputFile]:
    """Leave out a gzipped file whose unpacked self is there as well: it would count twice."""
    there = {file.path for file in files}
    twins = [file for file in files if file.path.suffix == ".gz" and file.path.with_suffix("") in there]
    report.warn(*(Finding(file.name, None, "was left out: the file without .gz is read as well") for file in twins))
    return [file for file in files if file not in twins]


async def _services(database: Database) -> dict[str, Service]:
    found: dict[str, Service] = {}
    async with database.reading() as session:
        for archived in (False, True):
            async for services in service_batches(session, archived=archived):
                found.update((name_key(service.name), service) for service in services)
    return found


def _add_up(files: Sequence[InputFile], allocation: Allocation, report: ImportReport, meter: Meter) -> Totals:
    """Fold all files; one that breaks off counts for nothing."""
    totals = Totals()
    for file in files:
        allocation.file = file.name
        meter.reached()
        try:
            found = aggregate(read_rows(read_lines(file, meter.reached), file.name), file.name, allocation.service_of)
        except UnusableFileError as error:
            report.refuse(error.of(file))
            continue
        report.files += 1
        report.read |= _has_header(found)
        totals.include(found)
        meter.finished(file)
    return totals


def _has_header(totals: Totals) -> bool:
    """Whether the file is one of costs at all; what is wrong with a header is found on line 1."""
    return not totals.refusals or totals.refusals[0].line != 1


def _note(report: ImportReport, totals: Totals, allocation: Allocation) -> None:
    report.take(totals.refusals, [*totals.warnings, *allocation.warnings()])
    report.refused += totals.refused - len(totals.refusals)
    report.warned += totals.warned - len(totals.warnings)
    report.costs = CostFigures(totals.rows, totals.untagged, totals.billed(), totals.effective(), totals.unallocated())


def _contributions(
    totals: Totals, allocation: Allocation, report: ImportReport, files: Sequence[InputFile]
) -> list[Contribution]:
    """What is stored of the sums; a sum that cannot be is refused."""
    found, rounded = [], 0
    for key, cell in totals.cells.items():
        part = _contribution(key, cell, allocation)
        try:
            found.append(rules.contribution(part))
        except Invalid as refusal:
            report.refuse(Finding(files[0].name, None, f"{part.origin} in {part.month}: {refusal.message}"))
        rounded += (part.billed, part.effective) != (cell.billed, cell.effective)
    if rounded:
        sums = "1 sum was" if rounded == 1 else f"{rounded} sums were"
        report.warn(Finding(files[0].name, None, f"{sums} rounded to {FRACTION_DIGITS} decimals"))
    return found


def _contribution(key: CellKey, cell: Cell, allocation: Allocation) -> Contribution:
    service, month, currency, origin = key
    billed, effective = cell.stored()
    return Contribution(allocation.id_of(service), month, currency, origin, billed, effective)


async def _replace(tx: Tx, parts: Sequence[Contribution], report: ImportReport) -> None:
    replaced = await commands.replace_origins(tx, {part.origin for part in parts}, parts)
    tally = report.kinds["costs"]
    tally.created, tally.changed = replaced.created, replaced.changed
    tally.unchanged, tally.removed = replaced.unchanged, replaced.removed
