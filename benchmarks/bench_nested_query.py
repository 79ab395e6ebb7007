"""How many nested health queries a second one process answers: 50 services with all that hangs on them.

    python benchmarks/bench_nested_query.py                        on SQLite, in a temporary folder
    OPSGRAPH_DATABASE_URL=postgresql://... python benchmarks/...   on an empty PostgreSQL database
    ... --peer http://127.0.0.1:5678/graphql --peer-query FILE     and the ratio to a peer that answers FILE's query

It goes through the whole ASGI application, without a socket, so that it measures opsgraph and not the load generator.
Absolute figures drift from machine to machine and from minute to minute: compare runs of one machine, quote ratios.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import httpx

from opsgraph.app import build
from opsgraph.cli.logs import log_as
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import ServiceInput, TeamInput
from opsgraph.domains.cost import commands as cost
from opsgraph.domains.cost.model import CostInput
from opsgraph.domains.governance import commands as governance
from opsgraph.domains.reliability import commands as reliability
from opsgraph.domains.reliability.model import ReliabilityInput
from opsgraph.domains.slo import commands as slo
from opsgraph.domains.slo.model import SloInput
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.clock import SystemClock
from opsgraph.settings import Settings
from opsgraph.storage.migrating import migrate
from opsgraph.storage.transactions import Tx

SERVICES = 50
SECONDS = 5.0
QUERY = """{
  services(first: 50, orderBy: NAME) {
    nodes {
      name tier description
      health { status }
      reliability { score }
      governance { status }
      cost { latest budgetMonthly trend overBudget }
      team { name }
      slos(first: 50) { nodes { name target current budgetRemainingPct isMet } }
    }
  }
}"""

Send = Callable[[], Awaitable[None]]


async def fill(tx: Tx) -> None:
    """Fifty services of five teams, each with three SLOs, three months of costs, checks and declared reliability."""
    for number in range(5):
        await catalog.save_team(tx, TeamInput(f"team-{number}"))
    for number in range(SERVICES):
        name = f"service-{number:03}"
        await catalog.save_service(tx, ServiceInput(name, team=f"team-{number % 5}", description=f"Service {number}"))
        for objective in ("availability", "latency", "freshness"):
            await slo.save_slo(tx, SloInput(name, objective, target=99.9, current=99.5 + number / 100))
        for month in ("2024-01", "2024-02", "2024-03"):
            await cost.record_cost(tx, CostInput(name, month, Decimal(1000 + number)), "USD")
        await cost.set_budget(tx, name, Decimal(1020), "USD", "USD")
        await governance.set_check(tx, name, "runbook", number % 2 == 0)
        await reliability.declare(tx, ReliabilityInput(name, uptime_pct=99.95, mttr_minutes=float(number)))


async def rate(send: Send, clients: int) -> float:
    """Requests a second with so many clients that each wait for their answer."""
    stop = time.perf_counter() + SECONDS
    done = 0

    async def client() -> None:
        nonlocal done
        while time.perf_counter() < stop:
            await send()
            done += 1

    await send()
    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return done / (time.perf_counter() - started)


def posting(client: httpx.AsyncClient, url: str, query: str) -> Send:
    """A request that must succeed."""

    async def send() -> None:
        response = await client.post(url, json={"query": query})
        if response.status_code != 200 or "errors" in response.json():
            raise SystemExit(f"{url} answered {response.status_code}: {response.text[:200]}")

    return send


async def main(peer: str | None, peer_query: str | None) -> None:
    """Print a table: clients, requests a second, and the ratio to the peer if there is one."""
    with tempfile.TemporaryDirectory() as folder:
        url = os.environ.get("OPSGRAPH_DATABASE_URL", f"sqlite:///{folder}/bench.db")
        settings = Settings(database_url=url, workers="off", log_level="error")
        log_as(settings)
        app = build(settings)
        core = app.state.core
        await migrate(core.database)
        async with core.database.transaction(SYSTEM, SystemClock().now()) as tx:
            await fill(tx)
        transport = httpx.ASGITransport(app)
        async with (
            httpx.AsyncClient(transport=transport, base_url="http://localhost") as ours,
            httpx.AsyncClient() as theirs,
        ):
            print(f"nested query, {SERVICES} services, {core.database.url.get_backend_name()}")
            for clients in (1, 8):
                figure = await rate(posting(ours, "/graphql", QUERY), clients)
                line = f"  {clients} clients: {figure:8.1f} requests/s"
                if peer and peer_query:
                    line += f", {figure / await rate(posting(theirs, peer, peer_query), clients):.2f} x the peer"
                print(line)
        await core.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", help="the GraphQL address of a peer, filled with as many services")
    parser.add_argument("--peer-query", type=Path, help="a file with the peer's query")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.peer, arguments.peer_query.read_text() if arguments.peer_query else None))
