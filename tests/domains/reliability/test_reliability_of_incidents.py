"""How incidents make a service's reliability: what is measured, on what it rests, and how many samples it has."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from opsgraph.domains.incidents.model import Trouble
from opsgraph.domains.reliability import commands, queries, rules
from opsgraph.domains.reliability.model import WINDOW, Basis, ReliabilityInput, Sample
from opsgraph.kernel.actor import LOCAL
from opsgraph.storage.database import Database
from tests.support.catalog import make_service
from tests.support.clock import START
from tests.support.incidents import make_incident

MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("trouble", "mttr", "incidents"),
    [
        (None, None, None),
        (Trouble(), Sample(0.0, 0), Sample(0, 0)),
        (Trouble(incidents=3, resolved=2, mttr_seconds=480.0), Sample(8.0, 2), Sample(3, 3)),
        (Trouble(resolved=1, mttr_seconds=60.0, unresolved=5, age_seconds=999.0), Sample(1.0, 1), Sample(0, 0)),
        (Trouble(incidents=1, unresolved=2, age_seconds=90.0), Sample(1.5, 2), Sample(1, 1)),
    ],
    ids=["never had one", "none of late", "resolved ones", "resolved ones beside open ones", "open ones alone"],
)
def test_what_incidents_come_to(trouble: Trouble | None, mttr: Sample | None, incidents: Sample | None) -> None:
    """Minutes to repair of what was resolved; else the age of what is open; else 0. Nothing if there never was one."""
    measured = rules.measured((), trouble)
    assert (measured.mttr_minutes, measured.incidents_30d) == (mttr, incidents)


async def reliability(database: Database, now: datetime) -> tuple[dict[str, Any], float | None, int | None]:
    """On what the two parts rest with their sample sizes, minutes to repair and incidents, of the service `api`."""
    async with database.transaction(LOCAL, now) as tx:
        service_id = (await make_service(tx)).id
    async with database.reading() as session:
        found = (await queries.reliability_by_service(session, [service_id], now))[service_id]
    parts = {part.name: (part.basis, part.sample_size) for part in found.parts if part.name in {"mttr", "incidents"}}
    return parts, found.mttr_minutes, found.incidents_30d


async def begin(database: Database, at: datetime, minutes: float | None = None) -> None:
    """An incident of `api` that began at an instant and was resolved after so many minutes, if it was."""
    values: dict[str, Any] = {}
    if minutes is not None:
        resolved_at = at + timedelta(minutes=minutes)
        values = {"status": "RESOLVED", "resolved_at": resolved_at, "mttr_seconds": minutes * 60}
    async with database.transaction(LOCAL, at) as tx:
        await make_incident(tx, service_id=(await make_service(tx)).id, **values)


async def test_what_was_declared_counts_until_there_is_an_incident(database: Database) -> None:
    """From then on it is measured, for good, even where the window holds none."""
    async with database.transaction(LOCAL, START) as tx:
        await make_service(tx)
        await commands.declare(tx, ReliabilityInput("api", mttr_minutes=25, incidents_30d=3))
    declared = {"mttr": (Basis.DECLARED, 0), "incidents": (Basis.DECLARED, 0)}
    assert await reliability(database, START) == (declared, 25, 3)
    await begin(database, START, minutes=10)
    measured = {"mttr": (Basis.MEASURED, 1), "incidents": (Basis.MEASURED, 1)}
    assert await reliability(database, START) == (measured, 10.0, 1)
    nothing = {"mttr": (Basis.MEASURED, 0), "incidents": (Basis.MEASURED, 0)}
    assert await reliability(database, START + timedelta(days=90)) == (nothing, 0.0, 0)


async def test_the_window_by_the_microsecond(database: Database) -> None:
    """An incident counts while it began within 30 days, its repair while it was resolved within them."""
    await begin(database, START, minutes=60)
    await begin(database, START + timedelta(days=1), minutes=0)
    leaves = START + WINDOW
    found = {
        instant: (await reliability(database, instant))[1:]
        for instant in (leaves - MOMENT, leaves, leaves + timedelta(hours=1) - MOMENT, leaves + timedelta(hours=1))
    }
    assert list(found.values()) == [(30.0, 2), (30.0, 1), (30.0, 1), (0.0, 1)]


async def test_what_stays_open_gets_older(database: Database) -> None:
    """While nothing was resolved, the age of what is open counts, however long ago it began."""
    await begin(database, START)
    await begin(database, START + timedelta(minutes=2))
    parts, minutes, count = await reliability(database, START + timedelta(minutes=4))
    assert (parts["mttr"], minutes, count) == ((Basis.MEASURED, 2), 3.0, 2)
    parts, minutes, count = await reliability(database, START + timedelta(days=60))
    assert (parts["mttr"], minutes, count) == ((Basis.MEASURED, 2), 60 * 24 * 60 - 1.0, 0)
    await begin(database, START + timedelta(days=60), minutes=7)
    assert (await reliability(database, START + timedelta(days=60)))[1] == 7.0
