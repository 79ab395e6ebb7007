"""How fast the readiness of many services is judged, and that the number of SQL statements does not follow theirs.

    python benchmarks/bench_readiness.py [--services 1000] [--checks 30] [--postgresql]

Every service declares what it has, and SLOs, costs, incidents and deployments are known of it. The policy has the
checks that are built in and, up to the number asked for, checks that are CEL expressions. What is timed is one pass of
the worker: reading, judging, evaluating expressions and storing. In the first pass each service gets its first verdict,
in the second one nothing has changed, and in the third one every service declares something else. Before, one service
is judged, so that what is started once is not counted.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from running import database
from sqlalchemy import event

from opsgraph.app import Core, build_core
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import DeploymentInput, ServiceInput
from opsgraph.domains.cost import commands as cost
from opsgraph.domains.cost.model import CostInput
from opsgraph.domains.readiness.commands import declaring, policies
from opsgraph.domains.readiness.model.policies import CheckInput, ReadinessCategory
from opsgraph.domains.readiness.queries.policies import policy_now
from opsgraph.domains.readiness.rules.manifests import DECLARED
from opsgraph.domains.slo import commands as slo
from opsgraph.domains.slo.model import SloInput
from opsgraph.kernel.actor import SYSTEM
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.storage.migrating import migrate

EXPRESSIONS = (
    "manifest.slo.count >= 1 && manifest.slo.breached == 0",
    "manifest.cost.monthly < 5000.0 || manifest.service.tier == 1",
    "manifest.deployments.last_30d == 0 || manifest.deployments.failed_30d * 10 <= manifest.deployments.last_30d",
    "'java' in manifest.service.tags || manifest.custom.replicas >= 2",
    "manifest.incidents.open_critical == 0 && manifest.incidents.last_30d < 5",
    "manifest.service.name.startsWith('service-')",
    "manifest.custom.regions.exists(region, region == 'eu')",
    "manifest.runbook_url.endsWith('/runbook')",
    "manifest.custom.replicas * 2 > 3",
    "manifest.service.lifecycle != 'DEPRECATED'",
)
"""What checks beyond those that are built in ask, in turn."""


async def prepare(core: Core, services: int, checks: int) -> int:
    """A database with so many services and about so many checks; gives how many checks there are."""
    await migrate(core.database)
    async with core.database.reading() as session:
        built_in = len((await policy_now(session)).checks)
    for number in range(checks - built_in):
        text = EXPRESSIONS[number % len(EXPRESSIONS)]
        wanted = CheckInput(f"expression {number}", ReadinessCategory.OPERATIONS, expression=text)
        await core.readiness.accept(wanted)
        async with core.database.transaction(SYSTEM, core.clock.now()) as tx:
            await policies.save_check(tx, wanted)
    for first in range(0, services, 100):
        async with core.database.transaction(SYSTEM, core.clock.now()) as tx:
            for number in range(first, min(first + 100, services)):
                await _make(tx, number)
    return max(built_in, checks)


async def _make(tx: Any, number: int) -> None:
    name = f"service-{number}"
    await catalog.save_service(tx, ServiceInput(name, tier=number % 4 + 1, tags=["java"] if number % 2 else ["go"]))
    await slo.save_slo(tx, SloInput(name, "availability", target=99.9, current=99.95 if number % 3 else 99.0))
    await cost.record_cost(tx, CostInput(name, "2024-02", Decimal(number)), "USD")
    await catalog.record_deployment(tx, DeploymentInput(name, "v1", deployed_at=tx.now - timedelta(days=1)))


async def declare(core: Core, services: int, replicas: int) -> None:
    """Have every service declare what it has."""
    flags = {name: True for name, kind in DECLARED.items() if kind.value == "BOOL"}
    free = {"replicas": replicas, "regions": ["us", "eu"], "owner": {"team": "platform", "mail": "team@example.org"}}
    for first in range(0, services, 100):
        async with core.database.transaction(SYSTEM, core.clock.now()) as tx:
            for number in range(first, min(first + 100, services)):
                values = {**flags, "load_tested": number % 5 > 0, "runbook_url": "https://example.org/runbook"}
                await declaring.declare(tx, f"service-{number}", {**values, "custom": free})


@contextmanager
def counted(opened: Database) -> Iterator[list[str]]:
    """The SQL statements that are run within the block."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(opened.engine.sync_engine, "before_cursor_execute", note)
    yield seen
    event.remove(opened.engine.sync_engine, "before_cursor_execute", note)


async def measure(core: Core, what: str, checks: int, ahead: timedelta = timedelta(0)) -> None:
    """Time one pass over all that is due, and print what it took."""
    now = core.clock.now() + ahead
    with counted(core.database) as statements:
        started = time.perf_counter()
        judged = await core.readiness.tick(now)
        seconds = time.perf_counter() - started
    rates = f"{judged / seconds:,.0f} services/s, {judged * checks / seconds:,.0f} checks/s"
    print(f"{what:22} {judged} services x {checks} checks in {seconds:.2f} s: {rates}, {len(statements)} statements")


async def main(services: int, checks: int, url: str) -> None:
    """Prepare, warm up, then measure."""
    core = build_core(Settings(database_url=url))
    number = await prepare(core, services, checks)
    await core.readiness.evaluate("service-0", SYSTEM)
    await declare(core, services, replicas=3)
    await measure(core, "first verdicts", number)
    await measure(core, "nothing has changed", number, timedelta(hours=2))
    await declare(core, services, replicas=1)
    await measure(core, "everything has changed", number, timedelta(hours=2))
    await core.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, default=1_000, help="at most 1,000, which is what one pass takes")
    parser.add_argument("--checks", type=int, default=30)
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL rather than SQLite")
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="opsgraph-bench-") as name,
        database(Path(name), postgresql=chosen.postgresql) as url,
    ):
        asyncio.run(main(chosen.services, chosen.checks, url))
