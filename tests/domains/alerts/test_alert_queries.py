"""Finding alerts: pages, counts and filters, on both databases; feeds decide the same about one alert."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsgraph.domains.alerts.model import AlertFilter, AlertStatus, ResolvedBy, Severity
from opsgraph.domains.alerts.queries import ongoing, pages
from opsgraph.domains.alerts.queries.alerts import alert_from, alert_of, alerts_by_id
from opsgraph.domains.alerts.rules.filtering import matches, needs_home
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import TeamInput
from opsgraph.domains.catalog.queries import homes
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.ids import uuid7
from opsgraph.kernel.pages import PageRequest
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx
from tests.support.alerts import an_alert, ended, make_alert
from tests.support.catalog import make_service
from tests.support.clock import START, TestClock
from tests.support.events import as_logged
from tests.support.incidents import make_incident
from tests.support.statements import statements

EVERYTHING = PageRequest(size=200)
MINUTE = timedelta(minutes=1)
NAMES = st.sampled_from(["api", "API", "gateway", "web", "unregistered", "nobody"])
TIMES = st.sampled_from([START - MINUTE, START, START + MINUTE, START + 2 * MINUTE])
TEXTS = st.sampled_from(["", "ÖDEME", "ödeme", "100%", "_", "\\", "5xx", "api"])


def some(values: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...] | None]:
    """A condition of a filter: none, or a few values."""
    return st.none() | st.lists(values, max_size=2).map(tuple)


FILTERS = st.builds(
    AlertFilter,
    statuses=some(st.sampled_from(list(AlertStatus))),
    severities=some(st.sampled_from(list(Severity))),
    services=some(NAMES),
    teams=some(st.sampled_from(["Platform", "PLATFORM", "fintech", "none"])),
    since=st.none() | TIMES,
    until=st.none() | TIMES,
    sources=some(st.sampled_from(["api", "grafana"])),
    silenced=st.none() | st.booleans(),
    search=st.none() | TEXTS,
)


async def made(tx: Tx) -> None:
    """Alerts that differ in everything that a filter asks about; one service was renamed since, one is archived."""
    for team in ("Platform", "fintech"):
        await catalog.save_team(tx, TeamInput(team))
    api = await make_service(tx, "api", team="platform")
    web = await make_service(tx, "web", team="fintech")
    messages = ["Ödeme is slow", "100% _\\ used", "5xx spike"]
    for number, severity in enumerate([*Severity, *Severity]):
        at = START + MINUTE * (number % 3)
        service, id_ = [("Api", api.id), ("web", web.id), ("unregistered", None)][number % 3]
        values = ended(at) if number % 2 else {}
        await make_alert(
            tx,
            service,
            severity,
            id=uuid7(at),
            first_seen_at=at,
            service_id=id_,
            message=messages[number // 4],
            source="grafana" if number % 4 == 0 else "api",
            silenced=number in {2, 3},
            **values,
        )
    await catalog.rename_service(tx, "api", "gateway")
    await catalog.archive_service(tx, "web")


@pytest.fixture
async def filled(database: Database, clock: TestClock) -> Database:
    """A database with alerts of every kind."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await made(tx)
    return database


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])  # examples only read
@given(wanted=FILTERS)
async def test_the_database_and_a_feed_find_the_same_alerts(filled: Database, wanted: AlertFilter) -> None:
    """Newest first, and as many as are counted."""
    async with filled.reading() as session:
        everything = [alert_of(row) for row in (await pages.alerts_page(session, AlertFilter(), EVERYTHING)).rows]
        found = [alert_of(row) for row in (await pages.alerts_page(session, wanted, EVERYTHING)).rows]
        count = await pages.count_alerts(session, wanted)
        known = await homes.homes_by_id(session, {a.service_id for a in everything if a.service_id})
    home = {alert.id: known.get(alert.service_id) if alert.service_id else None for alert in everything}
    assert found == [alert for alert in everything if matches(wanted, alert, home[alert.id])]
    assert (count, len(everything)) == (len(found), 10)
    if not needs_home(wanted):
        assert found == [alert for alert in everything if matches(wanted, alert)]


