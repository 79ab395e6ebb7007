"""Something of every kind, to be exported and taken back."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from opsgraph.domains.access import commands as access
from opsgraph.domains.access.model import UserInput
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import DeploymentInput, Lifecycle, Link, ServiceInput, TeamInput
from opsgraph.domains.cost import commands as cost
from opsgraph.domains.cost.model import CostInput
from opsgraph.domains.governance import commands as governance
from opsgraph.domains.governance.model import DutyInput
from opsgraph.domains.readiness.commands import declaring as readiness
from opsgraph.domains.reliability import commands as reliability
from opsgraph.domains.reliability.model import ReliabilityInput
from opsgraph.kernel.actor import LOCAL
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.export_format import FILES, MANIFEST
from opsgraph.workflows.exporting.everything import export_everything
from opsgraph.workflows.importing.everything import import_everything
from opsgraph.workflows.importing.report import ImportReport
from opsgraph.workflows.importing.storing import AS_USUAL, Options
from tests.support.clock import TestClock
from tests.support.cost import cost as contribution
from tests.support.slo import make_slo

DEPLOYMENTS = 120


async def make_everything(database: Database, clock: TestClock) -> None:
    """Something of every kind, with the odd cases: archived, circular, unallocated, text in every script."""
    async with database.transaction(LOCAL, clock.now()) as tx:
        await _make_catalog(tx)
        await _make_facts(tx)
    async with database.transaction(LOCAL, clock.move(hours=1)) as tx:
        await catalog.archive_service(tx, "old")


async def _make_catalog(tx: Tx) -> None:
    team = (await catalog.save_team(tx, TeamInput("Équipe 平台", title="Πλατφόρμα"))).value
    await catalog.save_team(tx, TeamInput("ops", origin="backstage:group:default/ops"))
    ada = UserInput("ada", email="ada@example.com", time_zone="Europe/Lisbon", origin="backstage:user:default/ada")
    await catalog.add_members(tx, team, [(await access.save_user(tx, ada)).value])
    await access.save_user(tx, UserInput("грейс"))
    for name in ("db", "web", "old"):
        await catalog.save_service(tx, ServiceInput(name, origin=f"backstage:component:default/{name}"))
    full = ServiceInput(
        "Api",
        title="API",
        description='Lines\nand "quotes"\u2028',
        team="ops",
        tier=1,
        lifecycle=Lifecycle.DEPRECATED,
        tags=["b", "a"],
        links=[Link("Docs", "https://example.com/?a=1&b=2"), Link("Docs", "https://example.com/")],
        depends_on=["db", "old"],
    )
    await catalog.save_service(tx, full)
    await catalog.save_service(tx, ServiceInput("db", depends_on=["api"], team="équipe 平台"))


async def _make_facts(tx: Tx) -> None:
    await governance.save_duty(tx, DutyInput("restore_test", "A restore\nwas tried.", "un essai"))
    await governance.save_duty(tx, DutyInput("ownership", enabled=False))
    for service in ("api", "old"):
        await make_slo(tx, "availability", service, current=99.5)
        await make_slo(tx, "latency", service, source={"displayName": "Quick"})
        await cost.record_cost(
            tx, CostInput(service, "2024-01", Decimal("1e3"), effective_amount=Decimal("0.1")), "EUR"
        )
        await cost.set_budget(tx, service, Decimal("1200.50"), "EUR", "USD")
        await governance.set_check(tx, service, "runbook", passed=True)
        await governance.set_check(tx, service, "monitoring", passed=False)
        await reliability.declare(tx, ReliabilityInput(service, uptime_pct=99.95, incidents_30d=0))
        await readiness.declare(tx, service, {"metrics": True, "custom": {"größe": [1, 2.5, {"tief": None}]}})
    await readiness.declare(tx, "api", {"metrics": False, "runbook_url": "https://example.com/?a=1&b=2"})
    await cost.record_cost(tx, CostInput("api", "2024-02", Decimal(-5), origin="bot"), "USD")
    parts = [
        contribution("2024-01", "0.000000000000000001", origin="focus:a"),
        contribution("2024-01", 2, origin="focus:b"),
    ]
    await cost.replace_origins(tx, {"focus:a", "focus:b", "focus:empty"}, parts)
    for number in range(DEPLOYMENTS):
        at = tx.now - timedelta(minutes=number // 2)
        await catalog.record_deployment(
            tx, DeploymentInput("web", f"v{number}", deployed_at=at, failed=number % 2 == 0)
        )
    await catalog.record_deployment(
        tx, DeploymentInput("old", "v1", "staging", tx.now, tx.now - timedelta(days=1), rework=True)
    )


async def run(database: Database, clock: TestClock, folder: Path, options: Options = AS_USUAL) -> ImportReport:
    """Take an export back, later."""
    return await import_everything(database, LOCAL, clock.move(days=1), folder, options)


async def written(database: Database, clock: TestClock, folder: Path) -> dict[str, str]:
    """Export; gives the text of every file, without the time in the manifest."""
    await export_everything(database, clock.now(), folder)
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in FILES.values()}
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return {**texts, "counts": json.dumps(manifest["counts"])}
