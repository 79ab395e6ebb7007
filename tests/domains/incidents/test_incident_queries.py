"""Pages of incidents in each order and by each condition; notes and timelines beside them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from opsgraph.domains.access import commands as access
from opsgraph.domains.access.model import UserInput
from opsgraph.domains.alerts.model import Severity
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import Home, TeamInput
from opsgraph.domains.catalog.queries import homes
from opsgraph.domains.incidents.commands.notes import annotate
from opsgraph.domains.incidents.model import Incident, IncidentFilter, IncidentOrder, IncidentStatus
from opsgraph.domains.incidents.queries import notes, pages, timelines
from opsgraph.domains.incidents.queries.incidents import find_incident, incident_of, incidents_by_number
from opsgraph.domains.incidents.rules import filtering
from opsgraph.kernel.actor import LOCAL
from opsgraph.kernel.pages import Key, PageRequest
from opsgraph.kernel.refusals import Invalid
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx
from tests.support.catalog import make_service
from tests.support.clock import START
from tests.support.incidents import make_incident

MINUTE = timedelta(minutes=1)

FILTERS: dict[str, tuple[IncidentFilter, str]] = {
    "nothing": (IncidentFilter(), "abcde"),
    "statuses": (IncidentFilter(statuses=(IncidentStatus.OPEN, IncidentStatus.RESOLVED)), "acde"),
    "no status": (IncidentFilter(statuses=()), ""),
    "severities": (IncidentFilter(severities=(Severity.CRITICAL,)), "be"),
    "services, as they are called now": (IncidentFilter(services=("PAYMENTS",)), "ab"),
    "services, as they were called then": (IncidentFilter(services=("api",)), ""),
    "no service": (IncidentFilter(services=()), ""),
    "services that nobody registered": (IncidentFilter(services=("Ödeme", "none", "payments")), "abce"),
    "teams": (IncidentFilter(teams=("fintech", "no such team")), "ab"),
    "since, included": (IncidentFilter(since=START + 2 * MINUTE), "cde"),
    "until, not included": (IncidentFilter(until=START + 2 * MINUTE), "ab"),
    "before there were clocks": (IncidentFilter(since=START.replace(year=1), until=START.replace(year=1960)), ""),
    "assignees": (IncidentFilter(assignees=("ANA",)), "bd"),
    "nobody's": (IncidentFilter(unassigned=True), "ace"),
    "somebody's": (IncidentFilter(unassigned=False), "bd"),
    "snoozed": (IncidentFilter(snoozed=True), ""),
    "not snoozed": (IncidentFilter(snoozed=False), "abcde"),
    "text of the title": (IncidentFilter(search="SLOW_"), "d"),
    "text of the service": (IncidentFilter(search="ödem"), "ce"),
    "everything at once": (
        IncidentFilter(
            statuses=(IncidentStatus.ACKNOWLEDGED,),
            severities=(Severity.CRITICAL, Severity.LOW),
            services=("payments",),
            teams=("fintech",),
            assignees=("ana",),
            since=START,
            until=START + timedelta(hours=1),
            unassigned=False,
            search="trouble",
        ),
        "b",
    ),
}
"""A filter by what it asks for, and which of the incidents it finds."""


@pytest.fixture
async def made(database: Database) -> dict[str, Incident]:
    """Five incidents, a minute apart: of a service that was renamed since, of one that nobody knows, and of another."""
    found: dict[str, Incident] = {}
    async with database.transaction(LOCAL, START) as tx:
        await catalog.save_team(tx, TeamInput("Fintech"))
        api = await make_service(tx, "api", team="Fintech")
        other = await make_service(tx, "other")
        ana = (await access.save_user(tx, UserInput("Ana"))).value
    values: dict[str, dict[str, Any]] = {
        "a": {"service": "api", "service_id": api.id},
        "b": {
            "service": "api",
            "service_id": api.id,
            "severity": Severity.CRITICAL,
            "status": "ACKNOWLEDGED",
            "assignee_id": ana.id,
        },
        "c": {"service": "ödeme"},
        "d": {
            "service": "other",
            "service_id": other.id,
            "assignee_id": ana.id,
            "title": "It is slow_",
            "status": "RESOLVED",
            "resolved_at": START,
        },
        "e": {"service": "ÖDEME", "severity": Severity.CRITICAL},
    }
    for minutes, (name, row) in enumerate(values.items()):
        async with database.transaction(LOCAL, START + minutes * MINUTE) as tx:
            found[name] = await make_incident(tx, **row)
    async with database.transaction(LOCAL, START) as tx:
        await catalog.rename_service(tx, "api", "payments")
    return found


async def names(
    database: Database,
    made: dict[str, Incident],
    wanted: IncidentFilter,
    order: IncidentOrder = IncidentOrder.OLDEST,
) -> str:
    """Which incidents a filter finds, page by page, in an order."""
    by_id = {incident.id: name for name, incident in made.items()}
    found, request = "", PageRequest(2)
    async with database.reading() as session:
        while True:
            page = await pages.incidents_page(session, wanted, request, order)
            found += "".join(by_id[row.id] for row in page.rows)
            if not page.has_next:
                assert await pages.count_incidents(session, wanted) == len(found)
                return found
            request = PageRequest(2, after=page.keys[-1])


@pytest.mark.parametrize("asked", FILTERS)
async def test_each_condition(database: Database, made: dict[str, Incident], asked: str) -> None:
    """What the database finds is what the rule decides about each incident by itself."""
    wanted, expected = FILTERS[asked]
    assert await names(database, made, wanted) == expected
    async with database.reading() as session:
        known = await homes.homes_by_id(session, {i.service_id for i in made.values() if i.service_id})
    assert "".join(name for name, i in made.items() if _matches(wanted, i, known)) == expected


def _matches(wanted: IncidentFilter, incident: Incident, known: dict[UUID, Home]) -> bool:
    home = known.get(incident.service_id) if incident.service_id and filtering.needs_home(wanted) else None
    assignee = "Ana" if incident.assignee_id and filtering.needs_assignee(wanted) else None
    return filtering.matches(wanted, incident, home, assignee)


@pytest.mark.parametrize(
    ("order", "expected"),
    [(IncidentOrder.NEWEST, "edcba"), (IncidentOrder.OLDEST, "abcde"), (IncidentOrder.SEVERITY, "ebdca")],
)
async def test_each_order(database: Database, made: dict[str, Incident], order: IncidentOrder, expected: str) -> None:
    """The newest first; the oldest first; the worst first and of these the newest first."""
    assert await names(database, made, IncidentFilter(), order) == expected


async def test_incidents_of_services(database: Database, made: dict[str, Incident]) -> None:
    """Each service has its own, newest first, narrowed by the same filter; what nobody registered is nobody's."""
    ids = [service_id for service_id in (made["a"].service_id, made["d"].service_id) if service_id is not None]
    wanted = IncidentFilter(unassigned=False)
    async with database.reading() as session:
        all_pages = await pages.incidents_by_service(session, ids, PageRequest(5), IncidentFilter())
        counts = await pages.count_by_service(session, ids, wanted)
    of_api = [incident_of(row) for row in all_pages[ids[0]].rows]
    assert of_api == [made["b"], made["a"]]
    assert counts == {ids[0]: 1, ids[1]: 1}


