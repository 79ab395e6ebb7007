"""Which services depend on one, directly or through others, cycles or not."""

from collections.abc import Collection, Mapping
from random import Random
from uuid import UUID

import pytest

from opsgraph.domains.catalog import commands
from opsgraph.domains.catalog.model import ServiceInput
from opsgraph.domains.catalog.queries import relations
from opsgraph.kernel.actor import LOCAL
from opsgraph.kernel.pages import PageRequest
from opsgraph.storage.database import Database
from tests.support.catalog import make_service
from tests.support.clock import START
from tests.support.statements import statements

Graph = Mapping[str, Collection[str]]
"""What each service depends on, by name."""

CHAIN = {"web": ["api"], "api": ["db"], "db": []}
CYCLE = {"web": ["api"], "api": ["db"], "db": ["web"]}
DIAMOND = {"web": ["left", "right"], "left": ["db"], "right": ["db"], "db": []}


async def make(database: Database, graph: Graph, archived: Collection[str] = ()) -> dict[str, UUID]:
    """Services with these dependencies; gives their ids by name."""
    async with database.transaction(LOCAL, START) as tx:
        ids = {name: (await make_service(tx, name)).id for name in graph}
        for name, others in graph.items():
            await commands.save_service(tx, ServiceInput(name, depends_on=list(others)))
        for name in archived:
            await commands.archive_service(tx, name)
    return ids


async def impact(database: Database, ids: Mapping[str, UUID], size: int = 200) -> dict[str, list[str]]:
    """What depends on each service, by name, in one page; the count has to agree where the page is large enough."""
    async with database.reading() as session:
        pages = await relations.impacted_by(session, list(ids.values()), PageRequest(size))
        counts = await relations.count_impacted(session, list(ids.values()))
    found = {name: [row.name for row in pages[id_].rows] if id_ in pages else [] for name, id_ in ids.items()}
    assert all(len(found[name]) == min(size, counts.get(id_, 0)) for name, id_ in ids.items())
    return found


@pytest.mark.parametrize(
    ("graph", "archived", "expected"),
    [
        (CHAIN, [], {"web": [], "api": ["web"], "db": ["api", "web"]}),
        (CYCLE, [], {"web": ["api", "db"], "api": ["db", "web"], "db": ["api", "web"]}),
        (DIAMOND, [], {"web": [], "left": ["web"], "right": ["web"], "db": ["left", "right", "web"]}),
        (CHAIN, ["api"], {"web": [], "api": ["web"], "db": []}),
        (DIAMOND, ["left"], {"web": [], "left": ["web"], "right": ["web"], "db": ["right", "web"]}),
        (CYCLE, ["web"], {"web": ["api", "db"], "api": [], "db": ["api"]}),
    ],
    ids=["chain", "cycle", "diamond", "through an archived one", "around an archived one", "broken cycle"],
)
async def test_what_depends_on_a_service(
    database: Database, graph: Graph, archived: Collection[str], expected: dict[str, list[str]]
) -> None:
    """By name, each once, without itself; archived services are neither listed nor passed through."""
    found = await impact(database, await make(database, graph, archived))
    assert found == expected


@pytest.mark.parametrize("seed", range(4))
async def test_any_graph(database: Database, seed: int) -> None:
    """Of twelve services with dependencies by chance, exactly those depend on one from which a path leads there."""
    chance = Random(seed)  # noqa: S311 - it has to be repeatable
    names = [f"s-{number:02}" for number in range(12)]
    graph = {name: {other for other in names if other != name and chance.random() < 0.15} for name in names}
    found = await impact(database, await make(database, graph))
    assert found == {name: sorted(_ancestors(graph, name)) for name in names}


def _ancestors(graph: Graph, name: str) -> set[str]:
    found: set[str] = set()
    todo = {name}
    while todo:
        todo = {other for other, needs in graph.items() if todo & set(needs)} - found
        found |= todo
    return found - {name}


async def test_many_services_are_one_statement_and_pages_go_on(database: Database) -> None:
    """Pages of several services come together; the next page begins behind the last name."""
    ids = await make(database, {"db": [], **{f"user-{number}": ["db"] for number in range(5)}})
    assert (await impact(database, ids, size=2))["db"] == ["user-0", "user-1"]
    async with database.reading() as session:
        with statements(database) as seen:
            first = (await relations.impacted_by(session, list(ids.values()), PageRequest(3)))[ids["db"]]
            assert len(seen) <= 2  # SQLite says BEGIN besides
        following = await relations.impacted_by(session, list(ids.values()), PageRequest(3, after=first.keys[-1]))
    assert first.has_next
    assert [row.name for row in following[ids["db"]].rows] == ["user-3", "user-4"]
    assert not following[ids["db"]].has_next
