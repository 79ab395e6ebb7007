"""Reading incidents costs what is read, however many are over: counted by the database itself."""

from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import insert, text

from opsgraph.domains.access import commands as access
from opsgraph.domains.access.model import UserInput
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import TeamInput
from opsgraph.domains.catalog.queries.services import services_by_name
from opsgraph.domains.incidents.commands.notes import annotate
from opsgraph.domains.incidents.model import IncidentFilter, IncidentOrder, IncidentStatus
from opsgraph.domains.incidents.queries import figures, pages, timelines
from opsgraph.domains.incidents.queries.incidents import find_incident
from opsgraph.domains.incidents.tables import incidents, timeline
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.ids import uuid7
from opsgraph.kernel.pages import LARGEST_SIZE, PageRequest
from opsgraph.storage.database import Database
from tests.support.catalog import make_service
from tests.support.clock import START
from tests.support.incidents import make_incident
from tests.support.plans import Read, effort
from tests.support.rows import ROWS

OVER = 5_000
FEW = PageRequest(size=5)
LAST = PageRequest(size=5, backwards=True)
MOST = 1_500
"""A read that walks through everything that is over visits more rows, or takes more steps, than this."""

LONG_AGO = START - timedelta(days=90)


def found_by(order: IncidentOrder = IncidentOrder.NEWEST, **values: object) -> Read:
    """Read the first page that a filter finds."""
    wanted = IncidentFilter(**values)  # type: ignore[arg-type]  # the values are those of its fields
    return lambda session: pages.incidents_page(session, wanted, FEW, order)


def reads(api: UUID, other: UUID, first: UUID, long: UUID) -> dict[str, Read]:
    """What is asked of incidents, with the ids of two services and of two incidents; the last ones have long lists."""
    since = START - timedelta(days=30)
    return {
        "the newest": found_by(),
        "the worst": found_by(IncidentOrder.SEVERITY),
        "open ones": found_by(statuses=(IncidentStatus.OPEN,)),
        "of one service": found_by(services=("api",)),
        "of a service that is not registered": found_by(services=("web",)),
        "of one team": found_by(teams=("platform",)),
        "of one assignee": found_by(assignees=("ana",)),
        "of late": found_by(since=START - timedelta(minutes=5)),
        "of long ago": found_by(until=START - timedelta(minutes=OVER)),
        "beneath a service": lambda s: pages.incidents_by_service(s, [api], FEW, IncidentFilter()),
        "beneath a service that had many": lambda s: pages.incidents_by_service(s, [other], FEW, IncidentFilter()),
        "beneath both": lambda s: pages.incidents_by_service(s, [api, other], FEW, IncidentFilter()),
        "the last ones beneath both": lambda s: pages.incidents_by_service(s, [api, other], LAST, IncidentFilter()),
        "how many beneath a service": lambda s: pages.count_by_service(s, [api], IncidentFilter()),
        "a timeline": lambda s: timelines.entries_by_incident(s, [first], FEW),
        "a long timeline": lambda s: timelines.entries_by_incident(s, [first, long], FEW),
        "one by number": lambda s: find_incident(s, 1),
        "what services come to": lambda s: figures.trouble_by_service(s, [api, other], since, START),
    }


@pytest.fixture
async def filled(database: Database) -> dict[str, Read]:
    """Five thousand incidents that were over long ago, one with a long timeline; older ones that are open."""
    async with database.transaction(SYSTEM, LONG_AGO - timedelta(minutes=OVER + 1)) as tx:
        await catalog.save_team(tx, TeamInput("platform"))
        api, other = await make_service(tx, team="platform"), await make_service(tx, "other")
        ana = (await access.save_user(tx, UserInput("Ana"))).value
        first = await make_incident(tx, service_id=api.id, assignee_id=ana.id)
        await annotate(tx, [first], "looked")
        await make_incident(tx, service_id=api.id)
        await make_incident(tx, "web")
        named = {"service_name": "other", "service_key": "other"}  # pragma: allowlist secret
        over = {**ROWS["incident"], **named, "service_id": other.id}
        over |= {"status": "RESOLVED", "resolved_at": LONG_AGO, "mttr_seconds": 60.0}
        times = [LONG_AGO - timedelta(minutes=number + 1) for number in range(OVER)]
        rows = [
            {**over, "id": uuid7(at), "number": 100 + place, "severity_rank": place % 5, "created_at": at}
            for place, at in enumerate(times)
        ]
        await tx.connection.execute(insert(incidents), rows)
        entry = {"type": "NOTED", "actor": "ana", "detail": "{}", "created_at": START}
        of = [*(row["id"] for row in rows), *[rows[0]["id"]] * OVER]
        await tx.connection.execute(insert(timeline), [{**entry, "incident_id": incident_id} for incident_id in of])
    async with database.engine.begin() as connection:
        await connection.execute(text("ANALYZE"))
    return reads(api.id, other.id, first.id, rows[0]["id"])


async def test_what_is_over_costs_nothing(database: Database, filled: dict[str, Read]) -> None:
    """Rows visited (PostgreSQL) or steps taken (SQLite)."""
    costs = {name: await effort(database, read) for name, read in filled.items()}
    assert {name: cost for name, cost in costs.items() if cost > MOST} == {}, costs


@pytest.mark.parametrize("order", IncidentOrder)
async def test_a_late_page_costs_what_the_first_one_costs(
    database: Database, filled: dict[str, Read], order: IncidentOrder
) -> None:
    """In each order, twenty pages on."""
    assert filled
    request = PageRequest(LARGEST_SIZE)
    async with database.reading() as session:
        for _ in range(20):
            page = await pages.incidents_page(session, IncidentFilter(), request, order)
            request = PageRequest(LARGEST_SIZE, after=page.keys[-1])

    async def late(session: object) -> object:
        return await pages.incidents_page(session, IncidentFilter(), PageRequest(5, after=request.after), order)  # type: ignore[arg-type]  # as `effort` gives it

    assert await effort(database, late) <= 2 * await effort(database, found_by(order))


async def test_a_late_page_beneath_a_service_costs_what_the_first_one_costs(
    database: Database, filled: dict[str, Read]
) -> None:
    """Twenty pages on, beside a service that has no such page."""
    async with database.reading() as session:
        names = await services_by_name(session, ["api", "other"])
        api, other = (names[name].id for name in ("api", "other"))
        request = PageRequest(LARGEST_SIZE)
        for _ in range(20):
            found = await pages.incidents_by_service(session, [other], request, IncidentFilter())
            request = PageRequest(LARGEST_SIZE, after=found[other].keys[-1])
    late = PageRequest(5, after=request.after)
    for page in (late, PageRequest(5, before=request.after, backwards=True)):
        read = partial(pages.incidents_by_service, ids=[api, other], request=page, wanted=IncidentFilter())
        assert await effort(database, read) <= 2 * await effort(database, filled["beneath both"])
