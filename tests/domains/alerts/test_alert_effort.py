"""Reading alerts costs what is read, however many have ended: counted by the database itself."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert, text

from opsgraph.domains.alerts.model import AlertFilter, AlertStatus
from opsgraph.domains.alerts.queries import ongoing, pages
from opsgraph.domains.alerts.tables import alerts
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.ids import uuid7
from opsgraph.kernel.pages import PageRequest
from opsgraph.storage.database import Database
from tests.support.alerts import ended, make_alert
from tests.support.catalog import make_service
from tests.support.clock import START, TestClock
from tests.support.incidents import make_incident
from tests.support.plans import Read, effort
from tests.support.rows import ROWS

ENDED = 5_000
FEW = PageRequest(size=5)
LAST = PageRequest(size=5, backwards=True)
MOST = 1_000
"""A read that walks through everything that has ended visits more rows, or takes more steps, than this."""


def reads(api: UUID, other: UUID, first: UUID, long: UUID) -> dict[str, Read]:
    """What is asked of alerts, with the ids of two services and of two incidents; the second ones have had many."""
    return {
        "what fires": lambda s: pages.alerts_page(s, AlertFilter(statuses=(AlertStatus.FIRING,)), FEW),
        "how many fire": lambda s: pages.count_alerts(s, AlertFilter(statuses=(AlertStatus.FIRING,))),
        "of one service": lambda s: pages.alerts_page(s, AlertFilter(services=("api",)), FEW),
        "of a service that is not registered": lambda s: pages.alerts_page(s, AlertFilter(services=("web",)), FEW),
        "of late": lambda s: pages.count_alerts(s, AlertFilter(since=START - timedelta(minutes=5))),
        "of long ago": lambda s: pages.count_alerts(s, AlertFilter(until=START - timedelta(minutes=ENDED))),
        "the newest": lambda s: pages.newest_alerts(s, 5),
        "firing, one after the other": lambda s: ongoing.firing_alerts(s, 5),
        "silenced": lambda s: ongoing.firing_silenced(s, 5),
        "beneath a service": lambda s: pages.alerts_by_service(s, [api], FEW, AlertFilter()),
        "beneath a service that had many": lambda s: pages.alerts_by_service(s, [other], FEW, AlertFilter()),
        "beneath both": lambda s: pages.alerts_by_service(s, [api, other], FEW, AlertFilter()),
        "the last ones beneath both": lambda s: pages.alerts_by_service(s, [api, other], LAST, AlertFilter()),
        "of an incident": lambda s: pages.alerts_by_incident(s, [first], FEW),
        "of an incident that had many": lambda s: pages.alerts_by_incident(s, [long], FEW),
        "of both": lambda s: pages.alerts_by_incident(s, [first, long], FEW),
    }


@pytest.fixture
async def filled(database: Database, clock: TestClock) -> dict[str, Read]:
    """Five thousand alerts that have ended, and three that fire and are older than all of them."""
    async with database.transaction(SYSTEM, clock.now() - timedelta(minutes=ENDED + 1)) as tx:
        api, other = await make_service(tx), await make_service(tx, "other")
        first, long = await make_incident(tx, service_id=api.id), await make_incident(tx, "other", service_id=other.id)
        named = {"service_name": "other", "service_key": "other"}  # pragma: allowlist secret
        over = {**ROWS["alert"], **ended(), **named, "service_id": other.id, "incident_id": long.id}
        times = [START - timedelta(minutes=number + 1) for number in range(ENDED)]
        rows = [{**over, "id": uuid7(at), "fingerprint": str(at), "first_seen_at": at} for at in times]
        await tx.connection.execute(insert(alerts), rows)
        await make_alert(tx, service_id=api.id, incident_id=first.id)
        await make_alert(tx, service_id=api.id, silenced=True)
        await make_alert(tx, "web")
    async with database.engine.begin() as connection:
        await connection.execute(text("ANALYZE"))
    return reads(api.id, other.id, first.id, long.id)


async def test_what_has_ended_costs_nothing(database: Database, filled: dict[str, Read]) -> None:
    """Rows visited (PostgreSQL) or steps taken (SQLite)."""
    costs = {name: await effort(database, read) for name, read in filled.items()}
    assert {name: cost for name, cost in costs.items() if cost > MOST} == {}, costs
