"""What goes on happening while the demonstration is served: decided by the instant alone, and never without bound.

A probe comes and goes, a meter runs, requests are reported, and now and then something is deployed, or an alert fires
and ends. Each is recorded once, however often it is asked for and by however many processes; events that are too old go
as they do everywhere.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

from opsgraph.domains.alerts.model import Action, AlertFilter, AlertReport, Severity
from opsgraph.domains.alerts.queries import pages as alert_pages
from opsgraph.domains.alerts.rules.absorbing import rounds
from opsgraph.domains.alerts.rules.fingerprints import scoped
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
from opsgraph.storage.idempotency import first_result
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.alerting import take
from opsgraph.workflows.correlating import Alerting
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

ALERT_EVERY = timedelta(minutes=4)
ALERT_LASTS = timedelta(seconds=90)
MOST_ALERTS = 200
"""After so many, none fires any more."""

ALERT_SOURCE = "demonstration"
_PLACES = ("Frankfurt", "Dublin", "Stockholm", "Madrid", "Warsaw")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FAILS_EVERY = 12


def beat_of(now: datetime) -> int:
    """The number of the beat that an instant lies in, counted from 1970-01-01T00:00Z."""
    return (now - _EPOCH) // BEAT


async def beat(tx: Tx, alerting: Alerting) -> None:
    """Record what happens at the instant of the transaction.

    Whoever plays with the demonstration may have renamed, archived or deleted what a step is about: then that step is
    left out.
    """
    for step in (_probe, _meter, _report, _deploy, partial(_alert, alerting=alerting)):
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


async def _alert(tx: Tx, alerting: Alerting) -> None:
    """Let an alert fire once in a while and end soon after, until there were enough."""
    turn, age = divmod(tx.now - _EPOCH, ALERT_EVERY)
    fingerprint = scoped(ALERT_SOURCE, str(turn))
    if age >= ALERT_LASTS:
        await take(tx, rounds([_slow_probe(turn, fingerprint, Action.RESOLVE)])[0], alerting)
        return
    count = await alert_pages.count_alerts(tx.connection, AlertFilter(sources=(ALERT_SOURCE,)))
    key = f"{ALERT_SOURCE} {turn}"
    if count < MOST_ALERTS and await first_result(tx, "alert", key, {}, tx.new_id()) is None:
        await take(tx, rounds([_slow_probe(turn, fingerprint, Action.FIRE)])[0], alerting)


def _slow_probe(turn: int, fingerprint: str, action: Action) -> AlertReport:
    place = _PLACES[turn % len(_PLACES)]
    return AlertReport(
        fingerprint=fingerprint,
        service=PROBE.service,
        severity=Severity.LOW,
        message=f"The scripted customer in {place} waits {4 + turn % 7} s for a mug",
        source=ALERT_SOURCE,
        reporter=f"integration:{ALERT_SOURCE}",
        action=action,
        labels={"alertname": "SlowProbe", "service": PROBE.service, "place": place},
    )