@pytest.mark.parametrize("year", [1, 1969, 1970, 9999])
async def test_any_instant_can_be_asked_for(filled: Database, year: int) -> None:
    """Also one that no id can begin with."""
    at = datetime(year, 1, 1, tzinfo=UTC)
    async with filled.reading() as session:
        since = await pages.count_alerts(session, AlertFilter(since=at))
        until = await pages.count_alerts(session, AlertFilter(until=at))
    assert (since, until) == ((0, 10) if year == 9999 else (10, 0))


async def test_alerts_of_services_and_incidents_are_paged_together(database: Database, clock: TestClock) -> None:
    """One statement for the pages of many parents, another for their counts."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        services = [await make_service(tx, name) for name in ("api", "web")]
        incident = await make_incident(tx)
        of_api = [await make_alert(tx, service_id=services[0].id, incident_id=incident.id) for _ in range(3)]
        of_web = [await make_alert(tx, "web", service_id=services[1].id, **ended()) for _ in range(2)]
    ids = [service.id for service in services]
    firing = AlertFilter(statuses=(AlertStatus.FIRING,))
    async with database.reading() as session:
        with statements(database) as seen:
            found = await pages.alerts_by_service(session, ids, PageRequest(size=2), AlertFilter())
            counts = await pages.count_by_service(session, ids, AlertFilter())
        assert len([s for s in seen if s.startswith("SELECT")]) == 2
        assert await pages.count_by_service(session, ids, firing) == {ids[0]: 3}
        assert list(await pages.alerts_by_service(session, ids, EVERYTHING, firing)) == [ids[0]]
        of_incident = await pages.alerts_by_incident(session, [incident.id], EVERYTHING)
        assert await pages.count_by_incident(session, [incident.id]) == {incident.id: 3}
        newest = await pages.newest_alerts(session, 2)
    assert {id_: [alert_of(row) for row in page.rows] for id_, page in found.items()} == {
        ids[0]: of_api[:0:-1],
        ids[1]: of_web[::-1],
    }
    assert counts == {ids[0]: 3, ids[1]: 2}
    assert [alert_of(row) for row in of_incident[incident.id].rows] == of_api[::-1]
    assert newest == of_web[::-1]


async def test_what_fires_is_walked_through_in_order(database: Database, clock: TestClock) -> None:
    """From where the walk has come to; silenced ones by themselves, too."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        quiet = [await make_alert(tx, silenced=True) for _ in range(3)]
        await make_alert(tx, silenced=True, **ended())
        loud = await make_alert(tx)
    async with database.reading() as session:
        assert await ongoing.firing_alerts(session, 10) == [*quiet, loud]
        assert await ongoing.firing_alerts(session, 2, after=quiet[0].id) == quiet[1:]
        assert await ongoing.firing_silenced(session, 2) == quiet[:2]
        assert await ongoing.firing_silenced(session, 2, after=quiet[1].id) == quiet[2:]


async def test_an_alert_comes_back_from_the_database_and_from_the_log_as_it_was(
    database: Database, clock: TestClock
) -> None:
    """Every member of it, whatever it holds."""
    labels = {"job": "ödeme", "empty": ""}
    full = an_alert(
        labels=labels, annotations={"summary": 'a "b"'}, source_url="https://x", occurrences=2**31 - 1, ends_at=START
    )
    over = replace(full, **ended(START + timedelta(microseconds=1), ResolvedBy.PERSON), id=uuid7(START), silenced=True)
    assert [alert_from(as_logged(alert)) for alert in (full, over)] == [full, over]
    async with database.transaction(SYSTEM, clock.now()) as tx:
        for alert in (full, over):
            values = {name: getattr(alert, name) for name in alert.__slots__ if name != "service_name"}
            assert await make_alert(tx, **values) == alert
        assert await alerts_by_id(tx.connection, [full.id, over.id]) == {full.id: full, over.id: over}