async def test_an_incident_is_found_by_number_or_id(database: Database, made: dict[str, Incident]) -> None:
    """A number or an id of nothing finds nothing."""
    a = made["a"]
    async with database.reading() as session:
        assert await find_incident(session, a.number) == a
        assert await find_incident(session, a.id) == a
        assert await find_incident(session, UUID(int=9)) is None
        assert await find_incident(session, -1) is None
        assert await incidents_by_number(session, [a.number, 999_999]) == {a.number: a}


async def test_timelines_go_on_beyond_what_fits_into_32_bits(database: Database, made: dict[str, Incident]) -> None:
    """Entries of all incidents are counted up for years; no number of theirs is too large for a cursor."""
    async with database.reading() as session:
        for place in (2**31, 2**63 - 1):
            assert await timelines.entries_by_incident(session, [made["a"].id], PageRequest(5, after=(place,))) == {}
        keys: list[Key] = [(2**63,), (-(2**63) - 1,), ("1",), (True,), (1.5,)]
        for key in keys:
            with pytest.raises(Invalid):
                await timelines.entries_by_incident(session, [made["a"].id], PageRequest(5, after=key))


async def test_notes_and_timelines_are_read_oldest_first(database: Database, made: dict[str, Incident]) -> None:
    """Each incident has its own; pages of several are one statement."""
    for minutes in range(3):
        async with database.transaction(LOCAL, START + minutes * MINUTE) as tx:
            await _annotate(tx, made["a"], f"note {minutes}")
    async with database.reading() as session:
        ids = [made["a"].id, made["b"].id]
        noted = await notes.notes_by_incident(session, ids, PageRequest(2))
        told = await timelines.entries_by_incident(session, ids, PageRequest(5))
        assert await notes.count_notes(session, ids) == {made["a"].id: 3}
        assert await timelines.count_entries(session, ids) == {made["a"].id: 3}
        entries = [timelines.entry_of(row) for row in told[made["a"].id].rows]
        by_id = await timelines.entries_by_id(session, [entries[0].id, 2**62])
        first = notes.note_of(noted[made["a"].id].rows[0])
        assert await notes.notes_by_id(session, [first.id, UUID(int=3)]) == {first.id: first}
    assert [row.content for row in noted[made["a"].id].rows] == ["note 0", "note 1"]
    assert noted[made["a"].id].has_next
    assert [entry.detail["content"] for entry in entries] == ["note 0", "note 1", "note 2"]
    assert by_id == {entries[0].id: entries[0]}
    assert first.author == "local"


async def _annotate(tx: Tx, incident: Incident, content: str) -> None:
    await annotate(tx, [incident], content)
