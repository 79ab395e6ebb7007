"""Filling a database with the demonstration's data: all of it by the domains' commands.

What happened and what is declared is one transaction. The services are judged by it, as they are everywhere, and what
people decided about a verdict comes after that.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.domains.access import commands as access
from opsgraph.domains.access import queries as known
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import ServiceFilter, ServiceInput
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.catalog.queries import teams as catalog_teams
from opsgraph.domains.cost import commands as cost
from opsgraph.domains.cost.model import Contribution
from opsgraph.domains.governance import commands as governance
from opsgraph.domains.governance.rules import KEYS
from opsgraph.domains.reliability import commands as reliability
from opsgraph.domains.slo import commands as slo
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.changes import UNSET
from opsgraph.kernel.refusals import Conflict
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.demo import company, history, people, replay
from opsgraph.workflows.demo.model import SampleService
from opsgraph.workflows.readiness.evaluating import Readiness

SEED = 42
"""The seed of the demonstration that people see."""

CATALOGUED_AGO = timedelta(days=120)
"""How long the services, their SLOs and their teams have been there, seen from the instant of loading."""

RETIRED_AGO = timedelta(days=21)


async def load(tx: Tx, seed: int = SEED) -> None:
    """Fill an empty database; the same seed and instant give the same data, and with the same random bits the same ids.

    What it holds is to be judged by `judge`.

    Raises:
        Conflict: the demonstration, or something else, is there already.
    """
    await _refuse_what_is_there(tx)
    earlier = replace(tx, now=tx.now - CATALOGUED_AGO)
    for sample in company.TEAMS:
        team = (await catalog.save_team(earlier, sample.team)).value
        members = [(await access.save_user(earlier, user)).value for user in sample.members]
        await catalog.add_members(earlier, team, members)
    await _enter_catalog(earlier)
    for service in company.SERVICES:
        await _fill(tx, service, Random(f"{seed} {service.service.name}"))  # noqa: S311 - made-up data is no secret
    await replay.happen(tx, Random(f"{seed} troubles"))  # noqa: S311 - likewise
    await people.declare(tx)
    await _enter_unallocated(tx, Random(f"{seed} unallocated"))  # noqa: S311 - likewise
    await _retire(replace(tx, now=tx.now - RETIRED_AGO))


async def judge(database: Database, readiness: Readiness, now: datetime) -> None:
    """Judge what was loaded at this instant, and let people decide otherwise where they do."""
    await readiness.tick(now)
    async with database.transaction(SYSTEM, now) as tx:
        await people.override(tx)


async def loaded_at(session: AsyncConnection) -> datetime | None:
    """When the demonstration was loaded into this database, to the millisecond; None where it was not."""
    service = await catalog_services.service_by_origin(session, _origin(company.SERVICES[0].service.name))
    if service is None:
        return None
    # A version 7 UUID begins with the milliseconds at which it was made (RFC 9562, section 5.7).
    return datetime.fromtimestamp((service.id.int >> 80) / 1000, UTC)


async def _refuse_what_is_there(tx: Tx) -> None:
    if await loaded_at(tx.connection):
        raise Conflict("the demonstration is already in this database")
    services = [
        await catalog_services.count_services(tx.connection, ServiceFilter(archived=old)) for old in (False, True)
    ]
    if any(services) or await catalog_teams.count_teams(tx.connection) or await known.count_users(tx.connection):
        raise Conflict("this database holds other data; the demonstration needs one of its own")


def _origin(service: str) -> str:
    return f"demonstration:{service}"


async def _enter_catalog(tx: Tx) -> None:
    for sample in company.SERVICES:
        alone = replace(sample.service, depends_on=UNSET, origin=_origin(sample.service.name))
        await catalog.save_service(tx, alone)
        for objective in sample.objectives:
            await slo.save_slo(tx, objective.slo)
    for sample in company.SERVICES:
        await catalog.save_service(tx, ServiceInput(sample.service.name, depends_on=sample.service.depends_on))


async def _fill(tx: Tx, sample: SampleService, chance: Random) -> None:
    """Record everything that happened to a service up to the instant of the transaction."""
    name = sample.service.name
    for objective in sample.objectives:
        for report in history.reports(objective.slo, objective.traffic, tx.now, chance) if objective.traffic else ():
            await slo.record_slo_events(tx, report)
    for deployment in history.deployments(name, sample.releases, tx.now, chance) if sample.releases else ():
        await catalog.record_deployment(tx, deployment)
    if sample.declared:
        await reliability.declare(tx, sample.declared)
    for key in KEYS if sample.lacks is not None else ():
        await governance.set_check(tx, name, key, key not in (sample.lacks or ()))
    await _enter_costs(tx, sample, chance)


async def _enter_costs(tx: Tx, sample: SampleService, chance: Random) -> None:
    name = sample.service.name
    usage = history.metered(name, sample.metered, tx.now) if sample.metered is not None else ()
    for month in (*sample.bills, *history.costs(name, sample.invoices, tx.now, chance), *usage):
        await cost.record_cost(tx, month, default_currency="USD")
    if sample.budget:
        await cost.set_budget(tx, name, sample.budget.amount, sample.budget.currency, default_currency="USD")


async def _enter_unallocated(tx: Tx, chance: Random) -> None:
    bills = list(history.costs("", company.UNALLOCATED, tx.now, chance))
    sums = [Contribution(None, bill.month, bill.currency or "USD", bill.origin, bill.amount) for bill in bills]
    await cost.replace_origins(tx, {bill.origin for bill in bills}, sums)


async def _retire(tx: Tx) -> None:
    for sample in company.SERVICES:
        if sample.retired:
            await catalog.archive_service(tx, sample.service.name)
