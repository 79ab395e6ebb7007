"""What goes on happening while the demonstration is served: decided by the instant alone, and never without bound.

A probe comes and goes, a meter runs, requests are reported, and now and then something is deployed. Each is recorded
once, however often it is asked for and by however many processes; events that are too old go as they do everywhere.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random

from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import DeploymentInput
from opsgraph.domains.catalog.queries import deployments as catalog_deployments
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.cost import commands as cost
from opsgraph.domains.slo import commands as slo
from opsgraph.domains.slo import queries as slos
from opsgraph.domains.slo.model import SloEventsInput, SloInput
from opsgraph.kernel.refusals import Refusal
from opsgraph.kernel.windows import minute_of
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.demo import history
from opsgraph.workflows.demo.discovery import SEARCH_LATENCY, SEARCH_MONTHLY
from opsgraph.workflows.demo.storefront import PROBE, PROBE_MET, PROBE_MISSED

BEAT = timedelta(seconds=3)
"""How often something changes."""

BEATS_A_SIDE = 2
"""How many beats the probe meets its target, then misses it."""

DEPLOY_EVERY = timedelta(minutes=5)
MOST_DEPLOYMENTS = 200
"""After so many, the service that is deployed now and then is left as it is."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FAILS_EVERY = 12


def beat_of(now: datetime) -> int:
    """The number of the beat that an instant lies in, counted from 1970-01-01T00:00Z."""
    return (now - _EPOCH) // BEAT


async def beat(tx: Tx) -> None:
    """Record what happens at the instant of the transaction.

    Whoever plays with the demonstration may have renamed, archived or deleted what a step is about: then that step is
    left out.
    """
    for step in (_probe, _meter, _report, _deploy):
        with suppress(Refusal):
            async with tx.savepoint():
                await step(tx)


async def _probe(tx: Tx) -> None:
    met = beat_of(tx.now) // BEATS_A_SIDE % 2 == 0
    await slo.save_slo(tx, SloInput(PROBE.service, PROBE.name, current=PROBE_MET if met else PROBE_MISSED))


async def _meter(tx: Tx) -> None:
    for month in history.metered(SEARCH_LATENCY.service, SEARCH_MONTHLY, tx.now):
        await cost.record_cost(tx, month, default_currency="USD")


async def _report(tx: Tx) -> None:
    """Report this minute's requests, unless that was done."""
    service = await catalog_services.require_service(tx.connection, SEARCH_LATENCY.service)
    found = await slos.slo_by_name(tx.connection, service.id, SEARCH_LATENCY.name)
    minute = minute_of(tx.now)
    if found is None or await slos.minutes_between(tx.connection, found.id, range(minute, minute + 1)):
        return
    chance = Random(minute)  # noqa: S311 - made-up traffic is no secret
    total = chance.randrange(450, 750)
    good = total - round(total * chance.uniform(0.002, 0.01))
    await slo.record_slo_events(tx, SloEventsInput(service.name, found.name, good, total))


async def _deploy(tx: Tx) -> None:
    """Deploy once in a while, now and then in vain, until there is enough of it."""
    service = await catalog_services.require_service(tx.connection, PROBE.service)
    counts = await catalog_deployments.count_deployments(tx.connection, [service.id])
    if counts.get(service.id, 0) >= MOST_DEPLOYMENTS:
        return
    turn = (tx.now - _EPOCH) // DEPLOY_EVERY
    begun = _EPOCH + turn * DEPLOY_EVERY
    wanted = DeploymentInput(
        service.name,
        f"{begun:%Y.%m.%d-%H%M}",
        deployed_at=begun,
        committed_at=begun - timedelta(minutes=40 + turn % 90),
        failed=turn % _FAILS_EVERY == 0,
        rework=turn % _FAILS_EVERY == 1,
        idempotency_key=f"demonstration {turn}",
    )
    await catalog.record_deployment(tx, wanted)
