"""Exporting SLOs: documents that import again to the same SLOs, and export again to the same bytes."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.slo.model import BudgetingMethod, IndicatorKind
from opsgraph.kernel.actor import LOCAL
from opsgraph.kernel.refusals import NotFound
from opsgraph.kernel.windows import CalendarWindow
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.exporting.openslo import export_openslo
from opsgraph.workflows.importing.openslo import import_openslo
from opsgraph.workflows.importing.report import ImportReport
from tests.support.catalog import make_service
from tests.support.clock import TestClock
from tests.support.contents import unchanged
from tests.support.importing import REAL_FILES, SAMPLES, emptied, needs_real_files
from tests.support.slo import make_slo

INDICATORS: dict[IndicatorKind, dict[str, Any]] = {
    IndicatorKind.DECLARED: {"current": 99.95},
    IndicatorKind.REQUEST_SUCCESS: {},
    IndicatorKind.LATENCY_UNDER: {"latency_threshold_ms": 250.5},
    IndicatorKind.AVAILABILITY: {"description": "Über: 'quoted' # and\nmore\n"},
    IndicatorKind.EXTERNAL: {"good_query": 'sum(good{code=~"2.."})', "total_query": "sum(\n  all\n)\n"},
}
WINDOWS: list[dict[str, Any]] = [
    {"window_days": 1},
    {"window_days": 90},
    *({"calendar": period, "time_zone": "Asia/Kathmandu"} for period in CalendarWindow),
]
METHODS: dict[BudgetingMethod, dict[str, Any]] = {
    BudgetingMethod.OCCURRENCES: {},
    BudgetingMethod.TIMESLICES: {"slice_target": 99.999999, "slice_seconds": 300},
    BudgetingMethod.RATIO_TIMESLICES: {"slice_seconds": 3600},
}


async def make_every_kind(tx: Tx) -> None:
    """SLOs of every indicator, window and budgeting method, in two services."""
    await make_service(tx, "API-2")
    await make_service(tx, "api")
    combinations = product(INDICATORS.items(), WINDOWS, METHODS.items())
    for number, ((indicator, values), window, (method, slices)) in enumerate(combinations):
        definition = {"indicator": indicator, **values, **window, "budgeting_method": method, **slices}
        service = "api" if number % 2 else "API-2"
        await make_slo(tx, f"slo {number}", service, target=99.0 + number / 1_000, **definition)


async def text(database: Database, service: str | None = None) -> str:
    """The whole export."""
    return "".join([part async for part in export_openslo(database, service)])


async def imported(database: Database, clock: TestClock, folder: Path, content: str) -> ImportReport:
    """Import a text later."""
    path = folder / "exported.yaml"
    path.write_text(content, encoding="utf-8")
    return await import_openslo(database, LOCAL, clock.move(days=1), [path])


async def test_every_kind_of_slo_survives(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """Over what is there it changes nothing; into an empty database it gives the same SLOs and the same bytes."""
    async with database.transaction(LOCAL, clock.now()) as tx:
        await make_every_kind(tx)
    content = await text(database)
    async with unchanged(database):
        assert (await imported(database, clock, tmp_path, content)).kinds["slos"].unchanged == 75
    await emptied(database)
    report = await imported(database, clock, tmp_path, content)
    assert (report.kinds["slos"].created, report.kinds["services"].created, report.refused) == (75, 2, 0)
    assert await text(database) == content


@needs_real_files
async def test_published_files_survive(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """Names, queries, operators and sources of others come back, although opsgraph makes nothing of some of them."""
    await import_openslo(database, LOCAL, clock.now(), [REAL_FILES / "openslo", SAMPLES / "openslo"])
    content = await text(database)
    assert "op: lt\n      value: 500\n" in content
    async with unchanged(database):
        await imported(database, clock, tmp_path, content)
    await emptied(database)
    await imported(database, clock, tmp_path, content)
    assert await text(database) == content


async def test_one_service_can_be_exported(database: Database, clock: TestClock) -> None:
    """By its name in any case; of all, those that are archived are left out."""
    async with database.transaction(LOCAL, clock.now()) as tx:
        for name in ("web", "api", "old", "bare"):
            await make_service(tx, name)
        for name in ("web", "api", "old"):
            await make_slo(tx, f"of {name}", name)
        await catalog.archive_service(tx, "old")
    assert [line for line in (await text(database)).splitlines() if "service:" in line] == [
        "  service: api",
        "  service: web",
    ]
    assert "name: of web\n" in await text(database, "WEB")
    assert "of api" not in await text(database, "WEB")
    assert await text(database, "bare") == ""
    with pytest.raises(NotFound, match='no service called "nothing"'):
        await text(database, "nothing")


async def test_what_opsgraph_measures_needs_no_query(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """An export of its own SLOs imports without a warning, but for the services that are made."""
    async with database.transaction(LOCAL, clock.now()) as tx:
        await make_service(tx)
        for indicator, values in INDICATORS.items():
            await make_slo(tx, indicator.value, indicator=indicator, **values)
    assert (await imported(database, clock, tmp_path, await text(database))).warnings == []
