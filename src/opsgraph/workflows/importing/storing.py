"""How imports write: all in one transaction, each thing in a part of it that can be refused alone."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from opsgraph.kernel.actor import Actor
from opsgraph.kernel.findings import Finding
from opsgraph.kernel.refusals import Refusal
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.importing.report import ImportReport

ResultT = TypeVar("ResultT")

Progress = Callable[[str, int, int], None]
"""Hears how far an import is: the step, ``reading`` or ``storing``, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to import.

    Attributes:
        dry_run: do everything, so that the report is exact, and store nothing.
        strict: store nothing if anything is refused.
        progress: hears how far the import is; it may be called from another thread.
    """

    dry_run: bool = False
    strict: bool = False
    progress: Progress | None = None

    def tell(self, step: str, done: int, total: int) -> None:
        """Say how far the import is, if anyone wants to know."""
        if self.progress is not None:
            self.progress(step, done, total)


AS_USUAL = Options()


class _CalledOffError(Exception):
    """Something was refused and the import is strict."""


async def store(
    database: Database,
    actor: Actor,
    now: datetime,
    report: ImportReport,
    options: Options,
    load: Callable[[Tx], Awaitable[None]],
) -> None:
    """Run ``load`` in one transaction and note in the report whether it was committed.

    Without anything to store there is no transaction; one that is strict and met a refusal is rolled back.
    """
    if report.read:
        report.stored = await _committed(
            database.transaction(actor, now, dry_run=options.dry_run), report, options, load
        )
    report.sort()


async def _committed(
    transaction: AbstractAsyncContextManager[Tx],
    report: ImportReport,
    options: Options,
    load: Callable[[Tx], Awaitable[None]],
) -> bool:
    try:
        async with transaction as tx:
            await load(tx)
            _call_off_if_refused(report, options)
    except _CalledOffError:
        return False
    return not options.dry_run


def _call_off_if_refused(report: ImportReport, options: Options) -> None:
    if options.strict and report.refused:
        raise _CalledOffError


async def attempt(
    tx: Tx, report: ImportReport, place: Finding, step: Callable[[], Awaitable[ResultT]]
) -> ResultT | None:
    """Take a step of an import; if it is refused, undo it alone, note why, and give None.

    Args:
        tx: the transaction.
        report: where a refusal is noted.
        place: file, line and name of what is at hand; its reason is put before the refusal's, if it has one.
        step: runs commands.
    """
    recorded = len(tx.recorded)
    try:
        async with tx.savepoint():
            return await step()
    except Refusal as refusal:
        del tx.recorded[recorded:]
        report.refuse(Finding(place.file, place.line, f"{place.reason}{refusal.message}", place.name))
        return None
