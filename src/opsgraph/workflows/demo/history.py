"""What happened up to an instant, made from the descriptions of the demonstration by seeded chance.

Pure: the same descriptions, chance and instant give the same history.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from opsgraph.domains.catalog.model import DeploymentInput
from opsgraph.domains.cost.model import CostInput
from opsgraph.domains.slo.model import SloEventsInput, SloInput
from opsgraph.kernel.money import to_cents
from opsgraph.workflows.demo.model import Invoice, Releases, Traffic

DEPLOYED_OVER = timedelta(days=40)
"""How far back deployments go: further than the 30 days that reliability looks at."""

METER = "metered"
"""The origin of metered costs."""

_OUTAGE_BAD = 0.07
_REPAIR_LEAD = timedelta(minutes=15)


def reports(slo: SloInput, traffic: Traffic, now: datetime, chance: Random) -> Iterable[SloEventsInput]:
    """What was reported to an SLO, oldest first; the last report is of this minute."""
    for ago in reversed(range(traffic.reports)):
        outage = traffic.outage_every and ago % traffic.outage_every == 0
        total = round(traffic.total * chance.uniform(0.7, 1.3))
        bad = round(total * (_OUTAGE_BAD if outage else traffic.bad) * chance.uniform(0.5, 1.5))
        yield SloEventsInput(slo.service, slo.name, total - bad, total, now - ago * traffic.every)


def deployments(service: str, releases: Releases, now: datetime, chance: Random) -> Iterable[DeploymentInput]:
    """The deployments of a service, oldest first; a failed one is followed by its repair within two hours."""
    for number in range(releases.count):
        at = _within_slot(number, releases.count, now, chance)
        failed = number in releases.failed
        yield _deployment(service, releases, f"{number}.0", at, chance, failed=failed)
        if failed:
            repaired = at + timedelta(minutes=chance.randrange(20, 110))
            yield _deployment(service, releases, f"{number}.1", repaired, chance, rework=True)


def costs(service: str, invoices: Iterable[Invoice], now: datetime, chance: Random) -> Iterable[CostInput]:
    """What was billed for a service, with some cents."""
    for invoice in invoices:
        amount = invoice.amount + Decimal(chance.randrange(100)) / 100
        month = f"{month_before(now, invoice.months_ago):%Y-%m}"
        yield CostInput(service, month, amount, invoice.currency, origin=invoice.origin)


def metered(service: str, monthly: Decimal, now: datetime) -> tuple[CostInput, CostInput]:
    """What a metered service cost in USD last month, and in the current one up to now."""
    begun, last = month_before(now, 0), month_before(now, 1)
    following = month_before(begun + timedelta(days=31), 0)
    used = Decimal((now - begun) // timedelta(seconds=1)) / Decimal((following - begun) // timedelta(seconds=1))
    amounts = ((last, monthly), (begun, to_cents(monthly * used)))
    before, current = (CostInput(service, f"{m:%Y-%m}", amount, "USD", origin=METER) for m, amount in amounts)
    return before, current


def month_before(now: datetime, months: int) -> datetime:
    """The first instant of the month (UTC) so many months ago; 0 is the current one."""
    month = now.year * 12 + now.month - 1 - months
    return now.replace(year=month // 12, month=month % 12 + 1, day=1, hour=0, minute=0, second=0, microsecond=0)


def _within_slot(number: int, count: int, now: datetime, chance: Random) -> datetime:
    """Some second within one of so many equal parts of the time that deployments go back, but not near its end."""
    slot = DEPLOYED_OVER / count
    begun = now - DEPLOYED_OVER + number * slot
    return (begun + slot * chance.uniform(0.0, 0.8)).replace(microsecond=0)


def _deployment(
    service: str,
    releases: Releases,
    version: str,
    at: datetime,
    chance: Random,
    *,
    failed: bool = False,
    rework: bool = False,
) -> DeploymentInput:
    lead = None if releases.lead is None else _REPAIR_LEAD if rework else releases.lead * chance.uniform(0.4, 1.8)
    return DeploymentInput(
        service,
        f"{releases.major}.{version}",
        deployed_at=at,
        committed_at=None if lead is None else (at - lead).replace(microsecond=0),
        failed=failed,
        rework=rework,
    )
