"""Importing OpenSLO documents, on both databases."""

from pathlib import Path
from typing import Any

from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import ServiceInput
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.slo import queries
from opsgraph.domains.slo.model import IndicatorKind, Slo
from opsgraph.kernel.actor import LOCAL
from opsgraph.storage.database import Database
from opsgraph.workflows.importing.openslo import import_openslo
from opsgraph.workflows.importing.report import ImportReport
from opsgraph.workflows.importing.storing import AS_USUAL, Options
from tests.support.clock import TestClock
from tests.support.contents import unchanged
from tests.support.importing import DRY, REAL_FILES, SAMPLES, STRICT, counts, needs_real_files, reasons, slo, written


async def run(database: Database, clock: TestClock, *paths: Path, options: Options = AS_USUAL) -> ImportReport:
    """Import files, later than whatever was before."""
    return await import_openslo(database, LOCAL, clock.move(hours=1), paths, options)


async def stored(database: Database, service: str, name: str) -> Slo:
    """An SLO as stored."""
    async with database.reading() as session:
        found = await queries.slo_by_name(session, (await catalog_services.require_service(session, service)).id, name)
    assert found is not None
    return found


@needs_real_files
async def test_published_files_import_with_warnings(database: Database, clock: TestClock) -> None:
    """Five SLOs of four documents, in services that are made for them; what is not used is named."""
    report = await run(database, clock, REAL_FILES / "openslo")
    assert counts(report) == {"services": (4, 0, 0), "slos": (5, 0, 0)}
    assert report.refusals == []
    warnings = reasons(report.warnings)
    assert 'occurences-slo.yaml: search-slo: the catalog had no service "web-shop"; it was created' in warnings
    assert any("1m is a minute; with a calendar it is read as 1M" in warning for warning in warnings)
    assert any("op is for threshold metrics only" in warning for warning in warnings)
    first = await stored(database, "web-availability", "service-availability")
    second = await stored(database, "web-availability", "service-availability-2")
    assert (first.target, second.target, first.calendar, first.time_zone) == (99.5, 99, "MONTH", "America/New_York")
    assert (first.indicator, first.good_query, first.state.is_met) == (IndicatorKind.EXTERNAL, "Any", None)
    search = await stored(database, "web-shop", "search-slo")
    assert (search.target, search.window_days, search.total_query) == (99, 14, "Any")


@needs_real_files
async def test_importing_again_writes_nothing(database: Database, clock: TestClock) -> None:
    """Each SLO is found again by service and name, and is as it was."""
    await run(database, clock, REAL_FILES / "openslo", SAMPLES / "openslo")
    async with unchanged(database):
        report = await run(database, clock, SAMPLES / "openslo", REAL_FILES / "openslo")
    assert counts(report)["slos"] == (0, 0, 9)


async def test_links_are_resolved_over_all_files(database: Database, clock: TestClock) -> None:
    """An SLO may name an indicator that a later file defines; without that file it is refused."""
    indicators, checkout = (SAMPLES / "openslo" / f"{name}.yaml" for name in ("indicators", "checkout"))
    alone = await run(database, clock, checkout, options=DRY)
    assert reasons(alone.refusals) == [
        'checkout.yaml: latency: spec.indicatorRef names the SLI "checkout-latency", which is in none of the files read'
    ]
    together = await run(database, clock, checkout, indicators)
    assert (together.refused, counts(together)["slos"]) == (0, (3, 0, 0))


async def test_documents_of_services_are_taken(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """Title and description are set where they are given, and kept where not; the SLO's service is then there."""

    def service(**values: str) -> dict[str, Any]:
        title = {key: values.pop(key) for key in ("displayName",) if key in values}
        return {"apiVersion": "openslo/v1", "kind": "Service", "metadata": {"name": "web", **title}, "spec": values}

    path = written(tmp_path, "a.yaml", slo(), service(displayName="Web", description="Sells"))
    report = await run(database, clock, path)
    assert (counts(report), report.warnings) == ({"services": (1, 0, 0), "slos": (1, 0, 0)}, [])
    written(tmp_path, "a.yaml", service(description="Buys"))
    assert counts(await run(database, clock, path))["services"] == (0, 1, 0)
    async with database.reading() as session:
        found = await catalog_services.require_service(session, "web")
    assert (found.title, found.description) == ("Web", "Buys")


async def test_a_service_is_known_by_its_label(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """A name that the catalog had to change means the same service here; nothing that can be none is one."""
    async with database.transaction(LOCAL, clock.now()) as tx:
        await catalog.save_service(tx, ServiceInput("Web-Shop"))
    path = written(tmp_path, "a.yaml", slo(service="web_shop"), slo(service="other_shop"), slo(service="Web & Shop"))
    report = await run(database, clock, path)
    assert counts(report) == {"services": (1, 0, 0), "slos": (2, 0, 0)}
    assert reasons(report.warnings) == [
        'a.yaml: availability: the catalog had no service "other_shop"; "other-shop" was created'
    ]
    (refusal,) = report.refusals
    assert refusal.reason.startswith('service "Web & Shop" is not an RFC 1123 label')


async def test_one_refusal_undoes_no_neighbour(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """Archived services and values out of range are refused with their reason; no service is made for them."""
    async with database.transaction(LOCAL, clock.now()) as tx:
        await catalog.save_service(tx, ServiceInput("old"))
        await catalog.archive_service(tx, "old")
    fine = [{"target": 0.123456789}, {"target": 0.99}]
    path = written(
        tmp_path,
        "a.yaml",
        slo("a", "old"),
        slo("b", "lonely", objectives=fine[:1]),
        slo("c", objectives=fine),
        slo("d"),
    )
    report = await run(database, clock, path)
    assert reasons(report.refusals) == [
        'a.yaml: a: service "old" is archived; restore it before changing its SLOs',
        "a.yaml: b: target has 7 decimals; at most 6 are accepted",
        "a.yaml: c: target has 7 decimals; at most 6 are accepted",
    ]
    assert counts(report) == {"services": (1, 0, 0), "slos": (2, 0, 0)}
    assert (await stored(database, "web", "c-2")).target == 99
    async with database.reading() as session:
        assert await catalog_services.service_by_name(session, "lonely") is None


async def test_a_changed_document_changes_its_slo(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """What it no longer says is cleared: the document says all there is."""
    calendar = {"startTime": "2024-01-01 00:00:00", "timeZone": "Europe/Lisbon"}
    window = [{"duration": "1M", "isRolling": False, "calendar": calendar}]
    await run(database, clock, written(tmp_path, "a.yaml", slo(description="Up", timeWindow=window)))
    report = await run(database, clock, written(tmp_path, "a.yaml", slo(objectives=[{"target": 0.5}])))
    assert counts(report)["slos"] == (0, 1, 0)
    found = await stored(database, "web", "availability")
    assert (found.target, found.description, found.calendar, found.window_days) == (50, None, None, 28)


async def test_dry_and_strict_store_nothing(database: Database, clock: TestClock, tmp_path: Path) -> None:
    """A dry run reports what would happen; one refusal under strict undoes all the rest."""
    path = written(tmp_path, "a.yaml", slo("good"), slo("bad", objectives=[{"target": 2}]), "{broken")
    async with unchanged(database):
        dry = await run(database, clock, path, options=DRY)
        strict = await run(database, clock, path, options=STRICT)
    assert counts(dry) == counts(strict) == {"services": (1, 0, 0), "slos": (1, 0, 0)}
    assert (dry.refused, strict.refused, dry.stored, strict.stored) == (2, 2, False, False)
