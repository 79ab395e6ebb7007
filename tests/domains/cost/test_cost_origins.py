"""Reading costs origin by origin, on both databases."""

from opsgraph.domains.cost import commands, queries
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.pages import PageRequest
from opsgraph.storage.database import Database
from tests.support.catalog import make_service
from tests.support.clock import TestClock
from tests.support.cost import cost
from tests.support.statements import statements


async def test_an_origin_gives_back_what_it_was_given(database: Database, clock: TestClock) -> None:
    """With what could not be given to a service, and nothing of another origin; two statements."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        api = (await make_service(tx)).id
        parts = [
            cost("2024-01", "1.5", origin="b", service=api, effective="1"),
            cost("2024-02", "-2", "EUR", origin="b", service=api),
            cost("2024-01", "0.000000000000000001", origin="b"),
        ]
        await commands.replace_origins(tx, {"a", "b", "c"}, [*parts, cost("2024-01", 7, origin="a", service=api)])
    async with database.reading() as session:
        page = await queries.origins_page(session, PageRequest())
        with statements(database) as seen:
            found = {row.name: await queries.contributions_of(session, row.id, row.name) for row in page.rows}
    assert list(found) == ["a", "b", "c"]
    assert sorted(found["b"], key=repr) == sorted(parts, key=repr)
    assert (len(found["a"]), found["c"], len(seen)) == (1, [], 6)
