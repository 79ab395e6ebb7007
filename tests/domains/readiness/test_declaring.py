"""Declarations as they are stored: snapshots that nobody changes, and equal ones once."""

from typing import Any

import pytest
from sqlalchemy import func, select, text

from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.readiness.commands import declaring
from opsgraph.domains.readiness.model.manifests import Declaration, ManifestDeclared
from opsgraph.domains.readiness.queries import manifests as queries
from opsgraph.domains.readiness.queries.states import due_services, standings_by_service
from opsgraph.domains.readiness.tables import manifests
from opsgraph.kernel.pages import PageRequest
from opsgraph.kernel.refusals import Conflict, Invalid, NotFound
from opsgraph.storage.database import Database
from opsgraph.storage.saving import Outcome
from tests.support.catalog import make_service
from tests.support.clock import START, TestClock
from tests.support.statements import statements
from tests.support.verdicts import EDITOR

CREATED, CHANGED, UNCHANGED = Outcome


async def declare(database: Database, clock: TestClock, values: dict[str, Any], name: str = "api") -> Outcome:
    """What declaring this did."""
    async with database.transaction(EDITOR, clock.now()) as tx:
        return (await declaring.declare(tx, name, values)).outcome


@pytest.fixture
async def api(database: Database, clock: TestClock) -> Any:
    """The id of a service."""
    async with database.transaction(EDITOR, clock.now()) as tx:
        return (await make_service(tx)).id


async def declared(database: Database, service_id: Any) -> list[Declaration]:
    """Every declaration of a service, newest first."""
    async with database.reading() as session:
        pages = await queries.manifests_by_service(session, [service_id], PageRequest(200))
        counts = await queries.count_by_service(session, [service_id])
    rows = pages[service_id].rows if pages else []
    assert counts.get(service_id, 0) == len(rows)
    return [queries.declaration_of(row) for row in rows]


async def test_each_declaration_is_a_snapshot(database: Database, clock: TestClock, api: Any) -> None:
    """It takes the place of the one before as a whole; that one is kept as it was."""
    before = {"metrics": True, "alerting": True}
    after = {"metrics": True, "custom": {"team": "ä", "n": [1, 1.5, None]}}
    assert await declare(database, clock, before) is CREATED
    later = clock.move(minutes=1)
    assert await declare(database, clock, after) is CHANGED
    newest, first = await declared(database, api)
    assert (first.values, first.declared_at, first.declared_by) == (before, START, "Eda")
    assert (newest.values, newest.declared_at, newest.declared_by) == (after, later, "Eda")
    async with database.reading() as session:
        assert await queries.declarations_by_service(session, [api]) == {api: newest}


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ({"custom": {"b": 2, "a": 1}, "metrics": True}, UNCHANGED),
        ({"metrics": True, "custom": {"a": 1, "b": 2}}, UNCHANGED),
        ({"metrics": True, "custom": {"a": True, "b": 2}}, CHANGED),
        ({"metrics": True, "custom": {"a": 1.0, "b": 2}}, CHANGED),
        ({"metrics": True, "custom": {"a": 1}}, CHANGED),
        ({"metrics": True, "alerting": False, "custom": {"a": 1, "b": 2}}, CHANGED),
    ],
)
async def test_an_equal_declaration_adds_none(
    database: Database, clock: TestClock, api: Any, values: dict[str, Any], outcome: Outcome
) -> None:
    """Whatever the order of names; true is not 1, and what is false was said."""
    await declare(database, clock, {"metrics": True, "custom": {"a": 1, "b": 2}})
    assert await declare(database, clock, values) is outcome
    assert len(await declared(database, api)) == (1 if outcome is UNCHANGED else 2)


async def test_a_declaration_is_told_where_it_is_another(database: Database, clock: TestClock, api: Any) -> None:
    """Reactions hear of it; of an equal one they do not."""
    for events in ([ManifestDeclared(api)], []):
        async with database.transaction(EDITOR, clock.now()) as tx:
            await declaring.declare(tx, "API", {"metrics": True})
            assert tx.recorded == events


async def test_what_is_refused_is_not_stored(database: Database, clock: TestClock, api: Any) -> None:
    """A service that is not there or archived; a field that is not known."""
    with pytest.raises(NotFound, match="nobody"):
        await declare(database, clock, {}, "nobody")
    with pytest.raises(Invalid, match="metric"):
        await declare(database, clock, {"metric": True})
    async with database.transaction(EDITOR, clock.now()) as tx:
        await catalog.archive_service(tx, "api")
    with pytest.raises(Conflict, match="archived"):
        await declare(database, clock, {"metrics": True})
    assert await declared(database, api) == []


async def test_a_first_declaration_has_the_service_judged(database: Database, clock: TestClock, api: Any) -> None:
    """From then on it stands somewhere, and is due at once."""
    async with database.reading() as session:
        assert await standings_by_service(session, [api]) == {}
    await declare(database, clock, {})
    async with database.reading() as session:
        assert (await standings_by_service(session, [api]))[api].verdict_id is None
        assert await due_services(session, clock.now(), 10) == [api]


async def test_what_comes_before_each(database: Database, clock: TestClock, api: Any) -> None:
    """The one of the same service that it took the place of; in two statements for all."""
    async with database.transaction(EDITOR, clock.now()) as tx:
        web = (await make_service(tx, "web")).id
    for number in range(3):
        for name in ("api", "web"):
            await declare(database, clock, {"custom": {name: number}}, name)
    newest, middle, first = await declared(database, api)
    other = (await declared(database, web))[-1]
    async with database.reading() as session:
        with statements(database) as seen:
            found = await queries.with_predecessors(session, [each.id for each in (newest, middle, first, other)])
    assert found == {
        newest.id: (middle, newest),
        middle.id: (first, middle),
        first.id: (None, first),
        other.id: (None, other),
    }
    assert len([statement for statement in seen if not statement.startswith("BEGIN")]) == 2


async def test_a_later_one_is_newer_whatever_the_clock_says(database: Database, clock: TestClock, api: Any) -> None:
    """Of two processes whose clocks differ, the one that comes second is believed."""
    await declare(database, clock, {"metrics": True})
    clock.move(seconds=-5)
    await declare(database, clock, {"metrics": False})
    async with database.reading() as session:
        assert (await queries.declarations_by_service(session, [api]))[api].values == {"metrics": False}


async def test_many_services_are_read_in_one_statement(database: Database, clock: TestClock, api: Any) -> None:
    """The newest declaration of each; a service that declared nothing is absent."""
    async with database.transaction(EDITOR, clock.now()) as tx:
        ids = [(await make_service(tx, f"s{number}")).id for number in range(5)]
    for number in range(5):
        for value in (number, number + 1):
            await declare(database, clock, {"custom": {"n": value}}, f"s{number}")
    async with database.reading() as session:
        with statements(database) as seen:
            found = await queries.declarations_by_service(session, [api, *ids])
        assert (await session.execute(select(func.count()).select_from(manifests))).scalar_one() == 10
        assert (await session.execute(text("SELECT count(*) FROM readiness_state"))).scalar_one() == 5
    assert [found[id_].values["custom"]["n"] for id_ in ids] == [1, 2, 3, 4, 5]
    assert (len(found), len([each for each in seen if not each.startswith("BEGIN")])) == (5, 1)
