"""OpenSLO documents: each objective becomes an SLO, services are created where the catalog lacks them."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog import rules
from opsgraph.domains.catalog.formats.backstage import service_name
from opsgraph.domains.catalog.model import Service, ServiceInput
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.slo import commands
from opsgraph.domains.slo.formats import openslo
from opsgraph.domains.slo.formats.openslo_values import OpenSlo, ServiceDocument, SloDocument
from opsgraph.domains.slo.model import Slo, SloInput
from opsgraph.kernel.actor import Actor
from opsgraph.kernel.changes import UNSET
from opsgraph.kernel.findings import Finding
from opsgraph.kernel.text import name_key, shown
from opsgraph.storage.database import Database
from opsgraph.storage.saving import Saved
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import in_chunks
from opsgraph.workflows.importing.reading import documents_at
from opsgraph.workflows.importing.report import ImportReport
from opsgraph.workflows.importing.storing import AS_USUAL, Options, attempt, store

KINDS = ("services", "slos")

_AT_ONCE = 5_000


async def import_openslo(
    database: Database, actor: Actor, now: datetime, paths: Sequence[Path], options: Options = AS_USUAL
) -> ImportReport:
    """Import the SLOs of all YAML files at these paths in one transaction; all are read before links are resolved.

    Never raises for what a file says; see the report.
    """
    report = ImportReport.on(*KINDS, dry_run=options.dry_run)
    found = openslo.read(await documents_at(paths, report, options))
    report.take(found.refusals, found.warnings)
    await store(database, actor, now, report, options, partial(load_slos, found=found, report=report, options=options))
    return report


async def load_slos(tx: Tx, found: OpenSlo, report: ImportReport, options: Options = AS_USUAL) -> None:
    """Save services and SLOs that were read. What a document of a service does not say stays as it is."""
    names = [*(slo.service for slo in found.slos), *(service.name for service in found.services)]
    services = await _Services.known(tx, names, report)
    for service in found.services:
        await services.save(service)
    for done, slo in enumerate(found.slos):
        options.tell("storing", done, len(found.slos))
        saved = await attempt(tx, report, _place(slo), partial(_save, tx, services, slo))
        if saved is not None:
            report.kinds["slos"].count(saved[0].outcome, f"{slo.service}/{slo.name}")
            services.note_created(slo, saved[1])


class _Services:
    """The services of an import by name, as spelled or made a label; those that lack are created once."""

    def __init__(self, tx: Tx, report: ImportReport, known: dict[str, Service]) -> None:
        self._tx = tx
        self._report = report
        self._known = known

    @classmethod
    async def known(cls, tx: Tx, names: Sequence[str], report: ImportReport) -> "_Services":
        """Look up all names at once."""
        spelled = sorted({*names, *(service_name(name)[0] for name in names)})
        found: dict[str, Service] = {}
        for chunk in in_chunks(spelled, _AT_ONCE):
            found |= await catalog_services.services_by_name(tx.connection, chunk)
        return cls(tx, report, found)

    async def save(self, document: ServiceDocument) -> None:
        """Save a service that has a document of its own."""
        place = Finding(document.file, document.line, "", document.name)
        saved = await attempt(self._tx, self._report, place, partial(self._save, document))
        if saved is not None:
            self._note(saved)

    async def require(self, slo: SloDocument) -> tuple[Service, Saved[Service] | None]:
        """The SLO's service, and that it was created if it was lacking.

        Raises:
            Invalid: it lacks, and the name cannot be made a label.
        """
        label, _ = service_name(slo.service)
        known = self._known.get(name_key(slo.service)) or self._known.get(name_key(label))
        if known is not None:
            return known, None
        created = await catalog.save_service(self._tx, ServiceInput(rules.service_name(label, "service")))
        return created.value, created

    def note_created(self, slo: SloDocument, created: Saved[Service] | None) -> None:
        """Count a service that was created for an SLO, once that has been saved."""
        if created is not None:
            self._note(created)
            name = created.value.name
            result = "it was created" if name == slo.service else f"{shown(name)} was created"
            reason = f"the catalog had no service {shown(slo.service)}; {result}"
            self._report.warn(Finding(slo.file, slo.line, reason, slo.name))

    async def _save(self, document: ServiceDocument) -> Saved[Service]:
        wanted = ServiceInput(
            service_name(document.name)[0],
            title=UNSET if document.display_name is None else document.display_name,
            description=UNSET if document.description is None else document.description,
        )
        return await catalog.save_service(self._tx, wanted)

    def _note(self, saved: Saved[Service]) -> None:
        self._known[name_key(saved.value.name)] = saved.value
        self._report.kinds["services"].count(saved.outcome, saved.value.name)


async def _save(tx: Tx, services: _Services, slo: SloDocument) -> tuple[Saved[Slo], Saved[Service] | None]:
    service, created = await services.require(slo)
    wanted = SloInput(
        service.name,
        slo.name,
        target=float(slo.target),
        description=slo.description,
        current=None if slo.current is None else float(slo.current),
        indicator=slo.indicator,
        latency_threshold_ms=None if slo.latency_threshold_ms is None else float(slo.latency_threshold_ms),
        window_days=slo.window_days,
        calendar=slo.calendar,
        time_zone=slo.time_zone,
        budgeting_method=slo.budgeting_method,
        slice_target=None if slo.slice_target is None else float(slo.slice_target),
        slice_seconds=slo.slice_seconds,
        good_query=slo.good_query,
        total_query=slo.total_query,
        source=slo.source or None,
    )
    return await commands.save_slo(tx, wanted), created


def _place(slo: SloDocument) -> Finding:
    return Finding(slo.file, slo.line, "", slo.name)
