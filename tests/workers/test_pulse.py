"""The pulse of a running demonstration: something changes all the time, and nothing grows without bound."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from opsgraph.app import Core, build
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import DeploymentInput
from opsgraph.kernel.actor import SYSTEM
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.workers.evaluate import WorkerContext
from opsgraph.workers.pulse import Pulse
from opsgraph.workflows.demo.pulse import ALERT_SOURCE, BEAT, BEATS_A_SIDE, MOST_ALERTS, MOST_DEPLOYMENTS
from tests.support import demonstration as demo
from tests.support.alerts import ended, make_alert
from tests.support.api import Api
from tests.support.clock import START, TestClock
from tests.support.waiting import LONG_ENOUGH_SECONDS

CYCLE_SECONDS = int(2 * BEATS_A_SIDE * BEAT.total_seconds())
REPORT = "{ platformReport { healthy degraded sloBreaches totalMonthlyCost { amount currency } } }"


async def tick(core: Core, pulse: Pulse) -> int:
    """One round of the worker."""
    return await pulse(WorkerContext(core.database, core.policy), core.clock.now())


async def state_sizes(core: Core) -> dict[str, int]:
    """How many rows each table has, but for the log of what happened."""
    sizes = await demo.sizes(core.database)
    return {table: size for table, size in sizes.items() if table != "event"}


async def report(api: Api) -> dict[str, Any]:
    """What the front page shows."""
    found: dict[str, Any] = (await api.data(REPORT))["platformReport"]
    return found


async def test_numbers_change_within_ten_seconds(api: Api, clock: TestClock) -> None:
    """Whoever looks first, in whatever second of a cycle, sees cost, breaches and health change in that time."""
    await demo.load(api.core)
    pulse = Pulse()
    for start in range(CYCLE_SECONDS):
        clock.move(seconds=(start - clock.now().timestamp()) % CYCLE_SECONDS)
        await tick(api.core, pulse)
        before, changed = await report(api), set()
        for _ in range(10):
            clock.move(seconds=1)
            await tick(api.core, pulse)
            now = await report(api)
            changed |= {name for name in before if now[name] != before[name]}
        assert changed == set(before), f"from second {start} of the cycle"


async def test_a_beat_is_recorded_once(api: Api, clock: TestClock) -> None:
    """Its second round says that nothing was due; a second process that does it changes nothing."""
    await demo.load(api.core)
    pulse = Pulse()
    assert await tick(api.core, pulse) == 1
    before = await demo.contents(api.core.database)
    clock.move(seconds=1)
    assert await tick(api.core, pulse) == 0
    clock.move(seconds=-1)
    assert await tick(api.core, Pulse()) == 1
    assert await demo.contents(api.core.database) == before


async def test_a_minute_adds_one_row(api: Api, clock: TestClock) -> None:
    """However many beats it has; within it nothing is added, only changed, and the event log says so."""
    await demo.load(api.core)
    pulse = Pulse()
    await tick(api.core, pulse)
    before = await state_sizes(api.core)
    for _ in range(19):
        clock.move(seconds=3)
        await tick(api.core, pulse)
    assert await state_sizes(api.core) == before
    clock.move(seconds=3)
    await tick(api.core, pulse)
    assert await state_sizes(api.core) == {**before, "slo_minute": before["slo_minute"] + 1}


async def test_deployments_come_to_an_end(api: Api, clock: TestClock) -> None:
    """There is one every few minutes, until there are enough."""
    await demo.load(api.core)
    pulse = Pulse()
    first = await storefront_deployments(api)
    for _ in range(5):
        clock.move(minutes=1)
        await tick(api.core, pulse)
    assert await storefront_deployments(api) == first + 2
    async with api.core.database.transaction(SYSTEM, clock.now()) as tx:
        for number in range(first + 2, MOST_DEPLOYMENTS):
            await catalog.record_deployment(tx, DeploymentInput("storefront", f"filler-{number}"))
    clock.move(hours=1)
    await tick(api.core, pulse)
    assert await storefront_deployments(api) == MOST_DEPLOYMENTS


async def test_alerts_fire_and_end_now_and_then_and_come_to_an_end(api: Api, clock: TestClock) -> None:
    """One every four minutes, of one incident while they go on; after enough of them none fires any more."""
    await demo.load(api.core)
    pulse = Pulse()
    for _ in range(16):
        await tick(api.core, pulse)
        clock.move(seconds=30)
    assert await slow_probes(api) == [("RESOLVED", "SlowProbe", 10), ("RESOLVED", "SlowProbe", 10)]
    async with api.core.database.transaction(SYSTEM, clock.now()) as tx:
        for _ in range(2, MOST_ALERTS):
            await make_alert(tx, source=ALERT_SOURCE, **ended(clock.now()))
    await tick(api.core, pulse)
    assert [status for status, *_ in await slow_probes(api)] == ["RESOLVED"] * 50


async def test_it_goes_on_without_what_was_removed(api: Api, clock: TestClock) -> None:
    """Whoever plays with the demonstration may delete what it moves: the rest still moves, nothing comes back."""
    await demo.load(api.core)
    pulse = Pulse()
    await tick(api.core, pulse)
    await api.data('mutation { deleteSlo(service: "storefront", name: "checkout-probe") { __typename } }')
    await api.data('mutation { deleteSlo(service: "search", name: "latency") { __typename } }')
    await api.data('mutation { renameService(input: {name: "api-gateway", newName: "door"}) { __typename } }')
    before = (await report(api))["totalMonthlyCost"]
    clock.move(minutes=1)
    await tick(api.core, pulse)
    assert (await report(api))["totalMonthlyCost"] != before
    data = await api.data(
        """{ service(name: "storefront") { slos { nodes { name } } }
             search: service(name: "search") { slos { totalCount } } }"""
    )
    assert data["service"]["slos"]["nodes"] == [{"name": "availability"}]
    assert data["search"]["slos"]["totalCount"] == 0


async def test_a_new_month_begins_at_nothing(api: Api, clock: TestClock) -> None:
    """What is metered is billed in full for the month that is over, and counted from zero in the new one."""
    await demo.load(api.core)
    clock.move(days=16, hours=11, minutes=59, seconds=59)
    pulse = Pulse()
    await tick(api.core, pulse)
    assert (await search_costs(api))[-1] == {"month": "2024-03", "amount": "18399.99"}
    clock.move(seconds=1801)
    await tick(api.core, pulse)
    assert (await search_costs(api))[-2:] == [
        {"month": "2024-03", "amount": "18400"},
        {"month": "2024-04", "amount": "12.78"},
    ]


@pytest.mark.parametrize(("workers", "runs"), [("on", True), ("off", False)])
async def test_the_server_runs_extra_workers(database: Database, settings: Settings, workers: str, runs: bool) -> None:
    """Beside its own, at the instant of its clock; not where workers are turned off."""
    seen: asyncio.Queue[object] = asyncio.Queue()

    async def extra(_context: WorkerContext, now: object) -> int:
        seen.put_nowait(now)
        return 0

    app = build(replace(settings, workers=workers), TestClock(), extra_workers={"extra": extra})
    async with app.router.lifespan_context(app):
        if runs:
            assert await asyncio.wait_for(seen.get(), timeout=LONG_ENOUGH_SECONDS) == START
    assert runs or seen.empty()


async def storefront_deployments(api: Api) -> int:
    """How many deployments the storefront ever had."""
    data = await api.data('{ service(name: "storefront") { deployments { totalCount } } }')
    count: int = data["service"]["deployments"]["totalCount"]
    return count


async def slow_probes(api: Api) -> list[tuple[str, str | None, int | None]]:
    """The newest alerts of the pulse: status, name, and the number of the incident."""
    document = f"""{{ alerts(filter: {{sources: ["{ALERT_SOURCE}"]}}) {{
        nodes {{ status labels incident {{ number }} }} }} }}"""
    nodes = (await api.data(document))["alerts"]["nodes"]
    return [(n["status"], n["labels"].get("alertname"), (n["incident"] or {}).get("number")) for n in nodes]


async def search_costs(api: Api) -> list[dict[str, str]]:
    """The months of the search."""
    data = await api.data('{ service(name: "search") { cost { entries { month amount } } } }')
    entries: list[dict[str, str]] = data["service"]["cost"]["entries"]
    return entries
