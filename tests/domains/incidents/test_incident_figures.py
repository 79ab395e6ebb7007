"""Counts, means and medians of incidents, against the same reckoned in Python."""

from collections import Counter
from datetime import datetime, timedelta
from random import Random
from statistics import fmean, median
from typing import Any
from uuid import UUID

import pytest

from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.incidents.model import (
    Incident,
    IncidentFilter,
    IncidentStats,
    IncidentStatus,
    Spread,
    Trouble,
)
from opsgraph.domains.incidents.queries import figures
from opsgraph.kernel.actor import LOCAL
from opsgraph.storage.database import Database
from tests.support.catalog import make_service
from tests.support.clock import START
from tests.support.incidents import make_incident
from tests.support.statements import statements

SINCE = START - timedelta(days=30)


async def make_some(database: Database, service: str, how_many: int, chance: Random) -> list[Incident]:
    """Incidents of a service that began and ended by chance within sixty days."""
    async with database.transaction(LOCAL, START) as tx:
        service_id = (await make_service(tx, service)).id
    made = []
    for _ in range(how_many):
        created = START - timedelta(seconds=chance.uniform(0, 60 * 86_400))
        mtta = timedelta(seconds=chance.uniform(0, 3_600))
        mttr = mtta + timedelta(seconds=chance.uniform(0, 20 * 86_400))
        ended = created + mttr <= START
        values: dict[str, Any] = {
            "severity": chance.choice(list(Severity)),
            "status": "RESOLVED" if ended else chance.choice(["OPEN", "ACKNOWLEDGED", "IN_PROGRESS"]),
            "resolved_at": created + mttr if ended else None,
            "mtta_seconds": mtta.total_seconds() if ended or chance.random() < 0.5 else None,
            "mttr_seconds": mttr.total_seconds() if ended else None,
        }
        async with database.transaction(LOCAL, created) as tx:
            made.append(await make_incident(tx, service, service_id=service_id, **values))
    return made


def spread(values: list[float | None]) -> Spread:
    """Mean and median of what there is."""
    known = [value for value in values if value is not None]
    return Spread(about(fmean(known)), about(median(known))) if known else Spread()


def about(value: float) -> Any:
    """Equal to a microsecond."""
    return pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("how_many", [0, 1, 2, 3, 30, 31])
async def test_stats_are_what_python_reckons(database: Database, how_many: int) -> None:
    """Of an odd and an even number; those of other services and of other times are left out. Three statements."""
    chance = Random(how_many)  # noqa: S311 - it has to be repeatable
    made = await make_some(database, "api", how_many, chance)
    await make_some(database, "other", 3, chance)
    wanted = IncidentFilter(services=("api",), since=SINCE)
    async with database.reading() as session:
        with statements(database) as seen:
            found = await figures.stats(session, wanted)
    of_window = [incident for incident in made if incident.created_at >= SINCE]
    statuses, severities = Counter(i.status for i in of_window), Counter(i.severity for i in of_window)
    assert found == IncidentStats(
        {status: statuses[status] for status in IncidentStatus},
        {severity: severities[severity] for severity in Severity},
        spread([i.mtta_seconds for i in of_window]),
        spread([i.mttr_seconds for i in of_window]),
    )
    assert found.total == len(of_window)
    assert len([statement for statement in seen if "incident" in statement]) == 3


async def test_trouble_is_what_python_reckons(database: Database) -> None:
    """For each service that ever had an incident, in one statement; to the microsecond on both databases."""
    chance = Random(5)  # noqa: S311 - it has to be repeatable
    made = {name: await make_some(database, name, 25, chance) for name in ("api", "web")}
    async with database.transaction(LOCAL, START) as tx:
        calm = (await make_service(tx, "calm")).id
    ids = {name: incidents[0].service_id for name, incidents in made.items()}
    async with database.reading() as session:
        with statements(database) as seen:
            wanted = [id_ for id_ in (*ids.values(), calm, UUID(int=1)) if id_ is not None]
            found = await figures.trouble_by_service(session, wanted, SINCE, START)
    assert found == {ids[name]: trouble(incidents, START) for name, incidents in made.items()}
    assert len([statement for statement in seen if "incident" in statement]) == 1


def trouble(incidents: list[Incident], now: datetime) -> Trouble:
    """The same in Python."""
    resolved = [i.mttr_seconds for i in incidents if i.resolved_at and i.resolved_at > SINCE and i.mttr_seconds]
    ages = [(now - i.created_at).total_seconds() for i in incidents if i.resolved_at is None]
    return Trouble(
        incidents=sum(i.created_at > SINCE for i in incidents),
        resolved=len(resolved),
        mttr_seconds=about(fmean(resolved)) if resolved else 0.0,
        unresolved=len(ages),
        age_seconds=about(fmean(ages)) if ages else 0.0,
    )


async def test_a_service_whose_incidents_are_long_past_is_calm(database: Database) -> None:
    """It had one, so it is known that there was none in the window; an age is never negative."""
    async with database.transaction(LOCAL, START - timedelta(days=90)) as tx:
        service_id = (await make_service(tx)).id
        long_ago = START - timedelta(days=80)
        await make_incident(tx, service_id=service_id, status="RESOLVED", resolved_at=long_ago, mttr_seconds=864_000)
    async with database.reading() as session:
        assert await figures.trouble_by_service(session, [service_id], SINCE, START) == {service_id: Trouble()}
    async with database.transaction(LOCAL, START + timedelta(minutes=1)) as tx:
        await make_incident(tx, service_id=service_id)
    async with database.reading() as session:
        found = await figures.trouble_by_service(session, [service_id], SINCE, START)
    assert found == {service_id: Trouble(incidents=1, unresolved=1)}
