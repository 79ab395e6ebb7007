"""What every import has in common: parts that are refused alone, progress, and being called off."""

import asyncio
from pathlib import Path
from threading import Event as Signal

import pytest

from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import ServiceInput, ServiceSaved
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.kernel.actor import LOCAL
from opsgraph.kernel.findings import Finding
from opsgraph.kernel.refusals import Conflict
from opsgraph.storage.database import Database
from opsgraph.workflows.importing.backstage import import_backstage
from opsgraph.workflows.importing.report import MOST_FINDINGS, ImportReport
from opsgraph.workflows.importing.storing import Options, attempt
from tests.support.catalog import make_service
from tests.support.clock import TestClock
from tests.support.importing import component, written


async def test_a_refused_part_leaves_neither_rows_nor_events(database: Database, clock: TestClock) -> None:
    """What it wrote and recorded is undone, what came before it stays."""
    report, place = ImportReport.on("services"), Finding("a.yaml", 7, "", "web")
    async with database.transaction(LOCAL, clock.now()) as tx:
        kept = await make_service(tx, "api")

        async def part() -> bool:
            await catalog.save_service(tx, ServiceInput("web"))
            raise Conflict("not today")

        assert await attempt(tx, report, place, part) is None
        assert tx.recorded == [ServiceSaved(kept.id)]
    assert report.refusals == [Finding("a.yaml", 7, "not today", "web")]
    async with database.reading() as session:
        assert await catalog_services.service_by_name(session, "web") is None


async def test_progress_is_told_step_by_step(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """Bytes while reading, up to all of them, then what is stored."""
    paths = [written(tmp_path, f"{number}.yaml", component(f"c{number}")) for number in range(3)]
    size = sum(path.stat().st_size for path in paths)
    heard: list[tuple[str, int, int]] = []
    options = Options(progress=lambda *said: heard.append(said))
    await import_backstage(database, LOCAL, clock.now(), paths, options)
    reading = [said for said in heard if said[0] == "reading"]
    assert (reading[0], reading[-1]) == (("reading", 0, size), ("reading", size, size))
    assert [done for step, done, total in heard if step == "storing"] == list(range(6))


async def test_an_import_that_is_called_off_stops_reading(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """The thread that reads ends at the next file instead of reading on for nobody."""
    paths = [written(tmp_path, f"{number}.yaml", component(f"c{number}")) for number in range(50)]
    heard, called_off = [], Signal()
    loop = asyncio.get_running_loop()

    def progress(_step: str, done: int, _total: int) -> None:
        heard.append(done)
        loop.call_soon_threadsafe(task.cancel)
        called_off.wait(timeout=30)

    task = asyncio.create_task(import_backstage(database, LOCAL, clock.now(), paths, Options(progress=progress)))
    with pytest.raises(asyncio.CancelledError):
        await task
    called_off.set()
    await loop.shutdown_default_executor()
    assert len(heard) == 1


def test_a_report_keeps_so_many_findings() -> None:
    """All are counted, the first thousand are kept."""
    report = ImportReport.on("services")
    for _ in range(2):
        report.refuse(*[Finding("a", 1, "bad")] * (MOST_FINDINGS - 1))
        report.warn(Finding("a", 1, "odd"))
    assert (report.refused, len(report.refusals)) == (2 * MOST_FINDINGS - 2, MOST_FINDINGS)
    assert (report.warned, len(report.warnings)) == (2, 2)
