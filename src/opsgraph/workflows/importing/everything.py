"""A folder that `opsgraph export all` wrote, taken back: into an empty database or one that has data of its own.

What the folder says is created or brought up to date; what it does not say stays.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TypeVar

from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog import rules
from opsgraph.domains.catalog.model import Deployment, DeploymentOutcome, Service
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.cost import commands as cost
from opsgraph.domains.governance import commands as governance
from opsgraph.domains.governance.model import DutyInput
from opsgraph.domains.readiness.commands import declaring as readiness
from opsgraph.domains.reliability import commands as reliability
from opsgraph.domains.reliability.model import ReliabilityInput
from opsgraph.domains.slo.formats import openslo
from opsgraph.kernel.actor import Actor
from opsgraph.kernel.findings import Finding
from opsgraph.kernel.refusals import NotFound, Refusal
from opsgraph.kernel.text import name_key, shown
from opsgraph.storage.database import Database
from opsgraph.storage.saving import Outcome
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.export_format import FILES
from opsgraph.workflows.importing import export_records as records
from opsgraph.workflows.importing.export_catalog import AT_ONCE, CatalogLoading
from opsgraph.workflows.importing.export_costs import CostLoading
from opsgraph.workflows.importing.export_folder import ExportFolder, in_batches, open_folder
from opsgraph.workflows.importing.export_records import DeploymentRecord, Reader
from opsgraph.workflows.importing.openslo import load_slos
from opsgraph.workflows.importing.report import ImportReport
from opsgraph.workflows.importing.storing import AS_USUAL, Options, attempt, store

ValueT = TypeVar("ValueT")


async def import_everything(
    database: Database, actor: Actor, now: datetime, path: Path, options: Options = AS_USUAL
) -> ImportReport:
    """Import a whole export in one transaction; its files are read as they are stored, not kept.

    Never raises for what a file says; see the report.
    """
    report = ImportReport.on(*FILES, dry_run=options.dry_run)
    folder = open_folder(path, report, options)
    await store(database, actor, now, report, options, partial(_load, folder=folder))
    return report


async def _load(tx: Tx, folder: ExportFolder | None) -> None:
    if folder is None:
        return
    loading = CatalogLoading(tx, folder)
    await loading.load_teams()
    await loading.load_users()
    await loading.load_services()
    await _load_slos(tx, folder, loading.left)
    facts = _Facts(tx, folder, loading.left)
    await facts.load("budgets", records.budget, facts.save_budget)
    await CostLoading(tx, folder).load()
    await facts.load("duties", records.duty, facts.save_duty)
    await facts.load("governance", records.check, facts.save_check)
    await facts.load("reliability", records.declaration, facts.save_declaration)
    await facts.load("manifests", records.manifest, facts.save_manifest)
    await facts.load_deployments()
    await loading.finish_services()


async def _load_slos(tx: Tx, folder: ExportFolder, left: set[str]) -> None:
    """Save the SLOs of all services but those that are left as they are."""
    tally = folder.report.kinds["slos"]
    total = 0
    for parts in folder.documents("slos"):
        found = openslo.read(parts)
        folder.report.take(found.refusals, found.warnings)
        wanted = tuple(slo for slo in found.slos if name_key(slo.service) not in left)
        tally.unchanged += len(found.slos) - len(wanted)
        total += len(found.slos) + len(found.refusals)
        await load_slos(tx, replace(found, slos=wanted), folder.report)
    folder.check("slos", total)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of services that are loaded, but for what cannot be declared about those that are left."""

    tx: Tx
    folder: ExportFolder
    left: Collection[str]

    async def load(self, kind: str, read: Reader[ValueT], save: Callable[[ValueT], Awaitable[Outcome]]) -> None:
        """Save every record of a file."""
        for place, value in self.folder.records(kind, read):
            outcome = await attempt(self.tx, self.folder.report, place, partial(save, value))
            if outcome is not None:
                self.folder.report.kinds[kind].count(outcome, place.name)

    async def save_budget(self, record: tuple[str, Decimal, str]) -> Outcome:
        service, amount, currency = record
        return (await cost.set_budget(self.tx, service, amount, currency, currency)).outcome

    async def save_duty(self, record: DutyInput) -> Outcome:
        return (await governance.save_duty(self.tx, record)).outcome

    async def save_check(self, record: tuple[str, str, bool]) -> Outcome:
        return (await governance.set_check(self.tx, *record)).outcome

    async def save_declaration(self, record: ReliabilityInput) -> Outcome:
        return (await reliability.declare(self.tx, record)).outcome

    async def save_manifest(self, record: tuple[str, dict[str, object]]) -> Outcome:
        service, values = record
        if name_key(service) in self.left:
            return Outcome.UNCHANGED
        return (await readiness.declare(self.tx, service, values)).outcome

    async def load_deployments(self) -> None:
        """Record every deployment that is not known by its id."""
        for batch in in_batches(self.folder.records("deployments", records.deployment), AT_ONCE):
            names = {record.wanted.service for _, record in batch}
            services = await catalog_services.services_by_name(self.tx.connection, names)
            known = [found for place, record in batch if (found := self._deployment(place, record, services))]
            new = await catalog.take_over_deployments(self.tx, known)
            self.folder.report.kinds["deployments"].created += new
            self.folder.report.kinds["deployments"].unchanged += len(known) - new

    def _deployment(
        self, place: Finding, record: DeploymentRecord, services: Mapping[str, Service]
    ) -> Deployment | None:
        try:
            return _deployment(record, services, self.tx.now)
        except Refusal as refusal:
            self.folder.report.refuse(replace(place, reason=refusal.message))
            return None


def _deployment(record: DeploymentRecord, services: Mapping[str, Service], now: datetime) -> Deployment:
    wanted = record.wanted
    service = services.get(name_key(wanted.service))
    if service is None:
        raise NotFound(f"there is no service called {shown(wanted.service)}", "service")
    version, environment, deployed_at = rules.deployment(wanted, now)
    outcome = DeploymentOutcome.FAILED if wanted.failed else DeploymentOutcome.SUCCEEDED
    return Deployment(
        record.id, service.id, version, environment, wanted.committed_at, deployed_at, outcome, wanted.rework
    )
