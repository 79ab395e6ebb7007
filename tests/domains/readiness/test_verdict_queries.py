"""Reads of verdicts and of where services stand, batched, on both databases."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from opsgraph.app import Core
from opsgraph.domains.catalog import commands as catalog
from opsgraph.domains.catalog.model import ServiceFilter
from opsgraph.domains.catalog.queries import services as catalog_services
from opsgraph.domains.readiness.model.verdicts import ReadinessDecision, Verdict
from opsgraph.domains.readiness.queries import states, verdicts
from opsgraph.domains.readiness.queries.manifests import declarations_by_service
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.pages import PageRequest
from opsgraph.settings import Settings
from tests.support import databases
from tests.support.clock import TestClock
from tests.support.statements import statements
from tests.support.verdicts import CONDITIONAL_GO, EVERYTHING, NO_GO, judge, judging, make, override, standing

NAMES = ("api", "web", "db")


@pytest.fixture
async def core(settings: Settings, clock: TestClock, database_kind: str) -> AsyncIterator[Core]:
    """A process that judges, with three services and one that nobody judged: quiet."""
    async with judging(settings, clock) as opened:
        for name in NAMES:
            await make(opened, name)
        await make(opened, "quiet", values=None)
        yield opened
    if database_kind == "postgresql":
        await databases.emptied(settings.database_url)


async def history(core: Core, clock: TestClock, count: int = 3) -> dict[str, list[Verdict]]:
    """So many verdicts on each service, newest first."""
    found: dict[str, list[Verdict]] = {name: [] for name in NAMES}
    for _ in range(count):
        clock.move(minutes=1)
        for name in NAMES:
            found[name].insert(0, await judge(core, name))
    return found


async def test_the_history_of_each_service(core: Core, clock: TestClock) -> None:
    """Newest first, page by page, in one statement for all of them."""
    made = await history(core, clock)
    ids = {made[name][0].service_id: name for name in NAMES}
    async with core.database.reading() as session:
        with statements(core.database) as seen:
            pages = await verdicts.verdicts_by_service(session, list(ids), PageRequest(2))
        assert len([statement for statement in seen if not statement.startswith("BEGIN")]) == 1
        for id_, page in pages.items():
            assert [verdicts.verdict_of(row) for row in page.rows] == made[ids[id_]][:2]
            assert (page.has_next, page.has_previous) == (True, False)
            rest = await verdicts.verdicts_by_service(session, [id_], PageRequest(2, after=page.keys[-1]))
            assert [verdicts.verdict_of(row) for row in rest[id_].rows] == made[ids[id_]][2:]
        assert await verdicts.count_by_service(session, list(ids)) == dict.fromkeys(ids, 3)


async def test_the_newest_of_each_service(core: Core, clock: TestClock) -> None:
    """One that was never judged is absent; what it says is read without the rest of it."""
    made = await history(core, clock, 2)
    newest = {made[name][0].service_id: made[name][0] for name in NAMES}
    async with core.database.reading() as session:
        assert await verdicts.newest_by_service(session, newest) == newest
        quiet = (await catalog_services.require_service(session, "quiet")).id
        assert await verdicts.newest_by_service(session, [quiet]) == {}
        assert await verdicts.said_by_service(session, [quiet]) == {}
        said = await verdicts.said_by_service(session, newest)
        declared = await declarations_by_service(session, newest)
    for id_, verdict in newest.items():
        assert (said[id_].policy_version, said[id_].declaration_id) == (1, declared[id_].id)
        assert (said[id_].decision, said[id_].pass_rate) == (verdict.decision, verdict.pass_rate)
        assert verdicts.results_of(said[id_].results) == verdict.results


async def named(core: Core, *decisions: ReadinessDecision, later: timedelta = timedelta(0)) -> list[str]:
    """The services about which one of these decisions counts, by name."""
    wanted = states.in_decision(decisions, core.clock.now() + later)
    async with core.database.reading() as session:
        page = await catalog_services.services_page(session, ServiceFilter(), PageRequest(50), among=[wanted])
        assert await catalog_services.count_services(session, ServiceFilter(), [wanted]) == len(page.rows)
    return [row.name for row in page.rows]


async def test_services_by_what_counts(core: Core) -> None:
    """An override in force beats the verdict, until it expires; one that was never judged is in no decision."""
    await make(core, "bad", {**EVERYTHING, "encryption": False})
    for name in (*NAMES, "bad"):
        await judge(core, name)
    best = (await standing(core)).decision
    assert best is not None
    assert await named(core, best) == ["api", "db", "web"]
    assert await named(core, NO_GO) == ["bad"]
    await override(core, CONDITIONAL_GO, days=1, name="bad")
    await override(core, NO_GO, days=2, name="web")
    assert await named(core, NO_GO) == ["web"]
    assert "bad" in await named(core, CONDITIONAL_GO)
    assert await named(core, NO_GO, later=timedelta(days=1)) == ["bad", "web"]
    assert await named(core, NO_GO, later=timedelta(days=2)) == ["bad"]
    assert await named(core, *ReadinessDecision) == ["api", "bad", "db", "web"]
    assert await named(core) == []


async def test_what_is_due(core: Core, clock: TestClock) -> None:
    """Longest due first, no archived ones, and no more than asked for."""
    for name in NAMES:
        clock.move(minutes=1)
        await judge(core, name)
    ids = {name: (await standing(core, name)).service_id for name in NAMES}
    async with core.database.transaction(SYSTEM, clock.now()) as tx:
        await catalog.archive_service(tx, "web")
    async with core.database.reading() as session:
        later = clock.now() + timedelta(hours=1)
        assert await states.due_services(session, clock.now() + timedelta(minutes=57), 10) == []
        assert await states.due_services(session, later, 10) == [ids["api"], ids["db"]]
        assert await states.due_services(session, later, 1) == [ids["api"]]
